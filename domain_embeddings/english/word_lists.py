"""The word lists of the rules: words/<name>.txt, an entry a line, under a comment that says what the entries are."""

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files


@cache
def _entries(name: str) -> tuple[str, ...]:
    lines = files(__package__).joinpath("words", f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if not line.startswith("#"))


def word_list(name: str) -> frozenset[str]:
    """The entries of a list: words or phrases."""
    return frozenset(_entries(name))


def word_table(name: str) -> dict[str, tuple[str, ...]]:
    """The entries of a table, "key: value, value" each, in the file's order; a key may have several lines."""
    table: dict[str, tuple[str, ...]] = {}
    for key, _, values in (entry.partition(": ") for entry in _entries(name)):
        table[key] = table.get(key, ()) + tuple(values.split(", "))
    return table


def any_of(phrases: Iterable[str]) -> str:
    """A pattern of any of the phrases; where two start alike, the longer is tried first."""
    return "|".join(map(re.escape, sorted(phrases, key=lambda phrase: (-len(phrase), phrase))))
