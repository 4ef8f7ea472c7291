"""What a stage takes before it does anything: CPU seconds (user and system) of its imports and of the check of params.

Each start is a process of its own, as under DVC; the first of each is not counted, for it warms the disk cache. Beside
them stand the imports of torch and of sentence_transformers alone, by which to judge the machine. What a stage imports
only for some settings (a client of a server, say) is not in the figures.

    python -m benchmarks.start_time --runs 5 --json start.json
"""

import argparse
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from domain_embeddings.core.beir_files import write_json

TARGET = 2.0
"""CPU seconds that a start may take."""
START = "import importlib; importlib.import_module('stages.{}'); from stages.stage import start; start()"
ALONE = ("import torch", "import sentence_transformers")


def cpu_seconds(code: str) -> float:
    """What a fresh Python takes to run a line of code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measured(code: str, runs: int) -> list[float]:
    """So many runs, behind one that is not counted."""
    return [cpu_seconds(code) for _ in range(runs + 1)][1:]


def main() -> None:
    """Start every stage and print what it took; with --json write it as rows as well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    asked = parser.parse_args()
    stages = YAML(typ="safe").load(Path("dvc.yaml"))["stages"]
    codes = {f"start of {stage}": START.format(stage) for stage in stages} | {line: line for line in ALONE}
    rows: list[dict[str, Any]] = []
    for name, code in codes.items():
        taken = measured(code, asked.runs)
        ours, peer = statistics.median(taken), None if name in ALONE else TARGET
        ratio = peer / ours if peer else None
        rows.append({"name": name, "unit": "CPU s", "ours": ours, "peer": peer, "ratio": ratio})
        print(f"{name:28} min {min(taken):5.2f}  median {ours:5.2f}", flush=True)
    if asked.json:
        write_json(asked.json, rows)


if __name__ == "__main__":
    main()
