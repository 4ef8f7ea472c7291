"""Fine-tune the base model on a corpus's triplets, once for each seed.

Reads data/ingest/<corpus>/corpus.jsonl, data/synthesize/<corpus>/, data/mine/<corpus>/triplets.jsonl and
models/base/; writes models/tuned/<corpus>/ (the first seed's), models/seeds/<corpus>/<seed>/ (the others') and
data/train/<corpus>/history.json (the first seed's). Checkpoints lie in models/checkpoints/, under a fingerprint of
all that is read: a killed run goes on from there, a changed one starts anew. The frozen blocks' states stay in
models/states/<corpus>/ for the next run over the same texts. dvc.yaml has glibc map each of the largest buffers on
its own, in huge pages: memory is given back as soon as it is free, where a heap of buffers of all sizes grows to
several times what is in use. Results are the same without.

    python -m stages.train manuals
    accelerate launch --num_processes 4 -m stages.train manuals    # several GPUs, the same batch and params
"""

import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path

from accelerate import PartialState

from domain_embeddings.commands.workspace import (
    BASE_MODEL,
    section,
    seed_models,
    stage_folder,
    tuned_model,
)
from domain_embeddings.core.beir_files import read_corpus, read_jsonl, read_qrels, read_queries, write_json
from domain_embeddings.encoding.dev_set import Dev
from domain_embeddings.evaluation.question_groups import groups_of, halves
from domain_embeddings.params.train import TrainParams
from domain_embeddings.training.fine_tuning import fine_tune, load
from domain_embeddings.training.inverse_cloze import positive_of
from domain_embeddings.training.losses import Example
from stages.stage import asks_synthetic, corpus_argument, run_stage

CHECKPOINTS = Path("models/checkpoints")
STATES = Path("models/states")


def fingerprint(params: TrainParams, files: list[Path]) -> str:
    """A name for this run: the same params and the same input bytes give the same one."""
    digest = hashlib.sha256(json.dumps(params.model_dump(), sort_keys=True).encode())
    for path in files:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def main() -> None:
    """Load, train or resume, keep the best weights, write."""
    name = corpus_argument()
    params = section("train", TrainParams)
    synthetic = asks_synthetic(name)
    if synthetic:
        params = params.model_copy(update={"interpolate": [params.interpolate_unlabelled]})
    corpus_file = stage_folder("ingest", name) / "corpus.jsonl"
    synthesized, triplets_file = stage_folder("synthesize", name), stage_folder("mine", name) / "triplets.jsonl"
    corpus = read_corpus(corpus_file)
    queries = read_queries(synthesized / "queries.jsonl")
    dev_qrels = read_qrels(synthesized / "qrels" / "dev.tsv", queries, corpus)
    if not synthetic:  # the other half is kept to prove what is chosen
        choosing, _ = halves(groups_of(dev_qrels), params.seed)
        dev_qrels = {query_id: grades for query_id, grades in dev_qrels.items() if query_id in choosing}
    dev = Dev.sample(corpus, {i: queries[i] for i in dev_qrels}, dev_qrels, params.dev_pool, params.seed)
    examples = [
        Example(
            row["query"],
            positive_of(corpus[row["positive"]], queries[row["query_id"]], params.cloze, params.seed),
            tuple(corpus[i].content for i in row["negatives"]),
            whole=corpus[row["positive"]].content,
        )
        for _, row in read_jsonl(triplets_file)
    ]
    read = [
        corpus_file,
        synthesized / "queries.jsonl",
        synthesized / "qrels" / "dev.tsv",
        triplets_file,
        *sorted(path for path in BASE_MODEL.rglob("*") if path.is_file()),
    ]
    checkpoints = CHECKPOINTS / name / fingerprint(params, read)
    process = PartialState()
    for seed in params.seeds:
        model = load(BASE_MODEL)
        history = fine_tune(model, examples, dev, params, seed, checkpoints / str(seed), STATES / name)
        first = seed == params.seed
        folder = tuned_model(name) if first else seed_models(name) / str(seed)
        if process.is_main_process:
            model.save_pretrained(str(folder), create_model_card=False)
        if process.is_main_process and first:
            write_json(stage_folder("train", name) / "history.json", asdict(history))
    process.wait_for_everyone()
    if process.is_main_process:
        write_json(seed_models(name) / "seeds.json", params.seeds)
        shutil.rmtree(CHECKPOINTS / name)


if __name__ == "__main__":
    run_stage(main)
