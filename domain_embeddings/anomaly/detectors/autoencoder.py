"""A small autoencoder of normal queries: what it fails to rebuild of a query, and how lonely the code of one is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, gelu, linear, normalize

from domain_embeddings.anomaly.detectors.detector import Array, Detector
from domain_embeddings.anomaly.detectors.neighbours import Density
from domain_embeddings.core.ranking import Scores

WIDTHS = (128, 64, 128)
STEPS = 1000
BATCH = 256
LEARNING_RATE = 3e-3
NOISE = 0.5
"""Expected length of the noise added to a vector of length 1, to be rebuilt without it (Vincent et al., ICML 2008)."""


def _run(vectors: Tensor, weights: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """(n, d) → the codes (n, 64) and what is rebuilt of them (n, d). The code's layer is linear."""
    first, code, third, last = zip(weights[::2], weights[1::2], strict=True)
    codes = linear(gelu(linear(vectors, *first)), *code)
    return codes, linear(gelu(linear(codes, *third)), *last)


def _train(normal: Scores, seed: int) -> list[Tensor]:
    """Weight and bias of the four layers, d → 128 → 64 → 128 → d, after denoising for a fixed number of steps."""
    generator = torch.Generator().manual_seed(seed)
    width = normal.shape[1]
    sizes = (width, *WIDTHS, width)
    weights = [
        nn.Parameter((torch.rand(shape, generator=generator) * 2 - 1) * bound**-0.5)
        for bound, to in pairwise(sizes)
        for shape in ((to, bound), (to,))
    ]
    optimizer = torch.optim.AdamW(weights, lr=LEARNING_RATE, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=STEPS)
    vectors = torch.from_numpy(normal)
    for _ in range(STEPS):
        batch = vectors[torch.randint(len(vectors), (BATCH,), generator=generator)]
        noise = torch.randn(batch.shape, generator=generator) * NOISE * width**-0.5
        _, rebuilt = _run(batch + noise, weights)
        loss = (1 - cosine_similarity(rebuilt, batch)).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return [one.detach() for one in weights]


@dataclass(frozen=True)
class Reconstruction(Detector):
    """The plain autoencoder: what it fails to rebuild."""

    w1: Array
    b1: Array
    w2: Array
    b2: Array
    w3: Array
    b3: Array
    w4: Array
    b4: Array

    @classmethod
    def fit(cls, normal: Scores, known: Scores, seed: int) -> Self:
        """Train the network."""
        return cls(*(one.numpy() for one in _train(normal, seed)))

    def score(self, queries: Scores) -> Scores:
        """1 − the cosine of a query and what is rebuilt of it, between 0 and 2."""
        _, rebuilt = self._run(queries)
        return np.asarray(1 - cosine_similarity(rebuilt, torch.from_numpy(queries)), dtype=np.float32)

    def codes(self, queries: Scores) -> Scores:
        """Codes of length 1, (n, 64)."""
        codes, _ = self._run(queries)
        return np.asarray(normalize(codes), dtype=np.float32)

    def _run(self, queries: Scores) -> tuple[Tensor, Tensor]:
        arrays = (self.w1, self.b1, self.w2, self.b2, self.w3, self.b3, self.w4, self.b4)
        with torch.no_grad():
            return _run(torch.from_numpy(queries), [torch.from_numpy(one) for one in arrays])


@dataclass(frozen=True)
class Autoencoder(Detector):
    """`Reconstruction` and `Density` among the codes of the normal queries, added up: both are cosine distances."""

    network: Reconstruction
    density: Density

    @classmethod
    def fit(cls, normal: Scores, known: Scores, seed: int) -> Self:
        """Train the network, then keep the codes of the normal queries."""
        return cls.on(Reconstruction.fit(normal, known, seed), normal)

    @classmethod
    def on(cls, network: Reconstruction, normal: Scores) -> Self:
        """With a network that is trained already."""
        codes = network.codes(normal)
        return cls(network, Density.fit(codes, codes[:0], 0))

    def score(self, queries: Scores) -> Scores:
        """What is not rebuilt, and how lonely the code is."""
        return self.network.score(queries) + self.density.score(self.network.codes(queries))

    def tensors(self) -> dict[str, Array]:
        """The arrays of both parts, which have no name in common."""
        return self.network.tensors() | self.density.tensors()

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Array]) -> Self:
        """From what `tensors` gave; a ValueError where an array is missing or one too many."""
        weights = {name for name in tensors if name[1:].isdigit()}
        return cls(
            Reconstruction.from_tensors({name: tensors[name] for name in weights}),
            Density.from_tensors({name: tensors[name] for name in tensors if name not in weights}),
        )
