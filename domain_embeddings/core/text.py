"""Words, their stems, and sentences."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache

import Stemmer

_WORD = re.compile(r"[^\W_]+(?:[-./'’][^\W_]+)*")
_ABBREVIATIONS = r"\b(?:e\.g|i\.e|etc|vs|cf|approx|figs?|nos?|para?|sec|ref|max|min|dia|qty|mrs?|dr|st|inc|ltd)\.$"
_SENTENCE_END = re.compile(r"(?:(?<=[.!?])|(?<=[.!?][\"')\]]))\s+(?=[\"'(\[]?[A-Z0-9])")
_ABBREVIATION = re.compile(_ABBREVIATIONS, re.IGNORECASE)
_ASKING = "how what why when where which who whom whose do does did can could should would"
_QUESTION_WORDS = frozenset(_ASKING.split())
_FUNCTION_WORDS = """
a about above after again against ain all am an and any are aren aren't as at be because been before being below
between both but by can couldn couldn't d did didn didn't do does doesn doesn't doing don don't down during each few
for from further had hadn hadn't has hasn hasn't have haven haven't having he her here hers herself him himself his
how i if in into is isn isn't it it's its itself just ll m ma me mightn mightn't more most mustn mustn't my myself
needn needn't no nor not now o of off on once only or other our ours ourselves out over own re s same shan shan't she
she's should should've shouldn shouldn't so some such t than that that'll the their theirs them themselves then there
these they this those through to too under until up ve very was wasn wasn't we were weren weren't what when where
which while who whom why will with won won't wouldn wouldn't y you you'd you'll you're you've your yours yourself
yourselves
"""
"""NLTK's English stopwords, which are bm25s's STOPWORDS_EN_PLUS too: to import that package for a list of words would
take longer than all other imports of most stages."""
STOPWORDS = frozenset(_FUNCTION_WORDS.split()) | _QUESTION_WORDS


def words(text: str) -> list[str]:
    """The words of a text, case-folded and NFKC-normalized; part numbers and codes ("P0301", "5W-30") stay whole."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


@cache
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")


def stems(words_: Sequence[str]) -> list[str]:
    """The stem of each English word (Snowball's)."""
    return list(_stemmer().stemWords(words_))


def content_words(text: str) -> tuple[str, ...]:
    """The distinct stems of a text's words without stopwords, sorted; of all its words when nothing else is left."""
    found = words(text)
    kept = [word for word in found if word not in STOPWORDS] or found
    return tuple(sorted(set(stems(kept))))


def sentences(text: str) -> list[str]:
    """Split running text into sentences at . ! ? before a capital or digit, not after common abbreviations."""
    parts: list[list[str]] = []
    for piece in _SENTENCE_END.split(" ".join(text.split())):
        if parts and _ABBREVIATION.search(parts[-1][-1]):
            parts[-1].append(piece)
        elif piece:
            parts.append([piece])
    return [" ".join(pieces) for pieces in parts]


def without_repeats(items: Iterable[str]) -> list[str]:
    """The items in order, each once."""
    return list(dict.fromkeys(items))
