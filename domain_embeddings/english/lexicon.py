"""What classes an English word can have: the small closed classes by list, the open ones by dictionary.

The dictionary is lemminflect's, which lies inside its package, so nothing is downloaded. The lists speak for technical
prose: in manuals "steering" is a noun and "check" at the start of a sentence a verb.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from functools import cache

from lemminflect import getAllLemmas, getInflection

from domain_embeddings.english.word_lists import word_list, word_table


def word_set(text: str) -> frozenset[str]:
    """The words of a text as a set: how the short lists of this package are written."""
    return frozenset(text.split())


class Tag(StrEnum):
    """What a word does in its sentence."""

    DET = "det"
    PREP = "prep"
    CONJ = "conj"
    SUB = "sub"
    PRON = "pron"
    AUX = "aux"
    BE = "be"
    TO = "to"
    NEG = "neg"
    VERB = "verb"
    GERUND = "gerund"
    PARTICIPLE = "participle"
    NOUN = "noun"
    ADJ = "adj"
    ADV = "adv"
    NUMBER = "number"
    PUNCT = "punct"


CLOSED = {word: Tag(tag) for tag, words in word_table("closed_classes").items() for word in words}
"""The words of the closed classes, and adjectives and adverbs that must not be taken for something else."""
SOFT = (Tag.ADJ,)
"""Classes whose listed words may still be something else (the adjective and verb "clean")."""
IMPERATIVES = word_list("imperatives")
"""Verbs that instructions start with and that are hardly ever a noun before another noun."""
ING_NOUNS = word_list("ing_nouns")
ING_MODIFIERS = ING_NOUNS | word_list("ing_modifiers")
"""-ing words that are nouns beside a noun ("steering wheel"), not actions done to it."""
ING_NEVER_HEADS = word_list("ing_never_heads")
"""-ing words that stand before a noun but are none themselves."""
UNITS = word_list("units")
"""Units of measure and time."""
EXTRA_VERBS = word_set("decrypt reflash unpair unmute reboot livestream retighten refit recalibrate")
"""Verbs of manuals that the dictionary lacks."""
_MOSTLY_VERBS = word_list("mostly_verbs")
_ADJECTIVE_SUFFIX = re.compile(r"(?:al|ous|ive|ic|able|ible|less|ful|ary|ant|ent|ar)$")


@cache
def readings(word: str) -> frozenset[Tag]:
    """The open classes that a word can have; an unknown word is judged by its ending, else a noun."""
    low = word.lower().replace("’", "'")
    if "-" in low and low not in CLOSED:
        return _compound_readings(low)
    found: set[Tag] = set()
    for pos, lemmas in getAllLemmas(low).items():
        if pos == "VERB":
            found.add(_verb_reading(low, lemmas))
        elif pos in ("NOUN", "PROPN"):
            found.add(Tag.NOUN)
        elif pos in ("ADJ", "ADV"):
            found.add(Tag(pos.lower()))
    found = found or _guess(low)
    if low in _MOSTLY_VERBS | EXTRA_VERBS:
        found = {Tag.VERB}
    if low == "lug":  # the dictionary has only the verb
        found = {Tag.NOUN}
    if low in ING_MODIFIERS:
        found = (found | {Tag.NOUN}) - ({Tag.GERUND} if low in ING_NOUNS else set())
    return frozenset(found)


def _verb_reading(low: str, lemmas: Sequence[str]) -> Tag:
    if low in lemmas or any(low == form for lemma in lemmas for form in getInflection(lemma, "VBZ")):
        return Tag.VERB
    if low.endswith("ing"):
        return Tag.GERUND
    past = any(low == form for lemma in lemmas for form in getInflection(lemma, "VBN"))
    return Tag.PARTICIPLE if past or low.endswith("ed") else Tag.VERB


def _guess(low: str) -> set[Tag]:
    if low.endswith("ly") and len(low) > 4:
        return {Tag.ADV}
    if low.endswith("ing") and len(low) > 5:
        return {Tag.GERUND}
    if low.endswith("ed") and len(low) > 4:
        return {Tag.PARTICIPLE}
    if _ADJECTIVE_SUFFIX.search(low) and len(low) > 5:
        return {Tag.ADJ, Tag.NOUN}
    return {Tag.NOUN}


def _compound_readings(low: str) -> frozenset[Tag]:
    last = readings(low.rsplit("-", 1)[1] or "x")
    if last & {Tag.PARTICIPLE, Tag.GERUND, Tag.ADJ}:
        return frozenset({Tag.ADJ})
    if low.startswith("re-") and Tag.VERB in last:
        return last
    return frozenset({Tag.NOUN, Tag.ADJ}) if Tag.NOUN in last else frozenset({Tag.ADJ})


def is_known(word: str) -> bool:
    """Whether the dictionary holds the word, in any form; names and part numbers are not in it."""
    low = word.lower()
    return low in CLOSED or low in EXTRA_VERBS or bool(getAllLemmas(low))
