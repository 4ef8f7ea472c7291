"""Markdown from texts that hold Markdown."""

import html

from markdown_it import MarkdownIt

from domain_embeddings.core.markup import escape, table


def test_escape_keeps_the_text_and_its_inner_underscores() -> None:
    text = "a|b <script> & [c](d) *e* _f_ vehicle_civil #12 `g` ~h~ \\"

    rendered = MarkdownIt("commonmark").renderInline(escape(text.replace(" ", "\n")))

    assert html.unescape(rendered) == text
    assert "<script>" not in rendered
    assert escape("vehicle_civil") == "vehicle_civil"


def test_a_table_by_hand() -> None:
    assert table(["a", "b"], [["1", escape("x|y")]]) == "| a | b |\n| --- | --- |\n| 1 | x\\|y |"
