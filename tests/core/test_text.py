"""Words, sentences and near-equal questions."""

import pytest
from bm25s.stopwords import STOPWORDS_EN_PLUS
from hypothesis import given, settings
from hypothesis import strategies as st

from domain_embeddings.core.text import STOPWORDS, NearEqualQueries, content_words, sentences, without_repeats, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Code P0301: misfire.", ["code", "p0301", "misfire"]),
        ("Use 5W-30, not 10W-40!", ["use", "5w-30", "not", "10w-40"]),
        ("torque 12.5 Nm (±0.5)", ["torque", "12.5", "nm", "0.5"]),
        ("the driver's cab; drivers’", ["the", "driver's", "cab", "drivers"]),
        ("M8x1.25/ISO", ["m8x1.25/iso"]),
        ("ﬁlter №４ Ｏｉｌ", ["filter", "no4", "oil"]),  # NFKC: ligature, numero sign, full-width letters
        ("STRASSE Straße", ["strasse", "strasse"]),
        ("pump_housing", ["pump", "housing"]),
        ("… -- !", []),
        ("", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How do I bleed the brakes?", ("bleed", "brake")),
        ("Brakes, braking and the brake", ("brake",)),
        ("what is it", ("is", "it", "what")),  # nothing but stopwords: all of them
        ("", ()),
    ],
)
def test_content_words(text: str, expected: tuple[str, ...]) -> None:
    assert content_words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Stop the engine. Open the valve! Is it hot?", ["Stop the engine.", "Open the valve!", "Is it hot?"]),
        ("See fig. 3 for details. Then go on.", ["See fig. 3 for details.", "Then go on."]),
        ("Use oil (e.g. Shell) of grade approx. 30. Wait.", ["Use oil (e.g. Shell) of grade approx. 30.", "Wait."]),
        ("Set 2.5 bar. 3 bar is too much.", ["Set 2.5 bar.", "3 bar is too much."]),
        ('He said "Stop." Then it\\nstopped.'.replace("\\n", "\n"), ['He said "Stop."', "Then it stopped."]),
        ("no capital follows. so it is one", ["no capital follows. so it is one"]),
        ("  ", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(st.text())
@settings(max_examples=100, deadline=None)
def test_sentences_lose_nothing(text: str) -> None:
    assert " ".join(sentences(text)).split() == text.split()


QUESTION = "how do I bleed the rear brake circuit"  # content: bleed, rear, brake, circuit


@pytest.mark.parametrize(
    "other",
    [
        "how do I bleed the rear brake circuit",  # the same
        "How Do I BLEED The Rear Brake Circuit?",  # case and punctuation
        "rear brake circuit: how do you bleed it",  # order and function words
        "bleeding of rear brakes' circuits",  # endings
        "how do I bleed the front brake circuit",  # one word replaced
        "how do I bleed the rear brake",  # one word less
        "how do I bleed the rear drum brake circuit",  # one word more
    ],
)
def test_near_equal_questions_are_found(other: str) -> None:
    assert NearEqualQueries({"test question 7": QUESTION}).find(other) == "test question 7"
    assert NearEqualQueries({"other": other}).find(QUESTION) == "other"


@pytest.mark.parametrize(
    "other",
    [
        "how do I bleed the front clutch circuit",  # two words replaced
        "how do I fill the rear brake reservoir",
        "bleed the brake",  # two words less
        "where is the fuse box",
        "",
    ],
)
def test_other_questions_are_not_found(other: str) -> None:
    assert NearEqualQueries({"test question 7": QUESTION}).find(other) is None
    assert NearEqualQueries({"other": other}).find(QUESTION) is None


def test_short_questions_must_have_the_same_words() -> None:
    near = NearEqualQueries({"a": "brake fluid type"})

    assert near.find("type of brake fluid") == "a"
    assert near.find("brake fluid colour") is None  # three words, one replaced: another question


def test_the_first_of_equal_texts_is_the_owner() -> None:
    near = NearEqualQueries()
    near.add("first", QUESTION)
    near.add("second", QUESTION.upper())

    assert near.find(QUESTION) == "first"


def test_without_repeats() -> None:
    assert without_repeats(["b", "a", "b", "c", "a"]) == ["b", "a", "c"]


def test_stopwords_are_those_of_bm25s_and_what_questions_begin_with() -> None:
    assert set(STOPWORDS_EN_PLUS) < STOPWORDS
    assert STOPWORDS - set(STOPWORDS_EN_PLUS) == {"whose", "could", "would"}
