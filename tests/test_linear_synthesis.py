"""No function of the synthesizer runs away: its time grows with a text or corpus, not with the square of it."""

import gc
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import _lru_cache_wrapper
from itertools import pairwise
from typing import Any

import pytest

from domain_embeddings.core.dataset import Passage
from domain_embeddings.core.markup import escape
from domain_embeddings.core.text import content_words, sentences
from domain_embeddings.english.heading_cleaning import clean, generic_noun, is_generic, is_name, topic, without_kind
from domain_embeddings.english.heading_parser import questions, read_heading, read_path
from domain_embeddings.english.inflection import as_asker
from domain_embeddings.english.pos_tagger import noun_phrases, tag_sentence
from domain_embeddings.english.sentence_filter import cells, is_junk, key, prose_sentences, stands_alone
from domain_embeddings.params.synthesize import SynthesizeParams
from domain_embeddings.synthesis.candidates import candidates_of
from domain_embeddings.synthesis.dev_questions import SEVERAL
from domain_embeddings.synthesis.dev_questions import questions as dev_questions
from domain_embeddings.synthesis.entity_names import resolved
from domain_embeddings.synthesis.entity_queries import alias_queries
from domain_embeddings.synthesis.keyphrases import decapitalized, statistics_of
from domain_embeddings.synthesis.queries import labelled_leaks, synthesize
from domain_embeddings.synthesis.sentence_questions import questions_of
from domain_embeddings.synthesis.synthetic_dev import synthetic_dev
from domain_embeddings.synthesis.templates import fill
from domain_embeddings.text_matching.near_duplicates import chained, compare, near_copies
from domain_embeddings.text_matching.near_equal_queries import NearEqualQueries
from domain_embeddings.text_matching.query_form import query_form
from domain_embeddings.text_matching.unicode_normalization import canonical
from tests.knobs import knobs
from tests.pumping import Pump, doublings, superlinear

pytestmark = pytest.mark.slow

PARAMS = knobs("synthesize", SynthesizeParams)
TEXTS = {
    "groups": "(a) ",
    "abbreviations": "e.g. ",
    "abbreviations before capitals": "E.g. ",
    "hex": "9f86d081",
    "hex in words": "9f86d081 ",
    "one word": "valve",
    "words": "valve ",
    "spaces": " ",
    "lines": "The valve leaks\n",
    "sentences": "The valve leaks. ",
    "paragraphs": "Drain the tank of the left pump before the test.\n\n",
    "headings": "# Drain the tank\n",
    "a path": "Tank valve > ",
    "a list": "- drain the tank\n",
    "steps": "step 1 ",
    "a table": "| valve | 3 mm ",
    "rows": "valve | 3 mm\n",
    "links": "[tank](x) ",
    "open links": "[tank](",
    "images": "![",
    "emphasis": "*",
    "code": "```\n",
    "comments": "#  The valve\n",
    "quotes": '1."',
    "numbers": "1.",
    "numbers in words": "10 mm ",
    "hyphens": "-",
    "compounds": "valve-",
    "commas": "valve, ",
    "instructions": "to drain ",
    "negations": "not ",
    "adverbs": "quickly ",
    "conditions": "if ",
    "chains": "valve of ",
    "adjectives": "small ",
    "articles": "the ",
    "kinds": "service ",
    "capitals": "Tank ",
    "shouting": "TANK ",
    "accents": "é",
    "look-alikes": "а",
    "invisible": "a\u200b",
    "mixed line ends": "a\r\n\n\r",
}
OF_TEXTS: dict[str, Callable[[str], object]] = {
    "sentences": sentences,
    "content_words": content_words,
    "escape": escape,
    "clean": clean,
    "heading": lambda text: questions(read_heading(text)),
    "path": lambda text: fill(read_path(text), "procedure"),
    "topic": topic,
    "kind": without_kind,
    "generic": lambda text: (is_generic(text), generic_noun(text), is_name(text)),
    "asker": as_asker,
    "tags": lambda text: noun_phrases(tag_sentence(text)),
    "prose": prose_sentences,
    "cells": lambda text: list(cells(text)),
    "junk": is_junk,
    "alone": stands_alone,
    "key": key,
    "questions": questions_of,
    "resolved": lambda text: resolved(text, "tank", person=False),
    "decapitalized": lambda text: decapitalized(text, frozenset()),
    "form": query_form,
    "canonical": canonical,
    "near-equal": lambda text: NearEqualQueries({"a": text}).find(f"{text} leaks"),
    "passage": lambda text: _of_passage(Passage("1", text, "Tank valve", "pumps")),
    "titled": lambda text: _of_passage(Passage("1", "The valve leaks.", text, "pumps")),
}


def _of_passage(passage: Passage) -> object:
    statistics = statistics_of([passage])
    return candidates_of(passage, statistics)


def _fresh(run: Callable[[Any], object]) -> Callable[[Any], object]:
    """The function, for which every call is the first."""
    cached = [each for each in gc.get_objects() if type(each) is _lru_cache_wrapper]
    ours = [each for each in cached if str(each.__module__).startswith("domain_embeddings.")]

    def first(value: object) -> object:
        for each in ours:
            each.cache_clear()
        return run(value)

    return first


