"""From scores to rankings."""

import numpy as np
import pytest

from domain_embeddings.core.ranking import fuse, fuse_scores, rank, top_k


def test_top_k_puts_ties_in_the_order_of_columns() -> None:
    scores = np.array([[1, 3, 3, 2, 3], [0, 0, 0, 0, 0]], dtype=np.float32)

    assert top_k(scores, 4).tolist() == [[1, 2, 4, 3], [0, 1, 2, 3]]


def test_top_k_of_fewer_columns() -> None:
    assert top_k(np.array([[1, 2]], dtype=np.float32), 10).tolist() == [[1, 0]]


def test_rank_by_pieces_is_rank_at_once() -> None:
    scores = np.random.default_rng(0).integers(0, 5, size=(600, 40)).astype(np.float32)  # many ties
    queries, passages = [f"q{i}" for i in range(600)], [f"p{i}" for i in range(40)]

    run = rank(queries, passages, lambda rows: scores[rows], depth=15)

    assert list(run) == queries
    for number, order in enumerate(np.argsort(-scores, axis=1, kind="stable")[:, :15]):
        assert list(run[f"q{number}"].items()) == [(f"p{i}", scores[number, i]) for i in order]


def test_rank_asks_for_a_few_hundred_rows_at_a_time() -> None:
    asked: list[slice] = []

    def score_rows(rows: slice) -> np.ndarray:
        asked.append(rows)
        return np.zeros((min(rows.stop, 600) - rows.start, 1), dtype=np.float32)

    rank([f"q{i}" for i in range(600)], ["p"], score_rows, depth=1)

    assert [rows.start for rows in asked] == [0, 256, 512]


def test_minus_infinity_is_left_out() -> None:
    scores = np.array([[-np.inf, 0.5, -1.0], [-np.inf] * 3], dtype=np.float32)

    assert rank(["q", "r"], ["a", "b", "c"], lambda rows: scores[rows], 3) == {"q": {"b": 0.5, "c": -1.0}, "r": {}}


def test_a_passage_that_is_left_out_for_a_query_counts_for_the_others() -> None:
    scores = np.array([[0.9, 0.5, 0.1], [0.9, 0.5, 0.1]], dtype=np.float32)

    run = rank(["q", "r"], ["a", "b", "c"], lambda rows: scores[rows], 2, {"q": "a", "r": "gone"})

    assert {query: list(found) for query, found in run.items()} == {"q": ["b", "c"], "r": ["a", "b"]}
    assert scores[0, 0] == np.float32(0.9)



def test_fuse_by_hand() -> None:
    one = {"q": {"a": 9.0, "b": 8.0, "c": 7.0}}
    other = {"q": {"c": 0.3, "d": 0.2}}

    fused = fuse([one, other], 60, depth=10)

    assert list(fused["q"]) == ["c", "a", "b", "d"]  # b and d both have rank 2: b stands in the first ranking
    assert fused["q"]["c"] == pytest.approx(1 / (60 + 3) + 1 / (60 + 1))
    assert fused["q"]["a"] == pytest.approx(1 / (60 + 1))
    assert fused["q"]["b"] == fused["q"]["d"] == pytest.approx(1 / (60 + 2))


def test_fuse_with_another_constant_and_depth() -> None:
    fused = fuse([{"q": {"a": 2.0, "b": 1.0}}, {"q": {"b": 2.0}}], 2, depth=1)

    assert fused == {"q": {"b": pytest.approx(1 / (2 + 2) + 1 / (2 + 1))}}


def test_fuse_with_an_empty_ranking() -> None:
    assert fuse([{"q": {}}, {"q": {"a": 1.0}}], 60, 10) == {"q": {"a": pytest.approx(1 / 61)}}
    assert fuse([{"q": {}}, {"q": {}}], 60, 10) == {"q": {}}


def test_fuse_weighs_rankings() -> None:
    one, other = {"q": {"a": 9.0, "b": 8.0}}, {"q": {"b": 0.3}}

    fused = fuse([one, other], 60, depth=10, weights=[1.0, 0.5])

    assert fused["q"] == pytest.approx({"b": 1 / 62 + 0.5 / 61, "a": 1 / 61})


def test_fuse_scores_by_hand() -> None:
    one = {"q": {"a": 0.9, "b": 0.7, "c": 0.4}}
    other = {"q": {"c": 30.0, "d": 20.0, "a": 10.0}}

    fused = fuse_scores([one, other], [1.0, 0.5], depth=3)

    assert list(fused["q"]) == ["a", "b", "c"]
    assert fused["q"] == pytest.approx({"a": 1 + 0, "b": (0.7 - 0.4) / 0.5, "c": 0 + 0.5})


def test_fuse_scores_ignores_a_ranking_of_weight_0_and_bears_empty_and_flat_ones() -> None:
    runs = [{"q": {"a": 2.0, "b": 2.0}, "r": {}}, {"q": {"z": 9.0}, "r": {"y": 1.0}}]

    assert fuse_scores(runs, [1.0, 0.0], 10) == {"q": {"a": 1.0, "b": 1.0}, "r": {}}
    assert fuse_scores(runs, [0.5, 1.0], 10) == {"q": {"z": 1.0, "a": 0.5, "b": 0.5}, "r": {"y": 1.0}}
