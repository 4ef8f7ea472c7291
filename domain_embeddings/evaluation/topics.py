"""How much of what a question expects is in the passages that were found.

A passage meets a topic when the topic stands in its title or text, word for word, or names the entity that the passage
is about or one that it mentions. What a passage says of entities lies in its `extra`: `entity`, `aliases`, `mentions`,
`mention_aliases` and `temporal_order` (when its fact becomes known); passages of other corpora have aliases at most.
"""

from collections.abc import Sequence
from functools import lru_cache

from domain_embeddings.core.dataset import Passage
from domain_embeddings.core.text import words

_CURLY, _STRAIGHT, _POSSESSIVE = "’", "'", "'s"


@lru_cache(maxsize=1 << 16)
def plain(text: str) -> str:
    """The words of a text, case-folded, without the possessive 's, each between single spaces: " the grey nun "."""
    return f" {' '.join(word.removesuffix(_POSSESSIVE) for word in words(text.replace(_CURLY, _STRAIGHT)))} "


def _entity_names(passage: Passage) -> list[str]:
    """The names and aliases of the passage's own entity and of all that it mentions."""
    extra = passage.extra
    own = [extra["entity"]] if extra.get("entity") else []
    return [*own, *extra.get("aliases", ()), *extra.get("mentions", ()), *extra.get("mention_aliases", ())]


def meets(passage: Passage, topic: str) -> bool:
    """Whether the passage says something of the topic, which must match whole words."""
    wanted = plain(topic)
    return bool(wanted.strip()) and (
        wanted in plain(passage.title)
        or wanted in plain(passage.text)
        or any(wanted == plain(name) for name in _entity_names(passage))
    )


def coverage(passages: Sequence[Passage], expected: Sequence[str]) -> float:
    """The share of the expected topics that at least one of the passages meets; 0 where none are expected."""
    return sum(any(meets(passage, topic) for passage in passages) for topic in expected) / max(1, len(expected))


def is_known(passage: Passage, limit: int | None) -> bool:
    """Whether the passage tells nothing from after `limit`; without a limit, or a date of its own, it does not."""
    order = passage.extra.get("temporal_order")
    return limit is None or order is None or order <= limit


def topic_coverage(found: Sequence[Passage], expected: Sequence[str], limit: int | None, k: int = 5) -> float:
    """topic_coverage@k = |topics met by the union of the first k passages| / |expected topics|.

    `found` is a ranking, best first. A passage past the question's temporal limit keeps its rank but meets nothing.
    """
    return coverage([passage for passage in found[:k] if is_known(passage, limit)], expected)


def spoilers(found: Sequence[Passage], limit: int | None, k: int = 5) -> int:
    """How many of the first k passages tell what the question must not know yet."""
    return sum(not is_known(passage, limit) for passage in found[:k])


def rubric(covered: float) -> float:
    """A topic coverage on the scale of a human judge: 1 + 4 · coverage, from 1 (no topic met) to 5 (every topic)."""
    return 1 + 4 * covered
