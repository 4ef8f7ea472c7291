"""As many passages as a benchmark wants, made of real ones.

A text is the first half of one real passage and the second half of another; a vector lies around a real one, as far
from it and in the directions in which a real passage's nearest neighbour lies.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from tqdm import tqdm

from domain_embeddings.core.dataset import Passage
from domain_embeddings.core.lexical import words
from domain_embeddings.core.ranking import Scores

BATCH, SEED = 1000, 42

Batch = tuple[list[str], list[list[str]], Scores]
"""Texts, their stems, their vectors."""


class Maker:
    """Makes passages of real ones: the same for the same number."""

    def __init__(self, passages: Sequence[Passage], vectors: Scores) -> None:
        """Learn the spread between a passage and its nearest neighbour."""
        likeness = vectors @ vectors.T
        np.fill_diagonal(likeness, -1)
        spread = np.cov((vectors - vectors[likeness.argmax(axis=1)]).T) / 2
        self._factor = np.linalg.cholesky(spread + 1e-6 * np.eye(vectors.shape[1])).T
        self._vectors = vectors
        self._halves = [(text[: len(text) // 2], text[len(text) // 2 :]) for text in (p.text for p in passages)]
        self._stems = [words(halves) for halves in self._halves]

    def batch(self, first: int) -> Batch:
        """BATCH passages from number `first` on."""
        random = np.random.default_rng([SEED, first])
        one, other = random.integers(0, len(self._vectors), size=(2, BATCH))
        vectors = self._vectors[one] + random.standard_normal((BATCH, self._vectors.shape[1])) @ self._factor
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        texts = [self._halves[i][0] + " " + self._halves[j][1] for i, j in zip(one, other, strict=True)]
        stems = [self._stems[i][0] + self._stems[j][1] for i, j in zip(one, other, strict=True)]
        return texts, stems, vectors.astype(np.float32)

    def batches(self, size: int) -> Iterator[tuple[int, Batch]]:
        """All batches with the number of their first passage."""
        for first in tqdm(range(0, size, BATCH), desc=f"{size:,} passages", unit="batch", disable=None):
            yield first, self.batch(first)
