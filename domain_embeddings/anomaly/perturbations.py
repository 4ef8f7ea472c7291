"""Other ways to write a query that mean the same: what a search must not be thrown off by."""

import random
import unicodedata
from collections.abc import Callable, Mapping

_HOMOGLYPHS = str.maketrans("aeopcxAEOPCXKMHBT", "аеорсхАЕОРСХКМНВТ")
"""Latin → Cyrillic letters that look the same."""
_FULL_WIDTH = str.maketrans({code: code + 0xFEE0 for code in range(0x21, 0x7F)})
_LEAST = 4
"""Letters of a word that somebody mistypes."""
_NEIGHBOUR_KEYS = dict(zip("qwertyuiopasdfghjklzxcvbnm", "wertyuioiosdfghjklkxcvbnmn", strict=True))


def _alternate(text: str) -> str:
    return "".join(c.upper() if i % 2 else c.lower() for i, c in enumerate(text))


def _longest(text: str) -> tuple[str, int]:
    """The first of the longest words, and where it begins: where a typing error is likeliest."""
    words = text.split()
    longest = max(words, key=len)
    return longest, text.index(longest)


def _in_longest(change: Callable[[str, int], str]) -> Callable[[str], str]:
    """Apply a change to the middle of the longest word; words of fewer than `_LEAST` letters are left alone."""

    def changed(text: str) -> str:
        word, start = _longest(text)
        if len(word) < _LEAST:
            return text
        return text[:start] + change(word, len(word) // 2) + text[start + len(word) :]

    return changed


def _homoglyphs(text: str) -> str:
    """Every second letter that has a double, so that each word still shows what script it is in."""
    generator = random.Random(len(text))
    return "".join(c.translate(_HOMOGLYPHS) if generator.random() < 0.5 else c for c in text)


SAME: Mapping[str, Callable[[str], str]] = {
    "case/upper": str.upper,
    "case/lower": str.lower,
    "case/title": str.title,
    "case/alternating": _alternate,
    "space/around": lambda text: f"  \n{text}\t ",
    "space/doubled": lambda text: text.replace(" ", "   "),
    "space/tabs": lambda text: text.replace(" ", "\t"),
    "space/no-break": lambda text: text.replace(" ", "\u00a0"),
    "unicode/decomposed": lambda text: unicodedata.normalize("NFD", text),
    "unicode/full width": lambda text: text.translate(_FULL_WIDTH),
    "homoglyphs/Cyrillic": _homoglyphs,
    "zero width/spaces": lambda text: "\u200b".join(text),
    "zero width/joiners": lambda text: text.replace(" ", " \u200d"),
    "zero width/soft hyphens": lambda text: "\u00ad".join(text),
    "zero width/marks": lambda text: f"\ufeff\u200f{text}\u200e",
}
"""Writings that only look different: group/name → what it does. The ranking must stay the same."""

_SLIPS: Mapping[str, Callable[[str, int], str]] = {
    "swapped letters": lambda word, i: word[: i - 1] + word[i] + word[i - 1] + word[i + 1 :],
    "missing letter": lambda word, i: word[:i] + word[i + 1 :],
    "doubled letter": lambda word, i: word[:i] + word[i] + word[i:],
    "neighbouring key": lambda word, i: word[:i] + _NEIGHBOUR_KEYS.get(word[i].lower(), word[i]) + word[i + 1 :],
}
"""A word with a mistake at its letter i ≥ 1."""

MISTAKES: Mapping[str, Callable[[str], str]] = {
    **{f"typo/{name}": _in_longest(slip) for name, slip in _SLIPS.items()},
    "typo/no end mark": lambda text: text.rstrip("?.! "),
    "typo/end marks": lambda text: f"{text}???!!",
}
"""Writings with a mistake: the first passage must stay among the first few."""


def misspelt(text: str, share: float, generator: random.Random) -> str:
    """The text with a random typing error in about a `share` of its words of four letters and more."""
    return " ".join(
        generator.choice(list(_SLIPS.values()))(word, generator.randrange(1, len(word) - 1))
        if len(word) >= _LEAST and generator.random() < share
        else word
        for word in text.split()
    )
