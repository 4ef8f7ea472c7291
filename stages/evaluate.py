"""Rank test and dev questions with every search system, and with others' models and further seeds beside them.

Reads data/ingest/<corpus>/, data/synthesize/<corpus>/ (dev), models/base/, models/tuned/<corpus>/,
models/seeds/<corpus>/<seed>/ and the models that `evaluate.baselines` names (from the hub or a server this is the
network; a server's vectors are kept in models/endpoint_cache/). Writes data/evaluate/<corpus>/per_query.jsonl (test)
and dev.jsonl (what a system is chosen by), a row for each arm and question: its metrics, the first ten passages found,
the ranks of relevant ones within `search.depth` (so that recall at any k can be computed later), and how many
passages are relevant; log.jsonl, the same of a log's questions on silver labels, where nobody has labelled dev ones
(else it is empty); systems.json, the systems with the bytes that each stores of a passage; and skipped.json, why a
baseline has no rows. Search is exact, over token vectors as search stores them.

    python -m stages.evaluate manuals
"""

from domain_embeddings.commands.workspace import (
    BASE_MODEL,
    MODELS,
    section,
    seed_models,
    stage_folder,
    tuned_model,
)
from domain_embeddings.core.beir_files import read_dataset, read_qrels, read_queries, write_json, write_jsonl
from domain_embeddings.core.errors import DataError
from domain_embeddings.evaluation.arms import encoders, of_split, rankings, rows
from domain_embeddings.evaluation.silver_labels import silver_qrels
from domain_embeddings.params.evaluate import EvaluateParams
from domain_embeddings.params.search import SearchParams
from domain_embeddings.systems.system import ALIASES, aliases_of, family
from stages.stage import asks_synthetic, corpus_argument, run_stage

ENDPOINT_CACHE = MODELS / "endpoint_cache"
TEST, DEV, LOG = "test ", "dev ", "log "
"""Before the ids of questions: all are ranked at once, and a dev question may be called as a test one."""


def main() -> None:
    """Rank, score, write."""
    name = corpus_argument()
    baselines = section("evaluate", EvaluateParams).baselines
    search = section("search", SearchParams)
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
    logged = stage_folder("ingest", name) / "log" / "queries.jsonl"
    if logged.exists() and asks_synthetic(name):
        queries |= {LOG + i: query for i, query in read_queries(logged).items()}
    aliases = any(map(aliases_of, dataset.corpus.values()))
    systems = family(aliases, search)
    models = encoders(BASE_MODEL, tuned_model(name), seed_models(name), search.late, baselines, ENDPOINT_CACHE)
    found = rankings(dataset.corpus, queries, models, systems, search.depth)
    for arm, reason in found.skipped.items():
        print(f"{name}: baseline {arm} is not compared: {reason}")
    folder = stage_folder("evaluate", name)
    kept = [{"system": system.model_dump(), "bytes": found.stored[system.name]} for system in systems]
    write_json(folder / "systems.json", kept)
    write_json(folder / "skipped.json", found.skipped)
    write_jsonl(folder / "per_query.jsonl", rows(of_split(found.runs, TEST), dataset.qrels["test"]))
    write_jsonl(folder / "dev.jsonl", rows(of_split(found.runs, DEV), dev_qrels))
    log = of_split(found.runs, LOG)
    write_jsonl(folder / "log.jsonl", rows(log, silver_qrels(log, ALIASES if aliases else "")))


if __name__ == "__main__":
    run_stage(main)
