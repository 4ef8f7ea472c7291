"""The documents say what metrics/ says, are of a length that is read, and lead somewhere."""

import re
from pathlib import Path

import pytest

from scripts.readme import ROOT, TABLES, with_tables

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


@pytest.mark.parametrize("file", TABLES)
def test_the_tables_of_results_are_current(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")

    assert with_tables(file, text) == text  # else: make readme


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 200


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files_and_headings(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        file, _, anchor = target.partition("#")
        if "://" in target:
            continue
        path = document.parent / file if file else document
        assert path.exists(), target
        headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert not anchor or anchor in map(_anchor, headings), target
