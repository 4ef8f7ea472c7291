"""Ask every other corpus's dev questions of the base and of the model tuned on this one, so that forgetting shows.

Reads data/ingest/, data/synthesize/ and data/vectors/ (the base's) of all corpora, models/base/ and
models/tuned/<corpus>/; writes data/guard/<corpus>/per_query.jsonl, a row for each other corpus, arm and question.
Large corpora are sampled.

    python -m stages.guard manuals
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from domain_embeddings.dataset import read_corpus, write_jsonl
from domain_embeddings.dev import Dev, per_query, scores
from domain_embeddings.encoder import Model, encode, load
from domain_embeddings.params.guard import GuardParams
from domain_embeddings.ranking import Scores
from stages.dev_sample import sample
from stages.start import run_stage
from stages.workspace import (
    BASE_MODEL,
    asks_synthetic,
    base_vectors,
    corpus_argument,
    load_params,
    max_seq_length,
    section,
    stage_folder,
    tuned_model,
)


def sampled_vectors(corpus: str, dev: Dev) -> Scores:
    """The base model's vectors of the sampled passages, as the mine stage made them."""
    rows = {passage: row for row, passage in enumerate(read_corpus(stage_folder("ingest", corpus) / "corpus.jsonl"))}
    vectors: Scores = np.load(base_vectors(corpus), mmap_mode="r")
    return vectors[[rows[passage] for passage in dev.passages]]


def ranked(corpus: str, dev: Dev, base: Model, tuned: Model) -> Iterator[dict[str, Any]]:
    """A row for each arm and question of one other corpus."""
    asked = encode(base, [query.text for query in dev.queries.values()], exact=False)
    arms = {
        "base": scores(dev, sampled_vectors(corpus, dev), asked),
        "tuned": per_query(tuned, dev, progress=True, exact=False),
    }
    for arm, found in arms.items():
        for query_id, row in found.items():
            yield {"corpus": corpus, "synthetic": asks_synthetic(corpus), "arm": arm, "query_id": query_id, **row}


def main() -> None:
    """Sample, rank, score, write."""
    name = corpus_argument()
    params = section("guard", GuardParams)
    others = {other: sample(other, params) for other in sorted(load_params()["corpora"]) if other != name}
    rows: Iterable[dict[str, Any]] = ()
    if others:
        base, tuned = (load(folder, max_seq_length()) for folder in (BASE_MODEL, tuned_model(name)))
        rows = (row for other, dev in others.items() for row in ranked(other, dev, base, tuned))
    write_jsonl(stage_folder("guard", name) / "per_query.jsonl", rows)


if __name__ == "__main__":
    run_stage(main)
