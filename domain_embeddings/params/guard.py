"""Params of the guard stage."""

from domain_embeddings.params.strict import Strict


class GuardParams(Strict):
    """What a tuned model is held against besides its own corpus."""

    path: str
    """A folder of BEIR folders, each with labelled dev questions; one named as the corpus is left out."""
