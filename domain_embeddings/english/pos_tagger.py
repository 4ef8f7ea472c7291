"""Word classes of a sentence from a dictionary and each word's neighbours, without a trained tagger.

The dictionary says which classes a word can have; the words around it decide. The rules only speak where manuals are
regular: imperatives, determiners, modals, noun compounds.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import pairwise

from domain_embeddings.english.inflection import base_verb, is_base_verb, is_plural
from domain_embeddings.english.lexicon import (
    CLOSED,
    IMPERATIVES,
    ING_MODIFIERS,
    ING_NEVER_HEADS,
    SOFT,
    UNITS,
    Tag,
    readings,
    word_set,
)
from domain_embeddings.english.word_lists import word_list

_TOKEN = re.compile(r"[^\W_]+(?:[-./'’_+][^\W_]+)*(?:[%°+](?![^\W_])|(?<=\d)[\"″”]|°[CF]\b)?|\S")
_NUMBER = re.compile(r"^[±~]?\d[\d.,/:x×-]*(?:[%°\"″”]|°[CF]|[a-zA-ZµΩ]{1,3})?$")
_GOVERNING = word_set("leads results runs refers points amounts turns corresponds reacts interferes rests")
_PREFERS_NOUN_AFTER = (Tag.DET, Tag.ADJ, Tag.NUMBER)
_VERB_SUBJECTS = word_set("i you we they please")


@dataclass(frozen=True)
class Token:
    """A word or punctuation mark with its class and its place in the text."""

    text: str
    tag: Tag
    start: int
    end: int
    low: str
    """The word in lower case, with straight apostrophes."""


def tokenize(text: str) -> list[tuple[str, int, int]]:
    """Words and punctuation marks with their places."""
    return [(match.group(), match.start(), match.end()) for match in _TOKEN.finditer(text)]


def tag_sentence(sentence: str) -> tuple[Token, ...]:
    """The words of a sentence: as `tag`, but its first clause and those after "if" or "which" must have a verb.

    So "runs" is the verb of "The shaft runs in two bearings", where `tag` alone would take it for a plural noun.
    """
    tokens = list(tag(sentence))
    for start, end in _clauses(tokens):
        if start or sentence.endswith((".", "!")):
            _find_verb(tokens, start, end)
    return tuple(tokens)


def _clauses(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """The spans [start, end) of the first clause and of those that a subordinator opens."""
    bounds = [-1, *(i for i, token in enumerate(tokens) if token.tag in (Tag.PUNCT, Tag.SUB)), len(tokens)]
    return [(i + 1, bound) for i, bound in pairwise(bounds) if i < 0 or tokens[i].tag == Tag.SUB]


def _find_verb(tokens: list[Token], start: int, end: int) -> None:
    """Make the first word that can be the verb of a clause its verb, if the clause has a subject and no verb."""
    inside = tokens[start:end]
    subject = bool(inside) and inside[0].tag in (Tag.DET, Tag.NOUN, Tag.ADJ, Tag.NUMBER)
    if not subject or any(token.tag in (Tag.VERB, Tag.BE, Tag.AUX) for token in inside):
        return
    for place in range(start + 1, min(end, len(tokens) - 1)):
        if _may_be_verb(*tokens[place - 1 : place + 2]):
            tokens[place] = replace(tokens[place], tag=Tag.VERB)
            return


def _may_be_verb(before: Token, token: Token, after: Token) -> bool:
    third_person = token.low.endswith("s") and not is_base_verb(token.low)
    agrees = before.tag == Tag.NOUN and third_person != is_plural(before.text)
    return agrees and Tag.VERB in readings(token.low) and after.tag in (Tag.PREP, Tag.TO, Tag.ADV, Tag.DET, Tag.NUMBER)


@lru_cache(maxsize=4096)
def tag(text: str) -> tuple[Token, ...]:
    """The words and marks of one sentence with their classes."""
    pieces = tokenize(text)
    tokens: list[Token] = []
    for index, (word, start, end) in enumerate(pieces):
        after = pieces[index + 1][0] if index + 1 < len(pieces) else ""
        low = word.lower().replace("’", "'")
        tokens.append(Token(word, _classify(word, low, tokens, after), start, end, low))
    return tuple(tokens)


def _classify(word: str, low: str, before: Sequence[Token], after: str) -> Tag:
    if not word[0].isalnum():
        return _mark(word)
    if word[0].isdigit():
        return Tag.NUMBER
    closed = CLOSED.get(low)
    if closed and closed not in SOFT:
        return _closed_in_context(low, closed, after)
    return _decide(low, _possible(low), before, after)


def _mark(word: str) -> Tag:
    if word == "&":
        return Tag.CONJ
    return Tag.NUMBER if _NUMBER.match(word) else Tag.PUNCT


_BEFORE_NOUN_OR_ALONE = word_set("this these those all both some each any")


def _closed_in_context(low: str, closed: Tag, after: str) -> Tag:
    if low in _BEFORE_NOUN_OR_ALONE and not _can_be(after, Tag.NOUN, Tag.ADJ):
        return Tag.DET if after.lower() in ("the", "of", "two", "three", "four") else Tag.PRON
    if low == "to" and (not is_base_verb(after) or after.lower() in ("the", "a", "an", "your")):
        return Tag.PREP
    return closed


@cache
def _possible(word: str) -> frozenset[Tag]:
    """Every class that a word can have in some sentence."""
    if not word or not word[0].isalnum():
        return frozenset()
    if word[0].isdigit():
        return frozenset({Tag.NUMBER})
    closed = CLOSED.get(word.lower())
    if closed and closed not in SOFT:
        return frozenset({closed})
    return readings(word) | ({closed} if closed else frozenset())


def _can_be(word: str, *tags: Tag) -> bool:
    return not _possible(word).isdisjoint(tags)


def _decide(low: str, options: frozenset[Tag], before: Sequence[Token], after: str) -> Tag:
    previous = before[-1] if before else None
    nominal_next = _can_be(after, Tag.NOUN)
    if CLOSED.get(low) == Tag.ADJ and after in ("and", "or") and previous is not None:
        return Tag.ADJ
    if previous is None or previous.tag in (Tag.PUNCT, Tag.CONJ) or previous.low in ("then", "please"):
        return _clause_start(low, options, before, after)
    if Tag.VERB in options and _expects_verb(before):
        return Tag.VERB
    third_person = Tag.VERB in options and low.endswith("s") and not is_base_verb(low)
    if third_person and previous.low in ("it", "he", "she", "which", "that", "who", "what"):
        return Tag.VERB
    if previous.tag in _PREFERS_NOUN_AFTER or previous.tag == Tag.PREP:
        return _nominal(options, nominal_next, previous)
    if previous.tag == Tag.NOUN:
        return _after_noun(low, options, previous, after)
    if previous.tag == Tag.BE:
        return _first(options, Tag.PARTICIPLE, Tag.GERUND, Tag.ADJ, Tag.ADV, Tag.NOUN, Tag.VERB)
    return _nominal(options, nominal_next, previous)


def _first(options: frozenset[Tag], *order: Tag) -> Tag:
    return next((choice for choice in order if choice in options), Tag.NOUN)


def _expects_verb(before: Sequence[Token]) -> bool:
    index = len(before) - 1
    while index > 0 and before[index].tag in (Tag.ADV, Tag.NEG):
        index -= 1
    if before[index].low in ("that", "which", "who"):
        return index > 0 and before[index - 1].tag == Tag.NOUN and is_plural(before[index - 1].text)
    return before[index].tag in (Tag.TO, Tag.AUX) or before[index].low in _VERB_SUBJECTS


def _coordinates_adjectives(before: Sequence[Token], options: frozenset[Tag]) -> bool:
    """Whether the word continues "upper and …" or "wet, …"."""
    return len(before) >= 2 and Tag.ADJ in options and Tag.ADJ in readings(before[-2].text) | {before[-2].tag}


def _clause_start(low: str, options: frozenset[Tag], before: Sequence[Token], after: str) -> Tag:
    previous = before[-1] if before else None
    if previous is not None and _coordinates_adjectives(before, options):
        return Tag.ADJ
    opens_object = _can_be(after, Tag.DET, Tag.PRON) or after.lower() in ("that", "if", "whether")
    if Tag.VERB in options and is_base_verb(low) and (opens_object or low in IMPERATIVES):
        listed = previous is not None and previous.tag == Tag.CONJ and Tag.NOUN in options and not opens_object
        if not listed or _can_be(after, Tag.NOUN, Tag.ADJ, Tag.NUMBER):
            return Tag.VERB
    return _nominal(options, _can_be(after, Tag.NOUN), previous)


def _nominal(options: frozenset[Tag], nominal_next: bool, previous: Token | None) -> Tag:
    if Tag.GERUND in options and Tag.NOUN not in options:
        modifies = nominal_next and previous is not None and previous.tag in (Tag.DET, Tag.ADJ)
        return Tag.ADJ if modifies else Tag.GERUND
    if Tag.PARTICIPLE in options and Tag.NOUN not in options:
        return Tag.ADJ if nominal_next else _first(options, Tag.PARTICIPLE)
    if nominal_next and Tag.ADJ in options:
        return Tag.ADJ
    if Tag.ADV in options and not nominal_next and Tag.NOUN not in options:
        return Tag.ADV
    return _first(options, Tag.NOUN, Tag.ADJ, Tag.PARTICIPLE, Tag.GERUND, Tag.VERB, Tag.ADV)


def _after_noun(low: str, options: frozenset[Tag], previous: Token, after: str) -> Tag:
    starts_object = _can_be(after, Tag.DET, Tag.PRON, Tag.SUB)
    if low.endswith("ed") and Tag.ADJ in options and "-" not in low:
        return Tag.PARTICIPLE
    if CLOSED.get(low) == Tag.ADJ and not starts_object:
        return Tag.ADJ
    if Tag.VERB in options and Tag.NOUN not in options:
        return Tag.VERB
    if Tag.VERB in options:
        third_person = low.endswith("s") and not is_base_verb(low)
        agrees = not is_plural(previous.text) if third_person else is_plural(previous.text)
        if agrees and third_person and low in _GOVERNING and after in ("to", "in", "from", "with", "by"):
            return Tag.VERB
        if agrees and (starts_object or _can_be(after, Tag.NOUN, Tag.ADJ, Tag.GERUND, Tag.ADV)):
            return Tag.VERB
    if low in ING_MODIFIERS:
        return Tag.NOUN
    if Tag.GERUND in options:
        nominal = Tag.NOUN in options and not starts_object
        return Tag.NOUN if nominal and not _can_be(after, Tag.NOUN, Tag.ADJ) else Tag.GERUND
    if Tag.PARTICIPLE in options:
        return Tag.PARTICIPLE
    return _first(options, Tag.NOUN, Tag.ADV, Tag.ADJ, Tag.VERB)


_WEAK = word_list("weak_adjectives")


def noun_phrases(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """The runs [start, end) of tokens that are noun phrases: adjectives, numbers and nouns up to the last noun.

    A leading determiner and adjectives that say little ("following", "other") are left out.
    """
    runs: list[tuple[int, int]] = []
    index = 0
    while index < len(tokens):
        end = index
        while end < len(tokens) and _extends(tokens, index, end):
            end += 1
        if end > index:
            runs.extend(_trim(tokens, index, end))
        index = max(end, index + 1)
    return runs


def _extends(tokens: Sequence[Token], start: int, end: int) -> bool:
    """Whether a token continues the phrase; a number after a noun starts another ("door pull two screws")."""
    token = tokens[end]
    if (len(token.text) == 1 and token.low not in "xyz") or token.low == "x":
        return False
    if token.tag == Tag.NUMBER and end > start and tokens[end - 1].tag == Tag.NOUN:
        measured = end + 1 < len(tokens) and tokens[end + 1].low in UNITS
        return any(character.isdigit() for character in token.text) and not measured
    verbal = token.low.endswith(("ing", "ed")) and token.low not in ING_MODIFIERS and "-" not in token.low
    if token.tag == Tag.ADJ and verbal and end > start and tokens[end - 1].tag == Tag.NOUN:
        return False
    return token.tag in (Tag.NOUN, Tag.ADJ, Tag.NUMBER)


def _trim(tokens: Sequence[Token], start: int, end: int) -> list[tuple[int, int]]:
    while end > start and tokens[end - 1].tag != Tag.NOUN:
        end -= 1
    while start < end and _says_little(tokens, start):
        start += 1
    return [(start, end)] if end > start and not _is_half(tokens, start, end) else []


def _says_little(tokens: Sequence[Token], start: int) -> bool:
    """Whether a phrase is better without its first word: a weak adjective, a number word, an action ("taking …")."""
    token = tokens[start]
    after_determiner = start > 0 and tokens[start - 1].tag in (Tag.DET, Tag.ADJ)
    action = token.low.endswith("ing") and token.low not in ING_MODIFIERS and is_base_verb(base_verb(token.low))
    counted = token.tag == Tag.NUMBER and token.text.isalpha()
    third_person = (
        start == 0 and token.low.endswith("s") and Tag.VERB in readings(token.low) and not is_base_verb(token.low)
    )
    modified = start > 0 and tokens[start - 1].tag == Tag.ADV and token.low.endswith("ed")
    numbered = start > 0 and tokens[start - 1].text == "#"
    return (
        token.low in _WEAK
        or token.low in UNITS
        or counted
        or third_person
        or modified
        or numbered
        or (action and not after_determiner)
    )


_ADJECTIVAL = re.compile(r"(?:ical|ional|ific|onic|atic|etic|ous|ive|ular|ible)$")
_ADJECTIVES_LIKE_NOUNS = word_set("normal equivalent perpendicular adjacent mobile")
_ADJECTIVAL_NOUNS = word_list("adjectival_nouns")


def _is_half(tokens: Sequence[Token], start: int, end: int) -> bool:
    """Whether a phrase's last word is likely no noun ("constant specific …", "notes on finding") or only a unit."""
    low, previous = tokens[end - 1].low, tokens[end - 2].tag if end > 1 else Tag.PUNCT
    if low in UNITS and (previous in (Tag.NUMBER, Tag.DET, Tag.ADJ, Tag.CONJ) or end - start == 1):
        return True
    if low.endswith("ing") and (low in ING_NEVER_HEADS or (previous == Tag.PREP and low not in ING_MODIFIERS)):
        return True
    if low.endswith(("'s", "s'")):
        return True
    adjectival = bool(_ADJECTIVAL.search(low)) and low not in _ADJECTIVAL_NOUNS and not low.endswith("drive")
    return CLOSED.get(low) == Tag.ADJ or adjectival or low in _ADJECTIVES_LIKE_NOUNS
