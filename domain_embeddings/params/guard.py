"""Params of the guard stage."""

from domain_embeddings.params.sample import SampleParams


class GuardParams(SampleParams):
    """How much of every other corpus is looked at."""
