"""Distance from the mean of the normal queries, in units of their spread in each direction."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from sklearn.covariance import LedoitWolf

from domain_embeddings.anomaly.detectors.detector import Detector
from domain_embeddings.core.ranking import Scores


@dataclass(frozen=True)
class Mahalanobis(Detector):
    """Squared Mahalanobis distance with a shrunk covariance (Ledoit and Wolf, J. Multivariate Analysis 88, 2004)."""

    mean: Scores
    whitening: Scores
    """(dimensions, dimensions): its product with a centred vector has the distance as its squared length."""

    @classmethod
    def fit(cls, normal: Scores, known: Scores, seed: int) -> Self:
        """Mean and covariance; the shrinkage lets fewer queries than dimensions do."""
        estimate = LedoitWolf().fit(normal.astype(np.float64))
        whitening = np.linalg.cholesky(estimate.precision_)
        return cls(estimate.location_.astype(np.float32), whitening.astype(np.float32))

    def score(self, queries: Scores) -> Scores:
        """(q − mean)ᵀ Σ⁻¹ (q − mean)."""
        white = (queries - self.mean) @ self.whitening
        return np.asarray(np.square(white).sum(axis=1), dtype=np.float32)
