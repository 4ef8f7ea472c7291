"""Refuse to give a version that exists other content.

Runs after the main of `package` and of `anomaly`. It compares what they wrote with dvc.lock in every commit so far and
in every Git tag of the version (`manuals-embeddings@v1.1.0`). It can only stop a run, never change an out, and so may
look at Git, which no stage may. A version that ends in .dev<n> is a draft and changes freely. So does one within
`dvc exp run`: an experiment is compared, not shipped; if it is applied and committed under the old version, a test
fails.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from domain_embeddings.commands.workspace import packaged_model, section
from domain_embeddings.core.errors import UserError
from domain_embeddings.packaging.dvc_lock import LOCK, locked_md5
from domain_embeddings.packaging.manifest import files_of, folder_md5, read
from domain_embeddings.packaging.verification import detector_name
from domain_embeddings.params.package import PackageParams


def _git(*arguments: str) -> str:
    """What Git says, empty where it refuses (no repository, no commit yet, no such file in it)."""
    return subprocess.run(["git", *arguments], capture_output=True, text=True, encoding="utf-8", check=False).stdout


def is_draft(version: str) -> bool:
    """Whether a version may change."""
    return ".dev" in version


def tag(corpus: str, version: str) -> str:
    """GTO's name for a released version: SemVer, so that 1.1 is v1.1.0."""
    return f"{corpus}-embeddings@v" + ".".join([*version.split("."), "0", "0"][:3])


def revisions(corpus: str, version: str) -> Iterator[str]:
    """The version's tag, then every commit that changed dvc.lock, the last first."""
    yield from _git("tag", "--list", tag(corpus, version)).split()
    yield from _git("log", "--format=%h", "--", LOCK).split()


def conflict(folder: Path, corpus: str, version: str, md5: str) -> str | None:
    """A revision whose dvc.lock has a folder of the version with another hash than `md5`, None where none has."""
    out = folder.as_posix()
    for revision in revisions(corpus, version):
        lock = _git("show", f"{revision}:./{LOCK}")
        if f"path: {out}\n" in lock and locked_md5(lock, out) != md5:
            return revision
    return None


def content(folder: Path) -> str:
    """The hash that DVC gives a folder."""
    return folder_md5({name: read(path) for name, path in files_of(folder).items()})


def check(corpus: str) -> None:
    """Raise a UserError where the version of params.yaml exists with other content."""
    version = section("package", PackageParams).version
    if is_draft(version):
        return
    model = packaged_model(corpus, version)
    for folder in (model, model.with_name(detector_name(corpus, version))):
        if folder.exists():
            compare(folder, corpus, version)


def compare(folder: Path, corpus: str, version: str) -> None:
    """Raise a UserError where a folder of the version exists with other content."""
    revision = conflict(folder, corpus, version, content(folder))
    if revision is None:
        return
    problem = f"{folder}: v{version} exists with other content"
    if "DVC_EXP_BASELINE_REV" in os.environ:
        print(f"{problem} ({LOCK} of {revision}): to keep this experiment, raise package.version")
    else:
        raise UserError(
            f"{problem}; raise package.version (the other is in {LOCK} of {revision}, `dvc checkout` brings it back; "
            f"a draft, such as {version}.dev1, changes freely)"
        )
