"""What `make env` installs and with which Python: the Makefile, asked without installing, and the locks."""

import os
import subprocess
import sys
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.check_platforms import lacking, pins
from scripts.dependencies import ROOT

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
DEV_LOCK = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
HERE = {key: str(value) for key, value in default_environment().items()}
RUNS = f'exec "{sys.executable}" "$@"'


def _make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`make` with the folder first on the path and an environment inside it."""
    environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
    command = ["make", *arguments, f"VENV={folder / 'venv'}"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def _python(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def test_the_first_supported_python_that_runs_is_taken(tmp_path: Path) -> None:
    _python(tmp_path, "python3.11", "exit 127")  # as pyenv's stand-in for a version that is not chosen
    _python(tmp_path, "python3.12", RUNS)
    _python(tmp_path, "python3.13", RUNS)

    assert "\npython3.12 -m venv" in _make(tmp_path, "-n", "install").stdout


def test_a_python_with_its_venv_module_goes_before_one_without(tmp_path: Path) -> None:
    _python(tmp_path, "bare", f'case "$*" in *ensurepip*) exit 1;; esac; {RUNS}')
    _python(tmp_path, "whole", RUNS)

    assert "\nwhole -m venv" in _make(tmp_path, "-n", "install", "PYTHON=bare whole").stdout


def test_what_is_missing_is_said_in_one_line(tmp_path: Path) -> None:
    _python(tmp_path, "old", "exit 1")
    _python(tmp_path, "bare", f'case "$*" in *ensurepip*) exit 1;; esac; {RUNS}')
    neither, bare = (_make(tmp_path, "env", f"PYTHON={name}") for name in ("old", "bare"))

    assert neither.returncode == bare.returncode == 2
    assert neither.stderr.startswith("No Python of 3.11 to 3.13 was found (old): PYTHON=... names one.\n")
    assert bare.stderr.startswith("bare has no venv module (Debian and Ubuntu: apt install python3-venv).\n")


@pytest.mark.parametrize(("target", "lock"), [("env", "requirements.lock"), ("dev", "requirements-dev.lock")])
def test_an_environment_is_made_again_when_its_lock_has_changed(target: str, lock: str, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    venv.mkdir()
    (venv / "requirements.lock").write_text(LOCK, encoding="utf-8")
    (venv / "requirements-dev.lock").write_text(DEV_LOCK, encoding="utf-8")
    unchanged = _make(tmp_path, "-n", target).stdout
    (venv / lock).write_text("pip==1.0\n", encoding="utf-8")

    assert "pip install" not in unchanged
    assert f"--requirement {lock}" in _make(tmp_path, "-n", target).stdout


def test_every_dependency_of_the_project_is_pinned_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    run, both = pins(LOCK, HERE), pins(LOCK + DEV_LOCK, HERE)
    tools = [*map(Requirement, project["optional-dependencies"]["dev"])]

    assert len(both) == len(LOCK.splitlines()) + len(DEV_LOCK.splitlines())
    assert lacking({"project": [*map(Requirement, project["dependencies"])]}, run, HERE) == []
    assert lacking({"project": tools}, both, HERE) == []


def test_the_pipeline_needs_no_tool_of_the_developers() -> None:
    """What every line of requirements.lock asks for on this machine is in requirements.lock itself."""
    wanted = pins(LOCK, HERE)
    needs = {name: [*map(Requirement, requires(line.name) or [])] for name, line in wanted.items()}

    assert lacking(needs, wanted, HERE) == []


def test_the_packages_that_test_and_lint_are_not_in_the_pipelines_environment() -> None:
    names = set(pins(LOCK, HERE))

    assert names.isdisjoint(map(canonicalize_name, ("llvmlite", "mypy", "playwright", "pytest", "ranx", "ruff")))
