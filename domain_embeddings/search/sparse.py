"""BM25 as a product of sparse vectors, so that a vector database can compute it.

score(q, p) = Σ over terms t: count(t in q) · idf(t) · tf(t in p) / (tf + k1 · (1 − b + b · length(p) / average length))

The last factor is the passage's sparse weight, made here; count(t in q) is the query's. The database multiplies by
idf(t) = ln(1 + (N − n + 0.5) / (n + 0.5)), which is Lucene's and so bm25s's, over the passages it holds at that moment.

A term's number is a hash of its stem, so that no vocabulary must be kept. With 32 bits, a stem of a vocabulary of V
shares its number with another one with a probability of about V / 2³²: 1 in 43,000 for 100,000 stems.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from domain_embeddings.core.lexical import K1, B


@dataclass(frozen=True)
class Sparse:
    """A sparse vector: different term numbers and their weights."""

    indices: list[int]
    values: list[float]


@lru_cache(maxsize=2**17)
def term_number(stem: str) -> int:
    """The first 32 bits of BLAKE2b over the stem's UTF-8: the same on every machine."""
    return int.from_bytes(hashlib.blake2b(stem.encode("utf-8"), digest_size=4).digest(), "big")


def query_weights(stems: Sequence[str]) -> Sparse:
    """How often the query has each term."""
    return _sparse({stem: float(count) for stem, count in Counter(stems).items()})


def passage_weights(stems: Sequence[str], average_length: float) -> Sparse:
    """The passage's BM25 weights but for the idf; `average_length` in stems, of all passages of the collection."""
    norm = K1 * (1 - B + B * len(stems) / average_length) if average_length > 0 else K1
    return _sparse({stem: count / (count + norm) for stem, count in Counter(stems).items()})


def _sparse(weights: dict[str, float]) -> Sparse:
    """Terms whose numbers collide are one term, with both weights."""
    by_number: dict[int, float] = {}
    for stem, weight in weights.items():
        number = term_number(stem)
        by_number[number] = by_number.get(number, 0.0) + weight
    return Sparse(list(by_number), list(by_number.values()))
