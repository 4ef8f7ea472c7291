"""Definitions of the metrics, for one query each.

A ranking is a list of passage ids, best first, each at most once. `grades` judges passages: 0 is judged
irrelevant, 1 and above relevant; an unjudged passage counts as irrelevant. All values lie in 0..1.
"""

import math
from collections.abc import Callable, Mapping, Sequence


def recall(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """True recall: relevant passages among the first k, over all relevant passages.

    Raises ValueError when no passage is relevant: such a query measures nothing.
    """
    relevant = {passage for passage, grade in grades.items() if grade > 0}
    if not relevant:
        raise ValueError("recall is undefined for a query without a relevant passage")
    return len(relevant.intersection(ranking[:k])) / len(relevant)


def reciprocal_rank(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """1 / rank of the first relevant passage among the first k, else 0 (Voorhees, TREC-8, 1999)."""
    ranks = (rank for rank, passage in enumerate(ranking[:k], start=1) if grades.get(passage, 0) > 0)
    return 1 / next(ranks, math.inf)


def _dcg(gains: Sequence[int], k: int) -> float:
    return sum(max(gain, 0) / math.log2(rank + 1) for rank, gain in enumerate(gains[:k], start=1))


def ndcg(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """Discounted cumulated gain over that of the best ranking possible.

    DCG@k = Σ rel_i / log2(i + 1), gain = the grade itself (Järvelin and Kekäläinen, 2002; trec_eval's ndcg_cut).
    """
    ideal = _dcg(sorted(grades.values(), reverse=True), k)
    if ideal == 0:
        raise ValueError("nDCG is undefined for a query without a relevant passage")
    return _dcg([grades.get(passage, 0) for passage in ranking[:k]], k) / ideal


Metric = Callable[[Sequence[str], Mapping[str, int]], float]
"""Ranking and grades of one query → value."""

METRICS: dict[str, Metric] = {
    "recall@1": lambda ranking, grades: recall(ranking, grades, 1),
    "recall@5": lambda ranking, grades: recall(ranking, grades, 5),
    "recall@10": lambda ranking, grades: recall(ranking, grades, 10),
    "mrr@10": lambda ranking, grades: reciprocal_rank(ranking, grades, 10),
    "ndcg@10": lambda ranking, grades: ndcg(ranking, grades, 10),
}
"""Every metric that is computed, reported and gated, by its name."""


def score(ranking: Sequence[str], grades: Mapping[str, int]) -> dict[str, float]:
    """All of `METRICS` for one query."""
    return {name: metric(ranking, grades) for name, metric in METRICS.items()}
