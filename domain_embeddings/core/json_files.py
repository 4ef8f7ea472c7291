"""Reading text and JSON that others wrote: whatever cannot be used is a `DataError` with file, line and remedy.

Beyond the standard (RFC 8259), JSON is refused that Python reads and others do not: NaN and infinities, integers of
more than 64 bits, half a surrogate pair, and values nested too deep to be written again.
"""

import json
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from domain_embeddings.core.errors import DataError

MOST_LEVELS = 100
"""Of lists and objects within one another."""
_BITS = 63
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[^\s"\[\]{}:,]++', re.DOTALL)


class _UnusableError(ValueError):
    """A number that is JSON to Python alone, as it is written."""

    def __init__(self, literal: str, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.literal, self.remedy = literal, remedy


def _constant(literal: str) -> float:
    raise _UnusableError(literal, f"{literal} is no JSON", "write null")


def _integer(literal: str) -> int:
    if len(literal) <= 20 and -(2**_BITS) <= int(literal) < 2**_BITS:
        return int(literal)
    raise _UnusableError(literal, f"an integer of more than 64 bits, {_short(literal)}", "write it as a string")


def _number(literal: str) -> float:
    value = float(literal)
    if math.isfinite(value):
        return value
    raise _UnusableError(literal, f"a number beyond all bounds, {_short(literal)}", "write null")


_DECODER = json.JSONDecoder(parse_constant=_constant, parse_int=_integer, parse_float=_number)


def _short(literal: str) -> str:
    return literal if len(literal) <= 24 else f"{literal[:20]}… of {len(literal)} signs"


def read_bytes(path: Path, remedy: str = "") -> bytes:
    """What a regular file holds; a `DataError` where there is none, or something else, or it cannot be opened."""
    try:
        if path.is_file():
            return path.read_bytes()
        exists, problem = path.exists(), "a folder, not a file" if path.is_dir() else "no regular file"
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror}", remedy=remedy) from error
    raise DataError(path, problem if exists else "file not found", remedy=remedy)


def read_text(path: Path, remedy: str = "save it as UTF-8") -> str:
    """What a file in UTF-8 holds, without a byte order mark."""
    raw = read_bytes(path, remedy)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(path, f"not valid UTF-8: {error.reason}", line=line, remedy=remedy) from error


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Line number from 1 and content. Only a line feed ends a line: Unicode's other line breaks may stand in an id."""
    yield from enumerate(read_text(path).split("\n"), start=1)


def parse(text: str, path: Path, *, line: int | None = None, remedy: str = "") -> Any:
    """The value that a text is. `line`: where the text stands in its file, for one that is a line of it."""
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        problem = f"not valid JSON: {error.msg}"
        raise DataError(path, problem, line=line or error.lineno, remedy=remedy) from error
    except _UnusableError as error:
        at = line or _line_of(text, error.literal.__eq__)
        raise DataError(path, str(error), line=at, remedy=error.remedy) from error
    except RecursionError as error:
        raise _too_deep(path, line, remedy) from error
    if text.count("[") + text.count("{") > MOST_LEVELS and _is_deep(value):
        raise _too_deep(path, line, remedy)
    if "\\u" in text and not _is_text(value):  # half a surrogate pair can be escaped in JSON, but never be written
        at = line or _line_of(text, lambda token: token.startswith('"') and not _is_text(json.loads(token)))
        raise DataError(path, "half a surrogate pair (\\ud800 to \\udfff)", line=at, remedy="remove it")
    return value


def _too_deep(path: Path, line: int | None, remedy: str) -> DataError:
    return DataError(path, f"lists and objects nested more than {MOST_LEVELS} levels deep", line=line, remedy=remedy)


def _is_deep(value: Any) -> bool:
    """Whether lists and objects lie within one another beyond `MOST_LEVELS`."""
    level, depth = [value], 0
    while level and depth <= MOST_LEVELS:
        inner = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list)]
        level, depth = [each for values in inner for each in values], depth + bool(inner)
    return depth > MOST_LEVELS


def _is_text(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _line_of(text: str, wanted: Callable[[str], bool]) -> int | None:
    """The line of the first string, number or word in JSON that is wanted."""
    found = next((token for token in _TOKEN.finditer(text) if wanted(token.group())), None)
    return text.count("\n", 0, found.start()) + 1 if found else None


def parse_object(text: str, path: Path, *, line: int | None = None, remedy: str = "") -> dict[str, Any]:
    """The object that a text is, as in `parse`."""
    value = parse(text, path, line=line, remedy=remedy)
    if not isinstance(value, dict):
        raise DataError(path, f"expected a JSON object, found {type(value).__name__}", line=line or 1, remedy=remedy)
    return value
