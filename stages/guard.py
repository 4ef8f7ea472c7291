"""Ask every other corpus's dev questions of the base and of the model tuned on this one, so that forgetting shows.

Reads data/ingest/ and data/synthesize/ of all corpora, models/base/ and models/tuned/<corpus>/; writes
data/guard/<corpus>/per_query.jsonl, a row for each other corpus, arm and question. Large corpora are sampled.

    python -m stages.guard manuals
"""

from domain_embeddings.dataset import write_jsonl
from domain_embeddings.dev import per_query
from domain_embeddings.encoder import load
from domain_embeddings.params.guard import GuardParams
from stages.dev_sample import sample
from stages.start import run_stage
from stages.workspace import (
    BASE_MODEL,
    asks_synthetic,
    corpus_argument,
    load_params,
    max_seq_length,
    section,
    stage_folder,
    tuned_model,
)


def main() -> None:
    """Sample, rank, score, write."""
    name = corpus_argument()
    params = section("guard", GuardParams)
    others = {other: sample(other, params) for other in sorted(load_params()["corpora"]) if other != name}
    folders = {"base": BASE_MODEL, "tuned": tuned_model(name)} if others else {}
    models = {arm: load(folder, max_seq_length()) for arm, folder in folders.items()}
    rows = (
        {"corpus": other, "synthetic": asks_synthetic(other), "arm": arm, "query_id": query_id, **scores}
        for other, dev in others.items()
        for arm, model in models.items()
        for query_id, scores in per_query(model, dev, progress=True, exact=False).items()
    )
    write_jsonl(stage_folder("guard", name) / "per_query.jsonl", rows)


if __name__ == "__main__":
    run_stage(main)
