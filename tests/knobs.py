"""Params for tests: params.yaml's own, some of them changed."""

from typing import Any, TypeVar

from ruamel.yaml import YAML

from domain_embeddings.params.strict import Strict
from scripts.dependencies import ROOT

M = TypeVar("M", bound=Strict)


def all_params() -> dict[str, Any]:
    """params.yaml as plain values."""
    loaded: dict[str, Any] = YAML(typ="safe").load(ROOT / "params.yaml")
    return loaded


def knobs(section: str, model: type[M], **changes: Any) -> M:
    """A section of params.yaml with changes."""
    seed = {"seed": all_params()["seed"]} if "seed" in model.model_fields else {}
    return model.model_validate({**seed, **all_params()[section], **changes})
