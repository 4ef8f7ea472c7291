"""The interval rule, and which model is promoted."""

import pytest

from domain_embeddings.params.report import ReportParams
from domain_embeddings.significance import Difference
from domain_embeddings.verdict import verdict, word
from tests.knobs import knobs

PARAMS = knobs("report", ReportParams, min_queries=50, min_delta=0.005)


@pytest.mark.parametrize(
    ("difference", "expected"),
    [
        (Difference(0.03, 0.01, 0.05, 0.001, 300), "improved"),
        (Difference(0.005, 0.001, 0.009, 0.01, 300), "improved"),  # just the least gain
        (Difference(0.004, 0.001, 0.007, 0.01, 300), "unchanged"),  # above zero, but too small to matter
        (Difference(0.03, 0.0, 0.06, 0.05, 300), "unchanged"),  # the interval touches zero
        (Difference(0.03, -0.01, 0.07, 0.2, 300), "unchanged"),
        (Difference(0.0, 0.0, 0.0, 1.0, 300), "unchanged"),
        (Difference(-0.03, -0.05, -0.01, 0.001, 300), "regressed"),
        (Difference(-0.004, -0.007, -0.001, 0.01, 300), "unchanged"),
        (Difference(0.3, 0.2, 0.4, 0.001, 49), "underpowered"),
        (Difference(-0.3, -0.4, -0.2, 0.001, 49), "underpowered"),
        (Difference(0.3, 0.2, 0.4, 0.001, 50), "improved"),
    ],
)
def test_word(difference: Difference, expected: str) -> None:
    assert word(difference, PARAMS) == expected


def test_a_better_model_is_promoted() -> None:
    assert verdict(Difference(0.03123456, 0.0111111, 0.0555555, 0.00123449, 300), PARAMS) == {
        "verdict": "improved", "metric": "ndcg@10", "delta": 0.031235, "ci95": [0.011111, 0.055556], "p": 0.001234,
        "promoted": "tuned",
    }  # fmt: skip


@pytest.mark.parametrize(
    "difference",
    [
        Difference(0.0, -0.01, 0.01, 0.9, 300),
        Difference(-0.1, -0.2, -0.05, 0.001, 300),
        Difference(0.3, 0.2, 0.4, 0.001, 10),
    ],
)
def test_the_base_stays_unless_the_tuned_is_better(difference: Difference) -> None:
    assert verdict(difference, PARAMS)["promoted"] == "base"
