"""Templates: what is missing is an error, and only HTML is escaped."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from domain_embeddings.core.rendering import render
from domain_embeddings.packaging.card import readme
from domain_embeddings.reporting import html_report
from tests.packaged import card
from tests.summaries import summary


def test_a_name_that_is_not_given_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="'metadata' is undefined"):
        render("domain_embeddings.packaging", "card.md.jinja")


def test_only_html_is_escaped(base_folder: Path) -> None:
    text = readme(card(base_folder, notes="a < b & c"), "tiny", "mit")

    assert "a < b & c" in text
    assert "a|b &lt;script&gt;" in html_report.html(summary())
