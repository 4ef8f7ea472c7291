"""A small repository with Git, DVC and two commits, for the commands that compare revisions."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from domain_embeddings.core.beir_files import write_json, write_jsonl
from domain_embeddings.core.metrics import METRICS
from scripts.dependencies import ROOT
from tests.knobs import all_params

QUESTIONS = 60
ARMS = ("base", "tuned", "hybrid_tuned")
OUTS = ["data/evaluate/${key}", "data/ingest/${key}"]
FIGURES = ["evaluate.json", "verdict.json"]
PIPELINE = {
    "evaluate": {
        "foreach": "${corpora}",
        "do": {"cmd": "true", "outs": OUTS, "metrics": [{f"metrics/${{key}}/{f}": {"cache": False}} for f in FIGURES]},
    }
}


def make(root: Path) -> None:
    """`main` finds every answer; on `change`, checked out, tuned finds nothing for 15 questions of the domain pumps."""
    root.mkdir()
    (root / ".dvc").mkdir()
    (root / ".dvc/config").write_text("[core]\n    analytics = false\n    check_update = false\n")
    (root / ".dvc/.gitignore").write_text("/cache\n/tmp\n")
    (root / ".gitignore").write_text("/data/\n")
    YAML().dump({"stages": PIPELINE}, root / "dvc.yaml")
    git(root, "init", "--quiet", "--initial-branch", "main")
    set_gate(root)
    write_results(root, 0)
    commit(root)
    git(root, "checkout", "--quiet", "-b", "change")
    write_results(root, 15)
    commit(root)


def write_results(
    root: Path, missed: int, *, first: int = 0, corpus: str = "tiny", shipped: str | None = "hybrid_tuned"
) -> None:
    """Questions q<first> and on, every second one of the domain pumps; of these `missed` are missed by tuned.

    `shipped` is the arm that search answers with; None as earlier versions left it.
    """
    numbers = range(first, first + QUESTIONS)
    scores = {arm: {i: float(arm != "tuned" or i % 2 == 0 or i >= 2 * missed) for i in numbers} for arm in ARMS}
    write_jsonl(
        root / f"data/evaluate/{corpus}/per_query.jsonl",
        (
            {"arm": arm, "query_id": f"q{i}", "group": f"q{i}", **dict.fromkeys(METRICS, score)}
            for arm, found in scores.items()
            for i, score in found.items()
        ),
    )
    asked = ({"_id": f"q{i}", "text": "where?", "domain": "pumps" if i % 2 else "fans"} for i in numbers)
    write_jsonl(root / f"data/ingest/{corpus}/queries.jsonl", asked)
    means = {arm: dict.fromkeys(METRICS, sum(found.values()) / QUESTIONS) for arm, found in scores.items()}
    write_json(root / f"metrics/{corpus}/evaluate.json", means)
    word = "regressed" if missed else "unchanged"
    delta = means["tuned"]["ndcg@10"] - 1
    verdict = {"verdict": word, "metric": "ndcg@10", "delta": delta, "ci95": [delta, delta], "promoted": "base"}
    verdict |= {"shipped": shipped} if shipped else {}
    write_json(root / f"metrics/{corpus}/verdict.json", verdict)


def set_gate(root: Path, corpora: tuple[str, ...] = ("tiny",), **changes: Any) -> None:
    """A params.yaml with the repo's own `gate:`, some of it changed."""
    gate = {**all_params()["gate"], "resamples": 200, "accept": [], **changes}
    folders = {name: {"kind": "beir", "path": name} for name in corpora}
    YAML().dump({"corpora": folders, "seed": 42, "gate": gate}, root / "params.yaml")


def commit(root: Path) -> None:
    """Put the outs into DVC's cache, the rest into a Git commit."""
    assert command(root, "dvc", "commit", "--force", "--quiet")[0] == 0
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Results")


def copy(root: Path, folder: Path) -> Path:
    """A copy for a test that changes something, without what earlier commands left in DVC's folder."""
    shutil.copytree(root, folder, ignore=shutil.ignore_patterns("tmp"))
    return folder


def git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)


def command(root: Path, name: str, *arguments: str) -> tuple[int, str]:
    """Run DVC, or a command of this project, there: the exit status, and all it printed."""
    variables: Mapping[str, str] = {"PYTHONPATH": str(ROOT), "DVC_SITE_CACHE_DIR": str(root.parent / "site")}
    done = subprocess.run(
        [sys.executable, "-m", *([name] if name == "dvc" else ["domain_embeddings", name]), *arguments],
        cwd=root, env={**os.environ, **variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr
