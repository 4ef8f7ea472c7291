"""The interval rule, the guard, and what verdict.json says."""

import math

import pytest

from domain_embeddings.evaluation.promotion import dev_result, guard, verdict, word
from domain_embeddings.evaluation.report_model import DevResult, Guard, Verdict
from domain_embeddings.evaluation.significance import Difference
from domain_embeddings.params.report import ReportParams
from tests.knobs import knobs

PARAMS = knobs("report", ReportParams, min_queries=50, min_delta=0.005, wanted_delta=0.05, max_loss=0.02, min_groups=20)


@pytest.mark.parametrize(
    ("difference", "expected"),
    [
        (Difference(0.03, 0.01, 0.05, 0.001, 300, 300, 0.03), "improved"),
        (Difference(0.005, 0.001, 0.009, 0.01, 300, 300, 0.01), "improved"),  # just the least gain
        (Difference(0.004, 0.001, 0.007, 0.01, 300, 300, 0.01), "unchanged"),  # above zero, but too small to matter
        (Difference(0.03, 0.0, 0.06, 0.05, 300, 300, 0.04), "unchanged"),  # the interval touches zero
        (Difference(0.03, -0.01, 0.07, 0.2, 300, 300, 0.06), "underpowered"),  # 0.05 might have been missed
        (Difference(0.03, 0.01, 0.07, 0.01, 300, 300, 0.06), "improved"),  # found all the same
        (Difference(0.0, 0.0, 0.0, 1.0, 300, 300, 0.0), "unchanged"),
        (Difference(-0.03, -0.05, -0.01, 0.001, 300, 300, 0.03), "regressed"),
        (Difference(-0.004, -0.007, -0.001, 0.01, 300, 300, 0.01), "unchanged"),
        (Difference(0.3, 0.2, 0.4, 0.001, 49, 49, 0.1), "improved"),  # few questions suffice for a large gain
        (Difference(-0.3, -0.4, -0.2, 0.001, 49, 6, 0.1), "regressed"),
        (Difference(0.004, 0.001, 0.007, 0.01, 49, 49, 0.01), "unchanged"),  # found, though too small to matter
        (Difference(0.0, -0.01, 0.01, 0.9, 49, 49, 0.03), "underpowered"),  # too few questions
        (Difference(0.0, -0.01, 0.01, 0.9, 50, 50, 0.03), "unchanged"),
        (Difference(0.0, -0.01, 0.01, 0.9, 300, 19, 0.03), "underpowered"),  # too few groups
        (Difference(0.0, -0.01, 0.01, 0.9, 300, 20, 0.03), "unchanged"),
        (Difference(0.5, 0.5, 0.5, 0.0625, 300, 5, 0.0), "underpowered"),  # five equal gains may be luck
        (Difference(0.5, 0.5, 0.5, 0.03125, 6, 6, 0.0), "improved"),
        (Difference(0.5, 0.5, 0.5, 1.0, 1, 1, math.inf), "underpowered"),
    ],
)
def test_word(difference: Difference, expected: str) -> None:
    assert word(difference, PARAMS) == expected


@pytest.mark.parametrize(("noise", "expected"), [(0.02, "improved"), (0.04, "unchanged")])
def test_a_gain_within_the_noise_of_seeds_is_none(noise: float, expected: str) -> None:
    assert word(Difference(0.03, 0.01, 0.05, 0.001, 300, 300, 0.03), PARAMS, noise) == expected


@pytest.mark.parametrize(
    ("difference", "holds"),
    [
        (Difference(0.01, -0.01, 0.03, 0.3, 100, 25, 0.03), True),
        (Difference(-0.01, -0.015, -0.005, 0.01, 100, 100, 0.01), True),  # certain, and small enough
        (Difference(0.0, 0.0, 0.0, 1.0, 100, 100, 0.0), True),
        (Difference(-0.01, -0.021, 0.001, 0.1, 100, 100, 0.02), False),  # a loss of 0.021 is not excluded
        (Difference(0.02, -0.05, 0.09, 0.6, 20, 20, 0.1), False),  # too few questions to exclude anything
        (Difference(-0.03, -0.05, -0.01, 0.01, 100, 100, 0.02), False),
    ],
)
def test_the_guard_holds_where_a_large_loss_is_excluded(difference: Difference, holds: bool) -> None:
    assert guard("other", difference, PARAMS) == Guard(
        "other", difference.delta, difference.low, difference.high, difference.n, difference.groups, holds
    )


def test_a_guard_that_tolerates_no_loss_lets_an_equal_model_pass() -> None:
    strict = PARAMS.model_copy(update={"max_loss": 0.0})

    assert guard("other", Difference(0.0, 0.0, 0.0, 1.0, 100, 100, 0.0), strict).holds
    assert not guard("other", Difference(0.0, -0.001, 0.001, 0.9, 100, 100, 0.0), strict).holds


@pytest.mark.parametrize(("synthetic", "asked_by"), [(True, "rules"), (False, "people")])
def test_what_dev_says_is_rounded_and_tells_who_asked(synthetic: bool, asked_by: str) -> None:
    difference = Difference(0.0312345678, 0.01, 0.05, 0.001, 300, 40, 0.03)

    found = dev_result(difference, synthetic, asked_by, PARAMS)

    assert found == DevResult("improved", 0.031235, 0.01, 0.05, 300, 40, synthetic, asked_by)


def test_verdict_json() -> None:
    tuned = Difference(0.03123456, 0.0111111, 0.0555555, 0.00123449, 300, 300, 0.03)
    gain = Difference(0.1234567, 0.0987654, 0.1555555, 0.0001, 300, 300, 0.03)

    assert verdict(tuned, "improved", "base", "late_hybrid_base", gain) == Verdict(
        "improved", "ndcg@10", 0.031235, (0.011111, 0.055556), 0.001234, "base",
        "late_hybrid_base", 0.123457, (0.098765, 0.155556),
    )  # fmt: skip
