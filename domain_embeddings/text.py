"""Words, sentences, and when two texts are the same in all but name."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

import Stemmer
from bm25s.stopwords import STOPWORDS_EN_PLUS
from datasketch import MinHash, MinHashLSH

_WORD = re.compile(r"[^\W_]+(?:[-./'’][^\W_]+)*")
_ABBREVIATIONS = r"\b(?:e\.g|i\.e|etc|vs|cf|approx|figs?|nos?|para?|sec|ref|max|min|dia|qty|mrs?|dr|st|inc|ltd)\.$"
_SENTENCE_END = re.compile(r"(?:(?<=[.!?])|(?<=[.!?][\"')\]]))\s+(?=[\"'(\[]?[A-Z0-9])")
_ABBREVIATION = re.compile(_ABBREVIATIONS, re.IGNORECASE)
_ASKING = "how what why when where which who whom whose do does did can could should would"
_QUESTION_WORDS = frozenset(_ASKING.split())
STOPWORDS = frozenset(STOPWORDS_EN_PLUS) | _QUESTION_WORDS

_SHINGLE_WORDS = 3
_PERMUTATIONS = 128


def words(text: str) -> list[str]:
    """The words of a text, case-folded and NFKC-normalized; part numbers and codes ("P0301", "5W-30") stay whole."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


@cache
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")


def content_words(text: str) -> tuple[str, ...]:
    """The distinct stems of a text's words without stopwords, sorted; of all its words when nothing else is left."""
    found = words(text)
    kept = [word for word in found if word not in STOPWORDS] or found
    return tuple(sorted(set(_stemmer().stemWords(kept))))


def sentences(text: str) -> list[str]:
    """Split running text into sentences at . ! ? before a capital or digit, not after common abbreviations."""
    parts: list[str] = []
    for piece in _SENTENCE_END.split(" ".join(text.split())):
        if parts and _ABBREVIATION.search(parts[-1]):
            parts[-1] += " " + piece
        elif piece:
            parts.append(piece)
    return parts


class NearEqualQueries:
    """Finds a short text that says the same as one seen before.

    Two texts are near-equal when their content words (stems without stopwords) are the same set, or, from
    four content words on, differ by one word added, removed or replaced. Case, punctuation, word order and
    function words do not count.
    """

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        """Remember `texts`: key → text."""
        self._owner: dict[tuple[str, ...], str] = {}
        for key, text in (texts or {}).items():
            self.add(key, text)

    @staticmethod
    def _signatures(text: str) -> Iterator[tuple[str, ...]]:
        content = content_words(text)
        yield content
        if len(content) >= 4:
            yield from (content[:i] + content[i + 1 :] for i in range(len(content)))

    def add(self, key: str, text: str) -> None:
        """Remember `text` under `key`."""
        for signature in self._signatures(text):
            self._owner.setdefault(signature, key)

    def find(self, text: str) -> str | None:
        """The key of a remembered text near-equal to `text`, or None."""
        return next((self._owner[s] for s in self._signatures(text) if s in self._owner), None)


def _min_hash(text: str) -> MinHash:
    found = words(text) or [text]
    shingles = {" ".join(found[i : i + _SHINGLE_WORDS]) for i in range(max(1, len(found) - _SHINGLE_WORDS + 1))}
    sketch = MinHash(num_perm=_PERMUTATIONS, seed=1)
    sketch.update_batch([shingle.encode() for shingle in sorted(shingles)])
    return sketch


def near_copies(texts: Mapping[str, str], threshold: float) -> dict[str, str]:
    """Map each text's key to the key of the first text it is a near-copy of (not itself listed if first).

    Near-copy: Jaccard similarity of word 3-grams, estimated by MinHash (128 permutations; Broder, 1997),
    at least `threshold`.
    """
    index = MinHashLSH(threshold=min(threshold, 0.95), num_perm=_PERMUTATIONS)
    sketches: dict[str, MinHash] = {}
    copies: dict[str, str] = {}
    for key, text in texts.items():
        sketch = _min_hash(text)
        hits = [other for other in index.query(sketch) if sketch.jaccard(sketches[other]) >= threshold]
        if hits:
            copies[key] = min(hits, key=list(sketches).index) if len(hits) > 1 else hits[0]
            continue
        sketches[key] = sketch
        index.insert(key, sketch)
    return copies


def without_repeats(items: Iterable[str]) -> list[str]:
    """The items in order, each once."""
    return list(dict.fromkeys(items))
