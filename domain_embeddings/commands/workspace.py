"""Where things lie in the repository, and its params."""

from pathlib import Path
from typing import Any, TypeVar

from ruamel.yaml import YAML

from domain_embeddings.params.strict import ParamsError, Strict, validate

PARAMS = Path("params.yaml")
MODELS = Path("models")
BASE_MODEL = MODELS / "base"

M = TypeVar("M", bound=Strict)


def stage_folder(stage: str, corpus: str) -> Path:
    """Where `stage` writes what it makes of `corpus`."""
    return Path("data") / stage / corpus


def tuned_model(corpus: str) -> Path:
    """Where the train stage leaves the weights for `corpus`."""
    return MODELS / "tuned" / corpus


def seed_models(corpus: str) -> Path:
    """Where the train stage leaves a folder for each further seed, named by it."""
    return MODELS / "seeds" / corpus


def packaged_model(corpus: str, version: str) -> Path:
    """Where the package stage leaves a version."""
    return MODELS / f"{corpus}-embeddings-v{version}"


def metrics_folder(corpus: str) -> Path:
    """Where the report stage writes the figures kept in Git."""
    return Path("metrics") / corpus


def load_params() -> dict[str, Any]:
    """params.yaml as plain values."""
    loaded = YAML(typ="safe").load(PARAMS)
    if not isinstance(loaded, dict):
        raise ParamsError(PARAMS, ["the whole file: holds no sections"])
    return loaded


def section(name: str, model: type[M]) -> M:
    """A section of params.yaml, validated, with the one seed where the section has any."""
    values = load_params()
    seed = {"seed": values.get("seed")} if "seed" in model.model_fields else {}
    return validate(model, {**seed, **values.get(name, {})}, PARAMS, name)
