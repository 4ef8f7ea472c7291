"""Words, stems and sentences."""

import pytest
from bm25s.stopwords import STOPWORDS_EN_PLUS
from hypothesis import given, settings
from hypothesis import strategies as st

from domain_embeddings.core.text import STOPWORDS, content_words, sentences, without_repeats, words


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
        ("Use e.g. No. 3 of fig. A first. Then stop.", ["Use e.g. No. 3 of fig. A first.", "Then stop."]),
        ("  ", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(st.text())
@settings(max_examples=100, deadline=None)
def test_sentences_lose_nothing(text: str) -> None:
    assert " ".join(sentences(text)).split() == text.split()


def test_without_repeats() -> None:
    assert without_repeats(["b", "a", "b", "c", "a"]) == ["b", "a", "c"]


def test_stopwords_are_those_of_bm25s_and_what_questions_begin_with() -> None:
    assert set(STOPWORDS_EN_PLUS) < STOPWORDS
    assert STOPWORDS - set(STOPWORDS_EN_PLUS) == {"whose", "could", "would"}
