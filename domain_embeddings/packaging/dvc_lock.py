"""dvc.lock as a witness: what it holds for a model, whether a folder agrees with it, and which commit recorded that."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from domain_embeddings.core.errors import IntegrityError
from domain_embeddings.packaging.manifest import Digests, folder_md5

LOCK = "dvc.lock"
REMEDY = f"`git checkout {LOCK}` brings back the last one that was committed"


def witness_of(folder: Path) -> tuple[Path, str]:
    """The dvc.lock beside the models' folder that a model lies in, and the model's name in it.

    Looked for where the path says and where its links lead, in that order; there need not be one.
    """
    roots = (Path(os.path.abspath(folder.parent)), folder.parent.resolve())
    places = [(root.parent / LOCK, f"{root.name}/{folder.name}") for root in roots]
    return next((place for place in places if os.path.lexists(place[0])), places[-1])


def read_lock(path: Path) -> bytes | None:
    """The content of a lock; None where there is none. An IntegrityError where there is one that cannot be read."""
    if not os.path.lexists(path):
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise IntegrityError(path, f"cannot be read: {error.strerror}", remedy=REMEDY) from error


def stages_of(lock: str | bytes, place: Path | str = LOCK) -> dict[str, dict[str, Any]]:
    """Stage → what a lock's text holds of it. An IntegrityError for one that is empty, cut or none that DVC writes."""
    try:
        stages: dict[str, dict[str, Any]] = yaml.load(lock, Loader=yaml.CSafeLoader)["stages"]
        whole = all(stage["cmd"] and all(map(_whole, stage.get("outs", ()))) for stage in stages.values())
        ended = all("outs" in stage for stage in [*stages.values()][-1:])
    except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise IntegrityError(place, f"is empty, cut or no lock of DVC's: {error!r}"[:300], remedy=REMEDY) from error
    if not whole or not ended or lock[-1:] not in ("\n", b"\n"):
        raise IntegrityError(place, "is cut", remedy=REMEDY)
    return stages


def _whole(row: Mapping[str, Any]) -> bool:
    """Whether a row of outs ends as DVC ends it; a file has a size, a folder its number of files too."""
    return bool(row["path"] and row["md5"]) and "size" in row and ("nfiles" in row or not row["md5"].endswith(".dir"))


def locked_md5(lock: str | bytes, out: str, place: Path | str = LOCK) -> str | None:
    """What a lock's text holds for an out, None where it has no such out. An IntegrityError as `stages_of` says."""
    rows = (row for stage in stages_of(lock, place).values() for row in stage["outs"])
    return next((str(row["md5"]) for row in rows if row["path"] == out), None)


def agrees(folder: Path, digests: Mapping[str, Digests]) -> bool:
    """Compare a model with its lock: False if there is none or it has no such out, an IntegrityError if it differs."""
    path, out = witness_of(folder)
    lock = read_lock(path)
    expected = None if lock is None else locked_md5(lock, out, path)
    if expected is None:
        return False
    found = folder_md5(digests)
    if found != expected:
        raise IntegrityError(folder, f"MD5 of all files is {found}, {path.name} has {expected}")
    return True


def recorded_by(folder: Path) -> dict[str, str] | None:
    """The commit whose dvc.lock first had a model as the lock has it now: {"commit": …, "date": ISO 8601}.

    Asked from Git, for no file can name the commit that holds its own hash. None where there is no lock, no such out,
    no Git, or where the lock is not committed yet.
    """
    path, out = witness_of(folder)
    lock = read_lock(path)
    md5 = None if lock is None else locked_md5(lock, out, path)
    if md5 is None:
        return None
    try:
        log = subprocess.run(
            ["git", "log", "--format=%H %cI", f"-S{md5}", "--", path.name],
            cwd=path.parent, capture_output=True, text=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:  # no Git on this machine
        return None
    lines = log.stdout.split("\n")
    first = next((line for line in reversed(lines) if line), None)
    return dict(zip(("commit", "date"), first.split(" "), strict=True)) if first else None
