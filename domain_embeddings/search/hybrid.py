"""Answers from a collection: a system's ranking, with filters, a threshold, and the reasons for each."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain_embeddings.core.errors import UserError
from domain_embeddings.core.lexical import words
from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from domain_embeddings.search.index_protocol import (
    PASSAGE,
    Filters,
    PassageIndex,
    Rankings,
    Wanted,
    passage_of,
    rows_of,
)
from domain_embeddings.search.late_search import FIELDS, Match, question
from domain_embeddings.search.second_stage import PARTLY, SecondStage
from domain_embeddings.search.sparse import query_weights, term_number
from domain_embeddings.systems.answering import ranked as answer
from domain_embeddings.systems.coverage import coverage, leaders
from domain_embeddings.systems.system import System

_UNSPEAKABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


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
    """What the ranking goes by: a cosine or BM25 alone, Σ weight / (k + rank), or a weighted sum of scores."""
    dense_rank: int | None
    """Its place by meaning, from 1; None beyond `search.depth`."""
    sparse_rank: int | None
    """Its place by words; None where it shares no word with the query, beyond `search.depth`, or without fusion."""
    similarity: float | None
    """Cosine of query and passage, where it was looked at."""
    late: float | None
    """MeanMaxSim of query and passage; None where late interaction did not look at it."""
    matches: list[Match]
    """What each word of the query found in the passage; empty unless asked for, and without late interaction."""
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
    """Whether late interaction is to tell which words matched."""


def clean(query: str, most: int) -> str:
    """A query without control signs and half surrogates; a QueryError for one of more than `most` characters."""
    if len(query) > most:
        raise QueryError(f"a query has {len(query):,} characters, at most {most:,} are allowed")
    return " ".join(_UNSPEAKABLE.sub(" ", query).split())


def wanted(model: VersionedEmbeddings, system: System, query: str) -> Wanted:
    """A query as the index sees it: encoded alone, as far as the system needs it."""
    weights = query_weights(words([query])[0] if system.bm25 or system.late else [])
    if system.late:
        single, tokens = question(model, query)
        return Wanted(rows_of(single)[0], weights, tokens)
    return Wanted(rows_of(model.encode_query([query]))[0], weights)


def answers(
    place: PassageIndex,
    collection: str,
    queries: Sequence[Wanted],
    asked: Asked,
    system: System,
    second: SecondStage | None,
    made_with: Mapping[str, Any],
) -> list[list[Result]]:
    """For each query its passages, best first; `made_with` are the results' `model` and `degraded`.

    A QueryError for a filter that makes no sense; what the index raises.
    """
    try:
        found = place.rank(collection, queries, asked.filters, system.depth)
    except ValueError as error:
        raise QueryError(str(error)) from error
    ranked = [
        _ranked(place, collection, query, rankings, asked, system, second)
        for query, rankings in zip(queries, found, strict=True)
    ]
    return [
        [Result(**fields) for fields in _results(place, collection, query, each, asked, second, made_with)]
        for query, each in zip(queries, ranked, strict=True)
    ]


@dataclass(frozen=True)
class _Ranked:
    """A query's passages, best first, by point."""

    scores: dict[str, float]
    dense: dict[str, float]
    sparse: dict[str, float]
    late: dict[str, float]
    partly: bool
    """Whether late interaction was wanted and could not be had."""


def _ranked(
    place: PassageIndex,
    collection: str,
    query: Wanted,
    rankings: Rankings,
    asked: Asked,
    system: System,
    second: SecondStage | None,
) -> _Ranked:
    """Rank as the system does, and leave out what is under the threshold."""
    dense = dict(rankings.dense)
    sparse = {point: score for point, score in rankings.sparse if score > 0}  # the client's own mode gives zeros too
    late: dict[str, float] = {}
    looked = False

    def near(points: Sequence[str]) -> dict[str, float]:
        nonlocal looked
        if second and query.question and points:
            late.update(second.scores(place, collection, query.question, points))
            looked = True
        return late

    covered = _covered(place, collection, query, sparse, system) if system.coverage and sparse else 1.0
    scores = answer(system, dense, sparse, near, covered)
    if asked.threshold is not None:
        unknown = [point for point in scores if point not in dense]
        cosines = dense | (place.similarities(collection, query.dense, unknown) if unknown else {})
        scores = {point: score for point, score in scores.items() if cosines.get(point, -1.0) >= asked.threshold}
    return _Ranked(scores, dense, sparse, late, looked and not late)


def _covered(place: PassageIndex, collection: str, query: Wanted, sparse: Mapping[str, float], system: System) -> float:
    """How much of a query its first passages by words hold, stems by their numbers."""
    first = place.payloads(collection, leaders(sparse), PASSAGE)
    texts = [system.text(passage_of(payload)) for payload in first.values()]
    return coverage(query.sparse.indices, [[term_number(stem) for stem in stems] for stems in words(texts)])


def _results(
    place: PassageIndex,
    collection: str,
    query: Wanted,
    ranked: _Ranked,
    asked: Asked,
    second: SecondStage | None,
    made_with: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Cut, and fetch the texts of what is left."""
    best = list(ranked.scores)[: asked.limit]
    explained = bool(ranked.late) and asked.explain
    payloads = place.payloads(collection, best, [*PASSAGE, *(FIELDS if explained else ())])
    by_meaning, by_words = (
        {point: i for i, point in enumerate(each, start=1)} for each in (ranked.dense, ranked.sparse)
    )
    told = query.question if explained else None
    return [
        {
            **{field: payload[field] for field in ("id", "text", "title", "domain")},
            "score": ranked.scores[point],
            "dense_rank": by_meaning.get(point),
            "sparse_rank": by_words.get(point),
            "similarity": ranked.dense.get(point),
            "late": ranked.late.get(point),
            "matches": second.matches(told, payload) if second and told else [],
            "model": made_with["model"],
            "degraded": (*made_with["degraded"], *((PARTLY,) if ranked.partly else ())),
            "extra": payload.get("extra", {}),
        }
        for point in best
        if (payload := payloads.get(point)) is not None  # deleted a moment ago
    ]
