"""What `make env` installs and with which Python: the Makefile, asked without installing, and the locks."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from typing import Any

import grimp
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
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LATER = {"openvino": "int8", "model_signing": "sign", "sentence_transformers": "train"}
"""What the core imports where it is asked for, and the extra that brings it."""
USES = {
    "": ["packaging.embeddings", "commands.verify"],
    "search": ["search.retrieval"],
    "serve": ["commands.search_commands"],
    "anomaly": ["anomaly.anomaly_detector"],
    "sign": ["commands.sign"],
    "train": ["commands.package_model", "training.*"],
    "pipeline": ["*"],
}
"""Extra → the modules that need no other one."""


def _needs(extra: str) -> Iterator[Requirement]:
    """What an extra asks for, where it names others with what these ask for; "" is the core."""
    for need in map(Requirement, PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]):
        if need.name == PROJECT["name"]:
            for other in need.extras:
                yield from _needs(other)
        else:
            yield need


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
    run, both = pins(LOCK, HERE), pins(LOCK + DEV_LOCK, HERE)
    pipeline = [*_needs(""), *_needs("pipeline")]

    assert len(both) == len(LOCK.splitlines()) + len(DEV_LOCK.splitlines())
    assert lacking({"project": pipeline}, run, HERE) == []
    assert lacking({"project": [*_needs("dev")]}, both, HERE) == []


def test_the_pipeline_has_every_extra_but_the_developers() -> None:
    extras = {extra: {need.name for need in _needs(extra)} for extra in PROJECT["optional-dependencies"]}

    assert [extra for extra, names in extras.items() if not names <= extras["pipeline"]] == ["dev"]


@pytest.mark.parametrize("extra", USES)
def test_an_extra_asks_for_all_that_its_modules_import(extra: str) -> None:
    graph = grimp.build_graph("domain_embeddings", "stages", include_external_packages=True, cache_dir=None)
    ours = [f"domain_embeddings.{name}" for name in USES[extra]]
    using = {module for name in ours for module in (graph.find_matching_modules(name) if "*" in name else {name})}
    using |= {module for each in using for module in graph.find_upstream_modules(each)}
    imported = {
        name.partition(".")[0]
        for module in using
        if module.startswith("domain_embeddings.")
        for name in graph.find_modules_directly_imported_by(module)
    } - {"domain_embeddings", *sys.stdlib_module_names}

    asked = {canonicalize_name(need.name) for each in {"", extra} for need in _needs(each)}
    homes = packages_distributions()
    lacking = {name for name in imported if asked.isdisjoint(map(canonicalize_name, homes[name]))}
    assert lacking - set(LATER) - ({"dvc_data"} if "dvc" in asked else set()) == set()


def test_the_pipeline_needs_no_tool_of_the_developers() -> None:
    """What every line of requirements.lock asks for on this machine is in requirements.lock itself."""
    wanted = pins(LOCK, HERE)
    needs = {name: [*map(Requirement, requires(line.name) or [])] for name, line in wanted.items()}

    assert lacking(needs, wanted, HERE) == []


def test_the_packages_that_test_and_lint_are_not_in_the_pipelines_environment() -> None:
    names = set(pins(LOCK, HERE))

    assert names.isdisjoint(map(canonicalize_name, ("llvmlite", "mypy", "playwright", "pytest", "ranx", "ruff")))
