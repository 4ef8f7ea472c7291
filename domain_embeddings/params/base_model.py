"""Params of the base_model stage."""

from typing import Literal

from pydantic import Field, model_validator

from domain_embeddings.params.strict import Strict


class PromptParams(Strict):
    """What stands before each text, a blank at the end included; empty where nothing does."""

    query: str
    """Before a question, such as "query: "."""
    passage: str
    """Before a passage, such as "passage: "."""


class BaseModelParams(Strict):
    """Which model everything starts from, and the bytes it must have."""

    source: Literal["package", "hub", "folder"]
    """Where the files come from: an installed Python package, a model hub, a folder of yours."""
    name: str = Field(min_length=1)
    """The package's name, the hub's `owner/model`, or the folder's path."""
    revision: str = ""
    """The hub's commit: 40 hex digits, so that nobody can move it. For a package or folder, of the record only."""
    hub_name: str = ""
    """What the hub calls the model (`owner/model`), for the card; empty where `name` says it."""
    sha256: dict[str, str] = Field(min_length=1)
    """File (relative to the model's folder) → SHA-256. Nothing is loaded before these are checked."""
    max_seq_length: int | None = Field(default=None, ge=8)
    """Longest input in tokens, where texts are cut; null reads it from the model's files."""
    prompts: PromptParams | None = None
    """What stands before each text; null reads it from the model's files."""

    @model_validator(mode="after")
    def _pins(self) -> "BaseModelParams":
        if self.source == "hub" and len(self.revision) != 40:
            raise ValueError("revision must be a full commit (40 hex digits) for source 'hub'")
        if not any(name.endswith(".safetensors") for name in self.sha256):
            raise ValueError("sha256 must pin the weights (model.safetensors)")
        for name, digest in self.sha256.items():
            if len(digest) != 64:
                raise ValueError(f"sha256 of {name} must have 64 hex digits, has {len(digest)}")
        return self
