"""A packaged model: a complete sentence-transformers folder with a card, and a manifest of every file's SHA-256."""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from domain_embeddings.dataset import write_json

MANIFEST, CARD = "manifest.json", "model_card.json"
WEIGHTS = "model.safetensors"


def sha256(path: Path) -> str:
    """A file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def package(model: Path, card: Mapping[str, Any], folder: Path) -> None:
    """Copy a model's folder, add its card with the hash of its weights, then the manifest of all that is there."""
    shutil.copytree(model, folder, symlinks=False)
    write_json(folder / CARD, {**card, "weights_sha256": sha256(folder / WEIGHTS)})
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    write_json(folder / MANIFEST, {path.relative_to(folder).as_posix(): sha256(path) for path in files})
