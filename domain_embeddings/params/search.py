"""Params of the search: of the systems that `evaluate` measures, of commands and of the service."""

from typing import Literal

from pydantic import Field

from domain_embeddings.params.strict import Strict


class LateStorage(Strict):
    """How the token vectors of late interaction are stored, and how many passages it puts in order."""

    bits: Literal[1, 2, 4] = 2
    """Of each number."""
    factor: int = Field(default=2, ge=1, le=16)
    """Tokens of a passage that share a vector, on average."""
    dimensions: int | None = Field(default=None, ge=32)
    """Leading numbers of a token vector that are kept, for models trained to be cut; null for all."""
    candidates: int = Field(default=100, ge=10, le=1000)
    """Passages that the fusion of meaning and words hands on to late interaction."""


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
    """How passages are indexed and found, and which systems a choice is made from.

    The defaults, for code without a params.yaml, are params.yaml's.
    """

    depth: int = Field(default=100, ge=10, le=1000)
    """Passages of each ranking that a system fuses, and the most that one search can give."""
    late: LateStorage = LateStorage()
    """Token vectors, for the systems with late interaction."""
    budget_kb: float | None = Field(default=None, gt=0)
    """Most KB of vectors that the chosen system may store of a passage, on average; null: no limit."""
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
    server: Server | None = None
    """Where the passages lie; null for a folder on this machine."""
