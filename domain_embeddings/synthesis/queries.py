"""Training queries made from documents, without labels and without a language model.

Each passage gives candidates from five sources (template, heading, sentence, span, keyphrase). What fits too many
passages, repeats another query or comes near a held-out question is dropped and counted; of the rest each passage draws
its share of every source. A query that fits several passages has all of them as relevant.
"""

import random
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate, zip_longest
from typing import Any

from domain_embeddings.core.dataset import Passage, Qrels, Query
from domain_embeddings.english.sentence_filter import key
from domain_embeddings.params.synthesize import SourceWeights, SynthesizeParams
from domain_embeddings.synthesis.candidates import MOST_PASSAGES, Candidate, Candidates, candidates_of
from domain_embeddings.synthesis.keyphrases import Statistics, statistics_of
from domain_embeddings.synthesis.query_sources import Source
from domain_embeddings.text_matching.near_equal_queries import NearEqualQueries

__all__ = ["Drops", "Synthesis", "labelled_leaks", "quotas", "synthesize"]
_EXAMPLES = 20


@dataclass(frozen=True)
class Synthesis:
    """Synthetic queries, their judgements, and what was made, left out and why."""

    queries: list[Query]
    qrels: dict[str, Qrels]
    statistics: dict[str, Any]


@dataclass
class Drops:
    """What was left out: counts by reason, and each candidate near a held-out question with that question."""

    reasons: Counter[str] = field(default_factory=Counter)
    held_out: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Drawn:
    """A candidate that its passage drew, with every passage it fits."""

    candidate: Candidate
    passage: Passage
    relevant: tuple[str, ...]


class Fitness:
    """Judges candidates: which passages one fits, and whether it may be used at all."""

    def __init__(
        self,
        pool: Mapping[str, Candidates],
        statistics: Statistics,
        held_out: Mapping[str, str],
        exclude: Collection[str],
    ) -> None:
        self.drops = Drops()
        self._statistics = statistics
        self._questions = dict(held_out)
        self._near_held_out = NearEqualQueries(held_out)
        self.excluded = frozenset(exclude)
        self._owners = _owners(pool)
        self._listed: set[str] = set()

    def relevant(self, candidate: Candidate) -> tuple[str, ...]:
        """The passages that a candidate fits, sorted."""
        return tuple(sorted(set().union(*self._sharing(candidate))))

    def _sharing(self, candidate: Candidate) -> tuple[set[str], set[str]]:
        """The passages with a candidate's subject and those with its text."""
        return self._owners[(candidate.subject,)], self._owners[key(candidate.text)]

    def refuses(self, candidate: Candidate, seen: NearEqualQueries) -> str:
        """Why a candidate cannot be used, or an empty string."""
        sharing = self._sharing(candidate)
        if max(map(len, sharing)) > MOST_PASSAGES or self._is_vague(candidate):
            return "generic"
        owners = self.relevant(candidate)
        if len(owners) > MOST_PASSAGES:
            return "generic"
        if self.excluded.intersection(owners):
            return "fits a held-out passage"
        place = self._near_held_out.find(candidate.text)
        if place is not None:
            self._list(candidate.text, place, owners[0])
            return "near a held-out question"
        return "near-equal in its passage" if seen.find(candidate.text) is not None else ""

    def _is_vague(self, candidate: Candidate) -> bool:
        """Whether a query made from the text has only words that many passages hold together."""
        named = candidate.source in (Source.TEMPLATE, Source.HEADING)
        return not named and self._statistics.fits(candidate.text) > MOST_PASSAGES

    def _list(self, text: str, place: str, passage: str) -> None:
        if key(text) not in self._listed:
            self._listed.add(key(text))
            row = {"query": text, "passage": passage, "place": place, "question": self._questions[place]}
            self.drops.held_out.append(row)


def _owners(pool: Mapping[str, Candidates]) -> dict[Any, set[str]]:
    """The passages of each subject (a tuple of one) and of each text's words."""
    owners: dict[Any, set[str]] = {}
    for passage_id, candidates in pool.items():
        for candidate in (each for found in candidates.values() for each in found):
            owners.setdefault((candidate.subject,), set()).add(passage_id)
            owners.setdefault(key(candidate.text), set()).add(passage_id)
    return owners


def synthesize(
    corpus: Mapping[str, Passage],
    params: SynthesizeParams,
    held_out: Mapping[str, str],
    exclude: Collection[str] = (),
) -> Synthesis:
    """Make training queries for every passage that is not in `exclude`.

    `held_out` maps a place ("test question q17") to the text of each dev and test question. The result depends on the
    seed and the passages, not on their order.
    """
    passages = [corpus[passage_id] for passage_id in sorted(corpus)]
    statistics = statistics_of(passages)
    pool = {passage.id: candidates_of(passage, statistics) for passage in passages}
    fitness = Fitness(pool, statistics, held_out, exclude)
    drawn = {p.id: _draw(p, pool[p.id], fitness, params) for p in passages if p.id not in fitness.excluded}
    kept = _capped(drawn, params, fitness.drops)
    return _assemble(kept, drawn, fitness.drops, params.seed)