@pytest.mark.parametrize("name", OF_TEXTS)
def test_no_function_of_a_text_runs_away(name: str) -> None:
    run = _fresh(OF_TEXTS[name])
    for kind, again in TEXTS.items():
        for end in ("", "."):
            growth = superlinear(run, Pump("", again, end).of, doublings(32, 4096 // len(again)))
            assert growth is None, (kind, growth)


def _word(number: int) -> str:
    """A word of its own for each number."""
    return "".join(chr(ord("a") + int(digit)) for digit in f"{number:05}") + "ite"


def _passages(texts: Iterable[tuple[str, str]], **extra: object) -> dict[str, Passage]:
    return {
        f"{number:05}": Passage(f"{number:05}", text, title, "pumps", "procedure", extra)
        for number, (title, text) in enumerate(texts)
    }


SAID = "Drain the tank of the left pump before the test. The valve leaks when the seal of the pump is worn."


def _same(n: int) -> dict[str, Passage]:
    return _passages(n * [("Pumps > Draining the tank", SAID)])


def _different(n: int) -> dict[str, Passage]:
    titles = (f"Pumps > Draining the {_word(i)} tank" for i in range(n))
    return _passages((title, f"Drain the {_word(i)} tank before the test.") for i, title in enumerate(titles))


def _alike(n: int) -> dict[str, Passage]:
    return _passages((f"Pumps > Draining the {_word(i)} tank", SAID) for i in range(n))


def _article(n: int) -> dict[str, Passage]:
    """Passages of one article."""
    texts = ((f"Ossel comb > {_word(i)}", f"An Ossel comb loses the {_word(i)} temper in the test.") for i in range(n))
    return _passages(texts, entity="Ossel comb", aliases=["the grey nun"])


def _articles(n: int) -> dict[str, Passage]:
    """Articles with one alias in common."""
    return {
        key: replace(each, extra={"entity": f"{_word(i)} comb", "aliases": ["the grey nun", f"{_word(i)} nun"]})
        for i, (key, each) in enumerate(_different(n).items())
    }


def _names(n: int) -> dict[str, Passage]:
    """An article with many names, in each of its few passages."""
    names = [f"the {_word(i)} nun" for i in range(n)]
    texts = [("Ossel comb", f"{name.title()} is a comb.") for name in names[:9]]
    return _passages(texts, entity="Ossel comb", aliases=names)


ENTITIES: dict[str, Callable[[int], dict[str, Passage]]] = {"article": _article, "articles": _articles, "names": _names}
CORPORA: dict[str, Callable[[int], dict[str, Passage]]] = {"same": _same, "different": _different, "alike": _alike}
OF_CORPORA: dict[str, Callable[[Mapping[str, Passage]], object]] = {
    "statistics": lambda corpus: statistics_of(corpus.values()),
    "synthesize": lambda corpus: synthesize(corpus, PARAMS, {}),
    "held out": lambda corpus: synthesize(corpus, PARAMS, {}, exclude=list(corpus)[::2]),
    "near held-out questions": lambda corpus: synthesize(corpus, PARAMS, {i: each.text for i, each in corpus.items()}),
    "leaks": lambda corpus: labelled_leaks(*2 * ({i: each.text for i, each in corpus.items()},)),
    "near-copies": lambda corpus: near_copies({i: each.text for i, each in corpus.items()}, 0.8),
    "likeness": lambda corpus: compare({i: each.text for i, each in corpus.items()}, 0.9),
    "chains": lambda corpus: chained(corpus, pairwise(reversed(list(corpus)))),
    "dev questions": lambda corpus: synthetic_dev(corpus, 0.1, {}, 1),
}


@pytest.mark.parametrize("kind", CORPORA)
@pytest.mark.parametrize("name", OF_CORPORA)
def test_no_function_of_a_corpus_runs_away(name: str, kind: str) -> None:
    growth = superlinear(_fresh(OF_CORPORA[name]), CORPORA[kind], doublings(64, 256))
    assert growth is None


@pytest.mark.parametrize("kind", ENTITIES)
def test_no_number_of_entities_or_names_runs_away(kind: str) -> None:
    run = _fresh(lambda corpus: alias_queries(corpus, PARAMS, {}))
    assert superlinear(run, ENTITIES[kind], doublings(64, 256)) is None


@pytest.mark.parametrize("again", TEXTS.values(), ids=TEXTS)
def test_no_text_of_an_entity_or_for_dev_questions_runs_away(again: str) -> None:
    def run(text: str) -> None:
        passage = Passage("1", f"Ossel comb {text}", "Ossel comb", "combs", "other", {"entity": "Ossel comb"})
        alias_queries({"1": passage}, PARAMS, {})
        dev_questions(passage, statistics_of([passage]), SEVERAL, random.Random(1))

    assert superlinear(_fresh(run), Pump("", again, ".").of, doublings(32, 2048 // len(again))) is None
