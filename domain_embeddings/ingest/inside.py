"""Files whose names are known: they are read where they lie in the corpus's folder, as whatever `walk` finds is."""

from pathlib import Path

from domain_embeddings.core.errors import DataError

LEADS_OUT = "a link that leads out of the folder"


def within(folder: Path, name: str) -> Path | None:
    """Where a file of that name lies in a folder; None where there is none, or a link leads out, which `walk` lists."""
    path = folder / name
    return path if path.exists() and path.resolve().is_relative_to(folder.resolve()) else None


def required(folder: Path, name: str) -> Path:
    """Where a file of that name should lie in a folder; a `DataError` for a link that leads out of it."""
    path = folder / name
    if path.exists() and within(folder, name) is None:
        raise DataError(path, LEADS_OUT, remedy="put the file itself there")
    return path
