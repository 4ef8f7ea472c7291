"""Params of the ingest stage."""

from typing import Literal

from pydantic import Field, model_validator

from domain_embeddings.params.strict import Strict


class EncyclopediaParams(Strict):
    """How the questions of an encyclopedia get their judgements, and what of it may not hang together."""

    min_topic_coverage: float = Field(default=0.5, gt=0, le=1)
    """A passage answers a question when it meets at least this share of its expected topics."""
    positives_per_query: int = Field(default=5, ge=1)
    """Of the passages that answer, the best that count as relevant: as many as a reader looks at."""
    unknown_mentions: Literal["error", "warn"]
    """A chunk that mentions what no index knows stops the stage, or is counted and listed."""
    unreachable_questions: Literal["error", "warn"]
    """A question that no chunk answers stops the stage, or is left out, counted and listed."""


class SplitShares(Strict):
    """The splits' shares of the questions where a corpus declares no splits."""

    train: float = Field(gt=0)
    """Share that is trained on."""
    dev: float = Field(gt=0)
    """Share that chooses checkpoint and promotion."""
    test: float = Field(gt=0)
    """Share that is reported on."""

    @model_validator(mode="after")
    def _whole(self) -> "SplitShares":
        if abs(self.train + self.dev + self.test - 1) > 1e-9:
            raise ValueError(f"train + dev + test must be 1, is {self.train + self.dev + self.test:g}")
        return self


class MemoriesParams(Strict):
    """Which queries of a memory suite are used, and what its splits keep together."""

    min_difficulty: Literal["easy", "medium", "hard"]
    """Easier queries are left out; queries without a difficulty stay."""
    skip_categories: list[str]
    """Categories, of a query or of its memory, case aside, whose queries are left out; the memories stay."""
    split_by: Literal["memory", "query"]
    """By memory: a memory asked for in dev or test is not in training. By query: only the query is new there."""


class ReadingParams(Strict):
    """What reading one file may take. A file that needs more is left out, with the reason."""

    cpu_seconds: float = Field(default=5, gt=0)
    """CPU time of any file. It runs out earlier on a slow machine, so let it be generous."""
    cpu_seconds_per_mb: float = Field(default=100, ge=0)
    """CPU time beside, for each megabyte of a PDF or DOCX, which may be hundreds of pages; a tenth of it for others."""
    memory_mb: int = Field(default=2000, ge=500)
    """Memory of the process that reads: on Linux its address space, on macOS what of it is in use."""
    file_mb: float = Field(default=200, gt=0)
    """Size of a PDF or DOCX."""
    text_mb: float = Field(default=5, gt=0)
    """Size of a file in a format that is all text: TXT, Markdown and HTML; and of one text, in millions of characters,
    in the other kinds."""
    unpacked_mb: float = Field(default=50, gt=0)
    """Size of the XML in a DOCX when unpacked."""


class IngestParams(Strict):
    """How a folder becomes a test collection."""

    min_chars: int = Field(ge=1)
    """Sections with a shorter text are merged into their neighbour or dropped."""
    max_chars: int = Field(ge=200)
    """Sections with a longer text are split at step or sentence boundaries."""
    near_copy: float = Field(default=0.9, gt=0.5, le=1)
    """Sections whose word 3-grams have at least this Jaccard similarity are one and the same."""
    splits: list[str] = Field(min_length=1)
    """Which splits of labelled questions to use; with ["test"] alone, training is label-free."""
    split: SplitShares = SplitShares(train=0.5, dev=0.15, test=0.35)
    """A test split this large can show a small gain."""
    strict: bool = False
    """Whether a problem, such as a domain of which nothing can be read, stops the stage; `report.json` names it."""
    seed: int = Field(ge=0)
    """Of the draw of the splits."""
    reading: ReadingParams = ReadingParams()
    """Limits that a document cannot break."""
    memories: MemoriesParams
    encyclopedia: EncyclopediaParams

    @model_validator(mode="after")
    def _bounds(self) -> "IngestParams":
        if self.min_chars >= self.max_chars:
            raise ValueError(f"min_chars ({self.min_chars}) must be below max_chars ({self.max_chars})")
        if unknown := set(self.splits) - {"train", "dev", "test"}:
            raise ValueError(f"splits may hold train, dev and test, not {', '.join(sorted(unknown))}")
        if "test" not in self.splits:
            raise ValueError("splits must hold 'test': without it nothing can be evaluated")
        return self
