"""British and American spelling, and numbers in words, in one form: two texts that differ in these alone become equal.

Where a rule hits another word too ("discover" has a "disc"), it changes that word alike in every text.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from domain_embeddings.core.text import stems

Rules = Iterable[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]]

_PAIRS = """
grey gray|tyre tire|kerb curb|plough plow|mould mold|smoulder smolder|draught draft|gauge gage|cheque check|cosy cozy
aluminium aluminum|sulph sulf|licence license|defence defense|offence offense|pretence pretense|practise practice
manoeuvre maneuver|manoeuvring maneuvering|fibreglass fiberglass|artefact artifact|disc disk|enquir inquir|ageing aging
sceptic skeptic|judgement judgment|acknowledgement acknowledgment|jewellery jewelry|moustache mustache|pyjama pajama
aeroplane airplane|encyclopaed encycloped|learnt learned|burnt burned|spelt spelled|spoilt spoiled
"""
_AMERICAN = dict(pair.split() for pair in re.split(r"[|\n]", _PAIRS.strip()))
_UNITS = "two three four five six seven eight nine"
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_NUMBERS = {"one": 1, **{word: number for number, word in enumerate(f"{_UNITS} {_TEENS}".split(), start=2)}}
_NUMBERS |= {word: 10 * number for number, word in enumerate(_TENS.split(), start=2)}
_IN_WORDS = r"\b(?:({tens})(?:[\s-]+(one|{units}))?|({units}|{teens}))\b".format(
    tens="|".join(_TENS.split()), units="|".join(_UNITS.split()), teens="|".join(_TEENS.split())
)
"""A "one" is surely a number only after tens: "which one"."""
_RULES: Rules = (
    (re.compile(_IN_WORDS), lambda found: str(sum(_NUMBERS[word] for word in found.groups() if word))),
    (re.compile("|".join(_AMERICAN)), lambda found: _AMERICAN[found.group()]),
    (re.compile("(?<=[a-z]{2})our"), "or"),  # colour, vapour
    (re.compile(r"(?<=[tb])re(?=s?\b)"), "er"),  # centre, fibre
    (re.compile("(?<=[a-z]{3}(?:i|y))z(?=e|ing|ation|able|or)"), "s"),  # organize, analyze
)
_STEM_RULES: Rules = (
    (re.compile("(?:(?<=l)l|(?<=m)m)$"), ""),  # travelled, programme
    (re.compile("(?<=og)u$"), ""),  # catalogue
    (re.compile("(?<=[tb])r$"), "er"),  # centred, centring
)


def rewritten(text: str, rules: Rules) -> str:
    """A text after each rule in turn."""
    for pattern, replacement in rules:
        text = pattern.sub(replacement, text)
    return text


def one_spelling(text: str) -> str:
    """A lower-case text with its numbers below 100 in digits and its words as one side of the ocean writes them."""
    return rewritten(text, _RULES)


@lru_cache(maxsize=65536)
def spelled_stem(word: str) -> str:
    """The stem of a word of `one_spelling`; endings that only a stem shows are one as well (centre, center)."""
    return rewritten(stems([word])[0], _STEM_RULES)
