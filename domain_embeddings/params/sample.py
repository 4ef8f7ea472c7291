"""How much of a corpus is looked at where its dev questions are asked."""

from pydantic import Field

from domain_embeddings.params.strict import Strict


class SampleParams(Strict):
    """Size of the draw."""

    seed: int = Field(ge=0)
    """Of the draw of questions and passages."""
    questions: int = Field(ge=10)
    """Most dev questions of a corpus."""
    passages: int = Field(ge=50)
    """Passages that they are ranked against; more where the relevant ones and the look-alikes are more."""
    lookalikes: int = Field(ge=1)
    """BM25's first passages for each question, which are always among them."""
