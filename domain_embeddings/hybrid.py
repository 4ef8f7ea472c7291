"""Answers from a collection: the evaluation's hybrid ranking, with filters, a threshold, and the reasons for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain_embeddings.params.search import SearchParams
from domain_embeddings.passage_index import OWN_FIELDS, Filters, PassageIndex, Rankings, Wanted
from domain_embeddings.ranking import fuse


class QueryError(ValueError):
    """A query that makes no sense; the message says what is allowed."""


@dataclass(frozen=True)
class Result:
    """A passage that was found, and why."""

    id: str
    text: str
    title: str
    domain: str
    score: float
    """What the ranking goes by: Σ weight / (k + rank) of the fusion, or without fusion the cosine."""
    dense_rank: int | None
    """Its place by meaning, from 1; None beyond `search.depth`."""
    sparse_rank: int | None
    """Its place by words; None where it shares no word with the query, beyond `search.depth`, or without fusion."""
    similarity: float | None
    """Cosine of query and passage, where it was looked at."""
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


def answers(
    place: PassageIndex,
    collection: str,
    queries: Sequence[Wanted],
    asked: Asked,
    params: SearchParams,
    made_with: Mapping[str, Any],
) -> list[list[Result]]:
    """For each query its passages, best first; `made_with` are the results' `model` and `degraded`.

    A QueryError for a filter that makes no sense; what the index raises.
    """
    try:
        found = place.rank(collection, queries, asked.filters, params.depth)
    except ValueError as error:
        raise QueryError(str(error)) from error
    return [
        [
            Result(**fields, **made_with)
            for fields in _results(place, collection, query, _without_zeros(rankings), asked, params)
        ]
        for query, rankings in zip(queries, found, strict=True)
    ]


def _without_zeros(rankings: Rankings) -> Rankings:
    """The client's own mode gives passages that share no word with the query as well."""
    return Rankings(rankings.dense, [hit for hit in rankings.sparse if hit[1] > 0])


def _results(
    place: PassageIndex, collection: str, query: Wanted, rankings: Rankings, asked: Asked, params: SearchParams
) -> list[dict[str, Any]]:
    """Fuse, cut, and fetch the texts of what is left."""
    dense, sparse = dict(rankings.dense), dict(rankings.sparse)
    scores = _fused(dense, sparse, params) if query.sparse.indices else dense
    if asked.threshold is not None:
        unknown = [point for point in scores if point not in dense]
        cosines = dense | (place.similarities(collection, query.dense, unknown) if unknown else {})
        scores = {point: score for point, score in scores.items() if cosines.get(point, -1.0) >= asked.threshold}
    best = list(scores)[: asked.limit]
    payloads = place.payloads(collection, best, [*OWN_FIELDS, "extra"])
    by_meaning, by_words = ({point: i for i, point in enumerate(each, start=1)} for each in (dense, sparse))
    return [
        {
            **{field: payload[field] for field in ("id", "text", "title", "domain")},
            "score": scores[point],
            "dense_rank": by_meaning.get(point),
            "sparse_rank": by_words.get(point),
            "similarity": dense.get(point),
            "extra": payload.get("extra", {}),
        }
        for point in best
        if (payload := payloads.get(point)) is not None  # deleted a moment ago
    ]


def _fused(dense: dict[str, float], sparse: dict[str, float], params: SearchParams) -> dict[str, float]:
    """The evaluation's hybrid: both rankings, fused by reciprocal rank."""
    runs = [{"": dense}, {"": sparse}]
    return fuse(runs, params.rrf_k, len(dense) + len(sparse), [params.weights.dense, params.weights.sparse])[""]
