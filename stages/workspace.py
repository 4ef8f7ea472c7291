"""What every stage shares: where things lie, and how a stage learns its corpus and its params."""

import importlib
import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import ValidationError
from ruamel.yaml import YAML

from domain_embeddings.dataset import DataError
from domain_embeddings.params.strict import Strict

PARAMS = Path("params.yaml")
BASE_MODEL = Path("models/base")
DEBUG = "DOMAIN_EMBEDDINGS_DEBUG"
"""The environment variable that brings an error's traceback back."""

M = TypeVar("M", bound=Strict)


class ParamsError(ValueError):
    """params.yaml says something that cannot be; the message names key, value and what is allowed."""


def stage_folder(stage: str, corpus: str) -> Path:
    """Where `stage` writes what it makes of `corpus`."""
    return Path("data") / stage / corpus


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
        raise ParamsError(f"{PARAMS} holds no sections")
    return loaded


def _keys(model: Any, place: Iterable[int | str]) -> str:
    """The keys that params.yaml may have at a place within `model`."""
    for part in place:
        if hasattr(model, "model_fields"):
            model = model.model_fields[part].annotation
        elif get_origin(model) is Annotated:  # a union that `kind` tells apart
            union, _ = get_args(model)
            model = next(one for one in get_args(union) if part in get_args(one.model_fields["kind"].annotation))
        else:
            model = get_args(model)[-1]
    if isinstance(model, UnionType):  # `Section | None`: null is allowed too
        model = get_args(model)[0]
    return ", ".join(model.model_fields)


def validate(model: type[M], values: Any, where: str = "") -> M:
    """Make `model` of values from params.yaml, or raise a ParamsError with a line for every key that is wrong."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            key = ".".join(part for part in (where, *map(str, problem["loc"])) if part)
            value = "" if isinstance(problem["input"], dict) else f" (is {problem['input']!r})"
            said = problem["msg"]
            if problem["type"] == "extra_forbidden":
                said = f"unknown key, allowed are {_keys(model, problem['loc'][:-1])}"
            lines.append(f"  {key or 'the whole file'}: {said}{value}")
        raise ParamsError(f"{PARAMS} is not valid:\n" + "\n".join(lines)) from None


def section(name: str, model: type[M]) -> M:
    """The stage's own section of params.yaml, validated."""
    return validate(model, load_params().get(name, {}), name)


def max_seq_length() -> int:
    """Longest input of the base model in tokens (`base_model.max_seq_length`)."""
    return int(load_params()["base_model"]["max_seq_length"])


def execute(main: Callable[[], None], checked_after: str | None = None) -> None:
    """Check all of params.yaml, run a stage's `main`, then a further check; end with one message where input is wrong.

    A slip in a late stage's section then costs no hours. The checks are imported by name: they can only stop a run,
    never change an out, and so are no dependency of any stage (DVC's are kept by what modules import).
    """
    try:
        importlib.import_module("stages.check_params").main()
        main()
        if checked_after is not None:
            importlib.import_module(checked_after).main()
    except (DataError, ParamsError, OSError) as error:
        if DEBUG in os.environ:
            raise
        sys.exit(f"{error}\n({DEBUG}=1 shows where in the code)")
