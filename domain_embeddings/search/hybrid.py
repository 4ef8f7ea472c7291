"""Answers from a collection: the evaluation's hybrid ranking, with filters, a threshold, and the reasons for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain_embeddings.core.errors import UserError
from domain_embeddings.core.ranking import fuse
from domain_embeddings.params.search import SearchParams
from domain_embeddings.search.index_protocol import OWN_FIELDS, Filters, PassageIndex, Rankings, Wanted
from domain_embeddings.search.late_search import FIELDS, Match
from domain_embeddings.search.second_stage import PARTLY, SecondStage


class QueryError(UserError):
    """A query that makes no sense; the message says what is allowed."""


@dataclass(frozen=True)
class Result:
    """A passage that was found, and why."""

    id: str
    text: str
    title: str
    domain: str
    score: float
    """What the ranking goes by: Σ weight / (k + rank) of the fusion, without fusion the cosine, and with a second stage
    the weighted sum of scores."""
    dense_rank: int | None
    """Its place by meaning, from 1; None beyond `search.depth`."""
    sparse_rank: int | None
    """Its place by words; None where it shares no word with the query, beyond `search.depth`, or without fusion."""
    similarity: float | None
    """Cosine of query and passage, where it was looked at."""
    late: float | None
    """MeanMaxSim of query and passage; None without a second stage."""
    matches: list[Match]
    """What each word of the query found in the passage; empty unless asked for, and without a second stage."""
    model: str
    """Which model the search was made with."""
    degraded: tuple[str, ...]
    """Why this is not the search that was asked for; empty if it is."""
    extra: Mapping[str, Any]
    """What else the source knows: file, page, …"""


@dataclass(frozen=True)
class Asked:
    """What every query of a search asks for."""

    limit: int
    threshold: float | None
    """The least cosine of query and passage."""
    filters: Filters
    explain: bool = False
    """Whether the second stage is to tell which words matched."""


def answers(
    place: PassageIndex,
    collection: str,
    queries: Sequence[Wanted],
    asked: Asked,
    params: SearchParams,
    second: SecondStage | None,
    made_with: Mapping[str, Any],
) -> list[list[Result]]:
    """For each query its passages, best first; `made_with` are the results' `model` and `degraded`.

    A QueryError for a filter that makes no sense; what the index raises.
    """
    try:
        found = place.rank(collection, queries, asked.filters, params.depth)
    except ValueError as error:
        raise QueryError(str(error)) from error
    ranked = [
        _ranked(place, collection, query, _without_zeros(rankings), asked, params)
        for query, rankings in zip(queries, found, strict=True)
    ]
    return [
        [
            Result(**{**made_with, **fields})
            for fields in _results(place, collection, query, each, asked, second, made_with)
        ]
        for query, each in zip(queries, ranked, strict=True)
    ]


@dataclass(frozen=True)
class _Ranked:
    """A query's passages, best first, by point."""

    scores: dict[str, float]
    dense: dict[str, float]
    sparse: dict[str, float]


def _without_zeros(rankings: Rankings) -> Rankings:
    """The client's own mode gives passages that share no word with the query as well."""
    return Rankings(rankings.dense, [hit for hit in rankings.sparse if hit[1] > 0])


def _ranked(
    place: PassageIndex, collection: str, query: Wanted, rankings: Rankings, asked: Asked, params: SearchParams
) -> _Ranked:
    """Fuse, and leave out what is under the threshold."""
    dense, sparse = dict(rankings.dense), dict(rankings.sparse)
    scores = _fused(dense, sparse, params) if query.sparse.indices else dense
    if asked.threshold is not None:
        unknown = [point for point in scores if point not in dense]
        cosines = dense | (place.similarities(collection, query.dense, unknown) if unknown else {})
        scores = {point: score for point, score in scores.items() if cosines.get(point, -1.0) >= asked.threshold}
    return _Ranked(scores, dense, sparse)


def _results(
    place: PassageIndex,
    collection: str,
    query: Wanted,
    ranked: _Ranked,
    asked: Asked,
    second: SecondStage | None,
    made_with: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Put in the second stage's order, cut, and fetch the texts of what is left."""
    late: dict[str, float] = {}
    scores, degraded = ranked.scores, made_with["degraded"]
    question = query.question if second and scores else None
    if second and question:
        late = second.scores(place, collection, question, list(scores))
        scores = second.ordered(late, ranked.dense, ranked.sparse) if late else scores
        degraded = degraded if late else (*degraded, PARTLY)
    best = list(scores)[: asked.limit]
    explained = bool(late) and asked.explain
    payloads = place.payloads(collection, best, [*OWN_FIELDS, "extra", *(FIELDS if explained else ())])
    by_meaning, by_words = (
        {point: i for i, point in enumerate(each, start=1)} for each in (ranked.dense, ranked.sparse)
    )
    return [
        {
            **{field: payload[field] for field in ("id", "text", "title", "domain")},
            "score": scores[point],
            "dense_rank": by_meaning.get(point),
            "sparse_rank": by_words.get(point),
            "similarity": ranked.dense.get(point),
            "late": late.get(point),
            "matches": second.matches(question, payload) if explained and second and question else [],
            "degraded": degraded,
            "extra": payload.get("extra", {}),
        }
        for point in best
        if (payload := payloads.get(point)) is not None  # deleted a moment ago
    ]


def _fused(dense: dict[str, float], sparse: dict[str, float], params: SearchParams) -> dict[str, float]:
    """The evaluation's hybrid: both rankings, fused by reciprocal rank."""
    runs = [{"": dense}, {"": sparse}]
    return fuse(runs, params.rrf_k, len(dense) + len(sparse), [params.weights.dense, params.weights.sparse])[""]
