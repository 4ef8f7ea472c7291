"""dvc.lock merged by git, stage by stage."""

import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from scripts.dependencies import ROOT
from scripts.merge_lock import merged, stages

BASE = (
    "schema: '2.0'\nstages:\n  train@a:\n    cmd: a\n    deps:\n    - path: x\n      md5: '1'\n  train@b:\n    cmd: b\n"
)
A = BASE.replace("cmd: a", "cmd: a2")
B = BASE.replace("cmd: b", "cmd: b2")


def test_a_file_is_its_stages() -> None:
    text = (ROOT / "dvc.lock").read_text(encoding="utf-8")

    assert "".join(stages(text).values()) == text
    assert [*stages(text)][1:] == [*YAML(typ="safe").load(text)["stages"]]


def test_a_stage_that_one_branch_changed_is_its() -> None:
    assert merged(BASE, A, B) == (BASE.replace("cmd: a", "cmd: a2").replace("cmd: b", "cmd: b2"), [])
    assert merged(BASE, B, A) == merged(BASE, A, B)
    assert merged(BASE, A, A) == (A, [])


def test_stages_come_and_go() -> None:
    new, gone = BASE + "  train@c:\n    cmd: c\n", BASE.replace("  train@b:\n    cmd: b\n", "")

    assert merged(BASE, A, new) == (A + "  train@c:\n    cmd: c\n", [])
    assert merged(BASE, A, gone) == (A.replace("  train@b:\n    cmd: b\n", ""), [])


def test_a_stage_that_both_changed_is_a_conflict() -> None:
    text, conflicts = merged(BASE, A, BASE.replace("cmd: a", "cmd: a3"))

    assert conflicts == ["train@a"]
    assert "<<<<<<< ours\n  train@a:\n    cmd: a2\n" in text
    assert "=======\n  train@a:\n    cmd: a3\n" in text


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the driver, as `make env` sets it up."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    _git(tmp_path, "init", "-q", "-b", "main")
    _git(tmp_path, "config", "user.name", "A")
    _git(tmp_path, "config", "user.email", "a@b")
    _git(tmp_path, "config", "merge.dvc-lock.driver", f"{sys.executable} -m scripts.merge_lock %O %A %B")
    (tmp_path / ".gitattributes").write_text((ROOT / ".gitattributes").read_text())
    _commit(tmp_path, BASE)
    return tmp_path


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)


def _commit(folder: Path, text: str) -> None:
    (folder / "dvc.lock").write_text(text)
    _git(folder, "add", "--all")
    _git(folder, "commit", "-qm", "A run")


@pytest.mark.parametrize(("theirs", "clean"), [(B, True), (BASE.replace("cmd: a", "cmd: a3"), False)])
def test_two_branches_that_retrained(repository: Path, theirs: str, clean: bool) -> None:
    _git(repository, "switch", "-qc", "theirs")
    _commit(repository, theirs)
    _git(repository, "switch", "-q", "main")
    _commit(repository, A)

    done = _git(repository, "merge", "theirs", "-m", "Both")

    assert (done.returncode == 0) == clean, done.stdout + done.stderr
    found = (repository / "dvc.lock").read_text()
    assert found == merged(BASE, A, theirs)[0]