def _draw(passage: Passage, candidates: Candidates, fitness: Fitness, params: SynthesizeParams) -> list[Drawn]:
    """Up to `queries_per_passage` queries of one passage, by the sources' weights, in random order."""
    rng = random.Random(f"{params.seed}:{passage.id}")
    quota = quotas(params.sources, params.queries_per_passage, rng.random())
    seen = NearEqualQueries()
    queues = {source: _usable(candidates[source], fitness, seen, rng) for source in quota}
    order = rng.sample(list(quota), len(quota))
    chosen = [each for source in order for each in _take(queues[source], quota[source])]
    while len(chosen) < params.queries_per_passage:
        more = [each for source in order for each in _take(queues[source], 1)]
        if not more:
            break
        chosen += more[: params.queries_per_passage - len(chosen)]
    rng.shuffle(chosen)
    return [Drawn(each, passage, fitness.relevant(each)) for each in chosen]


def quotas(weights: SourceWeights, count: int, offset: float) -> dict[Source, int]:
    """Share `count` draws out by weight: systematic sampling with a random offset in [0, 1), right on average."""
    shares = {Source(name): weight for name, weight in weights.model_dump().items() if weight > 0}
    total = sum(shares.values())
    bounds = [int(count * bound / total + offset) for bound in accumulate(shares.values())]
    bounds[-1] = count if offset < 1 else bounds[-1]
    return {source: bound - before for source, bound, before in zip(shares, bounds, [0, *bounds[:-1]], strict=True)}


def _usable(
    candidates: Iterable[Candidate], fitness: Fitness, seen: NearEqualQueries, rng: random.Random
) -> Iterable[Candidate]:
    """The candidates that may be used, judged one by one as they are asked for; templates in random order."""
    order = list(candidates)
    if order and order[0].source in (Source.TEMPLATE, Source.HEADING):
        rng.shuffle(order)
    for candidate in order:
        reason = fitness.refuses(candidate, seen)
        if reason:
            fitness.drops.reasons[reason] += 1
            continue
        seen.add(candidate.text, candidate.text)
        yield candidate


def _take(queue: Iterable[Candidate], count: int) -> list[Candidate]:
    taken: list[Candidate] = []
    if count > 0:
        for candidate in queue:
            taken.append(candidate)
            if len(taken) == count:
                break
    return taken


def _capped(drawn: Mapping[str, list[Drawn]], params: SynthesizeParams, drops: Drops) -> list[Drawn]:
    """One query for each text, at most `pairs_per_domain` a domain: first one a passage, then a second, …"""
    order = sorted(drawn)
    random.Random(params.seed).shuffle(order)
    kept: dict[str, Drawn] = {}
    size: Counter[str] = Counter()
    for round_ in zip_longest(*(drawn[passage_id] for passage_id in order)):
        for each in filter(None, round_):
            if key(each.candidate.text) in kept:
                drops.reasons["same text as another passage's query"] += 1
            elif size[each.passage.domain] >= params.pairs_per_domain:
                drops.reasons["over pairs_per_domain"] += 1
            else:
                kept[key(each.candidate.text)] = each
                size[each.passage.domain] += 1
    return sorted(kept.values(), key=lambda each: (each.passage.id, each.candidate.source, key(each.candidate.text)))


def _assemble(kept: list[Drawn], drawn: Mapping[str, list[Drawn]], drops: Drops, seed: int) -> Synthesis:
    numbers: Counter[str] = Counter()
    queries: list[Query] = []
    qrels: Qrels = {}
    for each in kept:
        source = str(each.candidate.source)
        numbers[source] += 1
        query_id = f"{source}-{numbers[source]}"
        extra = {"source": source, "type": each.passage.type}
        queries.append(Query(query_id, each.candidate.text, each.passage.domain, extra=extra))
        qrels[query_id] = dict.fromkeys(each.relevant, 1)
    return Synthesis(queries, {"train": qrels}, _statistics(queries, qrels, drawn, drops, seed))


def _statistics(
    queries: list[Query], qrels: Qrels, drawn: Mapping[str, list[Drawn]], drops: Drops, seed: int
) -> dict[str, Any]:
    by_source = {source: [q for q in queries if q.extra["source"] == source] for source in map(str, Source)}
    rng = random.Random(seed)
    covered = {passage_id for grades in qrels.values() for passage_id in grades}
    return {
        "queries": len(queries),
        "passages": len(drawn),
        "passages_without_query": sorted(set(drawn) - covered),
        "several_relevant": sum(len(grades) > 1 for grades in qrels.values()),
        "sources": {source: len(found) for source, found in by_source.items()},
        "domains": dict(sorted(Counter(query.domain for query in queries).items())),
        "types": dict(sorted(Counter(query.extra["type"] for query in queries).items())),
        "dropped": dict(sorted(drops.reasons.items())),
        "held_out": sorted(drops.held_out, key=lambda row: (row["place"], row["query"])),
        "examples": {
            source: [(q.text, next(iter(qrels[q.id]))) for q in rng.sample(found, min(_EXAMPLES, len(found)))]
            for source, found in by_source.items()
        },
    }


def labelled_leaks(train_queries: Mapping[str, str], held_out: Mapping[str, str]) -> list[tuple[str, str]]:
    """The pairs (place of a training query, place of a held-out question) whose texts are near-equal."""
    near = NearEqualQueries(held_out)
    return [(place, hit) for place, text in train_queries.items() if (hit := near.find(text)) is not None]
