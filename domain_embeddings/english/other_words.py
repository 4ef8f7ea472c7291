"""What people call a thing or an action that a text calls by another word: "removing" → "taking off".

Words of everyday and of technical prose in general, none of a field. No word shares its stem with what is said for it,
so that a search by words does not take one for the other.
"""

from functools import cache

from lemminflect import getAllLemmas

from domain_embeddings.english.inflection import base_verb, gerund, is_plural, plural
from domain_embeddings.english.word_lists import word_table

VERBS = {verb: other for verb, (other,) in word_table("other_verbs").items()}
NOUNS = {noun: other for noun, (other,) in word_table("other_nouns").items()}


@cache
def other_gerund(verb: str) -> str:
    """The -ing form of what people say for a verb: "remove" → "taking off"; empty where nothing is known."""
    other = VERBS.get(base_verb(verb), "")
    return other and gerund(other)


@cache
def other_noun(noun: str) -> str:
    """What people say for a noun, in the same number: "engines" → "motors"; empty where nothing is known."""
    low = noun.lower()
    other = next((NOUNS[word] for word in (low, *getAllLemmas(low, upos="NOUN").get("NOUN", ())) if word in NOUNS), "")
    return plural(other) if other and is_plural(low) else other
