"""Figures of detection, by hand."""

import numpy as np
import pytest

from domain_embeddings.anomaly.detection_metrics import auroc_interval, measure, roc, share_interval

NORMAL = np.arange(20, dtype=np.float32)  # 0 … 19
ANOMALOUS = np.array([18.5, 19.5, 30, 4.5], dtype=np.float32)


def test_measured_by_hand() -> None:
    found = measure(NORMAL, ANOMALOUS, threshold=19.0)

    assert found.auroc == pytest.approx((19 + 20 + 20 + 5) / 80)
    assert found.fpr_at_95 == pytest.approx(15 / 20)  # all four are found at 4.5: 5 … 19 are at least that
    assert found.detection_at_5 == pytest.approx(3 / 4)  # one of twenty may be above: the limit is 18
    assert found.flagged == pytest.approx(2 / 4)
    assert (found.n, found.n_normal) == (4, 20)
    precisions = (1 / 1, 2 / 2, 3 / 4, 4 / 19)  # in the order 30, 19.5, 18.5, 4.5: 19 and then 5 … 18 stand between
    assert found.aupr == pytest.approx(sum(precisions) / 4)


def test_perfect_and_reversed_scores() -> None:
    low, high = np.zeros(40, dtype=np.float32), np.ones(40, dtype=np.float32)

    perfect, reverse = measure(low, high, 0.5), measure(high, low, 0.5)

    assert (perfect.auroc, perfect.aupr, perfect.fpr_at_95, perfect.detection_at_5, perfect.flagged) == (1, 1, 0, 1, 1)
    assert (reverse.auroc, reverse.fpr_at_95, reverse.detection_at_5, reverse.flagged) == (0, 1, 0, 0)


def test_intervals_are_those_of_the_papers() -> None:
    assert share_interval(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)
    assert share_interval(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    low, high = auroc_interval(0.8, 50, 50)  # Q1 = 2/3, Q2 = 0.7111; variance 0.001969
    assert (low, high) == pytest.approx((0.8 - 1.96 * 0.0445, 0.8 + 1.96 * 0.0445), abs=2e-3)
    assert auroc_interval(1.0, 5, 5) == (1, 1)


def test_roc_rises_from_nothing_to_everything() -> None:
    false_positives, detected = roc(NORMAL, ANOMALOUS)

    assert (false_positives[0], detected[0], false_positives[-1], detected[-1]) == (0, 0, 1, 1)
    assert (np.diff(false_positives) >= 0).all()
    assert (np.diff(detected) >= 0).all()
    area = float(np.trapezoid(detected, false_positives))
    assert area == pytest.approx(measure(NORMAL, ANOMALOUS, 0).auroc)
