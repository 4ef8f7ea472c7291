"""The promise of a calibrated threshold: by hand, and over many draws."""

from typing import Any

import numpy as np
import pytest

from domain_embeddings.anomaly.conformal import least_queries, threshold, threshold_allowing, threshold_finding


def test_the_threshold_is_a_score_of_the_held_out_queries() -> None:
    scores = np.array([5, 1, 4, 2, 3, 9, 8, 7, 6], dtype=np.float32)

    assert threshold(scores, 0.5) == 5  # ⌈10 · 0.5⌉ = 5th lowest
    assert threshold(scores, 0.25) == 8  # ⌈7.5⌉ = 8th
    assert threshold(scores, 0.1) == 9


def test_too_few_queries_promise_nothing() -> None:
    assert (least_queries(0.05), least_queries(0.1), least_queries(0.01)) == (19, 9, 99)
    assert threshold(np.arange(19, dtype=np.float32), 0.05) == 18
    with pytest.raises(ValueError, match=r"18 held-out normal queries cannot promise a rate of 0.05: at least 19"):
        threshold(np.arange(18, dtype=np.float32), 0.05)


def test_thresholds_of_the_scores_at_hand() -> None:
    anomalous, normal = np.array([18.5, 19.5, 30, 4.5], dtype=np.float32), np.arange(20, dtype=np.float32)

    assert threshold_finding(anomalous, 0.5) == 19.5
    assert threshold_finding(anomalous, 0.75) == 18.5
    assert threshold_allowing(normal, 0.05) == 18
    assert threshold_allowing(normal, 0.04) == 19


@pytest.mark.parametrize("n", [19, 50, 101])
@pytest.mark.parametrize("rate", [0.05, 0.2])
@pytest.mark.parametrize("shape", ["normal", "heavy", "skewed"])
def test_the_promise_holds_over_many_draws(n: int, rate: float, shape: str) -> None:
    generator = np.random.default_rng(7)
    draw: dict[str, Any] = {
        "normal": generator.standard_normal,
        "heavy": generator.standard_cauchy,
        "skewed": generator.exponential,
    }
    draws = 20_000
    scores = draw[shape](size=(draws, n + 1)).astype(np.float32)

    above = np.mean([row[-1] > threshold(row[:-1], rate) for row in scores])

    noise = 4 * np.sqrt(rate / draws)
    assert rate - 1 / (n + 1) - noise <= above <= rate + noise


def test_a_threshold_fitted_without_the_promise_breaks_it() -> None:
    """What the test above would say of the plain 95% quantile of 19 scores: it can fail."""
    scores = np.random.default_rng(7).standard_normal((20_000, 20)).astype(np.float32)

    above = np.mean(scores[:, -1] > np.quantile(scores[:, :-1], 0.95, axis=1))

    assert above > 0.05 + 4 * np.sqrt(0.05 / 20_000)


def test_ties_only_lower_the_rate() -> None:
    generator = np.random.default_rng(7)
    scores = generator.integers(0, 5, size=(5_000, 41)).astype(np.float32)

    assert np.mean([row[-1] > threshold(row[:-1], 0.05) for row in scores]) <= 0.05
