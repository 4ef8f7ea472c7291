"""Which commit recorded a model: asked from Git, for no file can name the commit that holds its own hash."""

import subprocess
from pathlib import Path

from domain_embeddings.packaging.manifest import locked_md5


def recorded_by(lock: Path, out: str) -> dict[str, str] | None:
    """The commit whose dvc.lock first had an out as the lock has it now: {"commit": …, "date": ISO 8601 of the commit}.

    None where there is no lock, no such out, no Git, or where the lock is not committed yet.
    """
    md5 = locked_md5(lock.read_bytes(), out) if lock.is_file() else None
    if md5 is None:
        return None
    try:
        log = subprocess.run(
            ["git", "log", "--format=%H %cI", f"-S{md5}", "--", lock.name],
            cwd=lock.parent, capture_output=True, text=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:  # no Git on this machine
        return None
    lines = log.stdout.split("\n")
    first = next((line for line in reversed(lines) if line), None)
    return dict(zip(("commit", "date"), first.split(" "), strict=True)) if first else None
