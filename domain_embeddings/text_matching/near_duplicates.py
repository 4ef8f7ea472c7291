"""When two texts are one and the same: near-copies by word 3-grams, and a test for texts too short for those.

In a text of 30 words, one other word changes three of 28 3-grams (Jaccard similarity 0.81) but one or two of some 15
content words. So short texts are compared by the set of their content words, near-copies by 3-grams beside it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil

from datasketch import MinHash, MinHashLSH

from domain_embeddings.core.text import content_words, words

_SHINGLE_WORDS = 3
_PERMUTATIONS = 128

_SHARE = 0.85
"""Of `near_copy`. At 0.9 it allows one other word among 8 content words, two among 16; none among 7."""
TOGETHER = 0.9
"""The `near_copy` from which texts are one group for every split."""
_NO = "no not never nothing nobody nowhere none neither nor without cannot"
_SPELLED = "two three four five six seven eight nine ten eleven twelve half"
_NEGATIONS, _NUMBERS = frozenset(_NO.split()), frozenset(_SPELLED.split())


@dataclass(frozen=True)
class Likeness:
    """Which texts are the same, and which only so alike that they belong together."""

    merged: dict[str, str]
    """Copy → the earlier text that stands for it."""
    group: dict[str, str]
    """Every text → the first text of those alike, in a chain, that must not be told apart by a split."""


def compare(texts: Mapping[str, str], near_copy: float) -> Likeness:
    """Find the texts that repeat an earlier one.

    Two are alike when their 3-grams have at least `near_copy` Jaccard similarity or their content words 0.85 of
    that. Alike texts are one text if they also hold the same numbers and as many negations: "soak for 45 minutes"
    and "for 30 minutes" are two decisions, as are "always" and "never". They are one group in any case, and from
    `TOGETHER` on even where `near_copy` is set higher.
    """
    first: dict[tuple[str, ...], str] = {}
    same = {key: first.setdefault(tuple(found), key) if (found := words(text)) else key for key, text in texts.items()}
    distinct = {key: text for key, text in texts.items() if same[key] == key}
    alike = _pairs(distinct, near_copy)
    group = chained(distinct, alike if near_copy <= TOGETHER else alike | _pairs(distinct, TOGETHER))
    merged = _merged(distinct, alike)
    return Likeness(
        {key: merged.get(one, one) for key, one in same.items() if key != one or one in merged},
        {key: group[one] for key, one in same.items()},
    )


def _merged(texts: Mapping[str, str], alike: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Each copy → the first earlier text that is alike, claims the same and is no copy itself."""
    position = {key: number for number, key in enumerate(texts)}
    merged: dict[str, str] = {}
    for copy, first in sorted(alike, key=lambda pair: (position[pair[0]], position[pair[1]])):
        if copy not in merged and first not in merged and _claim(texts[copy]) == _claim(texts[first]):
            merged[copy] = first
    return merged


def chained(keys: Iterable[str], links: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Every key → the first of those that links tie to it, directly or in a chain."""
    position = {key: number for number, key in enumerate(keys)}
    leader = {key: key for key in position}

    def find(key: str) -> str:
        while leader[key] != key:
            leader[key] = key = leader[leader[key]]
        return key

    for one, other in links:
        low, high = sorted((find(one), find(other)), key=position.__getitem__)
        leader[high] = low
    return {key: find(key) for key in leader}


def _pairs(texts: Mapping[str, str], near_copy: float) -> set[tuple[str, str]]:
    """The alike (text, earlier text); one without words is like no other."""
    with_words = {key: text for key, text in texts.items() if words(text)}
    return {*near_copies(with_words, near_copy).items(), *_alike(with_words, _SHARE * near_copy)}


def _claim(text: str) -> tuple[Counter[str], int]:
    """The numbers in a text and how often it says no: what turns the same words into another statement."""
    found = words(text.replace("’", "'"))
    numbers = Counter(word for word in found if word in _NUMBERS or any(letter.isdigit() for letter in word))
    return numbers, sum(word in _NEGATIONS or word.endswith("n't") for word in found)


def _alike(texts: Mapping[str, str], threshold: float) -> Iterator[tuple[str, str]]:
    """The pairs (text, earlier text) whose content words have at least `threshold` Jaccard similarity.

    Exact; compared are only texts that share one of their rarest words, as such a pair must (prefix filtering,
    Chaudhuri et al., 2006, doi:10.1109/ICDE.2006.9).
    """
    contents = {key: set(content_words(text)) for key, text in texts.items()}
    frequency = Counter(word for content in contents.values() for word in content)
    index: defaultdict[str, list[str]] = defaultdict(list)
    for key, content in contents.items():
        rarest = sorted(content, key=lambda word: (frequency[word], word))
        prefix = rarest[: len(rarest) - ceil(threshold * len(rarest)) + 1]
        for other in dict.fromkeys(other for word in prefix for other in index[word]):
            if len(content & contents[other]) >= threshold * len(content | contents[other]):
                yield key, other
        for word in prefix:
            index[word].append(key)


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
    place: dict[str, int] = {}
    copies: dict[str, str] = {}
    for key, text in texts.items():
        sketch = _min_hash(text)
        hits = [other for other in index.query(sketch) if sketch.jaccard(sketches[other]) >= threshold]
        if hits:
            copies[key] = min(hits, key=place.__getitem__)
            continue
        place[key] = len(place)
        sketches[key] = sketch
        index.insert(key, sketch)
    return copies
