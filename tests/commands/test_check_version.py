"""A version that exists keeps its content: in commits, in tags, in this repository."""

import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from domain_embeddings.commands import check_version
from domain_embeddings.commands.check_version import conflict, content, tag
from domain_embeddings.core.errors import UserError
from domain_embeddings.packaging.dvc_lock import locked_md5
from scripts.dependencies import ROOT
from tests.knobs import all_params
from tests.packaged import write_lock
from tests.two_revisions import git

REFUSED = r"models/tiny-embeddings-v1\.0: v1\.0 exists with other content; raise package\.version"


def write(folder: str, text: str) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    Path(folder, "vocab.txt").write_text(text)


def set_version(version: str) -> None:
    YAML().dump({"package": {**all_params()["package"], "version": version}}, Path("params.yaml"))


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """v1.0 is committed and tagged, v1.1 committed after it; the stage is asked for `tiny`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_EXP_BASELINE_REV", raising=False)
    monkeypatch.setattr(sys, "argv", ["check_version", "tiny"])
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_text("/models/\n")
    for version in ("1.0", "1.1"):
        set_version(version)
        write(f"models/tiny-embeddings-v{version}", f"words of {version}")
        write_lock(tmp_path / "models", f"tiny-embeddings-v{version}")
        git(tmp_path, "add", "--all")
        git(tmp_path, "commit", "--quiet", "--message", version)
        git(tmp_path, "tag", "--annotate", tag("tiny", version), "--message", version)
    set_version("1.0")
    return tmp_path


def test_gto_names_a_version_by_three_numbers() -> None:
    assert [tag("tiny", version) for version in ("2", "1.0", "1.0.3")] == [
        "tiny-embeddings@v2.0.0", "tiny-embeddings@v1.0.0", "tiny-embeddings@v1.0.3",
    ]  # fmt: skip


def test_the_same_content_is_the_same_version(repo: Path) -> None:
    check_version.check("tiny")


def test_other_content_is_refused_by_the_tag(repo: Path) -> None:
    write("models/tiny-embeddings-v1.0", "other words")

    with pytest.raises(UserError, match=REFUSED + r" \(the other is in dvc\.lock of tiny-embeddings@v1\.0\.0"):
        check_version.check("tiny")


def test_other_content_is_refused_by_a_commit_without_a_tag(repo: Path) -> None:
    git(repo, "tag", "--delete", "tiny-embeddings@v1.0.0")
    (repo / "models/tiny-embeddings-v1.0/more.txt").write_text("")

    with pytest.raises(UserError, match=REFUSED):
        check_version.check("tiny")


def test_a_new_version_and_a_draft_may_hold_anything(repo: Path) -> None:
    for version in ("1.2", "1.0.dev1"):
        set_version(version)
        write(f"models/tiny-embeddings-v{version}", "anything")
        check_version.check("tiny")


def test_an_experiment_is_told_not_stopped(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write("models/tiny-embeddings-v1.0", "other words")
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", "HEAD")

    check_version.check("tiny")

    assert "v1.0 exists with other content (dvc.lock of tiny-embeddings@v1.0.0): to keep" in capsys.readouterr().out


def test_without_git_every_version_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("models/tiny-embeddings-v1.0", "words")

    folder = Path("models/tiny-embeddings-v1.0")
    assert conflict(folder, "tiny", "1.0", content(folder)) is None


def test_a_detector_that_exists_keeps_its_content_too(repo: Path) -> None:
    write("models/tiny-anomaly-v1.0", "limits")
    write_lock(repo / "models", "tiny-embeddings-v1.0", "tiny-anomaly-v1.0")
    git(repo, "add", "--all")
    git(repo, "commit", "--quiet", "--message", "A detector")
    check_version.check("tiny")

    write("models/tiny-anomaly-v1.0", "other limits")
    with pytest.raises(UserError, match=r"models/tiny-anomaly-v1\.0: v1\.0 exists with other content"):
        check_version.check("tiny")


@pytest.mark.parametrize("kind", ["embeddings", "anomaly"])
@pytest.mark.parametrize("corpus", list(all_params()["corpora"]))
def test_the_versions_of_this_repository_never_changed(corpus: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    version = all_params()["package"]["version"]
    folder = Path(f"models/{corpus}-{kind}-v{version}")
    md5 = locked_md5((ROOT / "dvc.lock").read_bytes(), folder.as_posix())

    assert md5 is not None, "run `make repro` and commit dvc.lock"
    assert check_version.is_draft(version) or conflict(folder, corpus, version, md5) is None, "raise package.version"
