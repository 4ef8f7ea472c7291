"""Older versions stay reachable: `artifacts:` of dvc.yaml, GTO tags, `dvc artifacts get` and `dvc get --rev`."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from domain_embeddings.commands.check_version import tag
from domain_embeddings.commands.workspace import packaged_model
from scripts.dependencies import ROOT
from tests.knobs import all_params
from tests.two_revisions import command, git

pytestmark = pytest.mark.slow

DECLARED: dict[str, Any] = YAML(typ="safe").load(ROOT / "dvc.yaml")
FOLDER = "models/${key}-embeddings-v${package.version}"


def test_every_corpus_has_an_artifact() -> None:
    version = all_params()["package"]["version"]
    paths = {found["path"].replace("${package.version}", version) for found in DECLARED["artifacts"].values()}

    assert paths == {packaged_model(corpus, version).as_posix() for corpus in all_params()["corpora"]}
    assert all(found["type"] == "model" for found in DECLARED["artifacts"].values())


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Versions 1.0 and 1.1 of a corpus, committed, tagged, pushed to a local remote and gone from here."""
    root = tmp_path_factory.mktemp("registry") / "repo"
    root.mkdir()
    stage = {"foreach": "${corpora}", "do": {"cmd": f"mkdir -p {FOLDER} && cp params.yaml {FOLDER}", "outs": [FOLDER]}}
    YAML().dump({"stages": {"package": stage}, "artifacts": DECLARED["artifacts"]}, root / "dvc.yaml")
    (root / ".gitignore").write_text("/models/*\n")
    git(root, "init", "--quiet")
    dvc(root, "init", "--quiet")
    dvc(root, "remote", "add", "--default", "team", str(root.parent / "remote"))
    for version in ("1.0", "1.1"):
        YAML().dump({"corpora": {"manuals": {}}, "package": {"version": version}}, root / "params.yaml")
        dvc(root, "repro", "--quiet")
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", f"Version {version}")
        register(root, f"v{version}.0")
    dvc(root, "push", "--quiet", "--all-commits")
    shutil.rmtree(root / ".dvc/cache")
    shutil.rmtree(root / "models")
    return root


def dvc(root: Path, *arguments: str) -> None:
    status, said = command(root, "dvc", *arguments)
    assert status == 0, said


def register(root: Path, version: str) -> None:
    """`gto register manuals-embeddings --version v1.0.0`."""
    who = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    for option in who[1::2]:
        subprocess.run(["git", "config", *option.split("=")], cwd=root, check=True)
    gto = [str(Path(sys.executable).with_name("gto")), "register", "manuals-embeddings", "--version", version]
    subprocess.run(gto, cwd=root, check=True, capture_output=True)


def version_in(folder: Path) -> str:
    return str(YAML(typ="safe").load(folder / "params.yaml")["package"]["version"])


def test_gtos_tags_are_those_that_are_checked(repo: Path) -> None:
    tags = subprocess.run(["git", "tag"], cwd=repo, capture_output=True, text=True, check=True).stdout.split()

    assert tags == [tag("manuals", "1.0"), tag("manuals", "1.1")]


@pytest.mark.parametrize(("options", "expected"), [((), "1.1"), (("--rev", "v1.0.0"), "1.0")])
def test_dvc_artifacts_get_fetches_a_version(
    repo: Path, tmp_path: Path, options: tuple[str, ...], expected: str
) -> None:
    dvc(tmp_path, "artifacts", "get", str(repo), "manuals-embeddings", *options, "--out", "got")

    assert version_in(tmp_path / "got") == expected


def test_dvc_get_fetches_a_version_by_its_revision(repo: Path, tmp_path: Path) -> None:
    dvc(tmp_path, "get", str(repo), "models/manuals-embeddings-v1.0", "--rev", tag("manuals", "1.0"))

    assert version_in(tmp_path / "manuals-embeddings-v1.0") == "1.0"
