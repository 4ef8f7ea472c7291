"""docs/configuration.md: every param with its value here, what is allowed and what it means, from the typed params.

python -m scripts.configuration    # writes it (`make configuration`)

Types, bounds and defaults are pydantic's, meanings the docstrings under the fields, values those of params.yaml.
"""

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from ruamel.yaml import YAML

from domain_embeddings.params.whole import Params

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "configuration.md"
LONGEST = 60
"""Characters of a value; a longer one is left to params.yaml."""
ABSENT = object()
"""Stands for a value that is not in params.yaml, or for a default that there is not."""
NAMES = {int: "whole number", float: "number", str: "text", bool: "true or false", type(None): "null"}
BELOW = "the keys below"
INTRODUCTION = """\
# Configuration

<!-- Written by `make configuration` from domain_embeddings/params/ and params.yaml. Edit those. -->

Every param, by section of `params.yaml`. Edit the file and run `dvc repro`, or try a value in one experiment:

```bash
dvc exp run -S train.epochs=2                        # a key that is in params.yaml
dvc exp run -S '+train.patience=8'                   # one that is not there (marked "default" below): with +
dvc exp run -S 'search.late={candidates: 50}'        # a group that is null: as a whole
```

There is one `seed` for every draw; a section cannot have one of its own. A wrong key, type or value stops a run
before its first stage does any work, and the message names the key, the value and what is allowed.
"""


class Row(NamedTuple):
    """A line of a table."""

    key: str
    value: str
    allowed: str
    meaning: str


def meanings(model: type[BaseModel]) -> dict[str, str]:
    """Field → the docstring under it, in the class or in one that it inherits from."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, BaseModel) and one is not BaseModel:
            found |= _docstrings(one)
    return found


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    definition = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = " ".join(text.split())
    return found


def allowed(annotation: Any, bounds: Mapping[str, Any]) -> str:
    """A type and its bounds in words."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return allowed(inner[0], bounds_of(inner[1:]))
    if origin in (Union, UnionType):
        kept = [one for one in inner if one is not type(None)]
        words = [allowed(one, bounds) for one in kept]
        return " or ".join(dict.fromkeys(words)) + ("; or null" if len(kept) < len(inner) else "")
    if origin is Literal:
        return ", ".join(f"`{_yaml(one)}`" for one in inner)
    if origin is list:
        return _at_least(f"list of {allowed(inner[0], {})}", bounds)
    if origin is dict:
        return _at_least(f"mapping of {allowed(inner[0], {})} to {allowed(inner[1], {})}", bounds)
    if issubclass(annotation, BaseModel):
        return BELOW
    return NAMES[annotation] + _bounded(bounds)


def bounds_of(metadata: Any) -> dict[str, Any]:
    """Name → bound (ge, lt, min_length, pattern, …) of what pydantic keeps of a field."""
    found: dict[str, Any] = {}
    for one in metadata:
        for part in getattr(one, "metadata", None) or [one]:  # a Field within Annotated holds its own
            for name in ("ge", "gt", "le", "lt", "min_length", "pattern"):
                value = getattr(part, name, None)
                if value is not None:
                    found[name] = value
    return found


def _at_least(text: str, bounds: Mapping[str, Any]) -> str:
    return f"{text}; not empty" if bounds.get("min_length") else text


def _bounded(bounds: Mapping[str, Any]) -> str:
    """The bounds of a number or text, after its name."""
    if "ge" in bounds and "le" in bounds:
        return f", {bounds['ge']} to {bounds['le']}"
    signs = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}", "pattern": "that matches `{}`"}
    said = [sign.format(bounds[name]) for name, sign in signs.items() if name in bounds]
    if bounds.get("min_length"):
        said.append("not empty")
    return f" {said[0]}" if said and said[0].startswith("that") else "".join(f", {one}" for one in said)


def _yaml(value: Any) -> str:
    """A value as params.yaml would hold it in one line."""
    if isinstance(value, BaseModel):
        value = value.model_dump()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_yaml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    plain = isinstance(value, str) and value != "" and not set(value) & set('{}[],:#"')
    return value if plain else json.dumps(value, ensure_ascii=False)


