"""`python -m domain_embeddings verify`: what it says, and its exit status."""

import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from domain_embeddings.cli import app
from tests.dependencies import ROOT
from tests.packaged import NAME, copy_models


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["verify", *arguments])
    return result.exit_code, result.output


def test_a_packaged_model_passes(models: Path) -> None:
    status, said = run("--corpus", "tiny", "--version", "1.0", "--root", str(models))

    assert status == 0
    assert f"{NAME}: as packaged; checked against manifest; SHA-256 of the weights 53aa51172d" in said


def test_a_changed_model_is_status_1(models: Path, tmp_path: Path) -> None:
    root = copy_models(models, tmp_path / "models")
    (root / NAME / "vocab.txt").write_text("abc")

    status, said = run("--corpus", "tiny", "--version", "1.0", "--root", str(root))

    assert status == 1
    assert "refused: " in said
    assert f"{NAME}/vocab.txt: SHA-256 is" in said


def test_a_question_that_makes_no_sense_is_status_2(models: Path) -> None:
    assert run("--corpus", "tiny", "--version", "../1")[0] == 2
    status, said = run("--corpus", "tiny", "--version", "1.0", "--root", str(models), "--public-key", "none.pem")
    assert (status, said) == (2, "none.pem: no such file\n")


def test_it_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "domain_embeddings", "verify", "--corpus", "tiny", "--version", "0", "--root", "x"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "x/tiny-embeddings-v0: no such folder" in done.stderr
