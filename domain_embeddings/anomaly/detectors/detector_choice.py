"""Every detector by its name, fitted together, and the one that tells known anomalies best from normal queries."""

import importlib
from collections.abc import Mapping

import numpy as np
from sklearn.metrics import roc_auc_score

from domain_embeddings.anomaly.detectors import DETECTORS
from domain_embeddings.anomaly.detectors.autoencoder import Autoencoder, Reconstruction
from domain_embeddings.anomaly.detectors.detector import Detector
from domain_embeddings.core.ranking import Scores

TIE = 0.01
"""A lead in mean AUROC that is luck on a few dozen queries of each kind."""


def class_of(name: str) -> type[Detector]:
    """The class of a detector; a KeyError for a name that none has."""
    module, _, found = DETECTORS[name].partition(".")
    detector: type[Detector] = getattr(importlib.import_module(f"{__package__}.{module}"), found)
    return detector


def fit_all(normal: Scores, known: Scores, seed: int) -> dict[str, Detector]:
    """Every detector fitted on the same queries; without known anomalies, all but those that need some."""
    network = Reconstruction.fit(normal, known, seed)  # trained once, scored in two ways
    fitted: dict[str, Detector] = {"reconstruction": network, "autoencoder": Autoencoder.on(network, normal)}
    others = {name: class_of(name) for name in DETECTORS if name not in fitted}
    fitting = {name: one for name, one in others.items() if len(known) or not one.needs_known}
    return fitted | {name: one.fit(normal, known, seed) for name, one in fitting.items()}


def auroc(normal: Scores, anomalous: Scores) -> float:
    """How often an anomaly scores above a normal query (ties count half)."""
    labels = np.repeat([0, 1], [len(normal), len(anomalous)])
    return float(roc_auc_score(labels, np.concatenate([normal, anomalous])))


def separation(detector: Detector, normal: Mapping[str, Scores], anomalous: Mapping[str, Scores]) -> float:
    """Mean AUROC over pairs of a kind of normal queries and one of anomalies.

    Each kind counts the same however many examples it has: the few odd ones that are fine as much as the many plain.
    """
    fine, found = ([detector.score(vectors) for vectors in kinds.values()] for kinds in (normal, anomalous))
    return float(np.mean([auroc(scores, others) for scores in fine for others in found]))


def best(separations: Mapping[str, float]) -> str:
    """The detector that separates best; of those within `TIE` of it, the first in the order of `DETECTORS`."""
    most = max(separations.values())
    return next(name for name in DETECTORS if name in separations and separations[name] >= most - TIE)
