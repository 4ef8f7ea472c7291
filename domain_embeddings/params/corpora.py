"""The corpora that the pipeline runs for."""

from typing import Literal

from pydantic import Field

from domain_embeddings.params.strict import Strict

Kind = Literal["manuals", "memories", "encyclopedia", "chunks", "beir"]


class Corpus(Strict):
    """One entry of `corpora:`: what kind of folder it is and where it lies (outside the repo is fine)."""

    kind: Kind
    """How the folder is read."""
    path: str = Field(min_length=1)
    """Of the folder."""
