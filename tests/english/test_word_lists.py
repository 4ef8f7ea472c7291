"""The files of words: their form, and that the code has a use for each."""

import fnmatch
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from domain_embeddings.english.lexicon import CLOSED, Tag
from domain_embeddings.english.word_lists import any_of, word_list, word_table
from scripts.dependencies import ROOT, declared

LIBRARY = ROOT / "domain_embeddings"
FILES = sorted((LIBRARY / "english" / "words").iterdir())
CODE = "\n".join(path.read_text(encoding="utf-8") for path in LIBRARY.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_list_says_what_it_is_and_has_each_entry_once(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    entries = [line for line in lines if not line.startswith("#")]
    assert lines[0].startswith("# ")
    assert entries
    assert len(set(entries)) == len(entries)
    assert all(entry and entry == entry.strip() for entry in entries)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_list_is_used(path: Path) -> None:
    assert any(f"({quote}{path.stem}{quote})" in CODE for quote in "\"'")


def test_a_list_is_a_set_of_entries() -> None:
    assert word_list("document_subjects") >= {"owner's", "workshop"}
    assert "see above" in word_list("page_phrases")
    assert not any(entry.startswith("#") for entry in word_list("document_subjects"))


def test_a_table_joins_the_lines_of_a_key() -> None:
    table = word_table("closed_classes")
    assert table["neg"] == ("not", "never")
    assert {"the", "what"} <= set(table["det"])
    assert word_table("casual_verbs")["remove"] == ("take off", "take out")


def test_of_two_classes_the_later_counts() -> None:
    assert "that" in word_table("closed_classes")["sub"]
    assert CLOSED["the"] == Tag.DET
    assert CLOSED["that"] == Tag.SUB


def test_a_pattern_tries_the_longer_phrase_first() -> None:
    assert any_of(["on", "one", "a.b"]) == r"a\.b|one|on"


def test_a_stage_and_a_wheel_have_the_lists() -> None:
    """A stage that depends on some modules of the package alone would miss a changed list."""
    stages = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"].values()
    assert not [dep for stage in stages for dep in declared(stage) if dep.startswith("domain_embeddings/english/")]
    shipped = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    for path in FILES:
        assert any(fnmatch.fnmatch(str(path.relative_to(LIBRARY)), glob) for glob in shipped["domain_embeddings"])
