"""Params of the robustness stage."""

from pydantic import Field

from domain_embeddings.params.strict import Strict


class RobustnessParams(Strict):
    """How much of a corpus the checks are made from."""

    seed: int = Field(ge=0)
    """Of the draw of questions and passages."""
    questions: int = Field(ge=2)
    """Most dev questions that are asked in other writings."""
    passages: int = Field(ge=20)
    """Passages that they are ranked against; more where the relevant ones and the look-alikes are more."""
