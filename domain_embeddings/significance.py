"""Is a difference between two arms more than luck? Paired, on the same questions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap, permutation_test


@dataclass(frozen=True)
class Difference:
    """A mean paired difference, its 95% interval and its two-sided p-value."""

    delta: float
    low: float
    high: float
    p: float
    n: int


def paired(ours: NDArray[np.float64], theirs: NDArray[np.float64], resamples: int, seed: int) -> Difference:
    """Percentile bootstrap interval and sign-flip permutation test of mean(ours − theirs), (n,) each.

    Efron and Tibshirani (1993), chapters 13 and 15; Smucker, Allan and Carterette (CIKM 2007) for their use in IR.
    """
    differences = ours - theirs
    delta = float(differences.mean())
    if not differences.any() or len(differences) < 2:
        return Difference(delta, delta, delta, 1.0, len(differences))
    generator = np.random.default_rng(seed)
    interval = bootstrap(
        (differences,), np.mean, n_resamples=resamples, method="percentile", rng=generator, batch=1000
    ).confidence_interval
    test = permutation_test(
        (ours, theirs), _mean_difference, permutation_type="samples", n_resamples=resamples, rng=generator, batch=1000
    )
    return Difference(delta, float(interval.low), float(interval.high), float(test.pvalue), len(differences))


def _mean_difference(a: NDArray[np.float64], b: NDArray[np.float64], axis: int = -1) -> NDArray[np.float64]:
    return np.asarray(np.mean(a - b, axis=axis))
