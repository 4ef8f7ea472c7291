"""A revision of this repository and what it holds: text in Git, outs in DVC's cache or remote."""

import functools
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dvc.api import DVCFileSystem
from dvc.exceptions import DvcException
from dvc_data.index import DataIndexError
from ruamel.yaml import YAML

from domain_embeddings.commands.workspace import PARAMS
from domain_embeddings.evaluation.regression_gate import CannotCompareError


@dataclass(frozen=True)
class Revision:
    """A commit under the name it was asked for by, or the working tree."""

    name: str
    commit: str = ""
    """Its full hash; empty for the working tree."""

    def __str__(self) -> str:
        """`main (1a2b3c4)`, or the name alone where it says as much."""
        return self.name if self.commit.startswith(self.name) or not self.commit else f"{self.name} ({self.commit[:7]})"

    def text(self, path: Path) -> str | None:
        """The content of a file that Git tracks, None where the revision has no such file."""
        if not self.commit:
            return path.read_text(encoding="utf-8") if path.is_file() else None
        shown = _git("show", f"{self.commit}:./{path.as_posix()}")
        return shown.stdout if shown.returncode == 0 else None

    def corpora(self) -> list[str]:
        """The names of its corpora."""
        return list(self._params().get("corpora") or {})

    def accepted(self) -> list[str]:
        """The lines of its `gate.accept`; a revision before there was a gate has none."""
        return list((self._params().get("gate") or {}).get("accept") or [])

    def _params(self) -> dict[str, Any]:
        """Its params.yaml as plain values, not validated: an older revision has other keys."""
        text = self.text(PARAMS)
        if text is None:
            raise CannotCompareError(f"{self} has no {PARAMS}: compare with a revision of this pipeline")
        return YAML(typ="safe").load(text) or {}

    def out(self, path: Path, folder: Path) -> Path:
        """A file of a stage's out, to be read only: where it lies, or a copy in `folder`."""
        if not self.commit:
            if not path.is_file():
                raise CannotCompareError(f"{path} is not there: run `dvc repro` (or `dvc pull` what a colleague ran)")
            return path
        if f"path: {path.parent.as_posix()}\n" not in (self.text(Path("dvc.lock")) or ""):
            raise CannotCompareError(
                f"the dvc.lock of {self} has no {path.parent}: the pipeline did not run there; "
                "run it there and commit dvc.lock, or compare with another revision"
            )
        copy = folder / self.commit / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            copy.write_bytes(_files(self.commit).read_bytes(path.as_posix()))
        except (OSError, DataIndexError, DvcException) as error:
            raise CannotCompareError(
                f"{path} of {self} is neither in DVC's cache nor in a remote that can be read: where it was computed "
                "`dvc push --all-commits`, here `dvc remote add -d NAME URL` and `dvc fetch --all-commits`; or compute "
                f"it here: `git switch --detach {self.commit[:7]}`, `dvc repro`, `git switch -`"
            ) from error
        return copy


def working_tree() -> Revision:
    """What lies in the folder, committed or not."""
    return Revision("the working tree")


def find(name: str) -> Revision:
    """The commit that `name` means, or a CannotCompareError that says how to get it."""
    if commit := _commit(name):
        return Revision(name, commit)
    if _git("rev-parse", "--is-shallow-repository").stdout.strip() == "true":
        raise CannotCompareError(
            f"{name!r} is not in this shallow clone: `git fetch --unshallow` (or `git fetch --deepen 100`) and "
            f"`git fetch origin {name}`; in GitHub Actions give actions/checkout `fetch-depth: 0`"
        )
    if _commit(f"origin/{name}"):
        raise CannotCompareError(f"there is no local branch {name!r}, but origin/{name}: name that one")
    raise CannotCompareError(
        f"this repository has no revision {name!r}: `git branch --all` and `git log --oneline` show those it has, "
        "`git fetch --all` gets new ones"
    )


def _commit(name: str) -> str:
    """The full hash of a commit, empty where there is none of that name."""
    return _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").stdout.strip()


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, encoding="utf-8", check=False)


@functools.cache
def _files(commit: str) -> DVCFileSystem:
    return DVCFileSystem(repo=".", rev=commit)
