"""Params of the evaluate stage."""

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from domain_embeddings.params.strict import Name, Strict

SEED_ARM = "tuned_seed"
"""Before the seed: the arm of a further training."""

_OWN_ARM = re.compile(rf"shipped|(bm25|base|tuned)(_aliases)?|(hybrid_|late_|{SEED_ARM}).*")


class _Local(Strict):
    """A model that runs here."""

    query_prefix: str | None = None
    """Put before every question; null takes the prompt that the model's files name, if any."""
    passage_prefix: str | None = None
    """Put before every passage; null as above."""


class Hub(_Local):
    """A sentence-transformers model of the Hugging Face hub; its own code is never run."""

    kind: Literal["hub"]
    """A model of the hub."""
    model: str = Field(pattern=r"^[^/\s]+/[^/\s]+$")
    """`owner/name`."""
    revision: str = Field(pattern=r"^[0-9a-f]{40}$")
    """The commit, so that nobody can move it."""


class Folder(_Local):
    """A sentence-transformers folder. DVC does not watch it: for other weights, give another name or path."""

    kind: Literal["folder"]
    """A model in a folder."""
    path: str = Field(min_length=1)
    """The folder."""


class Endpoint(Strict):
    """An OpenAI-compatible server (OpenAI, Ollama, LM Studio, vLLM). DVC does not watch what it serves."""

    kind: Literal["endpoint"]
    """A model behind a server."""
    url: str = Field(pattern=r"^https?://\S+$")
    """Up to and with `/v1`."""
    model: str = Field(min_length=1)
    """What the server calls it."""
    key_env: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Environment variable that holds the key, which thus stands in no file; null where the server asks for none."""
    batch_size: int = Field(default=64, ge=1, le=2048)
    """Texts of one request."""
    dimension: int | None = Field(default=None, ge=1)
    """What every vector must have; null takes what comes, as long as it is always the same."""
    query_prefix: str = ""
    """Put before every question; a server adds none of itself, and many models were trained with one."""
    passage_prefix: str = ""
    """Put before every passage."""
    retries: int = Field(default=5, ge=0, le=20)
    """Further attempts, ever longer apart, when the server is busy, fails or cannot be reached."""
    timeout_s: float = Field(default=120.0, gt=0)
    """Seconds that one request may take; a local server loads the model during the first one."""


Baseline = Annotated[Hub | Folder | Endpoint, Field(discriminator="kind")]


class EvaluateParams(Strict):
    """Which models of others stand beside the arms. How these rank and fuse is the search's (`search`)."""

    baselines: dict[Name, Baseline]
    """Arm → somebody else's model. Only compared: it is neither fused nor promoted."""

    @model_validator(mode="after")
    def _names(self) -> "EvaluateParams":
        for name in self.baselines:
            if _OWN_ARM.fullmatch(name):
                raise ValueError(f"no baseline may be named {name!r}: that is an arm of this pipeline")
        return self
