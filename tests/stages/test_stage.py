"""How a stage ends where what it was given is wrong: one message and status 1; a bug keeps its traceback."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from domain_embeddings.core.errors import DEBUG, DataError
from scripts.dependencies import ROOT
from stages.stage import run_stage
from tests.knobs import all_params

QUESTIONS = "docs/questions.jsonl"


def write_params(**sections: dict[str, Any]) -> None:
    """The repo's params for the corpus `docs` alone, with some sections changed."""
    params = {**all_params(), "corpora": {"docs": {"kind": "manuals", "path": "docs"}}}
    YAML().dump({**params, **{name: params[name] | changed for name, changed in sections.items()}}, Path("params.yaml"))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with one manual, whose labelled questions break off in the second line."""
    (tmp_path / "docs/pump").mkdir(parents=True)
    (tmp_path / "docs/pump/pump.md").write_text("# Pump\n\n## Oil\n\n" + "Drain the oil of the pump every month. " * 5)
    label = '{"relevant": [{"file": "pump/pump.md", "heading": "Pump > Oil"}]'
    whole = f'{label}, "_id": "q1", "text": "when to drain the oil", "split": "test"}}\n'
    (tmp_path / QUESTIONS).write_text(whole + '{"_id')
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(DEBUG, raising=False)
    monkeypatch.setattr(sys, "argv", ["stages/ingest.py", "docs"])
    write_params()
    return tmp_path


def run(stage: str, *arguments: str, **variables: str) -> tuple[int, str]:
    """Status and stderr of a stage as DVC runs it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-m", f"stages.{stage}", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_a_wrong_key_anywhere_is_told_before_the_stage_does_anything(folder: Path) -> None:
    write_params(report={"resample": 200})

    status, said = run("base_model")

    assert status == 1
    assert said.startswith("params.yaml is not valid:\n  report.resample: unknown key, allowed are seed, resamples")
    assert len(said.splitlines()) == 2
    assert not (folder / "models").exists()


def test_a_malformed_line_of_the_questions_is_named() -> None:
    status, said = run("ingest", "docs")

    assert (status, len(said.splitlines())) == (1, 1)
    assert said.startswith(f"{QUESTIONS}:2: not valid JSON: ")


def test_the_traceback_can_be_asked_for() -> None:
    status, said = run("ingest", "docs", **{DEBUG: "1"})

    assert status == 1
    assert said.startswith("Traceback (most recent call last):\n")
    assert f"DataError: {QUESTIONS}:2: not valid JSON: " in said


def test_a_corpus_without_its_folder_is_named(folder: Path) -> None:
    (folder / "docs").rename(folder / "moved")

    status, said = run("base_model")

    assert (status, said) == (
        1,
        f"params.yaml is not valid:\n  corpora.docs.path: no such folder (is 'docs', looked in {folder}/docs)\n",
    )


def test_params_that_are_no_yaml_are_told_with_the_line(folder: Path) -> None:
    (folder / "params.yaml").write_text("corpora: {docs: [}\n")

    status, said = run("base_model")

    assert (status, "Traceback" in said) == (1, False)
    assert 'in "params.yaml", line 1' in said


def ended(main: Callable[[], None], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit, match="1"):
        run_stage(main)
    return capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    said = ended(lambda: print(Path("data/statistics.json").read_bytes()), capsys)

    assert said == "data/statistics.json: No such file or directory\n"


def test_what_runs_behind_a_stage_can_stop_it_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[str] = []
    (folder / "behind.py").write_text("def check(corpus): raise OSError(corpus)")
    monkeypatch.syspath_prepend(str(folder))

    with pytest.raises(SystemExit):
        run_stage(lambda: ran.append("stage"), then="behind")

    assert (ran, capsys.readouterr().err) == (["stage"], "docs\n")


@pytest.mark.parametrize("bug", [KeyError("x"), ValueError("x"), RuntimeError("x")])
def test_a_bug_keeps_its_traceback(bug: Exception) -> None:
    def main() -> None:
        raise bug

    with pytest.raises(type(bug)):
        run_stage(main)


def test_an_error_in_the_data_is_its_message_alone(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> None:
        raise DataError("corpus.jsonl", "no passage", line=3, remedy="add one")

    assert ended(main, capsys) == "corpus.jsonl:3: no passage (add one)\n"
