"""What every stage shares: where things lie, and how a stage learns its corpus and its params."""

import json
import sys
from pathlib import Path
from typing import Any, TypeVar

from ruamel.yaml import YAML

from domain_embeddings.params.strict import ParamsError, Strict, validate

PARAMS = Path("params.yaml")
BASE_MODEL = Path("models/base")

M = TypeVar("M", bound=Strict)


def stage_folder(stage: str, corpus: str) -> Path:
    """Where `stage` writes what it makes of `corpus`."""
    return Path("data") / stage / corpus


def base_vectors(corpus: str) -> Path:
    """Where the mine stage leaves the base model's vectors of all passages: float32, a row each in the corpus's order.

    An out of its own: who reads it depends on no negatives.
    """
    return stage_folder("vectors", corpus) / "base.npy"


def tuned_model(corpus: str) -> Path:
    """Where the train stage leaves the weights for `corpus`."""
    return Path("models/tuned") / corpus


def seed_models(corpus: str) -> Path:
    """Where the train stage leaves a folder for each further seed, named by it."""
    return Path("models/seeds") / corpus


def packaged_model(corpus: str, version: str) -> Path:
    """Where the package stage leaves a version."""
    return Path("models") / f"{corpus}-embeddings-v{version}"


def metrics_folder(corpus: str) -> Path:
    """Where the report stage writes the figures kept in Git."""
    return Path("metrics") / corpus


def asks_synthetic(corpus: str) -> bool:
    """Whether a corpus's dev questions were made from its passages, not asked by people."""
    statistics = json.loads((stage_folder("synthesize", corpus) / "statistics.json").read_text(encoding="utf-8"))
    return bool(statistics["dev"]["origin"] == "synthetic")


def corpus_argument() -> str:
    """The corpus's name: a stage's only argument."""
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: python -m stages.{Path(sys.argv[0]).stem} CORPUS")
    return sys.argv[1]


def load_params() -> dict[str, Any]:
    """params.yaml as plain values."""
    loaded = YAML(typ="safe").load(PARAMS)
    if not isinstance(loaded, dict):
        raise ParamsError(PARAMS, ["the whole file: holds no sections"])
    return loaded


def section(name: str, model: type[M]) -> M:
    """The stage's own section of params.yaml, validated."""
    return validate(model, load_params().get(name, {}), PARAMS, name)


def max_seq_length() -> int:
    """Longest input of the base model in tokens (`base_model.max_seq_length`)."""
    return int(load_params()["base_model"]["max_seq_length"])
