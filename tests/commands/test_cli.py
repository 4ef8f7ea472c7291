"""`python -m domain_embeddings verify` and `verify-log`: what they say, and their exit status."""

import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from domain_embeddings.anomaly import query_log
from domain_embeddings.commands.cli import app
from scripts.dependencies import ROOT
from tests.packaged import NAME, copy_models


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["verify", *arguments])
    return result.exit_code, result.output


def test_a_packaged_model_passes(models: Path) -> None:
    status, said = run("--corpus", "tiny", "--version", "1.0", "--root", str(models))

    assert status == 0
    checked = "checked against manifest, not against dvc.lock, signature"
    assert f"{NAME}: as packaged; {checked}; SHA-256 of the weights 53aa51172d" in said


def test_a_witness_that_is_required_and_missing_refuses(models: Path) -> None:
    named = ("--corpus", "tiny", "--version", "1.0", "--root", str(models))

    status, said = run(*named, "--require", "dvc.lock")

    assert status == 1
    assert f"refused: {models / NAME}: was not checked against dvc.lock" in said
    assert run(*named, "--require", "manifest")[0] == 0
    assert run(*named, "--require", "oath")[0] == 2


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


def run_log(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["verify-log", *arguments])
    return result.exit_code, result.output


def test_a_log_as_it_was_written_passes(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    last = query_log.append(log, [{"score": 0.5}, {"score": 0.25}])

    status, said = run_log(str(log))

    assert status == 0
    assert said.replace("\n", "") == f"{log}: 2 lines, as they were written; hash of the last {last}"
    assert run_log(str(log), "--head", last)[0] == 0


def test_a_changed_log_is_status_1(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    head = query_log.append(log, [{"score": 0.5}, {"score": 0.25}])
    lines = log.read_text().splitlines(keepends=True)

    log.write_text(lines[0])
    assert run_log(str(log))[0] == 0
    status, said = run_log(str(log), "--head", head)
    assert (status, f"no line has the hash {head}" in said) == (1, True)

    log.write_text(lines[0].replace("0.5", "0.1") + lines[1])
    status, said = run_log(str(log))
    assert status == 1
    assert "log.jsonl:1: was changed" in said


def test_a_log_that_is_not_there_is_status_2(tmp_path: Path) -> None:
    assert run_log(str(tmp_path / "log.jsonl"))[0] == 2
