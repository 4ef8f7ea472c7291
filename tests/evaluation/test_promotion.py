"""The interval rule, and which model is promoted."""

import math

import pytest

from domain_embeddings.evaluation.promotion import dev_result, guard, promote, verdict, word
from domain_embeddings.evaluation.report_model import DevResult, Guard, Verdict
from domain_embeddings.evaluation.significance import Difference
from domain_embeddings.params.report import ReportParams
from tests.knobs import knobs

PARAMS = knobs("report", ReportParams, min_queries=50, min_delta=0.005, wanted_delta=0.05, max_loss=0.02)
GAIN = DevResult("improved", 0.03, 0.01, 0.05, 100, False)


@pytest.mark.parametrize(
    ("difference", "expected"),
    [
        (Difference(0.03, 0.01, 0.05, 0.001, 300, 0.03), "improved"),
        (Difference(0.005, 0.001, 0.009, 0.01, 300, 0.01), "improved"),  # just the least gain
        (Difference(0.004, 0.001, 0.007, 0.01, 300, 0.01), "unchanged"),  # above zero, but too small to matter
        (Difference(0.03, 0.0, 0.06, 0.05, 300, 0.04), "unchanged"),  # the interval touches zero
        (Difference(0.03, -0.01, 0.07, 0.2, 300, 0.06), "underpowered"),  # 0.05 might have been missed
        (Difference(0.03, 0.01, 0.07, 0.01, 300, 0.06), "improved"),  # found all the same
        (Difference(0.0, 0.0, 0.0, 1.0, 300, 0.0), "unchanged"),
        (Difference(-0.03, -0.05, -0.01, 0.001, 300, 0.03), "regressed"),
        (Difference(-0.004, -0.007, -0.001, 0.01, 300, 0.01), "unchanged"),
        (Difference(0.3, 0.2, 0.4, 0.001, 49, 0.1), "underpowered"),
        (Difference(-0.3, -0.4, -0.2, 0.001, 49, 0.1), "underpowered"),
        (Difference(0.3, 0.2, 0.4, 0.001, 50, 0.1), "improved"),
        (Difference(0.5, 0.5, 0.5, 1.0, 1, math.inf), "underpowered"),
    ],
)
def test_word(difference: Difference, expected: str) -> None:
    assert word(difference, PARAMS) == expected


@pytest.mark.parametrize(("noise", "expected"), [(0.02, "improved"), (0.04, "unchanged")])
def test_a_gain_within_the_noise_of_seeds_is_none(noise: float, expected: str) -> None:
    assert word(Difference(0.03, 0.01, 0.05, 0.001, 300, 0.03), PARAMS, noise) == expected


@pytest.mark.parametrize(
    ("difference", "holds"),
    [
        (Difference(0.01, -0.01, 0.03, 0.3, 100, 0.03), True),
        (Difference(-0.03, -0.07, 0.01, 0.2, 100, 0.05), True),  # may be luck
        (Difference(-0.02, -0.03, -0.01, 0.01, 100, 0.02), True),  # certain, and small enough
        (Difference(-0.03, -0.05, -0.01, 0.01, 100, 0.02), False),
    ],
)
def test_the_guard_objects_to_a_certain_large_loss(difference: Difference, holds: bool) -> None:
    assert guard("other", difference, PARAMS) == Guard(
        "other", difference.delta, difference.low, difference.high, 100, holds
    )


def test_a_better_model_is_promoted() -> None:
    found = promote(GAIN, [Guard("other", -0.01, -0.02, 0.0, 100, True)], "unchanged", 0.75)

    assert (found.promoted, found.share) == ("tuned", 0.75)
    assert found.reason == "improved on 100 dev questions: ndcg@10 +0.030 [+0.010, +0.050]"


@pytest.mark.parametrize(
    ("dev", "guards", "test", "said"),
    [
        (DevResult("unchanged", 0.0, -0.01, 0.01, 100, False), [], "improved", "unchanged on 100 dev questions: ndcg"),
        (DevResult("underpowered", 0.1, 0.0, 0.2, 30, True), [], "improved", "30 dev questions (on synthetic queries)"),
        (GAIN, [Guard("lore", -0.1, -0.15, -0.05, 80, False)], "improved", "lore ndcg@10 -0.100"),
        (GAIN, [], "regressed", "the test questions veto it"),
    ],
)
def test_the_base_stays_and_the_reason_says_why(dev: DevResult, guards: list[Guard], test: str, said: str) -> None:
    found = promote(dev, guards, test, 1.0)  # type: ignore[arg-type]

    assert found.promoted == "base"
    assert said in found.reason


def test_what_dev_says_is_marked_synthetic() -> None:
    difference = Difference(0.0312345678, 0.01, 0.05, 0.001, 300, 0.03)

    assert dev_result(difference, True, PARAMS) == DevResult("improved", 0.031235, 0.01, 0.05, 300, True)


def test_verdict_json() -> None:
    difference = Difference(0.03123456, 0.0111111, 0.0555555, 0.00123449, 300, 0.03)

    assert verdict(difference, "improved", "base") == Verdict(
        "improved", "ndcg@10", 0.031235, (0.011111, 0.055556), 0.001234, "base"
    )
