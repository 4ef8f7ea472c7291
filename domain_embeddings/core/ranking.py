"""From scores to rankings: exact top-k with a fixed order of ties, and fusion of rankings by rank or by score."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from domain_embeddings.core.dataset import Run

Scores = NDArray[np.float32]

_CHUNK = 256


def top_k(scores: Scores, k: int) -> NDArray[np.intp]:
    """Columns of the k highest scores of each row, best first, (rows, columns) → (rows, ≤ k).

    Ties go to the lower column, so that the same scores always give the same ranking.
    """
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


def rank(
    query_ids: Sequence[str],
    passage_ids: Sequence[str],
    score_rows: Callable[[slice], Scores],
    depth: int,
    left_out: Mapping[str, str] | None = None,
) -> Run:
    """Rank all passages for all queries, exactly, a few hundred queries at a time.

    `score_rows(rows)` gives the scores (rows, passages) of a slice of the queries. A passage scoring -inf
    is left out of the ranking, and so is the one that `left_out` has for a query.
    """
    run: Run = {}
    left_out = left_out or {}
    apart = set(left_out.values())
    column = {passage: i for i, passage in enumerate(passage_ids) if passage in apart}
    for start in range(0, len(query_ids), _CHUNK):
        rows = slice(start, start + _CHUNK)
        scores = score_rows(rows)
        cells = [(i, column[left_out[query]]) for i, query in enumerate(query_ids[rows]) if left_out.get(query) in column]
        if cells:
            scores = scores.copy()
            scores[tuple(np.transpose(cells))] = -np.inf
        for query_id, row, best in zip(query_ids[rows], scores, top_k(scores, depth), strict=True):
            run[query_id] = {passage_ids[i]: float(row[i]) for i in best if row[i] > -np.inf}
    return run


def fuse(runs: Sequence[Run], k: int, depth: int, weights: Sequence[float] | None = None) -> Run:
    """Reciprocal rank fusion: Σ weight / (k + rank) over the rankings that hold a passage (Cormack et al., SIGIR 2009).

    Ranks count from 1; every ranking weighs 1 unless `weights` says otherwise. Ties go to the passage that the earliest
    ranking puts first.
    """
    shares = weights or [1.0] * len(runs)
    fused: Run = {}
    for query_id in runs[0]:
        scores: dict[str, float] = {}
        for run, share in zip(runs, shares, strict=True):
            for position, passage in enumerate(run[query_id], start=1):
                scores[passage] = scores.get(passage, 0.0) + share / (k + position)
        best = sorted(scores.items(), key=lambda item: -item[1])[:depth]
        fused[query_id] = dict(best)
    return fused


def fuse_scores(runs: Sequence[Run], weights: Sequence[float], depth: int) -> Run:
    """Weighted sum of scores, each ranking's brought to 0..1 by its lowest and highest; an absent passage counts 0.

    A ranking whose scores are all the same counts 1 for each; one of weight 0 brings nothing. Ties go to the passage
    that the earliest ranking puts first. (Convex combination of min-max scores: Bruch et al., TOIS 2023.)
    """
    fused: Run = {}
    for query_id in runs[0]:
        scores: dict[str, float] = {}
        for run, weight in zip(runs, weights, strict=True):
            for passage, share in _shares(run[query_id]).items() if weight else ():
                scores[passage] = scores.get(passage, 0.0) + weight * share
        best = sorted(scores.items(), key=lambda item: -item[1])[:depth]
        fused[query_id] = dict(best)
    return fused


def _shares(found: Mapping[str, float]) -> dict[str, float]:
    low, high = min(found.values(), default=0.0), max(found.values(), default=0.0)
    return {passage: (score - low) / (high - low) if high > low else 1.0 for passage, score in found.items()}
