"""Package the model that was promoted, tuned or base, with a card that says why.

Reads metrics/<corpus>/, the training corpus in data/ingest/<corpus>/, dev questions in data/synthesize/<corpus>/,
models/base/ and models/tuned/<corpus>/; writes models/<corpus>-embeddings-v<version>/, with an int8 export that was
measured on the dev questions. That a version never changes is checked last (stages/check_version.py).

    python -m stages.package manuals
"""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from domain_embeddings.artifact import WEIGHTS, dimension, package, parameter_counts, trainable
from domain_embeddings.card import Card, with_intervals
from domain_embeddings.dataset import read_corpus
from domain_embeddings.encoder import load
from domain_embeddings.export import Fidelity, export
from domain_embeddings.int8_encoder import TOKENIZER
from domain_embeddings.integrity import EXPORTED, read
from domain_embeddings.params.base_model import BaseModelParams
from domain_embeddings.params.package import ExportParams, PackageParams
from stages.dev_sample import sample
from stages.start import run_stage
from stages.workspace import (
    BASE_MODEL,
    corpus_argument,
    load_params,
    metrics_folder,
    packaged_model,
    section,
    stage_folder,
    tuned_model,
)


def figures(corpus: str, name: str) -> Any:
    """A file that the report or the robustness stage wrote."""
    return json.loads((metrics_folder(corpus) / name).read_text(encoding="utf-8"))


def limits(corpus: str, questions: int, base: BaseModelParams, tests: Mapping[str, Any]) -> list[str]:
    """What a reader must not expect."""
    failed = {group: row["total"] - row["passed"] for group, row in tests["groups"].items()}
    failing = ", ".join(f"{group} {number}" for group, number in failed.items() if number)
    return [
        *(
            [f"Failed adversarial tests: {failing} (metrics/{corpus}/robustness_failures.json names them)."]
            if failing
            else []
        ),
        f"Measured on {questions} test questions of `{corpus}` alone; on texts of another field measure first.",
        f"Reads the first {base.max_seq_length} tokens of a text.",
        "English.",
    ]


def describe(corpus: str, params: PackageParams, base: BaseModelParams) -> Card:
    """The card, each number as metrics/ has it; `package` fills in the hashes of what it copies."""
    promotion, means = figures(corpus, "promotion.json"), figures(corpus, "evaluate.json")
    tests = figures(corpus, "robustness.json")
    tuned = promotion["promoted"] == "tuned"
    counts = parameter_counts(BASE_MODEL / WEIGHTS)
    frozen_blocks = load_params()["train"]["frozen_blocks"]
    return Card(
        name=f"{corpus}-embeddings",
        version=params.version,
        base_model={
            "name": base.hub_name or base.name,
            "revision": base.revision,
            "weights_sha256": read(BASE_MODEL / WEIGHTS).sha256,
        },
        promoted=promotion["promoted"],
        reason=promotion["reason"],
        verdict=figures(corpus, "verdict.json"),
        promotion=promotion,
        arms=with_intervals(means, figures(corpus, "significance.json")["intervals"]),
        dimension=dimension(BASE_MODEL),
        max_seq_length=base.max_seq_length,
        parameters={
            "total": sum(counts.values()),
            "trainable": trainable(counts, frozen_blocks) if tuned else 0,
        },
        weights_sha256="",
        config_sha256="",
        training_corpus_sha256=read(stage_folder("ingest", corpus) / "corpus.jsonl").sha256,
        training_commit=None,
        adversarial_tests={"passed": tests["passed"], "total": tests["total"]},
        limits=limits(corpus, means["base"]["n_queries"], base, tests),
        notes=params.notes,
    )


def int8(corpus: str, model: Path, max_seq_length: int, params: ExportParams, folder: Path) -> Fidelity:
    """Write the int8 export of a model into a folder; a DataError where it is too far from the model."""
    texts = [passage.content for passage in read_corpus(stage_folder("ingest", corpus) / "corpus.jsonl").values()]
    loaded = load(model, max_seq_length, device="cpu")
    graph = folder / Path(EXPORTED[0]).name
    return export(loaded, model / TOKENIZER, texts, sample(corpus, params), params, graph)


def main() -> None:
    """Choose, describe, export, copy."""
    corpus = corpus_argument()
    params = section("package", PackageParams)
    base = section("base_model", BaseModelParams)
    card = describe(corpus, params, base)
    model = tuned_model(corpus) if card.promoted == "tuned" else BASE_MODEL
    folder = packaged_model(corpus, params.version)
    with tempfile.TemporaryDirectory() as temporary:
        exported = Path(temporary) if params.export else None
        if params.export and exported:
            fidelity = int8(corpus, model, base.max_seq_length, params.export, exported)
            card = replace(card, int8_export=asdict(fidelity))
        package(model, card, corpus, params.license, folder, exported)


if __name__ == "__main__":
    run_stage(main, then="stages.check_version")
