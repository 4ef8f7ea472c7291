"""Paired differences: intervals that cover, p-values that mean what they say."""

import math
from collections.abc import Sequence
from dataclasses import astuple, replace

import numpy as np
import pytest

from domain_embeddings.evaluation.significance import Difference, detectable, holm, interval, paired


def test_no_difference() -> None:
    scores = np.array([0.2, 0.5, 0.9])

    assert paired(scores, scores, 100, seed=1) == Difference(0.0, 0.0, 0.0, 1.0, 3, 3, 0.0)


def test_one_question_shows_nothing() -> None:
    assert paired(np.array([1.0]), np.array([0.5]), 100, seed=1) == Difference(0.5, 0.5, 0.5, 1.0, 1, 1, math.inf)


def test_one_group_shows_nothing_however_many_its_questions() -> None:
    found = paired(np.array([1.0, 0.5, 0.75]), np.zeros(3), 100, seed=1, groups=["a"] * 3)

    assert found == Difference(0.75, 0.75, 0.75, 1.0, 3, 1, math.inf)


def test_few_groups_by_hand() -> None:
    # The groups' sums are 0.4, 0.2 and 0.6, the mean is 0.3, the residuals −0.2, −0.1 and 0.3, the standard error
    # is √(3/2 · 0.14) / 4 = 0.1145644. With two degrees of freedom t is 4.302653 at 97.5% and 1.060660 at 80%.
    differences, groups = np.array([0.3, 0.2, 0.1, 0.6]), ["a", "b", "a", "c"]

    found = paired(differences, np.zeros(4), 1000, seed=1, groups=groups)

    assert (found.low, found.high) == pytest.approx((0.3 - 0.4929308, 0.3 + 0.4929308), abs=1e-6)
    assert interval(differences, 1000, 1, groups) == (found.low, found.high)
    assert found.detectable == pytest.approx(0.6144447, abs=1e-6)
    assert detectable(differences, groups) == found.detectable
    assert found.p == pytest.approx(2 / 8)
    assert (found.n, found.groups) == (4, 3)


@pytest.mark.parametrize("k", [10, 60])
def test_copies_of_a_question_in_its_group_add_nothing(k: int) -> None:
    differences = np.random.default_rng(8).normal(0.05, 0.2, k)
    names = [f"q{i:02}" for i in range(k)]

    one = paired(differences, np.zeros(k), 500, seed=1)
    alone = paired(differences, np.zeros(k), 500, seed=1, groups=names)
    copied = paired(np.tile(differences, 5), np.zeros(5 * k), 500, seed=1, groups=names * 5)

    assert alone == one
    assert astuple(copied) == pytest.approx(astuple(replace(one, n=5 * k)))


def test_a_large_group_weighs_as_much_as_its_questions() -> None:
    # 200 questions on their own score 1, 200 groups of three 0: the mean is 0.25, every residual 0.75 or −0.75, and the
    # standard error √(400/399 · 400 · 0.5625) / 800 = 0.018774.
    values = np.repeat([1.0, 0.0], [200, 600])
    groups = [f"one{i}" for i in range(200)] + [f"three{i}" for i in range(200)] * 3

    assert interval(values, 5000, 1, groups) == pytest.approx((0.25 - 0.0368, 0.25 + 0.0368), abs=0.003)


def test_every_question_has_a_group() -> None:
    with pytest.raises(ValueError, match="same length"):
        interval(np.ones(50), 100, 1, ["a", "b"])


def test_the_delta_is_the_mean_difference() -> None:
    found = paired(np.array([0.5, 0.7, 0.9, 0.1]), np.array([0.4, 0.8, 0.5, 0.1]), 200, seed=1)

    assert found.delta == pytest.approx((0.1 - 0.1 + 0.4 + 0.0) / 4)
    assert found.low <= found.delta <= found.high
    assert found.n == 4


def test_the_p_value_of_four_equal_gains_is_exact() -> None:
    # Of the 16 ways to swap the arms, two give a mean difference as large as this.
    found = paired(np.array([0.6, 0.7, 0.8, 0.9]), np.array([0.5, 0.6, 0.7, 0.8]), 10_000, seed=1)

    assert found.p == pytest.approx(2 / 16)


def test_whole_groups_are_flipped() -> None:
    # Of 60 equal gains in six groups 2 of 2^6 flips are as large; alone they are beyond what 200 random flips find.
    ours, theirs = np.full(60, 0.75), np.full(60, 0.5)

    assert paired(ours, theirs, 200, 1, groups=list("abcdef") * 10).p == pytest.approx(2 / 64)
    assert paired(ours, theirs, 200, 1).p == pytest.approx(2 * 1 / 201)


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


_NAMES = np.repeat([f"q{i:02}" for i in range(17)], 9)


def _draw_groups(generator: np.random.Generator, correlation: float) -> np.ndarray:
    """Differences of 17 groups of 9 questions, none of them true; two questions of a group have this correlation."""
    shared, own = generator.normal(size=17).repeat(9), generator.normal(size=17 * 9)
    return math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * own


def _errors(correlation: float, draws: int, groups: Sequence[str] | None) -> tuple[float, float]:
    """The shares of intervals that lie above zero, and that do not cover it."""
    generator = np.random.default_rng(7)
    found = np.array([interval(_draw_groups(generator, correlation), 200, 1, groups) for _ in range(draws)])
    above, below = found[:, 0] > 0, found[:, 1] < 0
    return float(above.mean()), float((above | below).mean())


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.1, 0.3])
def test_intervals_of_few_groups_cover(correlation: float) -> None:
    improved, missed = _errors(correlation, 4000, list(_NAMES))

    assert improved <= 0.03
    assert missed <= 0.07


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.1, 0.3])
def test_questions_of_a_group_taken_for_independent_ones_improve_by_luck(correlation: float) -> None:
    improved, missed = _errors(correlation, 500, None)

    assert improved > 0.05
    assert missed > 0.12


@pytest.mark.slow
def test_without_a_difference_5_of_100_p_values_of_groups_are_below_5_percent() -> None:
    generator, none = np.random.default_rng(9), np.zeros(17 * 9)
    found = [paired(_draw_groups(generator, 0.3), none, 200, draw, list(_NAMES)).p for draw in range(1000)]

    assert 0.03 <= np.mean(np.array(found) < 0.05) <= 0.07


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
