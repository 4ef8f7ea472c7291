"""Params of the synthesize stage."""

from typing import Literal

from pydantic import Field, model_validator

from domain_embeddings.params.strict import Strict


class SourceWeights(Strict):
    """How often each source of training queries is drawn, relative to the others; 0 switches a source off."""

    template: float = Field(default=1.0, ge=0)
    """Questions and phrases as people type them, filled with what a heading names."""
    heading: float = Field(default=1.0, ge=0)
    """The heading itself, as it is and as a question."""
    sentence: float = Field(default=1.0, ge=0)
    """Salient sentences, and questions that they answer."""
    span: float = Field(default=1.0, ge=0)
    """Runs of words out of the text."""
    keyphrase: float = Field(default=1.0, ge=0)
    """Distinctive noun phrases."""

    @model_validator(mode="after")
    def _some_source(self) -> "SourceWeights":
        if not any(self.model_dump().values()):
            raise ValueError("at least one source needs a weight above 0")
        return self


class SynthesizeParams(Strict):
    """How training queries are made from passages."""

    seed: int = Field(ge=0)
    """Of the draw of queries."""
    queries_per_passage: int = Field(ge=1, le=50)
    """Queries drawn for each passage, where its text yields as many."""
    pairs_per_domain: int = Field(ge=1)
    """Most synthetic queries a domain contributes; passages are then drawn at random."""
    sources: SourceWeights = SourceWeights()
    """Weight of each source."""
    synthetic_expansion_factor: int = Field(ge=0, le=50)
    """Queries made for each name and alias of an entity that the corpus has passages about; 0 switches this off."""
    dev_passages: float = Field(default=0.1, gt=0, lt=0.5)
    """Where no labelled dev questions exist: the share of passages held out of training to make dev queries from. More
    are held out until there are 100 queries, fewer where there are 300."""
    labelled_leaks: Literal["fail", "drop"]
    """A labelled training query near-equal to a dev or test question stops the stage, or is dropped and counted."""
