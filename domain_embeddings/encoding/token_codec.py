"""Token vectors in few bytes: tokens that say nearly the same share a vector, whose numbers become 1 to 4 bits each.

Tokens of a passage are pooled by Ward's clustering (Clavié, Chaffin and Adams, "Reducing the Footprint of Multi-Vector
Retrieval", 2024). Each number of a pooled vector, less that dimension's mean and in units of its spread, is stored as
the nearest of the 2, 4 or 16 levels that are best for a normal distribution (Max, "Quantizing for minimum distortion",
1960). What is read is scaled to length 1 again, which takes back most of what rounding does to a similarity.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from domain_embeddings.core.ranking import Scores

Bits = Literal[1, 2, 4]
Codes = NDArray[np.uint8]
"""(vectors, bytes of a vector)."""

_POSITIVE: dict[int, list[float]] = {
    1: [0.7979],
    2: [0.4528, 1.5104],
    4: [0.1284, 0.3881, 0.6568, 0.9424, 1.2562, 1.6181, 2.0690, 2.7326],
}
"""Max's table: the levels above 0; those below mirror them."""
_DECIMALS = 5
_LEAST = 10.0**-_DECIMALS


@dataclass(frozen=True)
class Pooled:
    """A passage as it is stored."""

    codes: Codes
    owners: list[int]
    """For each of the passage's tokens, which of the vectors stands for it."""


@dataclass(frozen=True)
class TokenCodec:
    """How a collection's token vectors are stored."""

    mean: Scores
    """(dimensions,)."""
    spread: Scores
    """(dimensions,), the standard deviation."""
    bits: Bits
    """Of each number."""
    factor: int
    """How many tokens share a vector, on average."""

    @classmethod
    def fitted(cls, tokens: Scores, dimensions: int, bits: Bits, factor: int) -> "TokenCodec":
        """Learn mean and spread from a sample of passages' token vectors (n, the model's dimensions).

        Fewer `dimensions` are the leading ones of each vector: for a model that was trained to be cut.
        A ValueError where a vector would not fill whole bytes.
        """
        if dimensions * bits % 8 or not 1 <= dimensions <= tokens.shape[1]:
            raise ValueError(
                f"{dimensions} dimensions of {bits} bits: at most {tokens.shape[1]}, and whole bytes, are allowed"
            )
        short = _unit(tokens[:, :dimensions])
        mean, spread = short.mean(axis=0), np.maximum(short.std(axis=0), _LEAST)
        return cls(mean.round(_DECIMALS), spread.round(_DECIMALS), bits, factor)

    @property
    def dimensions(self) -> int:
        """Numbers of a vector."""
        return len(self.mean)

    @property
    def width(self) -> int:
        """Bytes of a vector."""
        return self.dimensions * self.bits // 8

    @cached_property
    def key(self) -> str:
        """Names it: vectors of different codecs cannot be compared."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()[:12]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        mean, spread = ([round(float(each), _DECIMALS) for each in row] for row in (self.mean, self.spread))
        return {"mean": mean, "spread": spread, "bits": self.bits, "factor": self.factor}

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> "TokenCodec":
        """The inverse; KeyError or TypeError if it is none."""
        mean, spread = (np.asarray(values[name], dtype=np.float32) for name in ("mean", "spread"))
        return cls(mean, spread, values["bits"], values["factor"])

    def pooled(self, tokens: Scores) -> Pooled:
        """A passage's token vectors (tokens, the model's dimensions) as they are stored."""
        short = _unit(tokens[:, : self.dimensions])
        owners = _clusters(short, -(-len(short) // self.factor))
        sums = np.zeros((max(owners) + 1, self.dimensions), dtype=np.float32)
        np.add.at(sums, owners, short)
        levels = np.searchsorted(self._borders, (_unit(sums) - self.mean) / self.spread).astype(np.uint8)
        singly = np.unpackbits(levels[..., None], axis=-1)[..., 8 - self.bits :]
        return Pooled(np.packbits(singly.reshape(len(sums), -1), axis=1), owners)

    def vectors(self, codes: Codes) -> Scores:
        """What codes stand for: (vectors, dimensions), each of length 1."""
        numbers = np.take(self._of_byte, codes + 256 * np.arange(self.width), axis=0)
        return _unit(numbers.reshape(len(codes), -1))

    @cached_property
    def _levels(self) -> Scores:
        above = np.array(_POSITIVE[self.bits], dtype=np.float32)
        return np.concatenate([-above[::-1], above])

    @cached_property
    def _borders(self) -> Scores:
        return np.asarray((self._levels[1:] + self._levels[:-1]) / 2, dtype=np.float32)

    @cached_property
    def _of_byte(self) -> Scores:
        """256 · place in a vector + byte → the numbers that it stands for (256 · width, numbers of a byte)."""
        bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).reshape(256, -1, self.bits)
        levels = self._levels[bits @ (1 << np.arange(self.bits)[::-1])]
        spread, mean = (row.reshape(self.width, 1, -1) for row in (self.spread, self.mean))
        return np.asarray(levels * spread + mean, dtype=np.float32).reshape(256 * self.width, -1)


def _unit(vectors: Scores) -> Scores:
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    found: Scores = np.divide(vectors, np.maximum(length, _LEAST), dtype=np.float32)
    return found


def _clusters(vectors: Scores, count: int) -> list[int]:
    """For each vector the number of its cluster, from 0, of at most `count`."""
    if count >= len(vectors):
        return list(range(len(vectors)))
    labels = fcluster(linkage(vectors, "ward"), count, "maxclust")
    return [int(label) - 1 for label in labels]
