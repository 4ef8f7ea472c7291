"""The benchmark of late interaction: bytes of 120 words, what search gives, and which way a ratio goes."""

import numpy as np
import pytest
import torch

from benchmarks.late_interaction import Collection, late_ndcg, projected, second_stage_ndcg, spoken
from benchmarks.late_speed import row
from domain_embeddings.encoding.late import Tokens


def _collection() -> Collection:
    """Three passages in three dimensions; the question is the first axis, the answer is p2."""
    told = [np.eye(3, dtype=np.float32)[rows] for rows in ([1, 2], [0, 1, 2], [2, 1])]
    asked = Tokens(torch.eye(3)[:1], [1])
    return Collection(
        passages={"p1": "oil " * 4, "p2": "brakes " * 8, "p3": "mast " * 3},
        questions={"q": "brakes"},
        qrels={"q": {"p2": 1}},
        dense=np.array([[0.9, 0.1, 0.5]], np.float32),
        asked=asked,
        expanded=asked,
        told=told,
        silent=[[False, True], [False, True, False], [True, False]],
    )


def test_vectors_of_120_words() -> None:
    assert _collection().vectors_of(len) == pytest.approx(120 * (2 + 3 + 2) / (4 + 8 + 3))


def test_late_interaction_ranks_by_the_best_match() -> None:
    collection = _collection()

    assert late_ndcg(collection, collection.told) == 1
    assert late_ndcg(collection, [collection.told[1], *collection.told[1:]]) == pytest.approx(1 / np.log2(3))  # a tie


def test_the_second_stage_ranks_what_the_first_found() -> None:
    collection = _collection()

    assert second_stage_ndcg(collection, collection.told) == 1
    assert second_stage_ndcg(collection, [collection.told[1], collection.told[0], collection.told[2]]) < 1


def test_spoken_leaves_out_what_is_silent() -> None:
    assert [len(tokens) for tokens in spoken(_collection())] == [1, 2, 1]


def test_all_directions_keep_everything() -> None:
    collection = _collection()

    told, asked = projected(collection, 3)

    for ours, whole in zip(told, collection.told, strict=True):
        np.testing.assert_allclose(
            ours @ asked.vectors.numpy().T, whole @ collection.asked.vectors.numpy().T, atol=1e-6
        )


def test_a_ratio_above_1_is_better() -> None:
    assert row("p95", "ms", 20.0, 50.0) == {"name": "p95", "unit": "ms", "ours": 20.0, "peer": 50.0, "ratio": 2.5}
    assert row("p95", "ms", 20.0, None)["ratio"] is None
