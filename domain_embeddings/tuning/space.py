"""The declared search space: params by their dotted names, and the values that each may take."""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from pydantic import Field, model_validator
from ruamel.yaml import YAML

from domain_embeddings.params.strict import ParamsError, Strict, validate
from domain_embeddings.params.whole import Params

DEFAULT = Path(str(files(__package__) / "space.yaml"))
SECTIONS = ("synthesize", "mine", "train")
"""What may be tuned: any other section changes the questions, or how they are judged."""
_DIGITS = 3

Value = int | float | str | bool | None


class Choices(Strict):
    """Values of which one is taken."""

    choices: list[Value] = Field(min_length=2)

    def distribution(self) -> BaseDistribution:
        """As Optuna has it."""
        return CategoricalDistribution(self.choices)

    def ends(self) -> list[Value]:
        """Values whose validity tells that of all."""
        return self.choices

    def holds(self, value: Value) -> bool:
        """Whether it is one of them."""
        return value in self.choices


class Range(Strict):
    """Numbers between two."""

    low: int | float
    high: int | float
    log: bool = False
    """Whether factors count, not differences."""
    step: int | float | None = None

    @model_validator(mode="after")
    def _ordered(self) -> "Range":
        if self.low >= self.high:
            raise ValueError("low must be below high")
        if self.log and (self.low <= 0 or self.step):
            raise ValueError("log needs a low above 0, and no step")
        return self

    def distribution(self) -> BaseDistribution:
        """As Optuna has it; of integers where both ends are such."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return IntDistribution(self.low, self.high, log=self.log, step=int(self.step or 1))
        return FloatDistribution(self.low, self.high, log=self.log, step=self.step)

    def ends(self) -> list[Value]:
        """Values whose validity tells that of all."""
        return [self.low, self.high]

    def holds(self, value: Value) -> bool:
        """Whether it is one of them."""
        if not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        steps = (value - self.low) / self.step if self.step else 0.0
        return abs(steps - round(steps)) < 1e-8


class Space:
    """Params that are tuned, each with its values."""

    def __init__(self, tried: Mapping[str, Choices | Range]) -> None:
        """`tried`: dotted name → values."""
        self.tried = dict(tried)

    @classmethod
    def read(cls, file: Path, params: Mapping[str, Any]) -> "Space":
        """What a file declares; a ParamsError where a name or a value is none that `params` could have."""
        declared = YAML(typ="safe").load(file)
        if not isinstance(declared, dict) or not declared:
            raise ParamsError(file, ["the whole file: needs a line for each param to tune"])
        space = cls({name: _values(file, name, values) for name, values in declared.items()})
        if wrong := [name for name in space.tried if name.split(".")[0] not in SECTIONS or "." not in name]:
            raise ParamsError(file, [f"{name}: only {', '.join(SECTIONS)} can be tuned" for name in wrong])
        for name, values in space.tried.items():
            for value in values.ends():
                validate(Params, with_values(params, {name: value}), file)
        return space

    def distributions(self) -> dict[str, BaseDistribution]:
        """Dotted name → Optuna's distribution."""
        return {name: values.distribution() for name, values in self.tried.items()}

    def of(self, params: Mapping[str, Any]) -> dict[str, Value]:
        """The values that params have now; None for one that stands at its default in code."""
        return {name: _at(params, name) for name in self.tried}

    def holds(self, values: Mapping[str, Value]) -> bool:
        """Whether it has all of the values."""
        return all(self.tried[name].holds(value) for name, value in values.items())

    def rounded(self, proposed: Mapping[str, Value]) -> dict[str, Value]:
        """Proposed values with three digits, within their bounds."""
        return dict(self._rounded(proposed))

    def _rounded(self, proposed: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
        for name, value in proposed.items():
            values = self.tried[name]
            if isinstance(value, float) and isinstance(values, Range):
                value = min(max(float(f"{value:.{_DIGITS}g}"), values.low), values.high)
            yield name, value


def _values(file: Path, name: str, found: Any) -> Choices | Range:
    kind: type[Choices] | type[Range] = Choices if isinstance(found, dict) and "choices" in found else Range
    return validate(kind, found, file, name)


def _at(params: Mapping[str, Any], name: str) -> Any:
    found: Any = params
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def with_values(params: Mapping[str, Any], values: Mapping[str, Value]) -> dict[str, Any]:
    """A copy of params with the values at their dotted names."""
    changed = {name: with_values(found, {}) if isinstance(found, Mapping) else found for name, found in params.items()}
    for name, value in values.items():
        *sections, last = name.split(".")
        place = changed
        for part in sections:
            place = place.setdefault(part, {})
        place[last] = value
    return changed
