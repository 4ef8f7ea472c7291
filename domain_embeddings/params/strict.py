"""The base of every params model: unknown keys and wrong types are errors, values never change."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain_embeddings.core.errors import UserError

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
"""Of a corpus or an arm: it stands in commands, paths, tables and file names as it is."""


class Strict(BaseModel):
    """Refuses unknown keys and does not turn one type into another."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


M = TypeVar("M", bound=Strict)


class ParamsError(UserError):
    """A params file says what cannot be; a line for each key that is wrong names it, its value and what is allowed."""

    def __init__(self, file: Path, lines: Iterable[str]) -> None:
        """`file is not valid:` and the lines below it."""
        super().__init__("\n  ".join([f"{file} is not valid:", *lines]))


def validate(model: type[M], values: Any, file: Path, where: str = "") -> M:
    """Make `model` of what a file holds at the key `where`, or raise a ParamsError."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ParamsError(file, _lines(error, model, where)) from None


def _lines(error: ValidationError, model: type[Strict], where: str) -> Iterator[str]:
    for problem in error.errors():
        key = ".".join(part for part in (where, *map(str, problem["loc"])) if part)
        value = "" if isinstance(problem["input"], dict) else f" (is {problem['input']!r})"
        said = problem["msg"]
        if problem["type"] == "extra_forbidden":
            said = f"unknown key, allowed are {_keys(model, problem['loc'][:-1])}"
        yield f"{key or 'the whole file'}: {said}{value}"


def _keys(model: Any, place: Iterable[int | str]) -> str:
    """The keys that a file may have at a place within `model`."""
    for part in place:
        if hasattr(model, "model_fields"):
            model = model.model_fields[part].annotation
        elif get_origin(model) is Annotated:  # a union that `kind` tells apart
            union, _ = get_args(model)
            model = next(one for one in get_args(union) if part in get_args(one.model_fields["kind"].annotation))
        else:
            model = get_args(model)[-1]
    if isinstance(model, UnionType):  # `Section | None`: null is allowed too
        model = get_args(model)[0]
    return ", ".join(model.model_fields)
