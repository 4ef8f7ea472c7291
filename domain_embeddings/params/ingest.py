"""Params of the ingest stage."""

from pydantic import Field, model_validator

from domain_embeddings.params.strict import Strict


class IngestParams(Strict):
    """How a folder becomes a test collection."""

    min_chars: int = Field(ge=1)
    """Sections with a shorter text are merged into their neighbour or dropped."""
    max_chars: int = Field(ge=200)
    """Sections with a longer text are split at step or sentence boundaries."""
    near_copy: float = Field(gt=0.5, le=1)
    """Sections whose word 3-grams have at least this Jaccard similarity are one and the same."""
    splits: list[str] = Field(min_length=1)
    """Which splits of labelled questions to use; with ["test"] alone, training is label-free."""

    @model_validator(mode="after")
    def _bounds(self) -> "IngestParams":
        if self.min_chars >= self.max_chars:
            raise ValueError(f"min_chars ({self.min_chars}) must be below max_chars ({self.max_chars})")
        if unknown := set(self.splits) - {"train", "dev", "test"}:
            raise ValueError(f"splits may hold train, dev and test, not {', '.join(sorted(unknown))}")
        if "test" not in self.splits:
            raise ValueError("splits must hold 'test': without it nothing can be evaluated")
        return self
