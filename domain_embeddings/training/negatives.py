"""Hard negatives: passages that look like the answer to a query and are not.

Passages that are judged 0 for a query come first: somebody has certified that they do not answer it. Other candidates
are what the sources (`candidate_sources`) find, best first and in turn. A candidate is dropped when it is relevant to
the query, or the query itself, when it is a near-copy of a relevant passage or another piece of its section or of its
entity's article, or when the base model scores it above a set share of the positive's score: such a passage is likely
an unlabelled answer (positive-aware mining, NV-Retriever, Moreira et al., 2024, arXiv:2407.15831).

A passage marked `held_out`, because dev or test questions ask for it, is nobody's negative, nor is a near-copy of it:
what is to be found unseen would be pushed away from every training query.

A query made of a passage's own words for which the base model finds many other passages first fits those too: it is
dropped (round-trip consistency, Promptagator, Dai et al., 2022, arXiv:2209.11755). People's questions, and queries by
an entity's alias, which the base model cannot know, stay.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import numpy as np

from domain_embeddings.core.dataset import Passage, Qrels, Query
from domain_embeddings.core.entities import entity_of, relation, sections
from domain_embeddings.core.errors import UserError
from domain_embeddings.core.ranking import Scores
from domain_embeddings.params.mine import MineParams
from domain_embeddings.synthesis.query_sources import Source
from domain_embeddings.text_matching.near_duplicates import near_copies
from domain_embeddings.training.candidate_sources import SOURCES, Asked

_CHUNK = 256
HELD_OUT = "held out"
OWN_WORDS = frozenset(Source)
"""Sources of queries that are made of the passage's own words."""


@dataclass(frozen=True)
class Triplet:
    """A training query, one relevant passage, and its hard negatives (ids, hardest first)."""

    query_id: str
    query: str
    positive: str
    negatives: tuple[str, ...]


@dataclass
class Audit:
    """What mining kept, dropped and had to make up."""

    dropped: Counter[str] = field(default_factory=Counter)
    """Candidates for a negative, by reason."""
    ambiguous: Counter[str] = field(default_factory=Counter)
    """Pairs that were left out because their query fits other passages better, by the query's source."""
    kept: Counter[str] = field(default_factory=Counter)
    suspicious: list[dict[str, Any]] = field(default_factory=list)

    def summary(self, worst: int) -> dict[str, Any]:
        """Counts, and the kept negatives whose score comes nearest to their positive's."""
        ranked = sorted(self.suspicious, key=lambda row: (-row["share"], row["query_id"], row["negative"]))
        return {
            "dropped": dict(sorted(self.dropped.items())),
            "ambiguous": dict(sorted(self.ambiguous.items())),
            "kept": dict(sorted(self.kept.items())),
            "suspicious": ranked[:worst],
        }


