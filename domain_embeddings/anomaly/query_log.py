"""A log of decisions, a JSON object a line, in which removed, changed, added and reordered lines show.

Each line holds its number and the hash of the line before it, and a hash of itself: whoever edits a line must rewrite
all that follow, and a log whose last hash is kept elsewhere cannot even be shortened unseen. Queries themselves
are not kept, only their HMAC under a key that is not in the log. Threads and processes may append to one file: a lock
on it makes lines whole and the chain one. Log and key are plain files that their owner alone may read.
"""

import fcntl
import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from domain_embeddings.core.errors import DataError

GENESIS = "0" * 64
"""What the first line has for the hash of the line before it."""
KEY = "DOMAIN_EMBEDDINGS_LOG_KEY"
"""The environment variable that holds the key of queries' hashes."""
_BLOCK = 4096
_OWNERS = 0o600


class ChainError(DataError):
    """A log that is not as it was written. The message names the line."""


def append(path: Path, rows: Iterable[Mapping[str, Any]]) -> str:
    """Add rows and return the hash of the last line. Values must be JSON's.

    A half line at the end, as a crash or a full disk leaves it, moves to `<path>.torn`, and the chain goes on behind
    the last whole line. Raises a ChainError where that was changed, a DataError where the path is no plain file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _opened(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed; each call has an open file of its own
        _heal(path, file)
        number, last = _end(path, file)
        lines = []
        for row in rows:
            number += 1
            line = _sealed(number, last, row)
            last = line["hash"]
            lines.append(_bytes(line) + b"\n")
        file.write(b"".join(lines))
        file.flush()
        os.fsync(file.fileno())
    return last


def check(path: Path, head: str | None = None) -> tuple[int, str]:
    """How many lines a log has, and the hash of the last; a ChainError at the first that is not as it was written.

    With `head`, the hash of a last line that was kept elsewhere, also where that line is not in the log any more.
    """
    number, last, seen = 0, GENESIS, head is None or head == GENESIS
    for number, line in _lines(path):
        _check_line(path, number, last, line)
        last = line["hash"]
        seen = seen or last == head
    if not seen:
        raise ChainError(path, f"no line has the hash {head}", remedy="lines were cut off behind line " + str(number))
    return number, last


def query_hash(query: str, key: bytes) -> str:
    """HMAC-SHA256 of a query's text in hex (RFC 2104); half surrogate pairs, which no text has, count as they are.

    Equal queries have equal hashes under one key; who does not have it cannot try what a short query was.
    """
    return hmac.new(key, query.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def key_of(path: Path) -> bytes:
    """The key for a log: that of the environment (KEY), else a random one, kept beside the log as `<path>.key`."""
    if given := os.environ.get(KEY):
        return given.encode()
    kept = path.with_name(f"{path.name}.key")
    kept.parent.mkdir(parents=True, exist_ok=True)
    with _opened(kept) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        key = file.read()
        if not key:
            key = secrets.token_hex(32).encode()
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
    return key


def _opened(path: Path) -> IO[bytes]:
    """A plain file, to read and to append to; a new one is its owner's alone. Links are not followed."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, _OWNERS)
    except OSError as error:
        remedy = "name a plain file" if path.is_symlink() or path.is_dir() else ""
        raise DataError(path, f"cannot be written: {error.strerror}", remedy=remedy) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise DataError(path, "is no plain file", remedy="name one")
    return os.fdopen(descriptor, "a+b")


def _heal(path: Path, file: IO[bytes]) -> None:
    """Move a half line at the end to `<path>.torn`."""
    position = end = file.seek(0, os.SEEK_END)
    while position:
        step = min(_BLOCK, position)
        position -= step
        file.seek(position)
        if (found := file.read(step).rfind(b"\n")) >= 0:
            position += found + 1
            break
    if position == end:
        return
    file.seek(position)
    with _opened(path.with_name(f"{path.name}.torn")) as torn:
        torn.write(file.read() + b"\n")
    file.truncate(position)


def _check_line(path: Path, number: int, last: str, line: Mapping[str, Any]) -> None:
    """Raise a ChainError unless a line has its number, the hash of the one before, and its own."""
    if line.get("n") != number:
        raise ChainError(path, f"is numbered {line.get('n')!r}", line=number, remedy="lines were removed or added")
    if line.get("previous") != last:
        raise ChainError(path, f"follows {line.get('previous')!r}, not {last}", line=number)
    if line.get("hash") != _hash(line):
        raise ChainError(path, "was changed: its hash is of other content", line=number)


def _sealed(number: int, previous: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its place in the chain and its hash."""
    line = {**row, "n": number, "previous": previous}
    return {**line, "hash": _hash(line)}


def _hash(line: Mapping[str, Any]) -> str:
    return hashlib.sha256(_bytes({key: value for key, value in line.items() if key != "hash"})).hexdigest()


def _bytes(line: Mapping[str, Any]) -> bytes:
    """One form for one value: sorted keys, no spaces, ASCII, no NaN."""
    return json.dumps(line, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            yield number, _parsed(path, number, raw)


def _parsed(path: Path, number: int | None, raw: bytes) -> dict[str, Any]:
    """A line as it was written, byte for byte, or a ChainError."""
    try:
        line = json.loads(raw)
        whole = isinstance(line, dict) and _bytes(line) + b"\n" == raw
    except (ValueError, RecursionError):
        whole = False
    if not whole:
        raise ChainError(path, "a line is not as it was written", line=number, remedy="cut short or edited")
    return dict(line)


def _end(path: Path, file: IO[bytes]) -> tuple[int, str]:
    """Number and hash of the last line, read from the end however long the log is."""
    position = file.seek(0, os.SEEK_END)
    tail = b""
    while position and tail.count(b"\n") < 2:
        step = min(_BLOCK, position)
        position -= step
        file.seek(position)
        tail = file.read(step) + tail
    if not tail:
        return 0, GENESIS
    line = _parsed(path, None, tail.splitlines(keepends=True)[-1])
    if line.get("hash") != _hash(line):
        raise ChainError(path, "the last line was changed", remedy="`verify-log` says where; begin a new log")
    return int(line["n"]), str(line["hash"])
