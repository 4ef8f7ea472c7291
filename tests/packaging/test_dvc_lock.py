"""Which commit recorded a model."""

import subprocess
from pathlib import Path

import pytest

from domain_embeddings.packaging.dvc_lock import recorded_by
from tests.two_revisions import git

LOCK = (
    "schema: '2.0'\nstages:\n  package@tiny:\n    cmd: package tiny\n    outs:\n"
    "    - path: models/{name}\n      hash: md5\n      md5: {md5}.dir\n      size: 12\n      nfiles: 3\n"
)


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    return tmp_path / "dvc.lock"


def commit(lock: Path, text: str, date: str) -> str:
    lock.write_text(text)
    git(lock.parent, "add", "--all")
    subprocess.run(
        ["git", "-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "x"],
        cwd=lock.parent, check=True, env={"GIT_COMMITTER_DATE": date, "PATH": "/usr/bin:/bin:/usr/local/bin"},
    )  # fmt: skip
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=lock.parent, capture_output=True, text=True, check=True)
    return found.stdout.strip()


def test_it_is_the_first_commit_that_has_the_model_as_it_is(lock: Path) -> None:
    commit(lock, LOCK.format(name="m", md5="a" * 32), "2024-01-01T00:00:00+00:00")
    second = commit(lock, LOCK.format(name="m", md5="b" * 32), "2024-01-02T00:00:00+00:00")
    commit(lock, LOCK.format(name="m", md5="b" * 32) + "# more\n", "2024-01-03T00:00:00+00:00")

    assert recorded_by(lock.parent / "models/m") == {"commit": second, "date": "2024-01-02T00:00:00+00:00"}


def test_what_is_not_committed_was_recorded_by_nothing(lock: Path) -> None:
    commit(lock, "stages: {}\n", "2024-01-01T00:00:00+00:00")
    lock.write_text(LOCK.format(name="m", md5="a" * 32))

    assert recorded_by(lock.parent / "models/m") is None
    assert recorded_by(lock.parent / "models/other") is None


def test_without_git_or_lock_nothing_is_known(tmp_path: Path) -> None:
    assert recorded_by(tmp_path / "models/m") is None

    (tmp_path / "dvc.lock").write_text(LOCK.format(name="m", md5="a" * 32))
    assert recorded_by(tmp_path / "models/m") is None
