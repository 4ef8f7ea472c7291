"""Who asked the questions: whoever reads a result must know whether people, rules or a language model wrote them."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from domain_embeddings.core.dataset import Query

WRITTEN_BY = "written_by"
"""The key of a question, or of a whole file of them, that says so."""


class Author(StrEnum):
    """Who asked a question. The values are what `written_by` may say."""

    PEOPLE = "people"
    RULES = "rules"
    MODEL = "model"
    UNKNOWN = "unknown"

    @property
    def label(self) -> str:
        """The name that a reader sees."""
        return {Author.MODEL: "a language model", Author.UNKNOWN: "unknown authors"}.get(self, self.value)


def author_of(query: Query) -> Author:
    """Who asked a question: as it says itself; else rules where the pipeline made it (it has a `source`); else unknown.

    What is read from a file has been checked; a ValueError where a query made elsewhere says something else.
    """
    said = query.extra.get(WRITTEN_BY)
    if said is not None:
        return Author(said)
    return Author.RULES if "source" in query.extra else Author.UNKNOWN


def asked_by(queries: Iterable[Query]) -> str:
    """A phrase for reports, the largest number first: "people", or "people (120) and unknown authors (30)".

    Of equal numbers in the order of `Author`; "nobody" where there is no question.
    """
    found = Counter(map(author_of, queries))
    ordered = sorted((author for author in Author if found[author]), key=lambda author: -found[author])
    if len(ordered) < 2:
        return ordered[0].label if ordered else "nobody"
    *others, last = (f"{author.label} ({found[author]:,})" for author in ordered)
    return f"{', '.join(others)} and {last}"
