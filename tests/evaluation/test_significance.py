"""Paired differences: intervals that cover, p-values that mean what they say."""

import math

import numpy as np
import pytest

from domain_embeddings.evaluation.significance import Difference, detectable, holm, interval, paired


def test_no_difference() -> None:
    scores = np.array([0.2, 0.5, 0.9])

    assert paired(scores, scores, 100, seed=1) == Difference(0.0, 0.0, 0.0, 1.0, 3, 0.0)


def test_one_question_shows_nothing() -> None:
    assert paired(np.array([1.0]), np.array([0.5]), 100, seed=1) == Difference(0.5, 0.5, 0.5, 1.0, 1, math.inf)


def test_the_delta_is_the_mean_difference() -> None:
    found = paired(np.array([0.5, 0.7, 0.9, 0.1]), np.array([0.4, 0.8, 0.5, 0.1]), 200, seed=1)

    assert found.delta == pytest.approx((0.1 - 0.1 + 0.4 + 0.0) / 4)
    assert found.low <= found.delta <= found.high
    assert found.n == 4


def test_the_p_value_of_four_equal_gains_is_exact() -> None:
    # Of the 16 ways to swap the arms, two give a mean difference as large as this.
    found = paired(np.array([0.6, 0.7, 0.8, 0.9]), np.array([0.5, 0.6, 0.7, 0.8]), 10_000, seed=1)

    assert found.p == pytest.approx(2 / 16)


def test_a_constant_gain_has_an_interval_of_no_width() -> None:
    found = paired(np.full(60, 0.75), np.full(60, 0.5), 200, seed=1)

    assert (found.low, found.high) == (0.25, 0.25)
    assert found.p < 0.05


def test_the_other_way_round_is_the_mirror_image() -> None:
    generator = np.random.default_rng(3)
    ours, theirs = generator.random(80), generator.random(80)

    one, other = paired(ours, theirs, 2000, seed=1), paired(theirs, ours, 2000, seed=1)

    assert other.delta == pytest.approx(-one.delta)
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low), abs=0.01)
    assert other.p == pytest.approx(one.p, abs=0.03)


def test_the_seed_fixes_the_result() -> None:
    generator = np.random.default_rng(4)
    ours, theirs = generator.random(80), generator.random(80)

    assert paired(ours, theirs, 300, seed=1) == paired(ours, theirs, 300, seed=1)
    assert paired(ours, theirs, 300, seed=1) != paired(ours, theirs, 300, seed=2)


def _draw(generator: np.random.Generator, truth: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores of 100 questions under two arms that differ by `truth` on average."""
    theirs = generator.random(100)
    return theirs + truth + generator.normal(0, 0.2, 100), theirs


@pytest.mark.slow
def test_the_interval_covers_the_true_difference_95_times_of_100() -> None:
    generator = np.random.default_rng(42)
    found = [paired(*_draw(generator, 0.04), resamples=1000, seed=draw) for draw in range(1000)]

    assert 0.93 <= sum(each.low <= 0.04 <= each.high for each in found) / 1000 <= 0.97


@pytest.mark.slow
def test_without_a_difference_5_of_100_p_values_are_below_5_percent() -> None:
    generator = np.random.default_rng(42)
    found = [paired(*_draw(generator, 0.0), resamples=200, seed=draw) for draw in range(1000)]

    assert 0.03 <= sum(each.p < 0.05 for each in found) / 1000 <= 0.07


def test_the_detectable_difference_by_hand() -> None:
    # s = 0.2 over 100 questions: (1.959964 + 0.841621) · 0.2 / 10
    differences = np.tile([0.2, -0.2], 50) * math.sqrt(99 / 100)

    assert detectable(differences) == pytest.approx(0.0560317, abs=1e-6)


@pytest.mark.slow
def test_a_difference_as_large_as_detectable_is_found_in_80_of_100_draws() -> None:
    generator = np.random.default_rng(5)
    least = detectable(generator.normal(0, 0.2, 100_000)) * math.sqrt(100_000 / 100)

    found = [paired(*_draw(generator, least), resamples=300, seed=draw).low > 0 for draw in range(400)]

    assert 0.74 <= np.mean(found) <= 0.86


def test_holm_by_hand() -> None:
    # ascending 0.01·4, 0.02·3, 0.03·2 (raised to the one before), 0.5·1
    assert holm([0.02, 0.5, 0.01, 0.03]) == pytest.approx([0.06, 0.5, 0.04, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_the_interval_of_a_mean() -> None:
    values = np.random.default_rng(6).normal(0.5, 0.1, 400)

    low, high = interval(values, 2000, seed=1)

    assert (low, high) == pytest.approx((values.mean() - 0.0098, values.mean() + 0.0098), abs=0.002)
    assert interval(np.full(5, 0.25), 100, seed=1) == (0.25, 0.25)
