"""How well scores tell anomalies from normal queries: definitions and intervals of the figures that are reported."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, norm
from sklearn.metrics import average_precision_score, roc_curve

from domain_embeddings.anomaly.conformal import threshold_allowing, threshold_finding
from domain_embeddings.anomaly.detectors.detector_choice import auroc
from domain_embeddings.core.ranking import Scores

Interval = tuple[float, float]
RATE, DETECTION = 0.05, 0.95


@dataclass(frozen=True)
class Detection:
    """One set of anomalies against the normal queries."""

    auroc: float
    auroc_ci95: Interval
    aupr: float
    """Average precision; depends on how many normal queries there are beside the anomalies."""
    fpr_at_95: float
    """Share of the normal queries above a threshold that finds 95% of the anomalies."""
    fpr_at_95_ci95: Interval
    detection_at_5: float
    """Share of the anomalies found by a threshold that at most 5% of these normal queries are above."""
    detection_at_5_ci95: Interval
    flagged: float
    """Share of the anomalies found by the threshold that is shipped."""
    flagged_ci95: Interval
    n: int
    n_normal: int


def measure(normal: Scores, anomalous: Scores, threshold: float) -> Detection:
    """All figures of one set. The scores are (n,), of queries that the detector has not seen."""
    labels = np.repeat([0, 1], [len(normal), len(anomalous)])
    scores = np.concatenate([normal, anomalous])
    area = auroc(normal, anomalous)
    found = threshold_finding(anomalous, DETECTION)
    least = threshold_allowing(normal, RATE)
    return Detection(
        auroc=area,
        auroc_ci95=auroc_interval(area, len(anomalous), len(normal)),
        aupr=float(average_precision_score(labels, scores)),
        fpr_at_95=float(np.mean(normal >= found)),
        fpr_at_95_ci95=share_interval(int(np.sum(normal >= found)), len(normal)),
        detection_at_5=float(np.mean(anomalous > least)),
        detection_at_5_ci95=share_interval(int(np.sum(anomalous > least)), len(anomalous)),
        flagged=float(np.mean(anomalous > threshold)),
        flagged_ci95=share_interval(int(np.sum(anomalous > threshold)), len(anomalous)),
        n=len(anomalous),
        n_normal=len(normal),
    )


def share_interval(hits: int, n: int) -> Interval:
    """Wilson's 95% interval of a share (JASA 22, 1927)."""
    found = binomtest(hits, n).proportion_ci(confidence_level=0.95, method="wilson")
    return float(found.low), float(found.high)


def auroc_interval(area: float, positives: int, negatives: int) -> Interval:
    """Hanley and McNeil's 95% interval of an AUROC (Radiology 143, 1982), cut off at 0 and 1.

    A perfect AUROC has no width there, however few the examples: read n beside it.
    """
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (positives - 1) * (q1 - area**2) + (negatives - 1) * (q2 - area**2)
    width = float(norm.ppf(0.975)) * math.sqrt(max(0.0, variance) / (positives * negatives))
    return max(0.0, area - width), min(1.0, area + width)


def roc(normal: Scores, anomalous: Scores) -> tuple[Scores, Scores]:
    """False-positive rate and detection rate at every threshold that matters, both rising from 0 to 1."""
    labels = np.repeat([0, 1], [len(normal), len(anomalous)])
    false_positives, detected, _ = roc_curve(labels, np.concatenate([normal, anomalous]))
    return false_positives, detected
