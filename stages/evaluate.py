"""Rank test and dev questions with every arm: BM25; base and tuned, by one vector a text, by one a token (late), fused
with BM25; further seeds; others' models.

Reads data/ingest/<corpus>/, data/synthesize/<corpus>/ (dev), models/base/, models/tuned/<corpus>/,
models/seeds/<corpus>/<seed>/ and the models that `evaluate.baselines` names (from the hub or a server this is the
network; a server's vectors are kept in models/endpoint_cache/). Writes data/evaluate/<corpus>/per_query.jsonl (test)
and dev.jsonl (what a model is chosen by), a row for each arm and question: its metrics, the first ten passages found,
the ranks of relevant ones within `search.depth` (so that recall at any k can be computed later), and how many
passages are relevant; late_hybrid.json, the weights of that arm: chosen by dev questions that people asked, else
fixed ones; and skipped.json, why a baseline has no rows. Search is exact.

    python -m stages.evaluate manuals
"""

from domain_embeddings.commands.workspace import (
    BASE_MODEL,
    MODELS,
    load_params,
    max_seq_length,
    section,
    seed_models,
    stage_folder,
    tuned_model,
)
from domain_embeddings.core.beir_files import read_dataset, read_qrels, read_queries, write_json, write_jsonl
from domain_embeddings.core.errors import DataError
from domain_embeddings.core.ranking import fuse_scores
from domain_embeddings.evaluation.arms import LATE_HYBRID, UNCHOSEN, chosen_weights, encoders, of_split, rankings, rows
from domain_embeddings.params.evaluate import EvaluateParams
from stages.stage import asks_synthetic, corpus_argument, run_stage

ENDPOINT_CACHE = MODELS / "endpoint_cache"
TEST, DEV = "test ", "dev "
"""Before the ids of questions: both splits are ranked at once, and a dev question may be called as a test one."""


def main() -> None:
    """Rank, score, write."""
    name = corpus_argument()
    baselines = section("evaluate", EvaluateParams).baselines
    depth, rrf_k = load_params()["search"]["depth"], load_params()["search"]["rrf_k"]
    dataset = read_dataset(stage_folder("ingest", name))
    test = dataset.judged("test")
    if not test:
        raise DataError(
            stage_folder("ingest", name),
            "no test question with a relevant passage",
            remedy="add some, or nothing can be proved",
        )
    synthesized = stage_folder("synthesize", name)
    made = read_queries(synthesized / "queries.jsonl")
    dev_qrels = read_qrels(synthesized / "qrels" / "dev.tsv", made, dataset.corpus)
    queries = {TEST + i: query for i, query in test.items()} | {DEV + i: made[i] for i in dev_qrels}
    passages = {passage.id: passage.content for passage in dataset.corpus.values()}
    models = encoders(BASE_MODEL, tuned_model(name), seed_models(name), max_seq_length(), baselines, ENDPOINT_CACHE)
    runs, skipped = rankings(passages, queries, models, depth, rrf_k)
    for arm, reason in skipped.items():
        print(f"{name}: baseline {arm} is not compared: {reason}")
    weights = dict(zip(LATE_HYBRID, UNCHOSEN, strict=True))
    if not asks_synthetic(name):
        weights = chosen_weights(of_split(runs, DEV), dev_qrels, depth)
    runs["late_hybrid"] = fuse_scores([runs[arm] for arm in weights], list(weights.values()), depth)
    folder = stage_folder("evaluate", name)
    write_json(folder / "late_hybrid.json", weights)
    write_json(folder / "skipped.json", skipped)
    write_jsonl(folder / "per_query.jsonl", rows(of_split(runs, TEST), dataset.qrels["test"]))
    write_jsonl(folder / "dev.jsonl", rows(of_split(runs, DEV), dev_qrels))


if __name__ == "__main__":
    run_stage(main)
