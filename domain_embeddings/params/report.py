"""Params of the report stage."""

from pydantic import Field

from domain_embeddings.params.strict import Strict


class ReportParams(Strict):
    """How per-query results become verdicts, and verdicts a promotion."""

    seed: int = Field(ge=0)
    """Of the bootstrap and the permutation test."""
    resamples: int = Field(default=10_000, ge=100)
    """Draws of the paired bootstrap and of the permutation test."""
    min_queries: int = Field(ge=2)
    """With fewer questions than this nothing that was not found counts as absent: the verdict is 'underpowered'."""
    min_groups: int = Field(default=12, ge=2)
    """With fewer groups of questions nothing that was not found counts as absent either, and dev does not choose."""
    min_delta: float = Field(ge=0)
    """A difference smaller than this is called 'unchanged' even when its interval excludes zero."""
    wanted_delta: float = Field(gt=0)
    """The gain worth having: where nothing was found and a set could not have shown this much, it is 'underpowered'."""
    max_loss: float = Field(ge=0)
    """On a collection of the guard's, the 95% interval must exclude a loss beyond this, else nothing is promoted."""
