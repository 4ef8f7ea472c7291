"""The forms of words: verbs to their base and -ing form, nouns to their number, and "you" to "I"."""

import re
from functools import cache

from lemminflect import getAllLemmas, getInflection

from domain_embeddings.english.lexicon import EXTRA_VERBS
from domain_embeddings.english.word_lists import word_list

_SINGULAR_S = word_list("singular_s")
_MASS_SUFFIX = re.compile(r"(?:ics|ness|ism|ity|ware|ance|ence|age|tion|sis|ing|ment|ship)$")
_MASS = word_list("mass_nouns")
_PLURAL_LOOKS = re.compile(r"[^s]s$|[sxz]es$|ches$|shes$|ies$")


@cache
def is_base_verb(word: str) -> bool:
    """Whether the word is the base form of a verb."""
    return word.lower() in EXTRA_VERBS or word.lower() in getAllLemmas(word.lower(), upos="VERB").get("VERB", ())


@cache
def base_verb(word: str) -> str:
    """The base form of a verb in any form: "bleeding" → "bleed"; the word itself when it is no verb."""
    lemmas = getAllLemmas(word.lower(), upos="VERB").get("VERB", ())
    return str(lemmas[0]) if lemmas else word.lower()


@cache
def gerund(verb: str) -> str:
    """The -ing form of a verb's base form: "bleed" → "bleeding"; a particle stays: "set up" → "setting up"."""
    head, _, rest = verb.partition(" ")
    forms = getInflection(head, "VBG")
    return f"{forms[0] if forms else f'{head}ing'} {rest}".strip()


@cache
def plural(noun: str) -> str:
    """The plural of a noun's last word: "brake pad" → "brake pads"; a plural stays as it is."""
    if is_plural(noun):
        return noun
    *rest, last = noun.split(" ")
    forms = getInflection(last.lower(), "NNS")
    return " ".join([*rest, str(forms[0]) if forms else f"{last}s"])


@cache
def is_plural(noun: str) -> bool:
    """Whether a noun's last word is a plural."""
    last = noun.rsplit(" ", 1)[-1].lower()
    if last in _SINGULAR_S or last.endswith(("ss", "us", "is")):
        return False
    lemmas = getAllLemmas(last, upos="NOUN").get("NOUN", ())
    if lemmas:
        return any(lemma != last for lemma in lemmas)
    return bool(_PLURAL_LOOKS.search(last)) and last.replace("-", "").isalpha() and len(last) > 3


def is_mass(noun: str) -> bool:
    """Whether a noun's last word is one that takes no article and no plural in general statements."""
    last = noun.rsplit(" ", 1)[-1].lower()
    return last in _MASS or (not is_plural(noun) and bool(_MASS_SUFFIX.search(last)))


_PERSON = [
    (re.compile(r"\byou're\b", re.I), "I'm"),
    (re.compile(r"\byou are\b", re.I), "I am"),
    (re.compile(r"\byour\b", re.I), "my"),
    (re.compile(r"\byourself\b", re.I), "myself"),
    (re.compile(r"\byours\b", re.I), "mine"),
    (re.compile(r"(?<=\b(?:to|by|of|on|at)) you\b|(?<=\bfor) you(?! to)\b|(?<=\bwith) you\b", re.I), " me"),
    (re.compile(r"\byou\b", re.I), "I"),
]


def as_asker(text: str) -> str:
    """The text with the reader as "I": "your TV" → "my TV"."""
    for pattern, replacement in _PERSON:
        text = pattern.sub(replacement, text)
    return text
