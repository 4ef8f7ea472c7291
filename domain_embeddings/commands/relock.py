"""Bring the hashes of code in dvc.lock up to date where only comments, docstrings or the format have changed.

python -m domain_embeddings relock    # `make relock`; exit code 1, and nothing written, where code changed its meaning

The lock's version of a file or folder is looked up in Git's history by its hash. Two versions mean the same if they
have the same files, whose syntax trees are equal without strings that stand alone. A file that reads its own `__doc__`
keeps them: there they are data.
"""

import ast
import functools
import hashlib
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import typer

from domain_embeddings.core.errors import TOLD, UserError, give_up
from domain_embeddings.packaging.manifest import Digests, folder_md5

LOCK = Path("dvc.lock")
_ROW = re.compile(
    r"(?P<head>(?m:^) *+- path: (?P<path>.+)\n +hash: md5\n +md5: )(?P<md5>\w{32}(?:\.dir)?)(?P<size>\n +size: )\d+"
    r"(?P<files>\n +nfiles: )?(?(files)\d+)"
)
_IGNORED = re.compile(r"(^|/)(__pycache__/|\.DS_Store$)|\.pyc$")
"""What .dvcignore keeps out of a folder."""

Files = Mapping[str, bytes]
"""Path below a dependency → content; a dependency that is a file has one, with an empty path."""


def digest(files: Files) -> str:
    """As DVC hashes a file or a folder."""
    if list(files) == [""]:
        return _md5(files[""])
    return folder_md5({name: Digests("", _md5(content)) for name, content in files.items()})


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def present(path: str) -> Files:
    """A dependency as it lies there; empty where it does not."""
    root = Path(path)
    if root.is_file():
        return {"": root.read_bytes()}
    found = {file.relative_to(root).as_posix(): file for file in root.rglob("*") if file.is_file()}
    return {name: file.read_bytes() for name, file in found.items() if not _IGNORED.search(name)}


def is_code(path: str) -> bool:
    """Whether a dependency is a Python file or a folder with some."""
    return path.endswith(".py") or any(Path(path).rglob("*.py"))


def meaning(source: bytes) -> str:
    """A module's syntax tree, without strings that stand alone; a SyntaxError where it is none."""
    tree = ast.parse(source)
    if b"__doc__" not in source:
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list):
                node.body = [part for part in body if not _is_text(part)] or [ast.Pass()]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def versions(path: str) -> Iterator[Files]:
    """What Git has of a dependency, the newest first."""
    for commit in _git("log", "--all", "--format=%H", "--", path).decode().split():
        rows = [row.split("\t") for row in _git("ls-tree", "-rz", commit, "--", path).decode().split("\0") if row]
        yield {name[len(path) :].lstrip("/"): _blob(head.split()[2]) for head, name in rows}


@functools.cache
def _blob(name: str) -> bytes:
    return _git("cat-file", "blob", name)


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], capture_output=True, check=True).stdout


def problem(path: str, locked: str) -> str | None:
    """Why a dependency cannot be taken for what the lock has, if it cannot."""
    now = present(path)
    if not now:
        return f"{path}: is not there any more"
    before = next((files for files in versions(path) if files and digest(files) == locked), None)
    if before is None:
        return f"{path}: Git has no version with the lock's hash to compare with"
    if other := sorted(set(before) ^ set(now)):
        return f"{path}/{other[0]}: {'is new' if other[0] in now else 'is not there any more'}"
    changed = (_changed(f"{path}/{name}".rstrip("/"), before[name], now[name]) for name in sorted(now))
    return next((said for said in changed if said), None)


def _changed(path: str, before: bytes, now: bytes) -> str | None:
    try:
        same = before == now or (path.endswith(".py") and meaning(before) == meaning(now))
    except SyntaxError as error:
        return f"{path}: line {error.lineno}: {error.msg}"
    return None if same else f"{path}: means something else now"


def relocked(text: str) -> tuple[str, list[str]]:
    """The lock's text with the present hashes, and what changed; a UserError where something means otherwise."""
    code = {row["path"]: row["md5"] for row in _ROW.finditer(text) if is_code(row["path"])}
    now = {path: present(path) for path in code}
    stale = sorted(path for path, files in now.items() if not files or digest(files) != code[path])
    if problems := [found for path in stale if (found := problem(path, code[path]))]:
        raise UserError("\n".join([f"{LOCK} stays as it is; run `dvc repro`:", *problems]))

    def renewed(row: re.Match[str]) -> str:
        files = now.get(row["path"])
        if files is None:
            return row[0]
        size = f"{row['head']}{digest(files)}{row['size']}{sum(map(len, files.values()))}"
        return size + (f"{row['files']}{len(files)}" if row["files"] else "")

    return _ROW.sub(renewed, text), stale


def relock() -> None:
    """Renew the hashes of code in dvc.lock where only comments, docstrings or format changed; else exit code 1."""
    try:
        text, changed = relocked(LOCK.read_text(encoding="utf-8"))
    except TOLD as error:
        give_up(error)
    LOCK.write_text(text, encoding="utf-8")
    typer.echo("\n".join(changed) or "dvc.lock has the code as it is")
