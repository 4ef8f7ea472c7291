"""The words of headings: how a heading is cleaned, and the word lists by which `phrasing` tells its form."""

import re

from domain_embeddings.english.inflection import plural
from domain_embeddings.english.lexicon import Tag, is_known, readings, word_set
from domain_embeddings.english.word_lists import any_of, word_list, word_table

DETERMINERS = word_list("determiners")
QUESTION_STARTS = word_list("question_starts")
INVERTED = word_list("inverted")
COMPOUNDS = word_table("verb_compounds")
NOUN_FIRST = word_list("noun_first")
_ACTIONS = {noun: verb for verb, nouns in word_table("action_nouns").items() for noun in nouns}
_ACTION = any_of(_ACTIONS)
ACTION_LAST = re.compile(
    rf"(?P<object>\S.*?) (?P<action>{_ACTION})(?:(?:,| and| &| or|/) ?(?P<second>{_ACTION}))?(?: procedures?)?$",
    re.I,
)
ACTION_FIRST = re.compile(
    rf"(?P<action>{_ACTION})(?:(?: and| &|/)\s*(?P<second>{_ACTION}))? of (?:the )?(?P<object>\S.*)$", re.I
)
NOT_OBJECTS = word_list("not_objects")
_PLURAL_OBJECTS = frozenset({"tire", "tyre"})
LACKING = re.compile(r"(?:poor|missing|weak|erratic|intermittent|uneven) (?:or|and) \w")
LACK = re.compile(
    r"(?:no|insufficient|poor|excessive|loss of|lack of|unusual|abnormal|intermittent|erratic|uneven) (?!or |and )\w"
)
_PREDICATE = (
    r"(?:won't|will not|does not|doesn't|do not|don't|cannot|can't|can not|fails? to|failed to|keeps?|is not"
    r"|isn't|are not"
    r"|aren't|has no|have no|is|are|not) \w.*|not \w+ing\b.*"
)
CLAUSE = re.compile(rf"(?P<subject>\S.*?) (?P<predicate>(?:\w+s? but )?(?:{_PREDICATE}))$", re.I | re.S)
UNCOUNTED = re.compile(
    r"(?:no|insufficient|poor|excessive|loss of|lack of) |.* (?:leakage|overheating|damage|wear|corrosion|slippage)$",
    re.I,
)
QUANTITIES = word_list("quantities")
"""Heads of noun phrases that ask for a value."""
BAD_NOUN = re.compile(rf" (?:{any_of(word_list('bad_nouns'))})$")
MISBEHAVES = word_list("misbehaves")
DIRECTED = word_list("directed")
PARTICLES = word_set("to in on off up out down into from")
"""A verb of DIRECTED before one of these opens an instruction: "switch to headset"."""
FAILING = word_list("failing")
"""Words before a noun that make it a symptom."""
_GENERIC = word_list("generic")
_DROPPED = word_list("numbered_kinds")
_FUNCTION = word_list("generic_function_words")
_KIND = re.compile(
    rf"(?<![\s,:-])[\s,:-]*+\b(?:(?:{any_of(word_list('document_subjects'))})\s*+(?:(?:,|and|&)\s*+)?+){{0,8}}+"
    r"(?:manual|handbook|guide|book|bulletin|catalogue|catalog|sheet)s?\b.*",
    re.I | re.S,
)
_ACRONYMS = word_list("acronyms")
_CLOSED_ACRONYMS = word_set("can dot def pin id ups eco sim")
"""Acronyms that are words as well; among capitals they are read as the word."""
_UNITS = word_list("heading_units")
_NUMBERING = re.compile(
    r"^(?:(?:section|chapter|para|paragraph|part|appendix|unit|annex|art"
    r"|article)\.?\s+[\dA-Z]{1,3}(?:[.-]\d+)*\s*(?:[:.)–—-]\s*|\s+|$)"
    r"|§+\s*[\d.]+\s+|\d{1,2}(?:[.-]\d{1,2})+\.?[):]?\s+(?=\D)|\d{1,3}[.):]\s+|[A-Za-z][.)]\s+|\([a-z\d]\)\s+"
    r"|\d{1,2}\s+(?=(?-i:[A-Z]))(?!(?:[A-Z]\b|[A-Z][a-zA-Z]\b|phase|volts?|way|points?|stroke|speed|pins?|wire|cylinders?|inch|mm|amp|door"
    r"|bar|pole)\b))",
    re.I,
)
_MARKUP = re.compile(r"[*`#]+|(?<!\w)_++|(?<!_)_++(?!\w)|(?<!<)<++[^<>]++>")
_HEAD = re.compile(r"^(?:optional|note|appendix|example)\s*:\s*", re.I)
_TAIL = " :.,;–—-"
_CAPITAL = re.compile(r"[^\W\d_]")


def clean(heading: str, proper: frozenset[str] = frozenset()) -> str:
    """A heading without numbering and markup, in the case of running text.

    "2.4 FRONT BRAKE PADS:" → "front brake pads". Acronyms, part numbers, units, words the dictionary lacks (in a
    heading that is not all capitals) and the names in `proper` keep their case.
    """
    text = " ".join(_MARKUP.sub("", heading).split())
    text = re.sub(r"^\[([\w ]+)\]$", r"\1", text)
    text = re.sub(r" ([?:,.])", r"\1", text)
    text = _without_tail(_NUMBERING.sub("", text, count=1))
    text = _HEAD.sub("", text)
    letters = [c for c in text if c.isalpha()]
    shouted = bool(letters) and sum(c.isupper() for c in letters) > 0.8 * len(letters) and len(letters) > 4
    recased = [_recase(word, proper, shouted=shouted) for word in text.split(" ")]
    if len(recased) > 1 and _only_first_capital(text) and recased[0] not in proper:
        recased[0] = recased[0].lower()
    return " ".join(recased).strip()


