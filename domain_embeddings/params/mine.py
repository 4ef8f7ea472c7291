"""Params of the mine stage."""

from typing import Literal

from pydantic import Field, model_validator

from domain_embeddings.params.strict import Strict

SourceName = Literal["bm25", "base", "qdrant"]
"""What may stand in `candidates`; each is a source in `training.candidate_sources.SOURCES`."""


class QdrantCollection(Strict):
    """Where a Qdrant collection is: on a server or in an embedded folder. DVC does not watch what it holds."""

    url: str | None = Field(default=None, pattern=r"^https?://\S+$")
    """Of a server; without a port, 6333."""
    path: str | None = Field(default=None, min_length=1)
    """Folder of an embedded Qdrant, which no other program may have open."""
    collection: str = Field(min_length=1)
    """Its name."""
    vector: str | None = None
    """Name of the vector that is searched; null where the collection's vectors have no names."""
    id_field: str = Field(min_length=1)
    """Key of the payload that holds the passage's id in the corpus; `metadata.id` is the key `id` inside `metadata`."""
    key_env: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Environment variable that holds the API key, which so stands in no file; null where the server wants none."""

    @model_validator(mode="after")
    def _one_place(self) -> "QdrantCollection":
        if (self.url is None) == (self.path is None):
            raise ValueError("a collection is at a url or in a path: give one of the two")
        return self


class RelationShares(Strict):
    """What of an entity's negatives is how near to it; used where the positive belongs to an entity's article."""

    hard: float = Field(ge=0, le=1)
    """Passages that mention the positive's entity, are about one that it mentions, or mention the same third one."""
    medium: float = Field(ge=0, le=1)
    """Passages about another entity of the same kind."""
    easy: float = Field(ge=0, le=1)
    """All others."""

    @model_validator(mode="after")
    def _shares(self) -> "RelationShares":
        total = self.hard + self.medium + self.easy
        if abs(total - 1) > 1e-9:
            raise ValueError(f"hard + medium + easy must be 1, is {total:g}")
        return self


class MineParams(Strict):
    """Which passages become a query's hard negatives."""

    seed: int = Field(ge=0)
    """Of the draw of negatives."""
    negatives: int = Field(ge=1, le=10)
    """Hard negatives a pair."""
    depth: int = Field(default=50, ge=10)
    """Candidates taken from each system."""
    candidates: list[SourceName] = Field(min_length=1)
    """The systems whose best wrong passages become candidates, best of each in turn."""
    qdrant: QdrantCollection | None
    """The collection to ask, where candidates hold qdrant; searched with the base model's vectors."""
    max_score_share: float = Field(gt=0, le=1)
    """A candidate scoring above this share of the positive's score is dropped as a likely false negative."""
    max_positive_rank: int | None = Field(ge=1)
    """A query of a passage's own words is left out unless the base model ranks that passage so high; null: never."""
    near_copy: float = Field(default=0.7, gt=0.3, le=1)
    """Passages whose word 3-grams have at least this Jaccard similarity to the positive are never its negatives."""
    same_domain: float = Field(ge=0, le=1)
    """Share of the negatives that come from the positive's own domain; the others come from other domains."""
    relations: RelationShares = RelationShares(hard=0.5, medium=0.3, easy=0.2)

    @model_validator(mode="after")
    def _systems(self) -> "MineParams":
        if len(set(self.candidates)) < len(self.candidates):
            raise ValueError(f"candidates must be different, are {self.candidates}")
        if "qdrant" in self.candidates and self.qdrant is None:
            raise ValueError("candidates hold qdrant, so mine.qdrant must say which collection")
        return self
