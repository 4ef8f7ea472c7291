"""What passages belong to: the section that each is a piece of, the article of a named thing, and how two are related.

A passage of an encyclopedia has in its `extra` the `entity` whose article it is of, that entity's `aliases` and
`entity_kind`, and in `mentions` the primary names of all entities named in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from domain_embeddings.core.dataset import Passage

MOST_PIECES = 10
"""Of a section. A title that more passages share is the name of a document, and they are no pieces of one section."""

Relation = Literal["same", "related", "overlap", "same_kind", "none"]


@dataclass(frozen=True)
class Article:
    """An entity with the passages about it, in the corpus's order."""

    entity: str
    aliases: tuple[str, ...]
    passages: tuple[Passage, ...]


def sections(passages: Iterable[Passage]) -> dict[str, str]:
    """Passage → the first piece of its section: the passages of one domain, file and title, the title not empty."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for passage in passages:
        key = (passage.domain, str(passage.extra.get("file", "")), passage.title or f"\0{passage.id}")
        found.setdefault(key, []).append(passage.id)
    return {i: pieces[0] if len(pieces) <= MOST_PIECES else i for pieces in found.values() for i in pieces}


def entity_of(passage: Passage) -> str | None:
    """The entity whose article the passage is of, None where there is none."""
    entity: Any = passage.extra.get("entity")
    return entity or None


def articles(passages: Iterable[Passage]) -> list[Article]:
    """The articles of all entities that have a passage, sorted by the entity's name."""
    found: dict[str, list[Passage]] = {}
    for passage in passages:
        if (entity := entity_of(passage)) is not None:
            found.setdefault(entity, []).append(passage)
    return [Article(entity, _aliases(found[entity]), tuple(found[entity])) for entity in sorted(found)]


def _aliases(passages: Iterable[Passage]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(alias for passage in passages for alias in passage.extra.get("aliases", ())))


def relation(a: Passage, b: Passage) -> Relation:
    """How two passages are related, the closest that holds.

    same: about one entity. related: one mentions the other's entity. overlap: both mention a third. same_kind: of one
    `entity_kind`. A passage without an article can be related by mentions alone.
    """
    mine, theirs = entity_of(a), entity_of(b)
    if mine is not None and mine == theirs:
        return "same"
    my_mentions, their_mentions = set(a.extra.get("mentions", ())), set(b.extra.get("mentions", ()))
    if mine in their_mentions or theirs in my_mentions:
        return "related"
    if my_mentions & their_mentions:
        return "overlap"
    kind = a.extra.get("entity_kind")
    return "same_kind" if kind is not None and kind == b.extra.get("entity_kind") else "none"
