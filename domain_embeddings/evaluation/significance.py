"""Is a difference between two arms more than luck? Paired, on the same questions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap, norm, permutation_test

Values = NDArray[np.float64]

LEVEL = 0.05
_POWER = 0.8


@dataclass(frozen=True)
class Difference:
    """A mean paired difference, its 95% interval, its two-sided p-value, and what so many questions could show."""

    delta: float
    low: float
    high: float
    p: float
    n: int
    detectable: float
    """The least true difference that a set of this size and spread shows in 80% of cases; inf where unknown."""


def paired(ours: Values, theirs: Values, resamples: int, seed: int) -> Difference:
    """Percentile bootstrap interval and sign-flip permutation test of mean(ours − theirs), (n,) each.

    Efron and Tibshirani (1993), chapters 13 and 15; Smucker, Allan and Carterette (CIKM 2007) for their use in IR.
    """
    differences = ours - theirs
    n = len(differences)
    delta = float(differences.mean())
    if n < 2:
        return Difference(delta, delta, delta, 1.0, n, math.inf)
    if not differences.any():
        return Difference(delta, delta, delta, 1.0, n, 0.0)
    generator = np.random.default_rng(seed)
    low, high = _interval(differences, resamples, generator)
    test = permutation_test(
        (ours, theirs), _mean_difference, permutation_type="samples", n_resamples=resamples, rng=generator, batch=1000
    )
    return Difference(delta, low, high, float(test.pvalue), n, detectable(differences))


def interval(values: Values, resamples: int, seed: int) -> tuple[float, float]:
    """Percentile bootstrap 95% interval of the mean of (n,) values."""
    if len(values) < 2 or np.ptp(values) == 0:
        return float(values.mean()), float(values.mean())
    return _interval(values, resamples, np.random.default_rng(seed))


def _interval(values: Values, resamples: int, generator: np.random.Generator) -> tuple[float, float]:
    found = bootstrap((values,), np.mean, n_resamples=resamples, method="percentile", rng=generator, batch=1000)
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def detectable(differences: Values) -> float:
    """Minimum detectable difference of a two-sided paired test at level 5% and power 80%, n of at least 2.

    (z_{1−α/2} + z_{power}) · s / √n, s the standard deviation of the differences (Sakai, Laboratory Experiments in
    Information Retrieval, 2018, chapter 6; normal approximation).
    """
    quantiles = norm.ppf(1 - LEVEL / 2) + norm.ppf(_POWER)
    return float(quantiles * differences.std(ddof=1) / math.sqrt(len(differences)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment: below 0.05 with a family-wise error of 5% over all of them.

    In ascending order p'_(i) = max over j ≤ i of min(1, (m − j + 1) · p_(j)) (Holm, Scand. J. Statist. 6, 1979).
    """
    order = np.argsort(p_values, kind="stable")
    steps = (len(p_values) - np.arange(len(p_values))) * np.asarray(p_values, dtype=np.float64)[order]
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps)) if len(p_values) else steps
    return [float(p) for p in adjusted]


def _mean_difference(a: Values, b: Values, axis: int = -1) -> Values:
    return np.asarray(np.mean(a - b, axis=axis))
