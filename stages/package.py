"""Package the model of the system that is shipped, tuned or base, with that system and a card that says why.

Reads metrics/<corpus>/, the training corpus in data/ingest/<corpus>/, training queries in data/synthesize/<corpus>/,
models/base/ and models/tuned/<corpus>/; writes models/<corpus>-embeddings-v<version>/, with an int8 export where one
comes near enough to the model, and metrics/<corpus>/package.md, what is in it. That a version never changes is checked
last (domain_embeddings/commands/check_version.py).

    python -m stages.package manuals
"""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from domain_embeddings.commands.workspace import (
    BASE_MODEL,
    load_params,
    metrics_folder,
    packaged_model,
    section,
    stage_folder,
    tuned_model,
)
from domain_embeddings.core.beir_files import read_corpus, read_qrels, read_queries
from domain_embeddings.core.optional import why
from domain_embeddings.encoding.encoder import Model, encode, load
from domain_embeddings.encoding.encoder_config import WEIGHTS, EncoderConfig
from domain_embeddings.encoding.roles import Role
from domain_embeddings.encoding.tokens import TOKENIZER
from domain_embeddings.packaging.artifact import package, parameter_counts, trainable
from domain_embeddings.packaging.card import Card, markdown, with_intervals
from domain_embeddings.packaging.export_fidelity import Fidelity, Texts
from domain_embeddings.packaging.manifest import EXPORTED, read
from domain_embeddings.packaging.probe import TEXTS
from domain_embeddings.params.base_model import BaseModelParams
from domain_embeddings.params.package import PackageParams
from domain_embeddings.systems.system import System
from stages.stage import corpus_argument, run_stage


def figures(corpus: str, name: str) -> Any:
    """A file that the report or the robustness stage wrote."""
    return json.loads((metrics_folder(corpus) / name).read_text(encoding="utf-8"))


def limits(corpus: str, questions: int, length: int, tests: Mapping[str, Any]) -> list[str]:
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
        f"Reads the first {length} tokens of a text.",
        "English.",
    ]


def describe(corpus: str, params: PackageParams, base: BaseModelParams) -> Card:
    """The card, each number as metrics/ has it; `package` fills in the hashes of what it copies."""
    promotion, means = figures(corpus, "promotion.json"), figures(corpus, "evaluate.json")
    tests, statistics = figures(corpus, "robustness.json"), figures(corpus, "significance.json")
    tuned = promotion["promoted"] == "tuned"
    config, counts = EncoderConfig.of(BASE_MODEL), parameter_counts(BASE_MODEL)
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
        promotion={key: value for key, value in promotion.items() if key not in ("guard", "shipped")},
        arms=with_intervals(means, statistics["intervals"]),
        dimension=config.dimension,
        max_seq_length=config.max_seq_length,
        parameters={
            "total": sum(counts.values()),
            "trainable": trainable(counts, frozen_blocks) if tuned else 0,
        },
        weights_sha256="",
        config_sha256="",
        training_corpus_sha256=read(stage_folder("ingest", corpus) / "corpus.jsonl").sha256,
        training_commit=None,
        adversarial_tests={"passed": tests["passed"], "total": tests["total"]},
        limits=limits(corpus, means["base"]["n_queries"], config.max_seq_length, tests),
        notes=params.notes,
        search=promotion["shipped"]["system"],
        skipped={f"baseline {arm}": reason for arm, reason in statistics["skipped"].items()},
    )


def int8(corpus: str, model: Model, tokenizer: Path, folder: Path) -> Fidelity | str:
    """Write the int8 export of a model into a folder, and tell how near it is, or in a line why there is none."""
    passages = read_corpus(stage_folder("ingest", corpus) / "corpus.jsonl")
    synthesized = stage_folder("synthesize", corpus)
    queries = read_queries(synthesized / "queries.jsonl")
    asked = [queries[i].text for i in sorted(read_qrels(synthesized / "qrels" / "train.tsv", queries, passages))]
    system = System.model_validate(figures(corpus, "promotion.json")["shipped"]["system"])
    contents = [system.text(passage) for passage in passages.values()]
    try:
        from domain_embeddings.packaging.int8_export import export  # only here: OpenVINO and nncf need not be there

        return export(model, tokenizer, contents, Texts.of(contents, asked), folder / Path(EXPORTED[0]).name)
    except Exception as error:  # of many kinds, and none is a reason to have no model
        return why(error)


def main() -> None:
    """Choose, describe, export, copy."""
    corpus = corpus_argument()
    params = section("package", PackageParams)
    base = section("base_model", BaseModelParams)
    card = describe(corpus, params, base)
    folder = tuned_model(corpus) if card.promoted == "tuned" else BASE_MODEL
    model = load(folder, device="cpu")
    probed = encode(model, TEXTS, Role.PASSAGE)
    with tempfile.TemporaryDirectory() as temporary:
        exported = None
        if params.export:
            found = int8(corpus, model, folder / TOKENIZER, Path(temporary))
            if isinstance(found, str):
                card = replace(card, skipped={**card.skipped, "int8 export": found})
                print(f"{corpus}: packaged without an int8 export: {found}")
            else:
                card, exported = replace(card, int8_export=asdict(found)), Path(temporary)
        package(folder, probed, card, corpus, params.license, packaged_model(corpus, params.version), exported)
    (metrics_folder(corpus) / "package.md").write_text(markdown(card), encoding="utf-8")


if __name__ == "__main__":
    run_stage(main, then="domain_embeddings.commands.check_version")