def _without_tail(text: str) -> str:
    """A text without the brackets ("(2 of 3)") and marks that it ends in."""
    end = len(text)
    while end:
        if text[end - 1] in _TAIL:
            end -= 1
        elif text[end - 1] == ")" and (start := text.rfind("(", 0, end)) > text.rfind(")", 0, end - 1):
            end = start
        else:
            break
    return text[:end]


def _only_first_capital(text: str) -> bool:
    """Whether the first word's capital is only the start of a sentence ("Isolator contact resistance")."""
    first, _, rest = text.partition(" ")
    return rest == rest.lower() and first[1:] == first[1:].lower()


def _recase(word: str, proper: frozenset[str], *, shouted: bool) -> str:
    bare = word.strip("()[]\"',.:;/")
    low = bare.lower()
    if bare.endswith(("-PHASE", "-WAY", "-STROKE", "-POINT", "-SPEED")):
        return word.lower()
    if not bare or bare == "I" or bare in proper or any(c.isdigit() for c in bare):
        return word
    if low in _ACRONYMS and (bare.isupper() or not is_known(low)) and not (shouted and low in _CLOSED_ACRONYMS):
        return word.replace(bare, bare.upper())
    if low in _UNITS and bare != bare.title():
        return word
    if shouted:
        keep = len(bare) <= 4 and not is_known(low) and low.isalpha()
        return word if keep else word.lower()
    if bare.isupper() and len(bare) > 1:
        return word.lower() if bare in ("AND", "OR", "OF", "THE", "TO", "IN", "NOT", "A", "FOR", "ON", "WITH") else word
    if any(c.isupper() for c in bare[1:]) and "-" not in bare and "/" not in bare:
        return word
    return word.lower() if is_known(low) or all(map(is_known, re.split(r"[-/']", low))) else word


def is_generic(phrase: str) -> bool:
    """Whether a cleaned heading says nothing without its parent ("overview", "step 3", "tools and parts")."""
    found = [w for w in re.findall(r"[^\W_]+", phrase.lower()) if w not in _FUNCTION]
    if not any(len(word) > 1 and not word.isdigit() for word in found):
        return True
    return all(word in _GENERIC or word.isdigit() or len(word) == 1 for word in found)


def generic_noun(phrase: str) -> str:
    """What a generic heading adds to its parent: "specifications" yes, "step 3" or "notes" nothing (empty)."""
    found = re.findall(r"[^\W_]+", phrase.lower())
    if not found or any(word.isdigit() for word in found) or found[0].rstrip("s") in _DROPPED:
        return ""
    if phrase.lower() in ("general", "notes", "details", "introduction", "intro", "about", "important", "description"):
        return "overview" if phrase.lower() in ("introduction", "intro", "description") else ""
    nominal = all(Tag.NOUN in readings(word) or word in ("and", "required", "common") for word in found)
    return " ".join(found) if nominal and len(found) <= 3 else ""


def without_kind(title: str) -> str:
    """A document's title without the words for the kind of document: "… Air Handling Unit" of "… Service Manual"."""
    return _KIND.sub("", title).strip(" -,:") or title


def is_name(noun_phrase: str) -> bool:
    """Whether a cleaned noun phrase is a name, which takes no article: a word of it kept its capital."""
    return any("_" in word or (word[:1].isupper() and not _is_acronym(word)) for word in noun_phrase.split(" "))


def _is_acronym(word: str) -> bool:
    return word.isupper() and (word.lower() in _ACRONYMS or len(word) <= 4)


_RESEARCH = re.compile(
    rf"^(?:(?:{any_of(word_list('study_adjectives'))}) )*(?:{any_of(word_list('study_words'))}) "
    r"(?:of|on|into|concerning|to) |^on (?=the |a |an )|^(?:meet|about|introducing|understanding) (?=\w)",
    re.I,
)


def topic(phrase: str) -> str:
    """What a heading is about: "a study of creep buckling" → "creep buckling"."""
    found = re.sub(r"^(?:an?|the) (?=\w)", "", _RESEARCH.sub("", phrase))
    if re.match(r"(?:of|on|in|for|to|and) ", found):
        return phrase
    return re.sub(r"(?<=\w\w) (?:overview|introduction|basics|description|explained)$", "", found)


def verb_of(action: str) -> str:
    """The verb of an action noun: "bleeding" → "bleed", "set-up" → "set up"."""
    return _ACTIONS.get(action.lower(), "")


def usual_number(target: str, action: str) -> str:
    """The object as people say it: one rotates "the tires"."""
    last = target.rsplit(" ", 1)[-1].lower()
    return plural(target) if last in _PLURAL_OBJECTS and action.lower() in ("rotation", "alignment") else target


def full_predicate(predicate: str, many: bool) -> str:
    """A heading's clipped predicate as a sentence's: "not working" → "is not working"."""
    if predicate.lower().startswith("not "):
        return f"{'are' if many else 'is'} {predicate}"
    return predicate
