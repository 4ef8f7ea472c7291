"""What the table of label-free training says."""

import pytest

from benchmarks.label_free import figures, gain, table

ROW = {
    "collection": "one",
    "questions": 4,
    "people": {"base": [0.0, 0.5, 0.5, 1.0], "tuned": [0.5, 0.5, 1.0, 1.0]},
    "silver": {"base": [0.5, 0.5, 0.5, 0.5], "tuned": [0.5, 0.5, 0.5, 0.5]},
}


def test_the_gain_comes_with_two_standard_errors() -> None:
    # differences 0.5, 0, 0.5, 0: mean 0.25, variance 1/12
    assert gain(ROW, "people", ("tuned", "base")) == pytest.approx((0.25, 2 * (1 / 12 / 4) ** 0.5))
    assert gain(ROW, "silver", ("tuned", "base")) == (0, 0)


def test_the_table_has_both_judgements_and_the_mean() -> None:
    _, _, row, mean = table([ROW]).splitlines()

    assert row.startswith("| one | 4 | 0.500 +0.250 ± 0.289; silver +0.000 ± 0.000 |  |")
    assert mean.startswith("| mean gain | | +0.2500, worst +0.250 |  |")


def test_the_figures_hold_what_a_killed_run_goes_on_with() -> None:
    (found,) = figures([ROW])

    assert (found["name"], found["ours"], found["peer"], found["ratio"]) == ("one: tuned; peer: base", 0.75, 0.5, 1.5)
    assert found["row"] == ROW
