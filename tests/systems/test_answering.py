"""A system's ranking from scores, by hand."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from domain_embeddings.params.search import LateStorage
from domain_embeddings.systems.answering import Hits, ranked
from domain_embeddings.systems.system import System

DENSE = {"a": 0.9, "b": 0.7, "c": 0.5}
BM25 = {"b": 8.0, "d": 4.0}
LATE = {"a": 0.4, "b": 0.8, "c": 0.6, "d": 0.8}


def _system(**values: Any) -> System:
    return System(name="x", model="base", **values)


def _late(scores: Hits) -> tuple[Callable[[Sequence[str]], Hits], list[list[str]]]:
    """Late interaction's scores, and of which passages they were asked for."""
    asked: list[list[str]] = []

    def of(passages: Sequence[str]) -> Hits:
        asked.append(list(passages))
        return {passage: scores[passage] for passage in passages if passage in scores}

    return of, asked


def _never(passages: Sequence[str]) -> Hits:
    raise AssertionError(f"late interaction was asked for {passages}")


def _in_order(found: dict[str, float]) -> list[tuple[str, Any]]:
    return [(passage, pytest.approx(score)) for passage, score in found.items()]


@pytest.mark.parametrize("fusion", ["scores", "ranks"])
def test_one_part_ranks_as_it_is(fusion: str) -> None:
    assert list(ranked(_system(dense=2, fusion=fusion), DENSE, {}, _never)) == ["a", "b", "c"]
    assert list(ranked(_system(bm25=2, fusion=fusion), {}, BM25, _never)) == ["b", "d"]


def test_one_part_keeps_its_scores() -> None:
    assert ranked(_system(dense=1), DENSE, BM25, _never) == DENSE
    assert ranked(_system(bm25=1), DENSE, BM25, _never) == BM25
    assert ranked(_system(bm25=1), DENSE, {}, _never) == {}  # no word of the question is known


def test_by_reciprocal_rank() -> None:
    found = ranked(_system(dense=1, bm25=1, fusion="ranks"), DENSE, BM25, _never)

    assert list(found.items()) == _in_order({"b": 1 / 62 + 1 / 61, "a": 1 / 61, "d": 1 / 62, "c": 1 / 63})


def test_ranks_have_weights_and_a_constant() -> None:
    found = ranked(_system(dense=1, bm25=3, fusion="ranks", rrf_k=1), DENSE, BM25, _never)

    assert list(found.items()) == _in_order({"b": 1 / 3 + 3 / 2, "d": 3 / 3, "a": 1 / 2, "c": 1 / 4})


def test_equal_ranks_go_to_meaning_before_words() -> None:
    found = ranked(_system(dense=1, bm25=1, fusion="ranks"), {"z": 0.9, "y": 0.1}, {"a": 3.0, "b": 1.0}, _never)

    assert list(found) == ["z", "a", "y", "b"]


def test_scores_of_meaning_and_words_are_brought_to_0_and_1() -> None:
    found = ranked(_system(dense=0.4, bm25=0.6), DENSE, BM25, _never)

    # dense 1, 0.5, 0 · 0.4; bm25 1, 0 · 0.6
    assert list(found.items()) == _in_order({"b": 0.2 + 0.6, "a": 0.4, "c": 0.0, "d": 0.0})


def test_late_interaction_alone_puts_the_candidates_in_its_order() -> None:
    late, asked = _late(LATE)

    found = ranked(_system(late=1), DENSE, BM25, late)

    assert asked == [["b", "a", "d", "c"]]  # by reciprocal rank
    # 0.8 → 1, 0.6 → 0.5, 0.4 → 0; of the two at 0.8 the better candidate
    assert list(found.items()) == _in_order({"b": 1.0, "d": 1.0, "c": 0.5, "a": 0.0})


def test_three_scores_are_a_weighted_sum() -> None:
    late, _ = _late(LATE)

    found = ranked(_system(late=0.5, dense=0.2, bm25=0.3), DENSE, BM25, late)

    expected = {"b": 0.5 + 0.1 + 0.3, "d": 0.5, "c": 0.25, "a": 0.2}
    assert list(found.items()) == _in_order(expected)


def test_by_coverage_bm25_counts_by_its_square() -> None:
    late, _ = _late(LATE)
    system = _system(late=0.5, dense=0.2, bm25=0.4, coverage=True)

    found = ranked(system, DENSE, BM25, late, 0.5)

    expected = {"b": 0.5 + 0.1 + 0.1, "d": 0.5, "c": 0.25, "a": 0.2}
    assert list(found.items()) == _in_order(expected)
    assert ranked(system.model_copy(update={"coverage": False}), DENSE, BM25, late, 0.5)["b"] == pytest.approx(1.0)
    assert ranked(_system(dense=0.4, bm25=0.6, coverage=True), DENSE, BM25, _never, 0.5)["b"] == pytest.approx(0.35)


def test_a_question_that_is_not_covered_goes_by_meaning() -> None:
    found = ranked(_system(dense=0.4, bm25=0.6, coverage=True), DENSE, BM25, _never, 0.0)

    assert list(found) == ["a", "b", "c"]


def test_of_equal_sums_the_one_that_late_interaction_prefers() -> None:
    late, _ = _late({"a": 0.2, "b": 0.4})

    # late 0, 1 · 0.5; dense 1, 0 · 0.5
    found = ranked(_system(late=0.5, dense=0.5), {"a": 0.9, "b": 0.1}, {}, late)

    assert list(found.items()) == _in_order({"b": 0.5, "a": 0.5})


def test_only_the_first_candidates_are_looked_at_and_given() -> None:
    many = {f"p{i:02}": 1 - i / 100 for i in range(30)}
    late, asked = _late({passage: i / 100 for i, passage in enumerate(many)})

    found = ranked(_system(late=1, dense=1, storage=LateStorage(candidates=12)), many, {}, late)

    assert asked == [list(many)[:12]]
    assert set(found) == set(asked[0])
    # the whole ranking is brought to 0..1, not the candidates' part of it
    assert found["p00"] == pytest.approx(0 + 1)
    assert found["p11"] == pytest.approx(1 + 18 / 29)


def test_without_token_vectors_the_candidates_keep_their_order() -> None:
    found = ranked(_system(late=0.5, dense=0.2, bm25=0.3), DENSE, BM25, lambda passages: {})

    assert list(found.items()) == _in_order({"b": 1 / 62 + 1 / 61, "a": 1 / 61, "d": 1 / 62, "c": 1 / 63})


def test_without_a_candidate_nothing_is_found() -> None:
    late, asked = _late(LATE)

    assert ranked(_system(late=1), {}, {}, late) == {}
    assert ranked(_system(dense=1, bm25=1, fusion="ranks"), {}, {}, _never) == {}
    assert asked == [[]]


@pytest.mark.parametrize(
    "weights",
    [{"dense": 1, "bm25": 1, "fusion": "ranks"}, {"dense": 1, "bm25": 1}, {"late": 1}, {"late": 1, "bm25": 1}],
)
@pytest.mark.parametrize("stored", [True, False])
def test_no_more_than_the_depth_is_given(weights: dict[str, Any], stored: bool) -> None:
    """Ten by meaning and ten others by words: twenty candidates for a depth of ten."""
    dense, bm25 = ({f"{name}{i}": 1.0 - i / 10 for i in range(10)} for name in "db")

    found = ranked(_system(depth=10, **weights), dense, bm25, lambda of: dict.fromkeys(of, 0.5) if stored else {})

    assert len(found) == 10
