"""What an entity is called in running text: with or without an article, and one of its names put for another."""

import re
from collections.abc import Iterable, Sequence
from functools import cache

from domain_embeddings.core.entities import Article
from domain_embeddings.english.word_lists import any_of

_ARTICLE = re.compile(r"^(?:the|an?) ", re.I)
_HE = re.compile(r"\b(?:he|she|his|her|him|hers|himself|herself)\b", re.I)
_IT = re.compile(r"\b(?:it|its|itself)\b", re.I)
_HE_OPENS, _IT_OPENS = re.compile(r"^(?:He|She) "), re.compile(r"^It (?!(?:is|was) \w+ (?:that|to|who|as|by|in)\b)")


def bare(name: str) -> str:
    """The name without its article: "the grey nun" → "grey nun"."""
    return _ARTICLE.sub("", name)


@cache
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    """Any of the names as whole words, the longest first, with the article before it as group 1."""
    return re.compile(rf"(?<![\w'’-])(?:(the|an?) )?(?:{any_of({bare(name) for name in names})})(?![\w-])", re.I)


def names_in(text: str, names: Iterable[str]) -> bool:
    """Whether a text holds one of the names."""
    return _pattern(tuple(names)).search(text) is not None


def renamed(text: str, names: Sequence[str], name: str) -> str:
    """The text with `name` for every one of `names`, articles included: "An Ossel comb" → "the grey nun"."""
    return _pattern(tuple(names)).sub(lambda _: name, text)


def spoken(name: str, article: Article) -> str:
    """The name as its article's passages speak of it: with "the" where most of them give it an article there."""
    if _ARTICLE.match(name):
        return name
    found = [match[1] for passage in article.passages for match in _pattern((name,)).finditer(passage.text)]
    return f"the {name}" if 2 * sum(each is not None for each in found) > len(found) else name


def is_person(article: Article) -> bool:
    """Whether the article, and its first passage too, speaks of "he" or "she" more than of "it"."""
    texts = (" ".join(passage.text for passage in article.passages), article.passages[0].text)
    return all(len(_HE.findall(text)) > len(_IT.findall(text)) for text in texts)


def resolved(sentence: str, name: str, *, person: bool) -> str:
    """A sentence that opens with a pronoun, with the name in its place: a person's with "He", a thing's with "It"."""
    return (_HE_OPENS if person else _IT_OPENS).sub(lambda _: f"{name} ", sentence)
