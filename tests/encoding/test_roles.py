"""Queries and passages: whose prompts are known, whose are asked for, and what they make of a text."""

import json
from pathlib import Path
from typing import Any

import pytest

from domain_embeddings.core.errors import DataError
from domain_embeddings.encoding.roles import SETTINGS, Prompts, Role, read_prompts, write_prompts


def _folder(folder: Path, prompts: dict[str, Any] | None, **config: str) -> Path:
    settings = {} if prompts is None else {"prompts": prompts}
    (folder / SETTINGS).write_text(json.dumps({"similarity_fn_name": "cosine", **settings}))
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_a_prompt_stands_before_the_texts_of_its_role() -> None:
    prompts = Prompts("query: ", "passage: ")

    assert prompts.before(["a", ""], Role.QUERY) == ["query: a", "query: "]
    assert prompts.before(["a"], Role.PASSAGE) == ["passage: a"]
    assert Prompts().before(["a"], Role.QUERY) == ["a"]


@pytest.mark.parametrize(
    ("saved", "expected"),
    [
        (None, Prompts()),
        ({"query": "", "document": ""}, Prompts()),
        ({"query": "q: "}, Prompts("q: ", "")),
        ({"query": "q: ", "document": "d: "}, Prompts("q: ", "d: ")),
        ({"query": "q: ", "passage": "p: "}, Prompts("q: ", "p: ")),
        ({"query": "q: ", "document": "", "passage": "p: "}, Prompts("q: ", "p: ")),  # as the former is saved again
        ({"query": "q: ", "corpus": "c: ", "clustering": "x: "}, Prompts("q: ", "c: ")),
    ],
)
def test_prompts_are_read_by_the_names_of_sentence_transformers(
    tmp_path: Path, saved: dict[str, Any] | None, expected: Prompts
) -> None:
    assert read_prompts(_folder(tmp_path, saved)) == expected


def test_prompts_for_other_ends_alone_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"prompts are for s2p, s2s, not for queries .*base_model\.prompts"):
        read_prompts(_folder(tmp_path, {"s2s": "a", "s2p": "b", "query": "", "document": ""}))


@pytest.mark.parametrize(
    "name",
    ["intfloat/e5-small-v2", "BAAI/bge-small-en-v1.5", "Snowflake/snowflake-arctic-embed-xs", "MongoDB/mdbr-leaf-ir",
     "../google/EmbeddingGemma", "nomic-ai/nomic-embed-text-v1.5", "intfloat/multilingual-e5-base"],
)  # fmt: skip
def test_a_model_that_wants_prompts_and_has_none_is_asked_for_them(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"was trained with prompts.*base_model\.prompts: \{query"):
        read_prompts(_folder(tmp_path, None), "folder", name)
    with pytest.raises(DataError, match="was trained with prompts"):
        read_prompts(_folder(tmp_path, None, _name_or_path=name))

    assert read_prompts(_folder(tmp_path, {"query": "", "document": ""}), name) == Prompts()  # none, on purpose


@pytest.mark.parametrize("name", ["sentence-transformers/all-MiniLM-L6-v2", "ibm-granite/granite-embedding-small", ""])
def test_other_models_want_none(tmp_path: Path, name: str) -> None:
    assert read_prompts(_folder(tmp_path, None, model_type="bert", _name_or_path=name), name) == Prompts()


def test_a_kind_of_model_may_want_prompts_too(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nomic_bert was trained with prompts"):
        read_prompts(_folder(tmp_path, None, model_type="nomic_bert"))


def test_written_prompts_take_the_place_of_all_others(tmp_path: Path) -> None:
    folder = _folder(tmp_path, {"s2s": "a", "passage": "b"})
    settings = json.loads((folder / SETTINGS).read_text())
    (folder / SETTINGS).write_text(json.dumps({**settings, "default_prompt_name": "s2s"}))

    write_prompts(folder, Prompts("query: ", ""))

    assert read_prompts(folder) == Prompts("query: ", "")
    written = json.loads((folder / SETTINGS).read_text())
    assert written == {"similarity_fn_name": "cosine", "prompts": {"query": "query: ", "document": ""}}
