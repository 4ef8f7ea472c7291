"""A stage takes the corpus's name and nothing else; what is wrong with its input is one message."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stages import workspace
from tests.dependencies import ROOT
from tests.knobs import all_params


def test_the_only_argument_is_the_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["stages/train.py", "manuals"])

    assert workspace.corpus_argument() == "manuals"


@pytest.mark.parametrize("argv", [["stages/train.py"], ["stages/train.py", "manuals", "--fast"]])
def test_anything_else_is_refused(argv: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", argv)

    with pytest.raises(SystemExit, match=r"usage: python -m stages\.train CORPUS"):
        workspace.corpus_argument()


def _ingest(folder: Path, line: str, changes: dict[str, Any], **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `ingest` on a folder of manuals with one line of questions."""
    (folder / "docs/pumps").mkdir(parents=True)
    (folder / "docs/pumps/pump.md").write_text("# Pump\n\n" + "Bleed the pump before the first start. " * 10)
    (folder / "docs/questions.jsonl").write_text(line)
    values = {**all_params(), "corpora": {"mine": {"kind": "manuals", "path": "docs"}}, **changes}
    YAML().dump(values, folder / "params.yaml")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(
        [sys.executable, "-m", "stages.ingest", "mine"],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "changes", "message"),
    [
        ("{not json}\n", {}, "docs/questions.jsonl:1: "),
        ("", {"reprot": {"seed": 1}}, "reprot: unknown key, allowed are corpora, base_model, ingest"),
        ("", {"corpora": {"mine": {"kind": "manuals", "path": "nowhere"}}}, "corpora.mine.path: no such folder"),
    ],
)
def test_wrong_input_is_one_message(tmp_path: Path, line: str, changes: dict[str, Any], message: str) -> None:
    done = _ingest(tmp_path, line, changes)

    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert f"{workspace.DEBUG}=1" in done.stderr


def test_a_variable_brings_the_traceback_back(tmp_path: Path) -> None:
    done = _ingest(tmp_path, "{not json}\n", {}, **{workspace.DEBUG: "1"})

    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "docs/questions.jsonl:1: " in done.stderr


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)

    def broken() -> None:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        workspace.execute(broken)
