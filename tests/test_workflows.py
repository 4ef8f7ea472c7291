"""What GitHub runs: well-formed, with few rights, and in agreement with the Makefile and the comment."""

import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from ruamel.yaml import YAML

from domain_embeddings.commands.pull_request import MARKER, OUT
from scripts.dependencies import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def _load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(ROOT / ".github/workflows" / f"{name}.yml")
    return loaded


def _steps(name: str) -> Iterator[dict[str, Any]]:
    for job in _load(name)["jobs"].values():
        yield from job["steps"]


def test_lint_test_and_report_are_run() -> None:
    commands = [step.get("run", "") for path in WORKFLOWS for step in _steps(path.stem)]

    assert {"make lint check-lock docs", "make test-all", "make repro", "make pr-report"} <= set(commands)


@pytest.mark.parametrize("name", [path.stem for path in WORKFLOWS])
def test_every_command_is_shell_and_every_make_target_exists(name: str) -> None:
    for command in (step["run"] for step in _steps(name) if "run" in step):
        assert "${{" not in command  # what others choose comes through the environment, never into the script
        subprocess.run(["bash", "-n"], input=command, text=True, check=True)
        assert set(re.findall(r"^\s*make ([\w-]+)", command, re.MULTILINE)) <= TARGETS


@pytest.mark.parametrize("name", [path.stem for path in WORKFLOWS])
def test_only_githubs_own_actions_are_used(name: str) -> None:
    used = [step["uses"] for step in _steps(name) if "uses" in step]

    assert used
    assert [action for action in used if not re.fullmatch(r"actions/[a-z-]+@v\d+", action)] == []


def test_the_job_that_may_write_runs_no_code_of_the_pull_request() -> None:
    jobs = _load("report")["jobs"]
    writing = [name for name, job in jobs.items() if "write" in job["permissions"].values()]

    assert _load("report")["permissions"] == {}
    assert _load("checks")["permissions"] == jobs["measure"]["permissions"] == {"contents": "read"}
    assert writing == ["comment"]
    assert [step["uses"] for step in jobs["comment"]["steps"] if "uses" in step] == ["actions/download-artifact@v7"]


def test_the_workflow_finds_what_the_report_writes() -> None:
    text = (ROOT / ".github/workflows/report.yml").read_text(encoding="utf-8")

    assert f'startswith("{MARKER}")' in text
    assert f"path: {OUT.parent}/" in text
    assert f"{OUT} >>" in text
    assert OUT.name in _load("report")["jobs"]["comment"]["steps"][1]["run"]
