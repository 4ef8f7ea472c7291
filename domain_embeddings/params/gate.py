"""Params of the gate: a command that compares two revisions, not a stage."""

from typing import Annotated

from pydantic import AfterValidator, Field

from domain_embeddings.core.metrics import METRICS
from domain_embeddings.params.strict import Name, Strict


def _known(metric: str) -> str:
    if metric not in METRICS:
        raise ValueError(f"no such metric, there are {', '.join(METRICS)}")
    return metric


Metric = Annotated[str, AfterValidator(_known)]
Acceptance = Annotated[str, Field(pattern=r"^[^/\s]+/[^/\s]+/[^/\s]+(/.+=.+?)?( \(.*\))?$")]
"""`corpus/arm/metric`, then `/slice=value` for a slice alone, then a blank and a reason in brackets."""


class GateParams(Strict):
    """Which falls of search quality stop a change."""

    arms: list[Name] = Field(min_length=1)
    """The arms that are in use; what others do is reported elsewhere and stops nothing."""
    tolerance: dict[Metric, Annotated[float, Field(ge=0)]] = Field(min_length=1)
    """Metric → the fall that is tolerated; a larger one whose 95% interval excludes zero stops the change."""
    min_queries: int = Field(default=50, ge=2)
    """With fewer questions in both revisions no interval is trusted, and nothing is decided."""
    slices: bool
    """Whether a slice alone (one domain, one difficulty) can stop a change, not only all questions together."""
    resamples: int = Field(default=10_000, ge=100)
    """Draws of the paired bootstrap and of the permutation test."""
    seed: int = Field(ge=0)
    """Of the bootstrap and the permutation test."""
    accept: list[Acceptance]
    """Falls that are wanted, such as `manuals/tuned/ndcg@10 (a model of half the size)`.

    A line counts where the base revision does not have it yet, so that it accepts one change and no later one.
    """
