"""BM25: what is found, what is not, and one score by hand."""

import math

import numpy as np
import pytest

from domain_embeddings.core.lexical import BM25

PASSAGES = [
    "Fill the engine with 5W-30 oil, 4.2 litres.",
    "Fault P0301: misfire in cylinder 1.",
    "Fault P0302: misfire in cylinder 2.",
    "The hoses of the brake circuit are bled at the rear.",
]


def _found(query: str) -> list[int]:
    (scores,) = BM25(PASSAGES).scores([query])
    return [int(i) for i in np.argsort(-scores, kind="stable") if scores[i] > -np.inf]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("5W-30", [0]),
        ("which oil, 5w30 or 5w-30?", [0]),
        ("P0301", [1]),
        ("what does p0302 mean", [2]),
        ("misfires", [1, 2]),  # stems; equal scores in the order of the passages
        ("brake hose", [3]),
        ("the of and", []),  # stopwords alone
        ("gearbox", []),
        ("", []),
    ],
)
def test_what_is_found(query: str, expected: list[int]) -> None:
    assert _found(query) == expected


def test_no_shared_term_is_minus_infinity() -> None:
    scores = BM25(PASSAGES).scores(["misfire", "gearbox"])

    assert scores.dtype == np.float32
    assert scores.shape == (2, 4)
    assert np.isinf(scores[0]).tolist() == [True, False, False, True]
    assert np.isinf(scores[1]).all()


def test_a_score_by_hand() -> None:
    scores = BM25(["grease chain", "grease mast mast", "vent pump"]).scores(["mast"])

    idf = math.log(1 + (3 - 1 + 0.5) / (1 + 0.5))
    length = 3 / (7 / 3)  # of the average of 2, 3 and 2 words
    assert scores[0, 1] == pytest.approx(idf * 2 / (2 + 1.5 * (1 - 0.75 + 0.75 * length)), rel=1e-5)
    assert np.isinf(scores[0, [0, 2]]).all()


def test_scores_do_not_depend_on_the_other_queries() -> None:
    bm25 = BM25(PASSAGES)

    together = bm25.scores(["misfire", "oil", "brake hose"])

    assert np.array_equal(together[1:2], bm25.scores(["oil"]))


def test_passages_without_any_indexed_word() -> None:
    assert np.isinf(BM25(["the", "—"]).scores(["the", "oil"])).all()
