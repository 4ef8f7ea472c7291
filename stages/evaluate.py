"""Rank the test questions with every arm: BM25, base, tuned, and each model fused with BM25.

Reads data/ingest/<corpus>/, models/base/ and models/tuned/<corpus>/; writes data/evaluate/<corpus>/per_query.jsonl,
a row for each arm and question with its metrics and the ten passages found. Search is exact.

    python -m stages.evaluate manuals
"""

from collections.abc import Callable, Iterator
from typing import Any

from domain_embeddings import metrics
from domain_embeddings.dataset import DataError, Qrels, Query, Run, read_dataset, write_jsonl
from domain_embeddings.encoder import encode, load
from domain_embeddings.lexical import BM25
from domain_embeddings.params.evaluate import EvaluateParams
from domain_embeddings.ranking import Scores, fuse, rank
from stages.workspace import BASE_MODEL, corpus_argument, max_seq_length, section, stage_folder, tuned_model


def _similarity(queries: Scores, passages: Scores) -> Callable[[slice], Scores]:
    return lambda rows: queries[rows] @ passages.T


def rankings(
    passages: dict[str, str], queries: dict[str, Query], models: dict[str, Any], params: EvaluateParams
) -> dict[str, Run]:
    """Every arm's run: bm25, each model, and `hybrid_<model>`."""
    texts, asked = list(passages.values()), [query.text for query in queries.values()]
    bm25 = BM25(texts)
    runs = {"bm25": rank(list(queries), list(passages), lambda rows: bm25.scores(asked[rows]), params.depth)}
    for arm, model in models.items():
        vectors, wanted = encode(model, texts, progress=True), encode(model, asked)
        runs[arm] = rank(list(queries), list(passages), _similarity(wanted, vectors), params.depth)
    for arm in models:
        runs[f"hybrid_{arm}"] = fuse([runs[arm], runs["bm25"]], params.rrf_k, params.depth)
    return runs


def rows(runs: dict[str, Run], qrels: Qrels) -> Iterator[dict[str, Any]]:
    """A row for each arm and question."""
    for arm, run in runs.items():
        for query_id, ranking in run.items():
            found = list(ranking)
            yield {"arm": arm, "query_id": query_id, **metrics.score(found, qrels[query_id]), "found": found[:10]}


def main() -> None:
    """Rank, score, write."""
    name = corpus_argument()
    dataset = read_dataset(stage_folder("ingest", name))
    queries = dataset.judged("test")
    if not queries:
        raise DataError(
            stage_folder("ingest", name),
            "no test question with a relevant passage",
            remedy="add some, or nothing can be proved",
        )
    length = max_seq_length()
    models = {"base": load(BASE_MODEL, length), "tuned": load(tuned_model(name), length)}
    passages = {passage.id: passage.content for passage in dataset.corpus.values()}
    runs = rankings(passages, queries, models, section("evaluate", EvaluateParams))
    write_jsonl(stage_folder("evaluate", name) / "per_query.jsonl", rows(runs, dataset.qrels["test"]))


if __name__ == "__main__":
    main()
