"""Inverse cloze: which sentence goes, when none does, and for which queries."""

import pytest

from domain_embeddings.core.dataset import Passage, Query
from domain_embeddings.training.inverse_cloze import positive_of, without_sentence

REST = (
    "Park on level ground and chock both rear wheels before any work."
    " Keep the pedal pressed until the nipple is shut again."
)
PASSAGE = Passage("p", "Brakes > Bleeding", f"Open the nipple by half a turn. {REST}")


def test_the_sentence_with_the_query_s_words_goes_and_the_title_stays() -> None:
    assert without_sentence(PASSAGE, "opening by half a turn the Nipple") == f"Brakes > Bleeding {REST}"


def test_every_sentence_that_says_as_much_goes() -> None:
    twice = Passage("p", "", f"Half a turn opens it. {REST}\n\nit is shut by half a turn")

    assert without_sentence(twice, "half a turn") == REST


def test_sentences_may_start_in_lower_case() -> None:
    lower = Passage("p", "", f"open the nipple by half a turn . {REST.lower()}")

    assert without_sentence(lower, "nipple half a turn") == REST.lower()


@pytest.mark.parametrize("query", ["which torque has the caliper bolt", "brakes"])
def test_nothing_goes_where_no_sentence_holds_the_query(query: str) -> None:
    assert without_sentence(PASSAGE, query) is None


def test_nothing_goes_where_too_little_would_be_left() -> None:
    short = Passage("p", "Brakes", "Open the nipple by half a turn. Shut it again.")

    assert without_sentence(short, "half a turn") is None


def _query(number: int, source: str) -> Query:
    return Query(f"{source}-{number}", "nipple half a turn", extra={"source": source})


@pytest.mark.parametrize("source", ["sentence", "span", "keyphrase"])
def test_a_share_of_the_queries_made_of_sentences_misses_theirs(source: str) -> None:
    found = [positive_of(PASSAGE, _query(i, source), 0.9, 42) for i in range(1000)]

    assert set(found) == {PASSAGE.content, f"Brakes > Bleeding {REST}"}
    assert 0.87 < sum(text != PASSAGE.content for text in found) / 1000 < 0.93
    assert found == [positive_of(PASSAGE, _query(i, source), 0.9, 42) for i in range(1000)]
    assert found != [positive_of(PASSAGE, _query(i, source), 0.9, 43) for i in range(1000)]
    assert {positive_of(PASSAGE, _query(i, source), 0.0, 42) for i in range(100)} == {PASSAGE.content}


@pytest.mark.parametrize("query", [_query(1, "heading"), _query(1, "template"), Query("q1", "nipple half a turn")])
def test_a_query_of_another_kind_keeps_the_passage(query: Query) -> None:
    assert positive_of(PASSAGE, query, 1.0, 42) == PASSAGE.content


def test_a_passage_that_cannot_lose_the_sentence_stays_whole() -> None:
    short = Passage("p", "Brakes", "Open the nipple by half a turn.")

    assert positive_of(short, _query(1, "span"), 1.0, 42) == short.content
