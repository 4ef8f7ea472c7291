"""The pipeline's stages run in a copy of this working tree's files, each in a process of its own as DVC runs it."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

ALL = ["ingest", "synthesize", "mine", "train", "evaluate", "guard", "report", "robustness", "package", "anomaly"]
TO_REPORT = ALL[: ALL.index("report") + 1]
FOLDERS = ("stages", "domain_embeddings", "data/raw")
FILES = ("params.yaml", "dvc.yaml")
"""With FOLDERS, all that the stages need of a working tree."""
GIB = 2**30


class StageError(RuntimeError):
    """A stage that failed; the message has the end of what it printed."""


class Measured(NamedTuple):
    """One stage's run."""

    stage: str
    corpus: str
    seconds: float
    peak: float
    """GiB."""


def copy_of(root: Path, target: Path) -> dict[str, Any]:
    """Copy what the stages need of a working tree; return the params."""
    for name in FOLDERS:
        shutil.copytree(root / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copyfile(root / name, target / name)
    values: dict[str, Any] = YAML(typ="safe").load(root / "params.yaml")
    return values


def command(folder: Path, stage: str) -> str:
    """A stage's command as dvc.yaml has it, with `${key}` where the corpus goes."""
    found = YAML(typ="safe").load(folder / "dvc.yaml")["stages"][stage]
    said = found.get("do", found)["cmd"]
    return said if isinstance(said, str) else " && ".join(said)


def measure(folder: Path, stage: str, corpus: str) -> Measured:
    """Run a stage to its end; a StageError where it fails."""
    said = command(folder, stage).replace("${key}", corpus)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    start = time.perf_counter()
    with (folder / "output.txt").open("w+b") as output:
        process = subprocess.Popen(
            ["sh", "-c", said], cwd=folder, env={**os.environ, "PATH": path}, stdout=output, stderr=output
        )
        _, status, used = os.wait4(process.pid, 0)
        if status:
            output.seek(0)
            ended, printed = os.waitstatus_to_exitcode(status), output.read().decode()
            raise StageError(f"{stage} {corpus} ended with {ended}:\n{printed[-2000:]}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Measured(stage, corpus, time.perf_counter() - start, used.ru_maxrss * unit / GIB)


def measured(folder: Path, stages: Sequence[str], corpora: Sequence[str]) -> Iterator[Measured]:
    """Every stage of every corpus, in DVC's order."""
    yield measure(folder, "base_model", "")
    for stage in stages:
        for corpus in corpora:
            yield measure(folder, stage, corpus)
