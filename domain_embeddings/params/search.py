"""Params of the search: of commands and the service, not of a stage."""

from typing import Literal

from pydantic import Field, model_validator

from domain_embeddings.params.strict import Strict


class Weights(Strict):
    """How much each ranking weighs in the fusion; 0 leaves it out of the scores."""

    dense: float = Field(default=1.0, ge=0)
    """Of meaning."""
    sparse: float = Field(default=1.0, ge=0)
    """Of words."""

    @model_validator(mode="after")
    def _some(self) -> "Weights":
        if self.dense + self.sparse == 0:
            raise ValueError("one of the weights must be above 0")
        return self


class LateWeights(Strict):
    """How much each score counts in the new order; the defaults are `evaluate`'s where nobody asked dev questions."""

    late: float = Field(default=0.6, ge=0)
    """Of late interaction."""
    dense: float = Field(default=0.2, ge=0)
    """Of meaning."""
    sparse: float = Field(default=0.2, ge=0)
    """Of words."""

    @model_validator(mode="after")
    def _some(self) -> "LateWeights":
        if self.late + self.dense + self.sparse == 0:
            raise ValueError("one of the weights must be above 0")
        return self


class LateParams(Strict):
    """Late interaction: how token vectors are stored, and how they put what was found in a new order."""

    candidates: int = Field(default=100, ge=10, le=1000)
    """Passages that the fusion of meaning and words hands on."""
    weights: LateWeights | None = None
    """null takes those that `evaluate` chose for the corpus where it has run, else the defaults."""
    dimensions: int | None = Field(default=None, ge=32)
    """Leading numbers of a token vector that are kept, for models trained to be cut; null for all."""
    bits: Literal[1, 2, 4] = 1
    """Of each number."""
    factor: int = Field(default=3, ge=1, le=16)
    """Tokens of a passage that share a vector, on average."""


class Server(Strict):
    """A Qdrant server or cluster, and what happens when it does not answer."""

    url: str = Field(pattern=r"^https?://\S+$")
    """Of the server; without a port, 6333."""
    key_env: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Environment variable that holds the API key; null where the server asks for none."""
    retries: int = Field(default=3, ge=0, le=10)
    """Further attempts, each after twice the wait of the one before, from 0.1 s on."""
    timeout_s: float = Field(default=5.0, gt=0)
    """Seconds that one request may take."""
    standby: bool = True
    """Whether the embedded index is kept beside the server's, to answer when the server is gone."""


class SearchParams(Strict):
    """How passages are indexed and found. The defaults, for code without a params.yaml, are params.yaml's."""

    depth: int = Field(default=100, ge=10, le=1000)
    """Passages of each ranking that are fused, in search as in `evaluate`, and the most that one search can give."""
    rrf_k: int = Field(default=60, ge=1)
    """The constant of reciprocal rank fusion."""
    weights: Weights = Weights()
    max_query_chars: int = Field(default=10_000, ge=256)
    """Longer queries are refused. The model sees 256 tokens, about 1,000 characters."""
    batch_size: int = Field(default=64, ge=1, le=1000)
    """Passages that are encoded, stored and acknowledged at once."""
    hnsw_m: int = Field(default=16, ge=4, le=128)
    """Neighbours of each passage in the graph that stands in for a scan where there are many passages."""
    hnsw_ef_construct: int = Field(default=200, ge=16, le=2000)
    """Candidates looked at to find those neighbours."""
    hnsw_ef: int = Field(default=768, ge=16, le=5000)
    """Candidates looked at in a search: more find more of the true neighbours and take longer."""
    late: LateParams | None = None
    """The second stage; null for none. How token vectors are stored changes with the next indexing."""
    server: Server | None = None
    """Where the passages lie; null for a folder on this machine."""
