"""Dev questions with a pool of passages small enough to rank again and again."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from domain_embeddings.core import metrics
from domain_embeddings.core.beir_files import read_corpus, read_qrels, read_queries
from domain_embeddings.core.dataset import Passage, Qrels, Query, own_passages
from domain_embeddings.core.lexical import BM25
from domain_embeddings.core.ranking import Scores, rank, top_k
from domain_embeddings.encoding.encoder import Model, encode
from domain_embeddings.encoding.roles import Role


@dataclass(frozen=True)
class Dev:
    """Dev questions and the passages that they are ranked against."""

    passages: dict[str, str]
    queries: dict[str, Query]
    qrels: Qrels

    @classmethod
    def sample(
        cls,
        corpus: Mapping[str, Passage],
        queries: Mapping[str, Query],
        qrels: Qrels,
        size: int,
        seed: int,
        lookalikes: int = 20,
    ) -> "Dev":
        """All passages; of more than `size`, the judged, BM25's first few a question, and others drawn at random."""
        kept = set(corpus)
        if len(corpus) > size:
            ids = list(corpus)
            hits = top_k(
                BM25([p.content for p in corpus.values()]).scores([q.text for q in queries.values()]), lookalikes
            )
            kept = {passage for grades in qrels.values() for passage in grades} | {ids[i] for row in hits for i in row}
            rest = [passage for passage in ids if passage not in kept]
            kept |= set(random.Random(seed).sample(rest, min(len(rest), max(0, size - len(kept)))))
        return cls({i: p.content for i, p in corpus.items() if i in kept}, dict(queries), qrels)


def read_sample(corpus: Path, synthesized: Path, questions: int, passages: int, seed: int, lookalikes: int) -> Dev:
    """At most so many dev questions of the stages' folders, and passages to rank for them (`Dev.sample`)."""
    found = read_corpus(corpus / "corpus.jsonl")
    queries = read_queries(synthesized / "queries.jsonl")
    qrels = read_qrels(synthesized / "qrels" / "dev.tsv", queries, found)
    chosen = random.Random(seed).sample(sorted(qrels), min(questions, len(qrels)))
    asked = {query_id: queries[query_id] for query_id in sorted(chosen)}
    return Dev.sample(found, asked, {i: qrels[i] for i in asked}, passages, seed, lookalikes)


def per_query(model: Model, dev: Dev, progress: bool = False, exact: bool = True) -> dict[str, dict[str, float]]:
    """Rank all of the pool for every question: query id → all of `metrics.METRICS`. `exact` is `encode`'s."""
    passages = encode(model, list(dev.passages.values()), Role.PASSAGE, progress, exact)
    queries = encode(model, [query.text for query in dev.queries.values()], Role.QUERY, exact=exact)
    return scores(dev, passages, queries)


def scores(dev: Dev, passages: Scores, queries: Scores) -> dict[str, dict[str, float]]:
    """Rank the pool by vectors that are there already, a row for each of `dev.passages` and `dev.queries`."""
    left_out = own_passages(dev.queries)
    run = rank(list(dev.queries), list(dev.passages), lambda rows: queries[rows] @ passages.T, 10, left_out)
    return {query_id: metrics.score(list(found), dev.qrels[query_id]) for query_id, found in run.items()}
