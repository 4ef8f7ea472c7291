"""Isolation forest, for comparison alone: its trees could only be saved as a pickle, so it is never shipped."""

import numpy as np
from sklearn.ensemble import IsolationForest

from domain_embeddings.core.ranking import Scores


def forest_scores(normal: Scores, queries: Scores, seed: int) -> Scores:
    """How early random cuts isolate a query (Liu, Ting and Zhou, ICDM 2008), (n,), higher for less normal ones."""
    forest = IsolationForest(n_estimators=200, random_state=seed).fit(normal)
    return np.asarray(-forest.score_samples(queries), dtype=np.float32)