class Miner:
    """Mines hard negatives of one corpus."""

    def __init__(self, corpus: Mapping[str, Passage], vectors: Scores, params: MineParams) -> None:
        """`vectors`: unit vectors (passages, dimensions) in the corpus's order."""
        self._passages = list(corpus.values())
        self._index = {passage.id: i for i, passage in enumerate(self._passages)}
        self._vectors = vectors
        self._params = params
        self._rankers = [SOURCES[name](self._passages) for name in params.candidates]
        copies = near_copies({passage.id: passage.text for passage in self._passages}, params.near_copy)
        self._original = {passage.id: copies.get(passage.id, passage.id) for passage in self._passages}
        self._sections = sections(self._passages)
        self._held_out = {self._original[passage.id] for passage in self._passages if passage.extra.get("held_out")}
        self.audit = Audit()

    def mine(
        self, queries: Sequence[Query], vectors: Scores, qrels: Qrels, found: Sequence[Sequence[str]] = ()
    ) -> Iterator[Triplet]:
        """Yield a triplet for every (query, relevant passage); `vectors` are the queries' unit vectors.

        `found`: a ranking of passage ids for each query, from the collection in use; read where candidates hold qdrant.
        """
        for start in range(0, len(queries), _CHUNK):
            rows = slice(start, start + _CHUNK)
            dense = vectors[rows] @ self._vectors.T
            candidates = self._candidates(queries[rows], dense, found[rows])
            for query, scores, merged in zip(queries[rows], dense, candidates, strict=True):
                judged = qrels[query.id]
                for positive in (p for p, grade in judged.items() if grade > 0):
                    if self._fits(query, positive, judged, scores):
                        yield self._triplet(query, positive, judged, scores, merged)

    def _fits(self, query: Query, positive: str, judged: Mapping[str, int], scores: Scores) -> bool:
        """Whether few enough unjudged passages come before the positive, where that must be asked."""
        source = query.extra.get("source")
        if self._params.max_positive_rank is None or source not in OWN_WORDS:
            return True
        before = sum(self._passages[i].id not in judged for i in np.flatnonzero(scores > scores[self._index[positive]]))
        fits = before < self._params.max_positive_rank
        if not fits:
            self.audit.ambiguous[str(source)] += 1
        return fits

    def _candidates(
        self, queries: Sequence[Query], dense: Scores, found: Sequence[Sequence[str]]
    ) -> Iterator[list[int]]:
        """What the sources rank for each query, best of each in turn, each passage once."""
        asked = Asked([query.text for query in queries], dense, found, self._params.depth)
        rankings = [rank(asked) for rank in self._rankers]
        for ranked in zip(*rankings, strict=True):
            yield list(dict.fromkeys(i for turn in zip_longest(*ranked) for i in turn if i is not None))

    def _triplet(
        self, query: Query, positive: str, judged: Mapping[str, int], scores: Scores, candidates: list[int]
    ) -> Triplet:
        limit = self._params.max_score_share * float(scores[self._index[positive]])
        certified = [self._index[passage] for passage, grade in judged.items() if grade <= 0]
        certified.sort(key=lambda i: -float(scores[i]))
        ordered = dict.fromkeys([*certified, *candidates])
        accepted = [i for i in ordered if self._accept(i, query, positive, judged, float(scores[i]), limit)]
        chosen = self._mixed(accepted, self._passages[self._index[positive]])
        if len(chosen) < self._params.negatives:
            chosen += self._fallback(query, positive, judged, scores, limit, chosen)
        chosen.sort(key=lambda i: -float(scores[i]))
        for i in chosen:
            self._note(query, positive, i, float(scores[i]), float(scores[self._index[positive]]))
        return Triplet(query.id, query.text, positive, tuple(self._passages[i].id for i in chosen))

    def _accept(
        self, i: int, query: Query, positive: str, judged: Mapping[str, int], score: float, limit: float
    ) -> bool:
        reason = self._objection(i, query, positive, judged, score, limit)
        if reason:
            self.audit.dropped[reason] += 1
        return not reason

    def _objection(
        self, i: int, query: Query, positive: str, judged: Mapping[str, int], score: float, limit: float
    ) -> str:
        candidate, answer = self._passages[i], self._passages[self._index[positive]]
        relevant = {passage for passage, grade in judged.items() if grade > 0}
        if candidate.id in relevant:
            return "relevant to this query"
        if candidate.id == query.own_passage:
            return "the query itself"
        if self._original[candidate.id] in self._held_out:
            return HELD_OUT
        if candidate.id in judged:
            return ""
        if self._original[candidate.id] in {self._original[other] for other in relevant}:
            return "near-copy of a relevant passage"
        if self._sections[candidate.id] == self._sections[answer.id]:
            return "same section as the positive"
        if relation(candidate, answer) == "same":
            return "same entity"
        return "score too near the positive's" if score > limit else ""

    def _mixed(self, accepted: list[int], answer: Passage) -> list[int]:
        """The best candidates, in the wanted shares of near and far ones where there are as many."""
        wanted = self._params.negatives
        *shares, (last, _) = self._shares(answer).items()
        chosen: list[int] = []
        for group, count in (*((group, round(wanted * share)) for group, share in shares), (last, wanted)):
            found = [i for i in accepted if self._group(self._passages[i], answer) == group]
            chosen += found[: min(count, wanted - len(chosen))]
        rest = [i for i in accepted if i not in chosen]
        return chosen + rest[: wanted - len(chosen)]

    def _shares(self, answer: Passage) -> dict[str, float]:
        """Group → share of the negatives: by relation where the positive is about an entity, else by domain."""
        if entity_of(answer) is not None:
            return dict(self._params.relations.model_dump())
        return {"same domain": self._params.same_domain, "cross domain": 1 - self._params.same_domain}

    @staticmethod
    def _group(candidate: Passage, answer: Passage) -> str:
        if entity_of(answer) is not None:
            nearness = {"related": "hard", "overlap": "hard", "same_kind": "medium"}
            return nearness.get(relation(candidate, answer), "easy")
        return "same domain" if candidate.domain == answer.domain else "cross domain"

    def _fallback(
        self,
        query: Query,
        positive: str,
        judged: Mapping[str, int],
        scores: Scores,
        limit: float,
        chosen: list[int],
    ) -> list[int]:
        """Passages drawn at random under the same rules; in a tiny corpus whatever the score, then any."""
        draw = random.Random(f"{self._params.seed} {query.id} {positive}")
        order = draw.sample(range(len(self._passages)), len(self._passages))
        found: list[int] = []
        for loose, needy in ((False, False), (True, False), (True, True)):
            for i in order:
                objection = self._objection(i, query, positive, judged, -1.0 if loose else float(scores[i]), limit)
                if i in chosen or i in found or (objection and not (needy and objection == HELD_OUT)):
                    continue
                found.append(i)
                if objection:
                    self.audit.kept["held out, for want of others"] += 1
                if len(chosen) + len(found) == self._params.negatives:
                    self.audit.kept["fallback"] += len(found)
                    return found
        raise UserError(
            f"query {query.id!r} ({query.text!r}): only {len(chosen) + len(found)} of "
            f"{self._params.negatives} negatives exist among {len(self._passages)} passages; "
            "lower mine.negatives or add documents"
        )

    def _note(self, query: Query, positive: str, i: int, score: float, best: float) -> None:
        self.audit.kept[self._group(self._passages[i], self._passages[self._index[positive]])] += 1
        self.audit.suspicious.append(
            {
                "share": round(score / best, 4) if best > 0 else 0.0,
                "query_id": query.id,
                "query": query.text,
                "positive": positive,
                "negative": self._passages[i].id,
                "negative_text": self._passages[i].content[:200],
            }
        )
