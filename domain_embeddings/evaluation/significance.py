"""Is a difference between two arms more than luck? Paired, on the same questions.

Questions that share a relevant passage are not independent, so what is drawn or flipped here is a whole group of them
(question_groups.py finds the groups).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap, norm, permutation_test, t

Values = NDArray[np.float64]

LEVEL = 0.05
_POWER = 0.8
_MANY = 40
"""From so many groups on percentiles of resampled ones are trusted; below 20 to 50 is few (Cameron and Miller)."""


@dataclass(frozen=True)
class Difference:
    """A mean paired difference, its 95% interval, its two-sided p-value, and what so many questions could show."""

    delta: float
    low: float
    high: float
    p: float
    n: int
    groups: int
    """Of questions, each independent of the others; n where every question is on its own."""
    detectable: float
    """The least true difference that a set of this size and spread shows in 80% of cases; inf where unknown."""


def paired(ours: Values, theirs: Values, resamples: int, seed: int, groups: Sequence[str] | None = None) -> Difference:
    """Interval and sign-flip permutation test of mean(ours − theirs), (n,) each.

    `groups` names each question's group; without it every question is its own. The test flips whole groups, in all 2^k
    ways where `resamples` allows it, else in so many random ones, the p-value then (1 + as extreme) / (1 + resamples),
    for each side. From one group nothing follows: the interval is the difference itself, p is 1. Efron and Tibshirani
    (1993), chapters 13 and 15; Smucker, Allan and Carterette (CIKM 2007) for their use in IR. Raises ValueError if
    `groups` is of another length.
    """
    differences = ours - theirs
    sums, sizes = _by_group(differences, groups)
    delta, least = float(differences.mean()), _detectable(sums, sizes)
    n, k = len(differences), len(sums)
    if k < 2 or not sums.any():
        return Difference(delta, delta, delta, 1.0, n, k, least)
    generator = np.random.default_rng(seed)
    low, high = _interval(sums, sizes, resamples, generator)
    test = permutation_test(
        (sums,), np.mean, permutation_type="samples", n_resamples=resamples, rng=generator, batch=1000
    )
    return Difference(delta, low, high, float(test.pvalue), n, k, least)


def interval(values: Values, resamples: int, seed: int, groups: Sequence[str] | None = None) -> tuple[float, float]:
    """95% interval of the mean of (n,) values, `groups` as in `paired`; the mean itself where there is one group.

    From 40 groups on the percentiles of means of groups drawn with replacement, each with all its questions (Field and
    Welsh, J. R. Statist. Soc. B 69, 2007); below, where these are too narrow, mean ± t · standard error, t with k − 1
    degrees of freedom (Cameron and Miller, A Practitioner's Guide to Cluster-Robust Inference, J. Human Resources 50,
    2015, section VI). The latter may leave the range of the values.
    """
    return _interval(*_by_group(values, groups), resamples, np.random.default_rng(seed))


def _by_group(values: Values, groups: Sequence[str] | None) -> tuple[Values, Values]:
    """The sums and the sizes (k,) of the groups, in the order of their names."""
    names = np.arange(len(values)) if groups is None else np.asarray(groups)
    _, members, sizes = np.unique(names, return_inverse=True, return_counts=True)
    return np.bincount(members, weights=values).astype(np.float64), sizes.astype(np.float64)


def _interval(sums: Values, sizes: Values, resamples: int, generator: np.random.Generator) -> tuple[float, float]:
    k, mean = len(sums), float(_mean(sums, sizes))
    if k >= _MANY:
        found = bootstrap(
            (sums, sizes), _mean, paired=True, n_resamples=resamples, method="percentile", rng=generator, batch=1000
        )
        return float(found.confidence_interval.low), float(found.confidence_interval.high)
    half = float(t.ppf(1 - LEVEL / 2, k - 1)) * _standard_error(sums, sizes) if k > 1 else 0.0
    return mean - half, mean + half


def _mean(sums: Values, sizes: Values, axis: int = -1) -> Values:
    return np.asarray(sums.sum(axis=axis) / sizes.sum(axis=axis))


def standard_error(values: Values, groups: Sequence[str] | None = None) -> float:
    """Cluster-robust standard error of the mean of (n,) values, `groups` as in `paired`; inf for a single group."""
    sums, sizes = _by_group(values, groups)
    return _standard_error(sums, sizes) if len(sums) > 1 else math.inf


def _standard_error(sums: Values, sizes: Values) -> float:
    """Cluster-robust, of the mean over n questions in k > 1 groups: √(k/(k−1) · Σ_g (S_g − n_g · mean)²) / n.

    S_g is the sum of group g and n_g its size (Cameron and Miller 2015, section II, for a regression on a constant);
    s / √n where every group is one question.
    """
    k, residuals = len(sums), sums - sizes * _mean(sums, sizes)
    return math.sqrt(k / (k - 1) * float(residuals @ residuals)) / float(sizes.sum())


def detectable(differences: Values, groups: Sequence[str] | None = None) -> float:
    """Minimum detectable difference of a two-sided paired test at level 5% and power 80%; inf for a single group.

    (q_{1−α/2} + q_{power}) · standard error, `groups` as in `paired` (Sakai, Laboratory Experiments in Information
    Retrieval, 2018, chapter 6). q are the normal quantiles, below 40 groups those of t (Bloom, Evaluation Review 19,
    1995).
    """
    return _detectable(*_by_group(differences, groups))


def _detectable(sums: Values, sizes: Values) -> float:
    k = len(sums)
    if k < 2:
        return math.inf
    levels = np.array([1 - LEVEL / 2, _POWER])
    quantiles = norm.ppf(levels) if k >= _MANY else t.ppf(levels, k - 1)
    return float(quantiles.sum()) * _standard_error(sums, sizes)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment: below 0.05 with a family-wise error of 5% over all of them.

    In ascending order p'_(i) = max over j ≤ i of min(1, (m − j + 1) · p_(j)) (Holm, Scand. J. Statist. 6, 1979).
    """
    order = np.argsort(p_values, kind="stable")
    steps = (len(p_values) - np.arange(len(p_values))) * np.asarray(p_values, dtype=np.float64)[order]
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps)) if len(p_values) else steps
    return [float(p) for p in adjusted]
