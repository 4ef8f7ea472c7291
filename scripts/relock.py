"""Bring the hashes of code in dvc.lock up to date where only comments, docstrings or the format have changed.

python -m scripts.relock    # `make relock`; exit status 1, and nothing written, where code means something else now

The lock's version of a file is looked up in Git's history by its hash. Two versions mean the same if their syntax trees
are equal without strings that stand alone. A file that reads its own `__doc__` keeps them: there they are data.
"""

import ast
import hashlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from domain_embeddings.errors import UserError, give_up

LOCK = Path("dvc.lock")
_ROW = re.compile(r"(- path: (?P<path>.+\.py)\n +hash: md5\n +md5: )(?P<md5>\w{32})(\n +size: )(?P<size>\d+)(?=\n)")


def md5(content: bytes) -> str:
    """As DVC hashes a file."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


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


def versions(path: str) -> Iterator[bytes]:
    """What Git has of a file, the newest first."""
    listed = subprocess.run(
        ["git", "log", "--all", "--format=%H", "--", path], capture_output=True, text=True, check=True
    )
    for commit in listed.stdout.split():
        shown = subprocess.run(["git", "show", f"{commit}:./{path}"], capture_output=True, check=False)
        if shown.returncode == 0:
            yield shown.stdout


def problem(path: str, locked: str) -> str | None:
    """Why a file cannot be taken for what the lock has, if it cannot."""
    if not Path(path).is_file():
        return "is not there any more"
    before = next((found for found in versions(path) if md5(found) == locked), None)
    if before is None:
        return "Git has no version with the lock's hash to compare with"
    try:
        same = meaning(before) == meaning(Path(path).read_bytes())
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    return None if same else "means something else now"


def relocked(text: str) -> tuple[str, list[str]]:
    """The lock's text with the present hashes, and the files that changed; a UserError where one means otherwise."""
    stale = {
        (row["path"], row["md5"])
        for row in _ROW.finditer(text)
        if not Path(row["path"]).is_file() or md5(Path(row["path"]).read_bytes()) != row["md5"]
    }
    problems = [f"{path}: {found}" for path, locked in sorted(stale) if (found := problem(path, locked))]
    if problems:
        raise UserError("\n".join([f"{LOCK} stays as it is; run `dvc repro`:", *problems]))

    def present(row: re.Match[str]) -> str:
        content = Path(row["path"]).read_bytes()
        return f"{row[1]}{md5(content)}{row[4]}{len(content)}"

    return _ROW.sub(present, text), sorted({path for path, _ in stale})


def main() -> None:
    """Compare, write, say."""
    try:
        text, changed = relocked(LOCK.read_text(encoding="utf-8"))
    except UserError as error:
        give_up(error)
    LOCK.write_text(text, encoding="utf-8")
    print("\n".join(changed) or "dvc.lock has the code as it is")


if __name__ == "__main__":
    main()
