"""A small autoencoder of normal queries, and two scores that it gives: what it fails to rebuild, or where its code lies."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, gelu, linear, normalize

from domain_embeddings.detectors.detector import Array, Detector
from domain_embeddings.detectors.neighbours import Density
from domain_embeddings.ranking import Scores

WIDTHS = (128, 64, 128)
STEPS = 1000
BATCH = 256
LEARNING_RATE = 3e-3
NOISE = 0.5
"""Expected length of the noise added to a vector (of length 1) that is to be rebuilt without it (Vincent et al., 2008)."""


def _run(vectors: Tensor, weights: list[Tensor]) -> tuple[Tensor, Tensor]:
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
        for bound, to in zip(sizes, sizes[1:], strict=False)
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
class Autoencoder(Detector):
    """Density among the codes of the normal queries: what the bottleneck keeps of a query is compared, not all of it."""

    w1: Array
    b1: Array
    w2: Array
    b2: Array
    w3: Array
    b3: Array
    w4: Array
    b4: Array
    codes: Scores
    spacing: Scores
    neighbours: Array

    @classmethod
    def fit(cls, normal: Scores, known: Scores, seed: int) -> Self:
        """Train the network, then keep the codes of the normal queries."""
        weights = _train(normal, seed)
        density = Density.fit(_codes(normal, weights), known, seed)
        return cls(*(one.numpy() for one in weights), density.normal, density.spacing, density.neighbours)

    def score(self, queries: Scores) -> Scores:
        """`Density` of the codes."""
        return Density(self.codes, self.spacing, self.neighbours).score(_codes(queries, self._weights()))

    def _weights(self) -> list[Tensor]:
        arrays = (self.w1, self.b1, self.w2, self.b2, self.w3, self.b3, self.w4, self.b4)
        return [torch.from_numpy(one) for one in arrays]


@dataclass(frozen=True)
class Reconstruction(Autoencoder):
    """The plain autoencoder: what it fails to rebuild."""

    def score(self, queries: Scores) -> Scores:
        """1 − the cosine of a query and what is rebuilt of it, between 0 and 2."""
        with torch.no_grad():
            vectors = torch.from_numpy(queries)
            _, rebuilt = _run(vectors, self._weights())
            return np.asarray(1 - cosine_similarity(rebuilt, vectors), dtype=np.float32)


def _codes(vectors: Scores, weights: list[Tensor]) -> Scores:
    """Codes of length 1, (n, 64)."""
    with torch.no_grad():
        codes, _ = _run(torch.from_numpy(vectors), weights)
        return np.asarray(normalize(codes), dtype=np.float32)
