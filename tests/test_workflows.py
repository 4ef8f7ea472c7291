"""What GitHub runs: well-formed, with few rights, and in agreement with the Makefile and the comment."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
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
def test_only_githubs_own_actions_are_used_each_by_its_commit(name: str) -> None:
    used = [step["uses"] for step in _steps(name) if "uses" in step]

    assert used
    assert [action for action in used if not re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action)] == []


@pytest.mark.parametrize("name", [path.stem for path in WORKFLOWS])
def test_every_test_that_is_named_exists(name: str) -> None:
    for command in (step["run"] for step in _steps(name) if "tests/" in step.get("run", "")):
        said = subprocess.run(
            ["bash", "-O", "nullglob", "-c", "printf '%s\\n' " + " ".join(re.findall(r"tests/\S+\.py", command))],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout.split()  # fmt: skip
        assert said
        assert [path for path in said if not (ROOT / path).is_file()] == []


def test_the_job_that_may_write_runs_no_code_of_the_pull_request() -> None:
    jobs = _load("report")["jobs"]
    writing = [name for name, job in jobs.items() if "write" in job["permissions"].values()]

    assert _load("report")["permissions"] == {}
    assert _load("checks")["permissions"] == jobs["measure"]["permissions"] == {"contents": "read"}
    assert writing == ["comment"]
    (used,) = [step for step in jobs["comment"]["steps"] if "uses" in step]
    assert used["uses"].startswith("actions/download-artifact@")
    assert used["with"]["path"] == "artifact/"  # nothing that it holds can pass for a repository or a script


def test_keys_are_given_to_the_code_of_the_base_branch_alone() -> None:
    jobs = _load("report")["jobs"]
    with_keys = [name for name, job in jobs.items() if "secrets." in str(job)]

    assert with_keys == ["results"]
    (checkout,) = [step for step in jobs["results"]["steps"] if "checkout" in step.get("uses", "")]
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert jobs["results"]["permissions"] == {"contents": "read"}


def _take(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the step that takes from an artifact what may be shown."""
    job = _load("report")["jobs"]["comment"]
    limits = {key: str(job["env"][key]) for key in ("MOST_PICTURES", "MOST_BYTES")}
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", job["steps"][1]["run"]],
        cwd=folder, env={"PATH": os.environ["PATH"], **limits}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_of_a_hostile_artifact_only_the_comment_and_small_pictures_are_taken(tmp_path: Path) -> None:
    artifact = tmp_path / "artifact"
    (artifact / ".git/hooks").mkdir(parents=True)
    (artifact / ".git/hooks/pre-commit").write_text("#!/bin/sh\ntouch ../hacked\n", encoding="utf-8")
    (artifact / "comment.md").write_text(f"{MARKER}\n" + "x" * 100_000, encoding="utf-8")
    for name in ("gate.png", "arms.png", "$(touch hacked).png", "-rf.png", "a b.png"):
        (artifact / name).write_bytes(b"png")
    (artifact / "large.png").write_bytes(bytes(3_000_000))
    (artifact / "link.png").symlink_to("/etc/passwd")
    (artifact / "folder.png").mkdir()

    assert _take(tmp_path).returncode == 0

    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == ["arms.png", "gate.png"]
    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["comment.md"]
    assert (tmp_path / "taken/comment.md").stat().st_size == 60_000
    assert not list(tmp_path.glob("**/hacked"))


@pytest.mark.parametrize("kind", ["link", "other words", "missing"])
def test_what_is_no_comment_is_refused(tmp_path: Path, kind: str) -> None:
    (tmp_path / "artifact").mkdir()
    (tmp_path / "secret.md").write_text(f"{MARKER}\n", encoding="utf-8")
    if kind == "link":
        (tmp_path / "artifact/comment.md").symlink_to(tmp_path / "secret.md")
    if kind == "other words":
        (tmp_path / "artifact/comment.md").write_text("@everyone\n", encoding="utf-8")

    assert _take(tmp_path).returncode != 0


def test_the_workflow_finds_what_the_report_writes() -> None:
    text = (ROOT / ".github/workflows/report.yml").read_text(encoding="utf-8")

    assert f'startswith("{MARKER}")' in text
    assert f"path: {OUT.parent}/" in text
    assert f"{OUT} >>" in text
    taking, pushing = (step["run"] for step in _load("report")["jobs"]["comment"]["steps"][1:3])
    assert f"artifact/{OUT.name}" in taking
    assert f"grep -qx '{MARKER}'" in taking
    assert f"../taken/{OUT.name}" in pushing
