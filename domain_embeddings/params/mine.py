"""Params of the mine stage."""

from pydantic import Field, model_validator

from domain_embeddings.params.strict import Strict


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
    negatives: int = Field(ge=1, le=10)
    """Hard negatives a pair."""
    depth: int = Field(ge=10)
    """Candidates taken from each of BM25 and the base model's nearest passages."""
    max_score_share: float = Field(gt=0, le=1)
    """A candidate scoring above this share of the positive's score is dropped as a likely false negative."""
    near_copy: float = Field(gt=0.3, le=1)
    """Passages whose word 3-grams have at least this Jaccard similarity to the positive are never its negatives."""
    same_domain: float = Field(ge=0, le=1)
    cross_domain: float = Field(ge=0, le=1)
    relations: RelationShares

    @model_validator(mode="after")
    def _shares(self) -> "MineParams":
        if abs(self.same_domain + self.cross_domain - 1) > 1e-9:
            raise ValueError(f"same_domain + cross_domain must be 1, is {self.same_domain + self.cross_domain:g}")
        return self
