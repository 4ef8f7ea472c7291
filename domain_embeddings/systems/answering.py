"""From the scores of a query's passages to a system's ranking: the one function that `evaluate` and search call."""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from domain_embeddings.core.ranking import fuse, fuse_scores
from domain_embeddings.systems.system import System

Hits = Mapping[str, float]
"""Passage → score, best first."""


def ranked(
    system: System, dense: Hits, bm25: Hits, late: Callable[[Sequence[str]], Hits], covered: float = 1.0
) -> dict[str, float]:
    """Passage → score, best first, at most `system.depth`.

    `dense` and `bm25` are the best `system.depth` by each; `late` gives MeanMaxSim of the passages that it is asked
    for, and of none where token vectors are missing: then the candidates' own order stands. `covered` is the question's
    coverage, for systems that go by it.
    """
    runs = [{"": dict(dense)}, {"": dict(bm25)}]
    by_words = system.bm25 * (covered**2 if system.coverage else 1.0)
    if not system.late:
        weights = [system.dense, system.bm25]
        if system.fusion == "ranks":
            return fuse(runs, system.rrf_k, system.depth, weights)[""]
        alone = [run[""] for run, weight in zip(runs, weights, strict=True) if weight]
        return alone[0] if len(alone) == 1 else fuse_scores(runs, [system.dense, by_words], system.depth)[""]
    candidates = fuse(runs, system.rrf_k, system.storage.candidates)[""]
    near = late(list(candidates))
    if not near:
        return dict(islice(candidates.items(), system.depth))
    nearest = dict(sorted(((i, near[i]) for i in candidates), key=lambda row: -row[1]))
    parts, weights = [{"": nearest}, *runs], [system.late, system.dense, by_words]
    every = fuse_scores(parts, weights, sum(len(part[""]) for part in parts))[""]
    return dict(sorted(((i, every[i]) for i in nearest), key=lambda row: -row[1])[: system.depth])
