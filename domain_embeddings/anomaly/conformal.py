"""Thresholds: one with a promise, and those that hold for the scores at hand alone.

The promise is that of new normal queries at most a given share scores above it, however scores are spread:
split-conformal calibration (Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005; Papadopoulos et
al., ECML 2002): needs nothing of the scores but that the held-out ones and the new one could have come in any order.
"""

import math

import numpy as np

from domain_embeddings.core.errors import UserError
from domain_embeddings.core.ranking import Scores


def threshold(held_out: Scores, rate: float) -> float:
    """The ⌈(n + 1)(1 − rate)⌉-th lowest of n scores of normal queries that the detector has not seen.

    A further normal query then scores above it with probability at most `rate` and, where no scores are tied, at least
    `rate` − 1/(n + 1), over draws of the held-out queries and of the new one. Raises a UserError where n is too small
    to promise `rate`.
    """
    n = len(held_out)
    position = math.ceil((n + 1) * (1 - rate) - 1e-9)
    if not 1 <= position <= n:
        least = least_queries(rate)
        raise UserError(f"{n} held-out normal queries cannot promise a rate of {rate}: at least {least} are needed")
    return float(np.sort(held_out)[position - 1])


def least_queries(rate: float) -> int:
    """The fewest held-out queries that can promise a rate: n with 1 / (n + 1) ≤ rate."""
    return math.ceil(1 / rate - 1e-9) - 1


def threshold_finding(anomalous: Scores, share: float) -> float:
    """The highest score that at least `share` of the anomalies reach."""
    return float(np.sort(anomalous)[::-1][math.ceil(share * len(anomalous) - 1e-9) - 1])


def threshold_allowing(normal: Scores, rate: float) -> float:
    """The lowest of the normal queries' scores that at most a share of `rate` of them is above."""
    return float(np.sort(normal)[::-1][math.floor(rate * len(normal) + 1e-9)])
