"""Putting hard-wrapped lines together again: spaces between them, hyphenation undone."""

import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_BROKEN = re.compile(r"(\w+)-$")
_FIRST = re.compile(r"^[^\W\d_]+")
_PREFIXES = "re un de dis mis non pre sub over under up down out in on off inter trans super anti pro con com"
_COMPOUND_FIRST = """
one two three four five six seven eight nine ten half quarter single double triple multi self cross
high low heavy light
"""
_NEVER_ALONE, _COMPOUNDING = frozenset(_PREFIXES.split()), frozenset(_COMPOUND_FIRST.split())
SOFT_HYPHEN = "\u00ad"


class Vocabulary:
    """The words of a document that stand unbroken in it; they decide what a hyphen at a line end is."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Take the words of a document's lines but those broken at a line end."""
        self._words: set[str] = set()
        for line in lines:
            self._words.update(_WORD.findall(_BROKEN.sub("", line.rstrip()).casefold()))

    def keeps_hyphen(self, first: str, second: str) -> bool:
        """Whether `first`-`second`, found broken at its hyphen, is a compound and not one hyphenated word.

        The joined word elsewhere in the document says no, the hyphenated one says yes; else it is a
        compound when both parts are words of the document or the first is a number word ("three-way").
        """
        a, b = first.casefold(), second.casefold()
        if a + b in self._words:
            return False
        if f"{a}-{b}" in self._words or a in _COMPOUNDING:
            return True
        return a not in _NEVER_ALONE and min(len(a), len(b)) >= 3 and {a, b} <= self._words


def is_broken(line: str) -> bool:
    """Whether a line ends inside a word: in a soft hyphen, or a hyphen that directly follows a letter or digit."""
    return line.endswith(SOFT_HYPHEN) or _BROKEN.search(line) is not None


def _join_two(first: str, second: str, vocabulary: Vocabulary) -> str:
    if first.endswith(SOFT_HYPHEN):
        return first[:-1] + second
    broken, following = _BROKEN.search(first), _FIRST.match(second)
    if not broken:
        return f"{first} {second}"
    if second.split(" ", 1)[0] in ("and", "or", "to"):
        return f"{first} {second}"
    word = broken[1]
    if not following or not word.isalpha() or not following[0].islower():
        return first + second
    return first + second if vocabulary.keeps_hyphen(word, following[0]) else first[:-1] + second


def join_lines(lines: Iterable[str], vocabulary: Vocabulary) -> str:
    """One text of several lines, white space collapsed."""
    joined = ""
    for line in (" ".join(line.split()) for line in lines):
        joined = _join_two(joined, line, vocabulary) if joined and line else joined or line
    return joined.replace(SOFT_HYPHEN, "")
