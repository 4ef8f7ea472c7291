"""Keep the last whole dvc.lock, and put it back where a run was killed while DVC wrote it.

python -m scripts.keep_lock    # `make repro` does, before DVC reads the lock; exit status 1: cut, and none was kept

What finished since the kept one was written is in DVC's run cache, so it is fetched from there and not run again.
"""

import os
from pathlib import Path

from domain_embeddings.core.errors import IntegrityError, give_up
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
    """Keep, or put back and print it."""
    try:
        if said := keep():
            print(said)
    except IntegrityError as error:
        give_up(error)


if __name__ == "__main__":
    main()
