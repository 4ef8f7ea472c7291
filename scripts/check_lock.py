"""Is dvc.lock of this commit's code, params and data? Asks DVC, which runs nothing.

python -m scripts.check_lock    # `make check-lock`; exit status 1 where a stage would run

A fresh clone has no outs. That they are missing says nothing about the lock, and does not count.
"""

from pathlib import Path
from typing import Any

from dvc.repo import Repo

from domain_embeddings.core.errors import UserError, give_up

LOCK = Path("dvc.lock")


def stale(status: dict[str, list[Any]]) -> dict[str, list[str]]:
    """Stage → what has changed since its run, of what `Repo.status()` gives."""
    found = {stage: [said for change in changes for said in _changed(change)] for stage, changes in status.items()}
    return {stage: changes for stage, changes in found.items() if changes}


def _changed(change: Any) -> list[str]:
    if not isinstance(change, dict):
        return [str(change)]
    entries = [entry for kind in change.values() for entry in kind.items()]
    return [f"{path} ({what})" for path, what in entries if not (_is_out(path) and what in ("deleted", "not in cache"))]


def _is_out(path: str) -> bool:
    """Whether Git has never seen a path, so that only DVC's cache could hold it."""
    return path.startswith(("models/", "data/")) and not path.startswith("data/raw/")


def check() -> None:
    """Raise a UserError that names every stage that would run, and why."""
    if not LOCK.is_file():
        raise UserError(f"{LOCK} is missing: run `dvc repro` and commit it with metrics/")
    with Repo() as repo:
        found = stale(repo.status())
    if found:
        lines = [f"  {stage}: {', '.join(changes)}" for stage, changes in found.items()]
        raise UserError("\n".join([f"{LOCK} is not of this commit:", *lines, _REMEDY]))


_REMEDY = (
    "Run `dvc repro` and commit dvc.lock with metrics/; if only comments, docstrings or format changed, `make relock`."
)


def main() -> None:
    """Check and say."""
    try:
        check()
    except UserError as error:
        give_up(error)
    print("dvc.lock is of this commit")


if __name__ == "__main__":
    main()
