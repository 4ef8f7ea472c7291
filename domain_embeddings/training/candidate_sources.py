"""Where candidates for a hard negative come from: each source ranks a corpus's passages for every query."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from domain_embeddings.core.dataset import Passage
from domain_embeddings.core.lexical import BM25
from domain_embeddings.core.ranking import Scores, top_k
from domain_embeddings.params.mine import SourceName


@dataclass(frozen=True)
class Asked:
    """Some queries, and what is known of their passages before any source is asked."""

    texts: Sequence[str]
    scores: Scores
    """The base model's scores (queries, passages)."""
    found: Sequence[Sequence[str]]
    """What the collection in use ranks for each query: passage ids, best first; empty where none is asked."""
    depth: int
    """Candidates wanted for each query."""


Ranker = Callable[[Asked], list[list[int]]]
"""For each query the rows of the passages that a source finds, best first."""


def by_words(passages: Sequence[Passage]) -> Ranker:
    """What BM25 finds; no passage without a word of the query."""
    index = BM25([passage.content for passage in passages])

    def rank(asked: Asked) -> list[list[int]]:
        lexical = index.scores(asked.texts)
        best = top_k(lexical, asked.depth)
        return [[int(i) for i in row if scores[i] > -np.inf] for row, scores in zip(best, lexical, strict=True)]

    return rank


def by_meaning(passages: Sequence[Passage]) -> Ranker:
    """What the base model scores highest."""
    return lambda asked: [[int(i) for i in row] for row in top_k(asked.scores, asked.depth)]


def in_use(passages: Sequence[Passage]) -> Ranker:
    """What the collection that is searched today has found."""
    row = {passage.id: i for i, passage in enumerate(passages)}
    return lambda asked: [[row[passage_id] for passage_id in ranking] for ranking in asked.found]


SOURCES: dict[SourceName, Callable[[Sequence[Passage]], Ranker]] = {
    "bm25": by_words,
    "base": by_meaning,
    "qdrant": in_use,
}
"""Name in `mine.candidates` → the source, made once of the corpus's passages."""
