"""When a passage meets a topic, and the scores made of it."""

import pytest

from domain_embeddings.core.dataset import Passage
from domain_embeddings.evaluation.topics import coverage, is_known, meets, plain, rubric, spoilers, topic_coverage


def _passage(text: str, title: str = "", **extra: object) -> Passage:
    return Passage("p", title, text, extra=extra)


COMB = _passage(
    "The teeth of Ossel’s comb bend inward.",
    "Ossel comb: upkeep",
    entity="Ossel comb",
    aliases=["the grey nun"],
    mentions=["Thessam Hall"],
    mention_aliases=["the Wool Palace"],
    temporal_order=3,
)
SALT = _passage("Salt is raked from the pans.", temporal_order=7)
UNDATED = _passage("Nobody knows when.")


@pytest.mark.parametrize(
    "topic", ["bend inward", "BEND", "upkeep", "Ossel", "the grey nun", "Ossel comb", "Thessam Hall", "the wool palace"]
)
def test_a_topic_is_met_by_text_title_or_a_name(topic: str) -> None:
    assert meets(COMB, topic)


@pytest.mark.parametrize("topic", ["ben", "inwards", "comb teeth", "grey", "Hall", "", "—"])
def test_a_part_of_a_word_or_of_a_name_meets_nothing(topic: str) -> None:
    assert not meets(COMB, topic)


def test_codes_and_hyphens_stay_whole() -> None:
    assert not meets(_passage("the long-tooth of a sa'angreal"), "tooth")
    assert not meets(_passage("the long-tooth of a sa'angreal"), "angreal")
    assert plain("Ossel’s P-0301, whole.") == " ossel p-0301 whole "


def test_coverage_is_of_all_passages_together() -> None:
    assert coverage([COMB], ["bend inward", "raked", "fog"]) == pytest.approx(1 / 3)
    assert coverage([COMB, SALT], ["bend inward", "raked", "fog"]) == pytest.approx(2 / 3)
    assert coverage([COMB], []) == 0


@pytest.mark.parametrize(("limit", "known"), [(None, True), (2, False), (3, True), (4, True)])
def test_a_fact_is_known_from_its_date_on(limit: int | None, known: bool) -> None:
    assert is_known(COMB, limit) is known
    assert is_known(UNDATED, limit)


def test_topic_coverage_takes_the_first_k_within_the_limit() -> None:
    expected = ["bend inward", "raked"]
    assert topic_coverage([SALT, COMB], expected, None) == 1
    assert topic_coverage([SALT, COMB], expected, 5) == 0.5  # salt is past the limit and keeps its rank
    assert topic_coverage([SALT, COMB], expected, 5, k=1) == 0
    assert topic_coverage([UNDATED] * 5 + [COMB], expected, None) == 0


def test_spoilers_are_past_the_limit() -> None:
    assert spoilers([SALT, COMB, UNDATED], 5) == 1
    assert spoilers([COMB, SALT], 5, k=1) == 0
    assert spoilers([SALT, COMB], None) == 0


def test_the_rubric_goes_from_one_to_five() -> None:
    assert [rubric(share) for share in (0, 0.25, 1)] == [1, 2, 5]
