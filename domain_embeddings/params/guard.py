"""Params of the guard stage."""

from pydantic import Field

from domain_embeddings.params.strict import Strict


class GuardParams(Strict):
    """How much of every other corpus is looked at."""

    seed: int = Field(ge=0)
    """Of the draw of questions and passages."""
    questions: int = Field(ge=10)
    """Most dev questions of another corpus."""
    passages: int = Field(ge=50)
    """Most passages that they are ranked against, beside the relevant ones and the lexical look-alikes."""
