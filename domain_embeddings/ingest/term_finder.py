"""Finds many terms in a text at once, as whole words."""

import re
import unicodedata
from collections import deque
from collections.abc import Iterable

Key = tuple[str, ...]
"""What a term is known by: its words."""

_WORD = re.compile(r"[^\W_]+(?:[-./'][^\W_]+)*(?:[+#]+(?![\w+#]))?|[°%&]")
_MARKS = str.maketrans({"’": "'", "‐": "-", "\u00ad": None})


def key_of(text: str) -> Key:
    """The words of a text in one form: case, Unicode form and a possessive 's do not count.

    As in `core.text.words` a code stays whole ("5W-30"). The signs that tell one term from another count too: C++ is
    not C, and °C is two words, so that it stands in "20 °C" alone.
    """
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_MARKS)
    return tuple(word.removesuffix("'s") for word in _WORD.findall(plain))


class TermFinder:
    """Finds which of many terms stand in a text: Aho and Corasick's automaton, over words (CACM 18(6), 1975).

    The time is that of the text's words and the terms that are found, however many terms there are and however they
    overlap.
    """

    def __init__(self, terms: Iterable[Key]) -> None:
        """Take the keys of the terms; an empty one is never found."""
        self._next: list[dict[str, int]] = [{}]
        self._ends: dict[int, Key] = {}
        for term in terms:
            self._ends[self._state_of(term)] = term
        self._ends.pop(0, None)
        self._fallback = [0] * len(self._next)  # the state of the longest other suffix that begins a term
        self._shorter = [0] * len(self._next)  # the nearest fallback that ends a term
        self._connect()

    def _state_of(self, term: Key) -> int:
        state = 0
        for word in term:
            state = self._next[state].setdefault(word, len(self._next))
            if state == len(self._next):
                self._next.append({})
        return state

    def _connect(self) -> None:
        states = deque(self._next[0].values())
        while states:
            state = states.popleft()
            for word, longer in self._next[state].items():
                fallback = self._step(self._fallback[state], word)
                self._fallback[longer] = fallback
                self._shorter[longer] = fallback if fallback in self._ends else self._shorter[fallback]
                states.append(longer)

    def _step(self, state: int, word: str) -> int:
        while state and word not in self._next[state]:
            state = self._fallback[state]
        return self._next[state].get(word, 0)

    def find(self, words: Iterable[str]) -> set[Key]:
        """The terms that stand in a text, given its words; one within another counts too."""
        found: set[int] = set()
        state = 0
        for word in words:
            state = self._step(state, word)
            end = state if state in self._ends else self._shorter[state]
            while end and end not in found:
                found.add(end)
                end = self._shorter[end]
        return {self._ends[end] for end in found}
