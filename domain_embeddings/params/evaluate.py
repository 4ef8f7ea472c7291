"""Params of the evaluate stage."""

from pydantic import Field

from domain_embeddings.params.strict import Strict


class EvaluateParams(Strict):
    """How the arms rank the test questions."""

    depth: int = Field(ge=10)
    """Passages of each ranking that are kept and fused."""
    rrf_k: int = Field(ge=1)
    """The constant of reciprocal rank fusion."""
