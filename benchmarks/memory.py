"""Peak memory of every stage, each in a process of its own as DVC runs it.

Runs the stages of the corpora of params.yaml in a copy of this working tree, or, with --passages, those from ingest to
report of a made collection of so many passages: words of the sample manuals, drawn anew, 30 a passage, and as many test
questions as --questions says. Prints each stage's seconds and the most memory it held at once.

    python -m benchmarks.memory --json memory.json
    python -m benchmarks.memory --passages 1000                        # two minutes, to try it
    python -m benchmarks.memory --passages 100000 --json memory.json   # an hour on two cores
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from domain_embeddings.core.beir_files import write_dataset, write_json
from domain_embeddings.core.dataset import Dataset, Passage, Query

ALL = ["ingest", "synthesize", "mine", "train", "evaluate", "guard", "report", "robustness", "package", "anomaly"]
TO_REPORT = ALL[: ALL.index("report") + 1]
GIB = 2**30
SAMPLES, LARGE = 3.0, 8.0
"""GiB that training on a sample corpus, and any stage over 100,000 passages, may take."""
WORDS, ASKED = 30, 6
"""Words of a made passage, and of a question about it."""


class Measured(NamedTuple):
    """One stage's run."""

    stage: str
    corpus: str
    seconds: float
    peak: float
    """GiB."""


def made(source: Path, passages: int, questions: int) -> Dataset:
    """A collection of made passages with test questions alone, each made of its passage's words."""
    draw = random.Random(42)
    words = sorted({word for file in source.rglob("*.md") for word in file.read_text(encoding="utf-8").split()})
    texts = [" ".join(draw.sample(words, WORDS)) + "." for _ in range(passages)]
    corpus = {f"p{i}": Passage(f"p{i}", "", text) for i, text in enumerate(texts)}
    asked = draw.sample(range(passages), questions)
    queries = {f"q{i}": Query(f"q{i}", " ".join(draw.sample(texts[i].split(), ASKED))) for i in asked}
    return Dataset(corpus, queries, {"test": {f"q{i}": {f"p{i}": 1} for i in asked}})


def copy_of(root: Path, target: Path) -> dict[str, Any]:
    """Copy what the stages need of a working tree; return the params."""
    for name in ("stages", "domain_embeddings", "data/raw"):
        shutil.copytree(root / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copyfile(root / name, target / name)
    values: dict[str, Any] = YAML(typ="safe").load(root / "params.yaml")
    return values


def command(folder: Path, stage: str) -> str:
    """A stage's command as dvc.yaml has it, with `${key}` where the corpus goes."""
    found = YAML(typ="safe").load(folder / "dvc.yaml")["stages"][stage]
    said = found.get("do", found)["cmd"]
    return said if isinstance(said, str) else " && ".join(said)


def measure(folder: Path, stage: str, corpus: str) -> Measured:
    """Run a stage to its end; a RuntimeError with what it printed where it fails."""
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
            raise RuntimeError(f"{stage} {corpus} ended with {status}:\n{output.read().decode()[-2000:]}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Measured(stage, corpus, time.perf_counter() - start, used.ru_maxrss * unit / GIB)


def measured(folder: Path, stages: Sequence[str], corpora: Sequence[str]) -> Iterator[Measured]:
    """Every stage of every corpus, in DVC's order."""
    yield measure(folder, "base_model", "")
    for stage in stages:
        for corpus in corpora:
            yield measure(folder, stage, corpus)


def limit_of(found: Measured, large: bool) -> float | None:
    """GiB that a run may take; None where nothing is promised."""
    if large:
        return LARGE
    return SAMPLES if found.stage == "train" else None


def main() -> None:
    """Copy, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, help="of a made collection, in place of the corpora of params.yaml")
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--stages", nargs="+", choices=ALL)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        params = copy_of(Path.cwd(), folder)
        if asked.passages:
            write_dataset(folder / "made", made(folder / "data/raw/manuals", asked.passages, asked.questions))
            params["corpora"] = {"made": {"kind": "beir", "path": "made"}}
            YAML().dump(params, folder / "params.yaml")
        stages = asked.stages or (TO_REPORT if asked.passages else ALL)
        for found in measured(folder, stages, list(params["corpora"])):
            print(f"{found.stage:11} {found.corpus:13} {found.seconds:7.1f} s {found.peak:6.2f} GiB", flush=True)
            limit = limit_of(found, bool(asked.passages))
            bounds = {"peer": limit, "ratio": limit / found.peak} if limit else {"peer": None, "ratio": None}
            name = f"peak memory, {found.stage}@{found.corpus}"
            rows.append({"name": name, "unit": "GiB", "ours": found.peak, **bounds, "seconds": found.seconds})
    if asked.json:
        write_json(asked.json, rows)


if __name__ == "__main__":
    main()
