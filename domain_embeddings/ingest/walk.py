"""The files of a corpus's folder. What is no regular file in it is named with its reason, so that nothing vanishes.

A link is followed where it leads to something within the folder that is not read at its own place, such as the folders
that Kubernetes mounts. One that leads out is not: what lies there is no part of the corpus.
"""

import os
import stat
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from domain_embeddings.core.dataset import Reject
from domain_embeddings.core.errors import DataError
from domain_embeddings.ingest.alias_lists import ALIASES, SYNONYMS
from domain_embeddings.ingest.dev_log import DEV_LOG
from domain_embeddings.ingest.inside import LEADS_OUT

LISTS = frozenset((ALIASES, SYNONYMS, DEV_LOG))
"""Files that the folder of any kind may have, beside those of its kind."""
HIDDEN = "hidden: its name begins with a dot"
_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@dataclass
class Walked:
    """What lies below a folder: its files by name (relative, with slashes), sorted, and what is none of them."""

    files: dict[str, Path] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)


def shown(name: str) -> str:
    """A file's name as it can be printed and written: what is no UTF-8 or no printable sign is escaped."""
    decoded = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in decoded)


def walk(folder: Path) -> Walked:
    """All files below a folder, or a `DataError` where there is no such folder."""
    if not folder.is_dir():
        raise DataError(folder, "not a folder" if folder.exists() else "folder not found")
    found = _Walk(folder)
    files = dict(sorted(found.walked.files.items()))
    return Walked(files, sorted(found.walked.rejects, key=lambda reject: reject.place))


class _Walk:
    """A walk under way. Links are kept for last: what lies in the folder itself is read at its own place."""

    def __init__(self, folder: Path) -> None:
        self.walked = Walked()
        self._folder, self._root = folder, folder.resolve()
        self._seen: set[Path] = set()
        self._open: list[tuple[Path, Path]] = [(folder, self._root)]
        self._links: deque[Path] = deque()
        while self._open or self._links:
            if self._open:
                self._enter(*self._open.pop())
            else:
                self._follow(self._links.popleft())

    def _enter(self, path: Path, real: Path) -> None:
        """Look at what lies in a folder; `real` is its path without links."""
        if real in self._seen:
            self._reject(path, "a link to a folder that is read at its own place")
            return
        self._seen.add(real)
        try:
            names = sorted(os.listdir(path))
        except OSError as error:
            self._reject(path, f"cannot be opened: {error.strerror}")
            return
        for name in names:
            if name.startswith("."):
                self._reject(path / name, HIDDEN)
            elif name != shown(name):
                self._reject(path / name, "its name is not UTF-8, or has signs that cannot be printed")
            else:
                self._look(path / name, real / name)

    def _look(self, path: Path, real: Path) -> None:
        try:
            mode = path.lstat().st_mode
        except OSError as error:
            self._reject(path, f"cannot be opened: {error.strerror}")
            return
        if stat.S_ISLNK(mode):
            self._links.append(path)
        else:
            self._take(path, real, mode)

    def _take(self, path: Path, real: Path, mode: int) -> None:
        if stat.S_ISDIR(mode):
            self._open.append((path, real))
        elif stat.S_ISREG(mode) and real in self._seen:
            self._reject(path, "a link to a file that is read at its own place")
        elif stat.S_ISREG(mode):
            self._seen.add(real)
            self.walked.files[self._name(path)] = path
        else:
            self._reject(path, next((what for is_one, what in _KINDS if is_one(mode)), "no regular file"))

    def _follow(self, link: Path) -> None:
        try:
            target = link.resolve(strict=True)
            mode = target.stat().st_mode
        except (OSError, RuntimeError):  # a loop of links is the one or the other, by the version of Python
            self._reject(link, "a link that leads nowhere")
            return
        if target.is_relative_to(self._root):
            self._take(link, target, mode)
        else:
            self._reject(link, LEADS_OUT)

    def _name(self, path: Path) -> str:
        return shown(path.relative_to(self._folder).as_posix())

    def _reject(self, path: Path, reason: str) -> None:
        self.walked.rejects.append(Reject(self._name(path), reason))


def not_taken(walked: Walked, taken: Collection[str], reason: str) -> list[Reject]:
    """A `Reject` for whatever lies in a folder and is not `taken`; one for a folder of which nothing is."""
    kept = {*taken, *LISTS}
    used = {name.split("/")[0] for name in kept if "/" in name}
    left: dict[str, str] = {reject.place: reject.reason for reject in walked.rejects}
    for name in walked.files:
        top = name.split("/")[0]
        if name not in kept:
            left[name if top == name or top in used else f"{top}/"] = reason
    return [Reject(place, why) for place, why in sorted(left.items())]
