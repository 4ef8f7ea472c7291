"""Is a model's folder byte for byte what was packaged?

Three witnesses, each weaker alone: the manifest (SHA-256 of every file) shows damage; dvc.lock, kept in Git, shows who
changed a file and the manifest with it; a signature (`signature.py`) shows it where there is no Git either. What is
loaded is a private copy, hashed while it is made, so that nobody can exchange a file between check and use.
"""

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain_embeddings.core.errors import DataError, IntegrityError
from domain_embeddings.encoding.encoder_config import EncoderConfig

MANIFEST = "manifest.json"
DATA_FILES = (".json", ".txt", ".safetensors", ".model", ".md")
"""Kinds of file that a model may hold: never code (.py), never what may hold a pickle (.bin, .pt, .pkl, .ckpt, …)."""
INT8 = "int8"
EXPORTED = (f"{INT8}/model.xml", f"{INT8}/model.bin")
"""The int8 export: a graph and its bare numbers, which OpenVINO reads as such and never unpickles."""
MODULES = ("Transformer", "Pooling", "Dense", "Normalize")
"""Parts of sentence_transformers that a model may name: others can name further classes, or load pickles."""
CHUNK = 1 << 20


@dataclass(frozen=True)
class Digests:
    """A file's SHA-256 (for the manifest) and MD5 (for dvc.lock), in hex."""

    sha256: str
    md5: str


def files_of(folder: Path) -> dict[str, Path]:
    """Relative name → path of every file below a folder. Opens none.

    Raises an IntegrityError for what is neither a file nor a folder: links, pipes, devices.
    """
    if folder.is_symlink() or not folder.is_dir():
        problem = "is a link" if folder.is_symlink() else "no such folder"
        raise IntegrityError(folder, problem, remedy="`dvc checkout`, `dvc pull` or `dvc get` bring a model")
    return dict(sorted((path.relative_to(folder).as_posix(), path) for path in _walk(folder)))


def _walk(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield Path(entry.path)
            else:
                kind = "a link" if entry.is_symlink() else "neither file nor folder"
                raise IntegrityError(entry.path, f"is {kind}", remedy="a model holds plain files only")


def read(path: Path, sink: Callable[[bytes], Any] = lambda _: None) -> Digests:
    """Hash a file, handing its bytes on as they are read. A link put there meanwhile is not followed."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise IntegrityError(path, f"cannot be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise IntegrityError(path, "is not a plain file")
        while block := file.read(CHUNK):
            for use in (sha256.update, md5.update, sink):
                use(block)
    return Digests(sha256.hexdigest(), md5.hexdigest())


def write_manifest(folder: Path, manifest: Path) -> None:
    """Write the SHA-256 of every file of a folder but the manifest itself."""
    files = {name: read(path).sha256 for name, path in files_of(folder).items() if path != manifest}
    manifest.write_bytes(_manifest_bytes(files))


def _manifest_bytes(manifest: Mapping[str, str]) -> bytes:
    return (json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def read_manifest(path: Path) -> dict[str, str]:
    """File name → SHA-256. A manifest with one byte other than `write_manifest` writes is an IntegrityError."""
    try:
        content = path.read_bytes()
        manifest: dict[str, str] = json.loads(content)
        plain = isinstance(manifest, dict) and all(isinstance(digest, str) for digest in manifest.values())
        written = plain and _manifest_bytes(manifest) == content
    except (OSError, ValueError, RecursionError) as error:
        raise IntegrityError(path, f"cannot be read: {error}") from error
    if not written:
        raise IntegrityError(path, "is not as `package` wrote it")
    return manifest


def check_names(folder: Path, found: Mapping[str, Path], manifest: Mapping[str, str]) -> None:
    """Raise an IntegrityError for a file that was removed, added or of a kind that may hold code. Opens none."""
    for name, path in found.items():
        if path.suffix not in DATA_FILES and name not in EXPORTED:
            raise IntegrityError(path, "may hold code or pickles", remedy=f"a model holds {', '.join(DATA_FILES)}")
        if name not in manifest:
            raise IntegrityError(path, f"was added: {MANIFEST} does not have it")
    for name, digest in manifest.items():
        if name not in found:
            raise IntegrityError(folder / name, f"is missing; {MANIFEST} has it with SHA-256 {digest}")


def copy_checked(found: Mapping[str, Path], manifest: Mapping[str, str], target: Path) -> dict[str, Digests]:
    """Copy files into an empty folder and hash what was copied; one that differs is an IntegrityError."""
    digests = {}
    for name, path in found.items():
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        with copy.open("wb") as file:
            digests[name] = read(path, file.write)
        expected = manifest.get(name, digests[name].sha256)  # the manifest does not have itself
        if digests[name].sha256 != expected:
            raise IntegrityError(path, f"SHA-256 is {digests[name].sha256}, {MANIFEST} has {expected}")
    return digests


def check_modules(copy: Path, folder: Path) -> None:
    """Raise an IntegrityError where modules.json asks for anything but the plain parts of sentence_transformers.

    And where these are not put together as `EncoderConfig.of` wants them.

    Reads the copy, and names the folder that it is a copy of.
    """
    path = folder / "modules.json"
    try:
        types = [row["type"] for row in json.loads((copy / "modules.json").read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise IntegrityError(path, f"does not list modules: {error!r}") from error
    for name in types:
        package, last = str(name).split(".")[0], str(name).rsplit(".", 1)[-1]
        if package != "sentence_transformers" or last not in MODULES:
            raise IntegrityError(path, f"names {name!r}", remedy=f"allowed are sentence_transformers' {MODULES}")
    try:
        EncoderConfig.of(copy)
    except DataError as error:
        raise IntegrityError(folder, f"cannot be run: {error}".replace(str(copy), str(folder))) from error


def folder_md5(digests: Mapping[str, Digests]) -> str:
    """What dvc.lock holds of a folder: the MD5 of a JSON list of its files, `.dir` behind it.

    The form is dvc_data's `Tree.as_bytes`: sorted by relpath, each {"md5": …, "relpath": …}.
    """
    rows = [{"md5": digests[name].md5, "relpath": name} for name in sorted(digests)]
    return hashlib.md5(json.dumps(rows).encode(), usedforsecurity=False).hexdigest() + ".dir"
