"""How far a query is from the normal ones nearest to it, as it is or against how far those are from each other."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import torch

from domain_embeddings.anomaly.detectors.detector import Array, Detector
from domain_embeddings.core.errors import UserError
from domain_embeddings.core.ranking import Scores

KNN_NEIGHBOURS = 5
DENSITY_NEIGHBOURS = 50
DENSITY_WEIGHT = 0.75
"""How much of the neighbours' own distance is taken off. This and the number were chosen on clinc150's dev split."""
KNOWN_NEIGHBOURS = 10
KNOWN_WEIGHT = 0.5
"""How much nearness to known anomalies counts. This and the number were chosen on the dev part of the written sets."""

_CHUNK = 1024


def nearest(queries: Scores, normal: Scores, k: int, skip_itself: bool = False) -> tuple[Scores, Array]:
    """Cosine distances to the k nearest normal queries, and which they are: both (n, k), nearest first.

    With `skip_itself`, row i of `queries` is row i of `normal`, which is then no neighbour of itself.
    """
    distances, indices = [], []
    reference = torch.from_numpy(normal).T
    for start in range(0, len(queries), _CHUNK):
        similarity = torch.from_numpy(queries[start : start + _CHUNK]) @ reference
        if skip_itself:
            rows = torch.arange(len(similarity))
            similarity[rows, rows + start] = -torch.inf
        values, found = similarity.topk(k, dim=1)
        distances.append(1 - values)
        indices.append(found)
    if not distances:
        return np.empty((0, k), dtype=np.float32), np.empty((0, k), dtype=np.int64)
    return torch.cat(distances).numpy(), torch.cat(indices).numpy()


@dataclass(frozen=True)
class KNN(Detector):
    """Mean cosine distance to the nearest normal queries."""

    normal: Scores
    neighbours: Array

    @classmethod
    def fit(cls, normal: Scores, known: Scores, seed: int) -> Self:
        """Keep the normal queries."""
        return cls(normal, np.array([min(KNN_NEIGHBOURS, len(normal))]))

    def score(self, queries: Scores) -> Scores:
        """Between 0 (as the normal ones) and 2."""
        distances, _ = nearest(queries, self.normal, int(self.neighbours[0]))
        return np.asarray(distances.mean(axis=1), dtype=np.float32)


@dataclass(frozen=True)
class Density(Detector):
    """Distance to the neighbours, less a share of the neighbours' own distance to theirs.

    d(q) − w · mean of d(x) over the neighbours x of q, where d is the mean cosine distance to k neighbours: in a crowd
    a small distance is odd already, on the edge a larger one is not. The form is CSLS's (Conneau et al., ICLR 2018),
    the thought the local outlier factor's (Breunig et al., SIGMOD 2000).
    """

    normal: Scores
    spacing: Scores
    """(n,): d of each normal query."""
    neighbours: Array

    @classmethod
    def fit(cls, normal: Scores, known: Scores, seed: int) -> Self:
        """Keep the normal queries and how far each is from the others."""
        k = min(DENSITY_NEIGHBOURS, len(normal) - 1)
        distances, _ = nearest(normal, normal, k, skip_itself=True)
        return cls(normal, distances.mean(axis=1), np.array([k]))

    def score(self, queries: Scores) -> Scores:
        """Around (1 − w) · d for what is as dense as its neighbours, more where it is lonelier than they are."""
        distances, found = nearest(queries, self.normal, int(self.neighbours[0]))
        own: Scores = distances.mean(axis=1) - DENSITY_WEIGHT * self.spacing[found].mean(axis=1)
        return own


@dataclass(frozen=True)
class Exposure(Density):
    """`Density`, and as much more as a query is near to anomalies that are known.

    Density(q) + w · mean cosine similarity to the k nearest known anomalies: an attack that speaks of the field's
    things is near to normal queries, and nearer to other attacks (the idea: Hendrycks et al., ICLR 2019).
    """

    needs_known: ClassVar[bool] = True

    known: Scores

    @classmethod
    def fit(cls, normal: Scores, known: Scores, seed: int) -> Self:
        """Keep the normal queries and the known anomalies. A UserError where none are known."""
        if not len(known):
            raise UserError("exposure needs known anomalies, there are none")
        density = Density.fit(normal, known, seed)
        return cls(density.normal, density.spacing, density.neighbours, known)

    def score(self, queries: Scores) -> Scores:
        """Density's score, raised by at most w."""
        distances, _ = nearest(queries, self.known, min(KNOWN_NEIGHBOURS, len(self.known)))
        raised: Scores = super().score(queries) + KNOWN_WEIGHT * (1 - distances).mean(axis=1)
        return raised
