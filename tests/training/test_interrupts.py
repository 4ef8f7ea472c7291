"""A training that is killed, at any point and in any way, and one in several processes: the weights are the same."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from scripts.dependencies import ROOT

pytestmark = pytest.mark.slow

SINGLE = [sys.executable, "-m", "tests.train_small"]
PAIR = [
    sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2", "--num_machines", "1",
    "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0", "-m", "tests.train_small",
]  # fmt: skip
WEIGHTS = Path("tuned/model.safetensors")


def _run(command: list[str], base: Path, folder: Path) -> Path:
    subprocess.run([*command, str(base), str(folder)], cwd=ROOT, check=True, timeout=300)
    return folder / WEIGHTS


@pytest.fixture(scope="module")
def undisturbed(base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """The weights of a run that nobody disturbs, and how long it took in seconds."""
    start = time.monotonic()
    weights = _run(SINGLE, base_folder, tmp_path_factory.mktemp("undisturbed"))
    return weights, time.monotonic() - start


@pytest.mark.parametrize(("how", "seed"), [(signal.SIGKILL, 1), (signal.SIGTERM, 3)])
def test_a_killed_run_ends_in_the_same_bytes(
    undisturbed: tuple[Path, float], base_folder: Path, tmp_path: Path, how: signal.Signals, seed: int
) -> None:
    weights, seconds = undisturbed
    draw = random.Random(seed)
    for _ in range(2):
        process = subprocess.Popen(
            [*SINGLE, str(base_folder), str(tmp_path)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(seconds * draw.uniform(0.3, 0.95))
        os.kill(process.pid, how)
        process.wait()

    assert _run(SINGLE, base_folder, tmp_path).read_bytes() == weights.read_bytes()


def test_two_processes_train_what_one_trains(
    undisturbed: tuple[Path, float], base_folder: Path, tmp_path: Path
) -> None:
    alone, together = load_file(undisturbed[0]), load_file(_run(PAIR, base_folder, tmp_path))

    base = load_file(base_folder / "model.safetensors")
    moved = max(np.abs(alone[name] - base[name]).max() for name in alone)
    apart = max(np.abs(alone[name] - together[name]).max() for name in alone)
    assert moved > 1e-4
    assert apart < 0.1 * moved  # floats are added in another order
