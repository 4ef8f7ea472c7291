"""Markdown, HTML and DOCX: their own structure, without navigation and headers."""

from pathlib import Path

from domain_embeddings.ingest.formats.html.html_reader import read_html
from domain_embeddings.ingest.formats.markdown import looks_like_markdown, read_markdown
from domain_embeddings.ingest.formats.readers import read_document
from domain_embeddings.ingest.formats.word.docx_reader import read_docx
from tests.ingest import documents


def test_markdown_structure() -> None:
    text = """---
title: Front
---
# Truck

Intro with `code`, [a link](x.md)
over two lines.

## Charging

1. Park.
   - Hood open
2. Unplug.

| State | Density |
|---|---|
| 100 % | 1.280 |

```
[mcu]
serial: x
```

**Air Filter**

Clean it.

**Warning:**

Hot.
"""
    document = read_markdown(text, "truck")
    assert document.title == ""
    assert documents.shown(document) == [
        "# 1 Truck",
        "paragraph: Intro with code, a link over two lines.",
        "# 2 Charging",
        "item: 1. Park.\n  - Hood open",
        "item: 2. Unplug.",
        "row: State | Density",
        "row: 100 % | 1.280",
        "code: [mcu]\nserial: x",
        "# 3 Air Filter",
        "paragraph: Clean it.",
        "paragraph: Warning:",
        "paragraph: Hot.",
    ]
    filter_heading = document.blocks[8]
    assert text[filter_heading.start : filter_heading.end] == "**Air Filter**\n"


def test_markdown_front_matter_names_a_text_without_headings() -> None:
    assert read_markdown("---\ntitle: Welcome\n---\nText.\n", "index").title == "Welcome"
    assert read_markdown("Text.\n", "index").title == "index"


def test_markdown_contents_and_wiki_markup() -> None:
    text = (
        "# M\n\n## Contents\n\n- [Brakes](#b)\n\n## Brakes\n\n'''Never''' use [http://x.org/a|this oil] or ''that''.\n"
    )
    expected = ["# 1 M", "# 2 Brakes", "paragraph: Never use this oil or that."]
    assert documents.shown(read_markdown(text, "m")) == expected


def test_plain_text_in_markdown_is_read_as_markdown(tmp_path: Path) -> None:
    assert looks_like_markdown("# GUIDE\n\n## SECTION 1\n\ntext\n")
    assert not looks_like_markdown("# a comment\nx = 1\n# another\ny = 2\n")
    path = tmp_path / "guide.txt"
    path.write_text("# GUIDE\n\n## SECTION 1\n\n**Oil Change**\n\nDrain.\n", encoding="utf-8")
    assert documents.shown(read_document(path)) == ["# 1 GUIDE", "# 2 SECTION 1", "# 3 Oil Change", "paragraph: Drain."]


def test_html_structure_without_navigation() -> None:
    markup = """<html><head><title>WX-5 | Portal</title><style>p {}</style></head><body>
    <header><a href="/">Portal</a></header><nav><ul><li>Radome</li></ul></nav>
    <main><article><header><h1>WX-5 Manual</h1><p>by the web team</p></header>
    <h2>Radome <em>Care</em></h2>loose text<p>A wet<br>radome<!-- note --> absorbs.</p>
    <ol start="3"><li>Stop.<ul><li>fully</li></ul></li><li><p>Start.</p></li></ol>
    <table><caption>Filters</caption><tr><th>No</th><th>Use</th></tr>
    <tr><td>1</td><td> Flat\n country </td></tr></table>
    <pre>a = 1\n  b</pre><p><b>Sun Check</b></p><p>Scan.</p></article></main>
    <aside>ad</aside><footer>Page 1</footer><script>x()</script></body></html>"""
    document = read_html(markup, "wx5")
    assert document.title == ""
    assert documents.shown(document) == [
        "# 1 WX-5 Manual",
        "# 2 Radome Care",
        "paragraph: loose text",
        "paragraph: A wet radome absorbs.",
        "item: 3. Stop.\n  - fully",
        "item: 4. Start.",
        "paragraph: Filters",
        "row: No | Use",
        "row: 1 | Flat country",
        "code: a = 1\n  b",
        "# 3 Sun Check",
        "paragraph: Scan.",
    ]
    assert [document.text[b.start : b.end] for b in document.blocks] == [b.text for b in document.blocks]


def test_html_title_comes_from_the_head_when_headings_have_no_root() -> None:
    document = read_html("<title>Pump Manual</title><h1>Use</h1><p>a</p><h1>Care</h1><p>b</p>", "pump")
    assert document.title == "Pump Manual"


def test_docx_structure_without_header() -> None:
    document = read_docx(documents.word_document(), "r16")
    assert document.title == "Brantley R16 Handbook"
    assert documents.shown(document) == [
        "# 1 Before You Drive",
        "# 2 Pre-Shift Inspection",
        "paragraph: Go round the truck.",
        "item: 1. Look under the truck.",
        "item: 2. Test the horn.",
        "item: - Keep the key.",
        "row: Item | Value",
        "row: Mass | 1.6 t",
        "# 2 Parking",
        "paragraph: Lower the forks.",
    ]
