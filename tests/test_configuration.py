"""docs/configuration.md is what the typed params and params.yaml say, and params.yaml stays short."""

from typing import Any

from ruamel.yaml import YAML

from domain_embeddings.params.search import SearchParams
from domain_embeddings.params.whole import Params
from scripts.configuration import PAGE, ROOT, allowed, meanings, page, rows

VALUES: dict[str, Any] = YAML(typ="safe").load(ROOT / "params.yaml")
MOST = 70


def _leaves(value: Any) -> int:
    return sum(map(_leaves, value.values())) if isinstance(value, dict) and value else 1


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(VALUES), "run `make configuration`"


def test_params_yaml_has_few_knobs() -> None:
    assert _leaves(VALUES) <= MOST


def test_every_section_is_on_the_page() -> None:
    text = page(VALUES)

    assert [name for name in Params.model_fields if f"\n## {name}\n" not in text] == []


def test_a_row_tells_value_default_bounds_and_meaning() -> None:
    found = {row.key: row for row in rows(SearchParams, "search", {"depth": 20, "late": {"factor": 4}, "server": None})}

    assert found["search.depth"][1:3] == ("`20`", "whole number, 10 to 1000")
    assert found["search.max_query_chars"][1:] == (
        "`10000` (default)",
        "whole number, ≥ 256",
        "Longer queries are refused. The model sees 256 tokens, about 1,000 characters.",
    )
    assert found["search.server"][1:3] == ("`null`", "the keys below; or null")
    assert found["search.late.bits"][1:3] == ("`2` (default)", "`1`, `2`, `4`")
    assert found["search.late.factor"].value == "`4`"
    assert found["search.server.url"].value == "must be given"


def test_a_meaning_is_the_docstring_under_the_field() -> None:
    assert meanings(Params) == {"seed": "Of every draw."}


def test_types_are_said_in_words() -> None:
    assert allowed(list[int], {}) == "list of whole number"
    assert allowed(str | None, {"min_length": 1}) == "text, not empty; or null"
    assert allowed(dict[str, float], {"min_length": 1}) == "mapping of text to number; not empty"
