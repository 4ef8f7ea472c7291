"""The words of the field: passages, queries and who asked them, qrels, runs, and the test collection of them all."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

SPLITS = ("train", "dev", "test")

OWN_PASSAGE = "own_passage"
"""Key of a query's `extra`: the passage that is the query itself, and no answer to it."""

WRITTEN_BY = "written_by"
"""Key of a question, or of a whole file of them: an `Author`."""

Qrels = dict[str, dict[str, int]]
"""Relevance judgements: query id → passage id → grade (0 judged irrelevant, 1 and above relevant)."""

Run = dict[str, dict[str, float]]
"""A system's answer: query id → passage id → score, best score first."""


@dataclass(frozen=True)
class Passage:
    """A unit of retrieval. `title` is its heading path; `extra` holds what else the source knows (file, page, …)."""

    id: str
    title: str
    text: str
    domain: str = ""
    type: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> str:
        """The text that every arm indexes: title and text joined by a space."""
        return f"{self.title} {self.text}".strip()


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


@dataclass(frozen=True)
class Query:
    """A question. `extra` holds what else the source knows of it (difficulty, kind, source of synthesis, …)."""

    id: str
    text: str
    domain: str = ""
    category: str = ""
    difficulty: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def own_passage(self) -> str | None:
        """The passage that is this question itself, where questions are asked of each other: no hit counts as it."""
        return self.extra.get(OWN_PASSAGE)


def own_passages(queries: Mapping[str, Query]) -> dict[str, str]:
    """Query id → the passage that is the query itself, of those that are passages too."""
    return {query_id: query.own_passage for query_id, query in queries.items() if query.own_passage is not None}


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


@dataclass(frozen=True)
class Dataset:
    """A test collection: passages and queries by id, and the judgements of each split it has."""

    corpus: dict[str, Passage]
    queries: dict[str, Query]
    qrels: dict[str, Qrels]

    def judged(self, split: str) -> dict[str, Query]:
        """The queries of `split` that have at least one relevant passage, in the order of the qrels."""
        qrels = self.qrels.get(split, {})
        return {qid: self.queries[qid] for qid, grades in qrels.items() if max(grades.values()) > 0}


@dataclass(frozen=True)
class Reject:
    """Input that was left out, and why: a file, a row or a section."""

    place: str
    reason: str


@dataclass(frozen=True)
class Ingested:
    """What an adapter makes of a folder: a dataset, what it left out, and counts of all it did."""

    dataset: Dataset
    rejects: list[Reject]
    counts: dict[str, int]
    problems: list[str] = field(default_factory=list)
    """What is left of a folder that nobody may have meant to leave out; errors where `ingest.strict` says so."""
