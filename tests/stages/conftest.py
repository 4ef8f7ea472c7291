"""The pipeline run once by DVC: a copy of this working tree, a tiny corpus of real manuals, tiny settings."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from domain_embeddings.core.beir_files import write_dataset
from domain_embeddings.core.dataset import Dataset, Passage, Query
from scripts.dependencies import ROOT
from tests.knobs import all_params

MANUALS = ("forklift/tessera_e18_electric_truck.md", "vehicle_civilian/pellworm_city_e_van_guide.md")
STAGES = [
    "ingest", "synthesize", "mine", "train", "evaluate", "guard", "report", "robustness", "package", "anomaly",
]  # fmt: skip
SILENT = {"kind": "endpoint", "url": "http://127.0.0.1:9/v1", "model": "nomic", "retries": 0}
"""A server that nobody has started."""
TINY: dict[str, dict[str, Any]] = {
    "base_model": {"max_seq_length": 64},
    "guard": {"path": "../guard"},
    "synthesize": {"queries_per_passage": 2},
    "mine": {"negatives": 1, "depth": 10},
    "train": {
        "batch_size": 16,
        "dev_pool": 100,
        "epochs": 1,
        "eval_steps": 6,
        "further_seeds": [7],
        "negatives": 1,
        "threads": 1,  # each of the processes that test side by side has a core
    },
    "evaluate": {"baselines": {"absent": SILENT}},
    "search": {"depth": 20},
    "report": {"resamples": 200},
}


@dataclass(frozen=True)
class Pipeline:
    """A clone in which `dvc repro` has run for the corpus `tiny`, which lies beside it."""

    root: Path
    first_run: str

    def dvc(self, *arguments: str, fails: bool = False) -> str:
        """Run DVC there and return what it printed."""
        return run(self.root, sys.executable, "-m", "dvc", *arguments, fails=fails)

    def json(self, path: str) -> Any:
        """The content of a JSON file of the clone."""
        return json.loads((self.root / path).read_text(encoding="utf-8"))

    def again(self, stage: str) -> dict[str, bytes]:
        """The outs of a stage that needs no model, run anew in a folder of its own and with other hashes."""
        folder = self.root.parent / f"again_{stage}"
        folder.mkdir()
        for name in ("stages", "domain_embeddings", "params.yaml"):
            (folder / name).symlink_to(self.root / name)
        if stage != "ingest":
            (folder / "data").mkdir()
            (folder / "data/ingest").symlink_to(self.root / "data/ingest")
        run(folder, sys.executable, "-m", f"stages.{stage}", "tiny", PYTHONHASHSEED="1")
        return outs_of(folder / "data" / stage / "tiny")


def outs_of(folder: Path) -> dict[str, bytes]:
    """File → bytes."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def ran(output: str) -> list[str]:
    """The stages that DVC ran, in order."""
    return re.findall(r"Running stage '([^']+)'", output)


def set_params(root: Path, changes: Mapping[str, Mapping[str, Any]]) -> None:
    values = YAML(typ="safe").load(root / "params.yaml")
    for section, changed in changes.items():
        values[section].update(changed)
    YAML().dump(values, root / "params.yaml")


def run(folder: Path, *command: str, fails: bool = False, **variables: str) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONHASHSEED": "0", "PYTHONPATH": "", **variables}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    assert (done.returncode != 0) == fails, f"{command} ended with {done.returncode}:\n{output[-2000:]}"
    return output


def not_copied(name: str) -> bool:
    """Figures of other runs, and the sample corpora; the sets of anomalous queries are for every corpus."""
    return name.startswith("metrics/") or (name.startswith("data/raw/") and not name.startswith("data/raw/anomaly/"))


def copy_working_tree(target: Path) -> None:
    """Every file that Git tracks or would, but dvc.lock and the figures of other runs."""
    listed = run(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file() and name != "dvc.lock" and not not_copied(name):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target / name)


def _write_tiny_corpus(folder: Path) -> None:
    """Two manuals of two domains with the questions that they answer alone."""
    source = ROOT / "data/raw/manuals"
    for name in MANUALS:
        (folder / name).parent.mkdir(parents=True)
        shutil.copyfile(source / name, folder / name)
    lines = (source / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if all(label["file"] in MANUALS for label in json.loads(line)["relevant"])]
    (folder / "questions.jsonl").write_text("\n".join(kept) + "\n", encoding="utf-8")


def _write_guard(folder: Path) -> None:
    """A collection of another field: ten pumps, and a question about each."""
    pumps = {f"p{i}": Passage(f"p{i}", f"Pump {i}", f"Pump {i} lifts {7 * i} litres a minute.") for i in range(10)}
    queries = {f"q{i}": Query(f"q{i}", f"litres of pump {i}") for i in range(10)}
    write_dataset(folder / "pumps", Dataset(pumps, queries, {"dev": {i: {f"p{i[1:]}": 1} for i in queries}}))


def write_inputs(folder: Path) -> None:
    """The corpus `tiny` and the guard's collection, as `TINY` expects them beside the workspace."""
    _write_tiny_corpus(folder / "tiny")
    _write_guard(folder / "guard")


def commit(root: Path) -> None:
    run(root, "git", "init", "--quiet")
    run(root, "git", "config", "user.name", "Test")
    run(root, "git", "config", "user.email", "test@example.org")
    run(root, "git", "add", "--all")
    run(root, "git", "commit", "--quiet", "--message", "Copy of the working tree")


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """All stages, run once; the tests of each stage look at its outs."""
    folder = tmp_path_factory.mktemp("pipeline")
    root = folder / "clone"
    copy_working_tree(root)
    write_inputs(folder)
    YAML().dump({**all_params(), "corpora": {"tiny": {"kind": "manuals", "path": "../tiny"}}}, root / "params.yaml")
    set_params(root, TINY)
    commit(root)
    return Pipeline(root, run(root, sys.executable, "-m", "dvc", "repro"))
