"""A packaged model for tests: the base's weights under a version, with a card, a manifest and, as in use, the base."""

import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from domain_embeddings.encoding.encoder import encode, load
from domain_embeddings.encoding.encoder_config import WEIGHTS, EncoderConfig
from domain_embeddings.encoding.roles import Role
from domain_embeddings.encoding.tokens import TOKENIZER
from domain_embeddings.packaging.artifact import package, parameter_counts
from domain_embeddings.packaging.card import Card, with_intervals
from domain_embeddings.packaging.export_fidelity import Texts
from domain_embeddings.packaging.int8_export import export
from domain_embeddings.packaging.manifest import MANIFEST, files_of, folder_md5, read, write_manifest
from domain_embeddings.packaging.probe import TEXTS
from scripts.dependencies import ROOT

NAME = "tiny-embeddings-v1.0"
KINDS = (".json", ".txt", ".safetensors")
MEANS = {
    "base": {"recall@5": 0.5, "mrr@10": 0.25, "ndcg@10": 0.375, "n_queries": 60},
    "tuned": {"recall@5": 0.75, "mrr@10": 0.5, "ndcg@10": 0.625, "n_queries": 60},
}
VERDICT = {
    "verdict": "improved", "metric": "ndcg@10", "delta": 0.25, "ci95": [0.125, 0.375], "p": 0.001, "promoted": "tuned",
    "shipped": "late_hybrid", "shipped_delta": 0.5, "shipped_ci95": [0.4375, 0.5625],
}  # fmt: skip
INTERVALS = {"base": {"recall@5": [0.4, 0.6], "mrr@10": [0.2, 0.3], "ndcg@10": [0.3, 0.45]}}


def card(base: Path, **changes: Any) -> Card:
    """A card whose numbers are easily told apart."""
    counts = parameter_counts(base)
    values: dict[str, Any] = {
        "name": "tiny-embeddings",
        "version": "1.0",
        "base_model": {"name": "owner/base", "revision": "0" * 40, "weights_sha256": read(base / WEIGHTS).sha256},
        "promoted": "tuned",
        "reason": "improved on 60 dev questions",
        "verdict": VERDICT,
        "promotion": None,
        "arms": with_intervals(MEANS, INTERVALS),
        "dimension": EncoderConfig.of(base).dimension,
        "max_seq_length": 256,
        "parameters": {"total": sum(counts.values()), "trainable": 7},
        "weights_sha256": "",
        "config_sha256": "",
        "training_corpus_sha256": "c" * 64,
        "training_commit": None,
        "adversarial_tests": {"passed": None, "total": None},
        "limits": ["English."],
        "notes": "",
    }
    return Card(**{**values, **changes})


def copy_base(base: Path, folder: Path) -> Path:
    """The files of the base that the base_model stage takes, with the manifest beside the folder."""
    for path in sorted(base.rglob("*")):
        if path.is_file() and path.suffix in KINDS:
            (folder / path.relative_to(base)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / path.relative_to(base))
    write_manifest(folder, folder.with_name(f"{folder.name}.{MANIFEST}"))
    return folder


def calibration_texts() -> list[str]:
    """Real text: the longer paragraphs of a sample manual."""
    manual = ROOT / "data/raw/manuals/forklift/tessera_e18_electric_truck.md"
    return [part for part in manual.read_text(encoding="utf-8").split("\n\n") if len(part) > 200]


def judging_texts() -> Texts:
    """Sixteen paragraphs, and their first words as queries."""
    paragraphs = calibration_texts()[:16]
    return Texts(paragraphs, [" ".join(text.split()[:8]) for text in paragraphs])


def make_models(base: Path, root: Path) -> Path:
    """A models folder with the base and tiny-embeddings-v1.0, which has an int8 export."""
    copied, int8 = copy_base(base, root / "base"), root / "int8"
    int8.mkdir()
    model, graph = load(copied, 256, device="cpu"), int8 / "model.xml"
    found = export(model, copied / TOKENIZER, calibration_texts(), judging_texts(), graph)
    described = card(copied, int8_export=asdict(found))
    package(copied, encode(model, TEXTS, Role.PASSAGE), described, "tiny", "apache-2.0", root / NAME, int8)
    shutil.rmtree(int8)
    return root


def copy_models(models: Path, target: Path) -> Path:
    """A models folder to change, its large weights as hard links: replace them, never write into them."""
    return Path(shutil.copytree(models, target, copy_function=_link_or_copy))


def _link_or_copy(source: str, target: str) -> None:
    if source.endswith((WEIGHTS, ".bin")):
        os.link(source, target)
    else:
        shutil.copyfile(source, target)


def replace(path: Path, content: bytes) -> None:
    """Give a file other content without touching what else is linked to it."""
    path.unlink()
    path.write_bytes(content)


def write_lock(models: Path, *names: str) -> Path:
    """A dvc.lock beside the models' folder that has these models as they are now."""
    outs = {name: folder_md5({file: read(path) for file, path in files_of(models / name).items()}) for name in names}
    rows = [{"path": f"models/{name}", "hash": "md5", "md5": md5, "size": 1, "nfiles": 1} for name, md5 in outs.items()]
    lock = models.parent / "dvc.lock"
    YAML().dump({"schema": "2.0", "stages": {"package@tiny": {"cmd": "true", "outs": rows}}}, lock)
    return lock
