"""Experiments of DVC in the workspace, and the workspace as it was before them."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from domain_embeddings.commands.workspace import PARAMS, load_params, stage_folder
from domain_embeddings.core.beir_files import read_jsonl, read_queries
from domain_embeddings.core.dataset import asked_by
from domain_embeddings.core.errors import UserError
from domain_embeddings.packaging.dvc_lock import LOCK
from domain_embeddings.systems.system import System
from domain_embeddings.tuning.space import Value, with_values
from domain_embeddings.tuning.trials import Trial, judged

CHANGED = [PARAMS.as_posix(), LOCK, "metrics"]
"""What an experiment changes of what Git tracks."""


def git(*arguments: str) -> str:
    """What Git says; a UserError with its own words where it refuses."""
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode:
        raise UserError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def begin(corpus: str, file: Path) -> None:
    """Make sure that nothing of the user's is lost: what Git tracks must be as committed, but for what a kill left."""
    dirty = [line[3:] for line in git("status", "--porcelain", "--untracked-files=no").splitlines()]
    if not dirty:
        return
    ours = all(name == CHANGED[0] or name == LOCK or name.startswith("metrics/") for name in dirty)
    if file.exists() and ours:
        begun = json.loads(file.read_text(encoding="utf-8"))
        committed = YAML(typ="safe").load(git("show", f"HEAD:./{PARAMS}"))
        if load_params() in (committed, with_values(committed, begun)):
            put_back(corpus)
            return
    raise UserError(
        f"{', '.join(dirty)}: changed since the last commit, and trials would overwrite it (commit it first)"
    )


def put_back_tracked() -> None:
    """Params, lock and metrics as they were committed."""
    git("checkout", "--quiet", "HEAD", "--", *[name for name in CHANGED if git("ls-files", name)])


def put_back(corpus: str) -> None:
    """Those, and the corpus's outs with them."""
    put_back_tracked()
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "checkout", "--quiet", "--force", "--with-deps", f"evaluate@{corpus}"],
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    if done.returncode:
        print("The outs of the params as they are were not in DVC's cache: `dvc repro` makes them.", file=sys.stderr)


def rows_of(corpus: str) -> tuple[pd.DataFrame, str]:
    """What `evaluate` found for the questions that may judge, and who asked them.

    People's dev questions, or the questions of a log on silver labels; a UserError where there is neither.
    """
    folder, made = stage_folder("evaluate", corpus), stage_folder("synthesize", corpus)
    statistics = json.loads((made / "statistics.json").read_text(encoding="utf-8"))
    synthetic = statistics["dev"]["origin"] == "synthetic"
    rows = pd.DataFrame([row for _, row in read_jsonl(folder / ("log.jsonl" if synthetic else "dev.jsonl"))])
    if rows.empty:
        raise UserError(f"{corpus}: nobody asked dev questions that could judge (label some, or give ingest.dev_log)")
    if synthetic:
        return rows, "users of the log, on silver labels"
    asked = read_queries(made / "queries.jsonl")
    return rows, asked_by(asked[i] for i in rows["query_id"].unique())


def run(corpus: str, number: int, values: Mapping[str, Value], params: Mapping[str, Any], seed: int) -> Trial:
    """One trial: an experiment of DVC's named tune-<corpus>-<number>."""
    name, start = f"tune-{corpus}-{number}", time.perf_counter()
    if any(ref.endswith(f"/{name}") for ref in git("for-each-ref", "--format=%(refname)", "refs/exps").split()):
        subprocess.run([sys.executable, "-m", "dvc", "exp", "remove", name], capture_output=True, check=False)
    changes = [f"--set-param={_option(each, value, params)}" for each, value in values.items()] if number else []
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "exp", "run", "--name", name, *changes, f"evaluate@{corpus}"],
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        return Trial(number, dict(values), time.perf_counter() - start, failed=" / ".join(said[-3:]) or "no word")
    offered = json.loads((stage_folder("evaluate", corpus) / "systems.json").read_text(encoding="utf-8"))
    rows, asked = rows_of(corpus)
    found = judged(rows, [System.model_validate(each["system"]) for each in offered], seed)
    return Trial(number, dict(values), time.perf_counter() - start, asked_by=asked, **found)


def _option(name: str, value: Value, params: Mapping[str, Any]) -> str:
    """`train.epochs=2`; with + before a param that params.yaml leaves at its default."""
    place: Any = params
    for part in name.split("."):
        place = place.get(part, _option) if isinstance(place, Mapping) else _option
    return f"{'+' if place is _option else ''}{name}={json.dumps(value)}"
