"""The declared search space."""

from pathlib import Path

import pytest

from domain_embeddings.params.strict import ParamsError
from domain_embeddings.tuning.space import DEFAULT, Choices, Range, Space, with_values
from tests.knobs import all_params


def test_the_default_space_is_one_of_these_params() -> None:
    space = Space.read(DEFAULT, all_params())
    assert "train.learning_rate" in space.tried
    assert space.of(all_params())["train.learning_rate"] == all_params()["train"]["learning_rate"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the whole file: needs a line for each param"),
        ("report.min_delta: {low: 0.0, high: 0.1}", "report.min_delta: only synthesize, mine, train can be tuned"),
        ("train: {low: 0, high: 1}", "train: only"),
        ("train.learning_rate: {low: 0.1, high: 0.01}", "low must be below high"),
        ("train.learning_rate: {low: 0.0, high: 0.1, log: true}", "log needs a low above 0"),
        ("train.learning_rate: {low: 0.0, high: 0.1}", "train.learning_rate: Input should be greater than 0"),
        ("train.learning_rat: {low: 0.01, high: 0.1}", "train.learning_rat: unknown key"),
        ("train.precision: {choices: [auto, float8]}", "train.precision: Input should be"),
        ("train.epochs: {choices: [1]}", "train.epochs.choices: List should have at least 2 items"),
        ("train.epochs: {from: 1, to: 2}", "train.epochs.from: unknown key"),
    ],
)
def test_what_cannot_be_tried_is_told_before_anything_runs(text: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text(text)
    with pytest.raises(ParamsError) as error:
        Space.read(file, all_params())
    assert f"{file} is not valid" in str(error.value)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("values", "value", "held"),
    [
        (Range(low=1, high=5, step=2), 3, True),
        (Range(low=1, high=5, step=2), 4, False),
        (Range(low=0.0, high=0.9, step=0.1), 0.30000000000000004, True),
        (Range(low=1e-5, high=1e-3, log=True), 2e-3, False),
        (Range(low=1e-5, high=1e-3, log=True), None, False),
        (Choices(choices=["auto", None]), None, True),
        (Choices(choices=["auto", None]), "float32", False),
    ],
)
def test_a_value_is_of_the_space_or_not(values: Range | Choices, value: float, held: bool) -> None:
    assert Space({"train.x": values}).holds({"train.x": value}) is held


def test_proposed_numbers_have_three_digits_and_stay_within_their_bounds() -> None:
    space = Space(
        {"a.b": Range(low=0.012345, high=1.0), "a.c": Range(low=1, high=5000), "a.d": Choices(choices=["x", "y"])}
    )
    assert space.rounded({"a.b": 0.0123451, "a.c": 1234, "a.d": "y"}) == {"a.b": 0.012345, "a.c": 1234, "a.d": "y"}
    assert space.rounded({"a.b": 0.56789, "a.c": 1, "a.d": "x"}) == {"a.b": 0.568, "a.c": 1, "a.d": "x"}


def test_params_with_other_values_are_a_copy() -> None:
    params = {"train": {"epochs": 1, "teacher": {"kind": "system"}}, "seed": 42}
    changed = with_values(params, {"train.epochs": 2, "train.teacher.kind": "x", "mine.negatives": 3})
    assert changed == {"train": {"epochs": 2, "teacher": {"kind": "x"}}, "seed": 42, "mine": {"negatives": 3}}
    assert params == {"train": {"epochs": 1, "teacher": {"kind": "system"}}, "seed": 42}
