"""Params of the report stage."""

from pydantic import Field

from domain_embeddings.params.strict import Strict


class ReportParams(Strict):
    """How per-query results become a verdict."""

    seed: int = Field(ge=0)
    resamples: int = Field(ge=100)
    """Draws of the paired bootstrap and of the permutation test."""
    min_queries: int = Field(ge=2)
    """Fewer test questions than this cannot show a gain worth having: the verdict is 'underpowered'."""
    min_delta: float = Field(ge=0)
    """A difference smaller than this is called 'unchanged' even when its interval excludes zero."""
