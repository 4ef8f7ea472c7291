"""What `make repro` does before DVC reads a file or runs a shell: check params.yaml, and keep the last whole dvc.lock.

python -m scripts.before_repro    # exit status 1: a wrong param, or a lock that is cut and none was kept

A lock that a killed run left cut is put back. What finished since the kept one was written is in DVC's run cache, so it
is fetched from there and not run again.
"""

import os
from pathlib import Path

from domain_embeddings.commands.check_params import check
from domain_embeddings.core.errors import TOLD, IntegrityError, give_up
from domain_embeddings.packaging.dvc_lock import LOCK, read_lock, stages_of

KEPT = Path(".dvc/tmp") / f"{LOCK}.whole"


def keep() -> str | None:
    """Keep a whole lock, or put the kept one back and say so. An IntegrityError where there is none to put back."""
    lock = read_lock(Path(LOCK))
    if lock is None:
        return None
    try:
        stages_of(lock)
    except IntegrityError as error:
        kept = read_lock(KEPT)
        if kept is None:
            raise
        _write(Path(LOCK), kept)
        return f"{error}; the one of the last run's start is back"
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    _write(KEPT, lock)
    return None


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    os.replace(part, path)


def main() -> None:
    """Keep, or put back and print it; then check all params, names of corpora among them: they go into commands."""
    try:
        if said := keep():
            print(said)
        check([])
    except TOLD as error:
        give_up(error)


if __name__ == "__main__":
    main()
