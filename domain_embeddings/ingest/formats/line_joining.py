"""Putting hard-wrapped lines together again: spaces between them, hyphenation undone."""

import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_FIRST = re.compile(r"^[^\W\d_]+")
_HYPHENS = "-\u2010\u2011\ufe63\uff0d"
_LONGEST_WORD = 60
_PREFIXES = "re un de dis mis non pre sub over under up down out in on off inter trans super anti pro con com"
_COMPOUND_FIRST = """
one two three four five six seven eight nine ten half quarter single double triple multi self cross
high low heavy light
"""
_NEVER_ALONE, _COMPOUNDING = frozenset(_PREFIXES.split()), frozenset(_COMPOUND_FIRST.split())
SOFT_HYPHEN = "\u00ad"


def _broken_word(line: str) -> str:
    """The letters and digits before the hyphen at a line's end, as many as a word has; "" without such a hyphen."""
    if not line or line[-1] not in _HYPHENS:
        return ""
    begin = len(line) - 1
    while begin > 0 and len(line) - begin <= _LONGEST_WORD and (line[begin - 1].isalnum() or line[begin - 1] == "_"):
        begin -= 1
    return line[begin:-1]


class Vocabulary:
    """The words of a document that stand unbroken in it; they decide what a hyphen at a line end is."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Take the words of a document's lines but those broken at a line end."""
        self._words: set[str] = set()
        for line in lines:
            whole = line.rstrip()
            broken = _broken_word(whole)
            self._words.update(_WORD.findall((whole[: -1 - len(broken)] if broken else whole).casefold()))

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
    return line.endswith(SOFT_HYPHEN) or _broken_word(line) != ""


def _joint(first: str, second: str, vocabulary: Vocabulary) -> tuple[int, str]:
    """(signs to leave out at the end of `first`, what to put before `second`) where two lines become one."""
    if first.endswith(SOFT_HYPHEN):
        return 1, ""
    word, following = _broken_word(first), _FIRST.match(second)
    if not word or second.split(" ", 1)[0] in ("and", "or", "to"):
        return 0, " "
    if not following or not word.isalpha() or not following[0].islower():
        return 0, ""
    return 0 if vocabulary.keeps_hyphen(word, following[0]) else 1, ""


def join_lines(lines: Iterable[str], vocabulary: Vocabulary) -> str:
    """One text of several lines, white space collapsed."""
    parts: list[str] = []
    end = ""
    for line in (" ".join(line.split()) for line in lines):
        if parts and line:
            left_out, glue = _joint(end, line, vocabulary)
            parts[-1] = parts[-1][: len(parts[-1]) - left_out]
            end = end[: len(end) - left_out] + glue
            parts.append(glue)
        if line:
            parts.append(line)
            end = (end + line)[-_LONGEST_WORD - 2 :]
    return "".join(parts).replace(SOFT_HYPHEN, "")
