"""How much of a question the first passages by words hold."""

import pytest

from domain_embeddings.systems.coverage import coverage, leaders


def test_the_first_three_lead_and_what_ties_with_the_third() -> None:
    assert leaders({"a": 9.0, "b": 8.0, "c": 7.0, "d": 6.9}) == ["a", "b", "c"]
    assert leaders({"a": 9.0, "b": 7.0, "c": 7.0, "d": 7.0, "e": 6.0}) == ["a", "b", "c", "d"]
    assert leaders({"a": 9.0, "b": 7.0, "c": 7.00001, "d": 7.0, "e": 6.0}) == ["a", "b", "c", "d"]  # to last digits
    assert leaders({"a": 9.0}) == ["a"]
    assert leaders({}) == []


def test_coverage_is_a_mean_share_of_the_questions_stems() -> None:
    question = ["brake", "pedal", "squeal", "brake"]

    assert coverage(question, [["brake", "pedal", "squeal"]]) == 1
    assert coverage(question, [["brake", "hose"], ["brake", "pedal", "hose"], ["wheel"]]) == pytest.approx(1 / 3)
    assert coverage([7, 8], [[8, 9]]) == 0.5


def test_nothing_covers_nothing() -> None:
    assert coverage([], [["brake"]]) == 0
    assert coverage(["brake"], []) == 0
