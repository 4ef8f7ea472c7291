"""Dev questions in other words than their answers', and what of them may stand there."""

import random
from collections.abc import Mapping

import pytest

from domain_embeddings.core.dataset import Passage
from domain_embeddings.core.text import content_words
from domain_embeddings.synthesis.dev_questions import _ABOUT, _DOING, SEVERAL, questions
from domain_embeddings.synthesis.keyphrases import statistics_of
from domain_embeddings.synthesis.templates import TEMPLATES

MAST = Passage("mast", "Halden > Mast", "To remove the fork bolt, lower the diesel engine. It is cold.")
ENGINE = Passage("engine", "Halden > Forks", "The bolt of the engine wears.")
HOOD = Passage("hood", "Halden > Hood", "A bolt holds the engine and the hood.")
CORPUS = {passage.id: passage for passage in (MAST, ENGINE, HOOD)}


def _asked(passage: Passage, corpus: Mapping[str, Passage], fits: range = SEVERAL) -> set[str]:
    """What twenty seeds make of a passage."""
    statistics = statistics_of(corpus.values())
    return {text for seed in range(20) for text in questions(passage, statistics, fits, random.Random(seed))}


def test_actions_and_things_are_said_otherwise() -> None:
    asked = _asked(MAST, CORPUS)

    assert {"stuck on taking off the fork bolt, has to do with motor", "motor, fork bolt, what was that about"} <= asked
    assert not any(word in text for text in asked for word in ("remov", "engine", "lower"))


def test_a_word_that_the_passage_has_too_is_said_for_no_other() -> None:
    both = Passage("mast", MAST.title, f"{MAST.text} A motor lifts it.")

    assert not any("motor" in text and "engine" not in text for text in _asked(both, {**CORPUS, "mast": both}))
    assert any("engine" in text for text in _asked(both, {**CORPUS, "mast": both}))


def test_no_word_of_the_heading_is_asked_with() -> None:
    titled = Passage("mast", "Halden > Fork Bolt", MAST.text)

    assert not any("bolt" in text for text in _asked(titled, {**CORPUS, "mast": titled}))


@pytest.mark.parametrize(("others", "asks"), [(0, False), (1, True), (4, True), (5, False)])
def test_the_words_of_a_question_lead_to_two_to_five_passages(others: int, asks: bool) -> None:
    """Of pump and lamp; no table has another word for them."""
    texts = ["The pump feeds the lamp."] + ["A lamp hangs over that pump."] * others + ["Nothing of the kind."] * 3
    corpus = {f"p{i}": Passage(f"p{i}", f"Heading {i}", text) for i, text in enumerate(texts)}

    assert bool(_asked(corpus["p0"], corpus)) == asks


def test_at_most_two_words_of_the_passage_stand_beside_the_frame() -> None:
    long = Passage("long", "Heading", "The heavy brass pump valve feeds the narrow copper lamp socket.")
    corpus = {"long": long, "other": Passage("other", "Heading", long.text)}
    frames = {word for frame in (*_DOING, *_ABOUT) for word in content_words(frame.replace("{}", ""))}

    asked = _asked(long, corpus)

    assert asked
    assert all(len(set(content_words(text)) - frames) == 2 for text in asked)


def test_one_passage_may_be_enough_if_it_is_asked_for() -> None:
    alone = {"p": Passage("p", "Heading", "The pump feeds the lamp.")}

    assert _asked(alone["p"], alone) == set()
    assert "lamp, pump, what was that about" in _asked(alone["p"], alone, range(1, 2))


def test_two_regions_give_two_questions_without_a_word_in_common() -> None:
    text = "The pump feeds the lamp. It is cold. It is wet. A hammer bends the ladder."
    corpus = {i: Passage(i, "Heading", text) for i in ("one", "other")}

    for seed in range(20):
        first, second = questions(corpus["one"], statistics_of(corpus.values()), SEVERAL, random.Random(seed))
        assert {"pump" in first, "pump" in second} == {"hammer" in first, "hammer" in second} == {True, False}


def test_no_frame_is_one_of_training() -> None:
    trained = {template.frame.lower() for templates in TEMPLATES.values() for template in templates}

    assert not {frame.replace("{}", "").strip() for frame in (*_DOING, *_ABOUT)} & {
        frame.replace("{}", "").strip() for frame in trained
    }