def _shown(value: Any, default: Any, key: str) -> str:
    if value is ABSENT and key.endswith(".seed"):
        return "the pipeline's"
    if value is ABSENT and default is ABSENT:
        return "must be given"
    text = _yaml(default if value is ABSENT else value)
    text = f"`{text}`" if len(text) <= LONGEST else "see `params.yaml`"
    return f"{text} (default)" if value is ABSENT else text


def _default(field: FieldInfo, of: Any, name: str) -> Any:
    """A field's default, or its value in the default of the section around it."""
    if isinstance(of, BaseModel):
        return getattr(of, name)
    return ABSENT if field.is_required() else field.default


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The params models that a type is made of, at its top."""
    if get_origin(annotation) is Annotated or get_origin(annotation) in (Union, UnionType):
        return [model for one in get_args(annotation) for model in _models(one)]
    return [annotation] if isinstance(annotation, type) and issubclass(annotation, BaseModel) else []


def rows(model: type[BaseModel], key: str, values: Any, default: Any = ABSENT, kind: str = "") -> Iterator[Row]:
    """A row for every field of a section and of the sections within it; `kind` tells variants of one apart."""
    said = meanings(model)
    for name, field in model.model_fields.items():
        place = f"{key}.{name}" if key else name
        value = values.get(name, ABSENT) if isinstance(values, dict) else ABSENT
        yield from _field(field, place, value, _default(field, default, name), kind + said.get(name, ""))


def _field(field: FieldInfo, place: str, value: Any, default: Any, meaning: str) -> Iterator[Row]:
    annotation, bounds = field.annotation, bounds_of(field.metadata)
    models = _models(annotation)
    if models == [annotation]:
        if "." in place:  # a section's own meaning stands above its table
            yield Row(place, "", BELOW, meaning or _about(models[0]))
        yield from rows(models[0], place, value, default)
        return
    if get_origin(annotation) is dict and (below := _models(get_args(annotation)[1])):
        names = ", ".join(f"`{name}`" for name in value) if isinstance(value, dict) else ""
        yield Row(place, names or "none", _at_least(f"mapping of names to {BELOW}", bounds), meaning)
        for one in below:
            yield from rows(one, f"{place}.<name>", ABSENT, kind=_kind(one) if len(below) > 1 else "")
        return
    about = meaning or (_about(models[0]) if models else "")
    yield Row(place, _shown(value, default, place), allowed(annotation, bounds), about)
    for one in models:
        yield from rows(one, place, value)


def _kind(model: type[BaseModel]) -> str:
    """What tells one variant of a section from the others, before the meaning of its keys."""
    return f"Kind `{get_args(model.model_fields['kind'].annotation)[0]}`: "


def _about(model: type[BaseModel]) -> str:
    return " ".join((inspect.getdoc(model) or "").split())


def _cell(text: str) -> str:
    """Text in a table: only code may hold what Markdown or HTML would read."""
    parts = text.rstrip(": ").split("`")
    parts[::2] = [part.replace("<", "&lt;").replace(">", "&gt;") for part in parts[::2]]
    return "`".join(parts).replace("|", r"\|")


def table(lines: list[Row]) -> str:
    """Rows as Markdown."""
    head = ["| key | value here | allowed | meaning |", "|---|---|---|---|"]
    body = [f"| `{row.key}` | {_cell(row.value)} | {_cell(row.allowed)} | {_cell(row.meaning)} |" for row in lines]
    return "\n".join([*head, *body]) + "\n"


def page(values: Mapping[str, Any]) -> str:
    """The whole file, for what params.yaml holds."""
    parts, said = [INTRODUCTION], meanings(Params)
    for name, field in Params.model_fields.items():
        models = _models(field.annotation) or [one for arg in get_args(field.annotation) for one in _models(arg)]
        about = _about(models[0]) if models else said.get(name, "")
        lines = _field(field, name, values.get(name, ABSENT), _default(field, ABSENT, name), "")
        parts.append(f"## {name}\n\n{about}\n\n{table(list(lines))}")
    return "\n".join(parts)


def main() -> None:
    """Write it."""
    values = YAML(typ="safe").load(ROOT / "params.yaml")
    PAGE.write_text(page(values), encoding="utf-8")


if __name__ == "__main__":
    main()
