"""What the readers make of each format: headings that are headings, text without page furniture, exact rejects."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from domain_embeddings.sources.blocks import Block, Document, UnreadableError, has_leaders, page_mark
from domain_embeddings.sources.headings import chapter_title, is_all_caps, is_label, numbered, step_number, title_like
from domain_embeddings.sources.html import read_docx, read_html
from domain_embeddings.sources.joining import Vocabulary, join_lines
from domain_embeddings.sources.markdown import looks_like_markdown, read_markdown
from domain_embeddings.sources.pdf import read_pdf
from domain_embeddings.sources.plain import read_plain
from domain_embeddings.sources.readers import READERS, decode, read_document
from tests.sources import documents

FILLER = "The pump draws oil from the tank and passes it on to the control valve through a filter. "


def shown(document: Document) -> list[str]:
    """A document as lines: headings as "# 1 Title" with their level, other blocks as "kind: text"."""
    return [_shown(block) for block in document.blocks]


def _shown(block: Block) -> str:
    return f"# {block.level} {block.text}" if block.kind == "heading" else f"{block.kind}: {block.text}"


# Words and lines


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("--- PAGE 12 ---", 12),
        ("Page 7", 7),
        ("[Page 3]", 3),
        ("- 7 -", 7),
        ("7 of 40", 7),
        ("Page 7 of 40", 7),
        ("7", None),
        ("See page 7", None),
        ("-7", None),
        ("", None),
    ],
)
def test_page_mark(text: str, number: int | None) -> None:
    assert page_mark(text) == number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Brakes ........ 12", True),
        ("Brakes . . . . . 4-1", True),
        ("Wait ... then go", False),
        ("Brakes ........", False),
    ],
)
def test_leaders_need_a_page_number(text: str, expected: bool) -> None:
    assert has_leaders(text) is expected


@pytest.mark.parametrize(
    ("lines", "document", "expected"),
    [
        (["hydrau-", "lic oil"], [], "hydraulic oil"),
        (["three-", "way valve"], [], "three-way valve"),
        (["brake-", "line"], ["the brake-line is steel"], "brake-line"),
        (["brake-", "line"], ["the brake", "a line"], "brake-line"),
        (["over-", "heat"], ["over the heat"], "overheat"),
        (["by-", "pass"], ["a bypass valve", "by pass"], "bypass"),
        (["truck HT-", "25 is"], [], "truck HT-25 is"),
        (["oil 5W-", "30 only"], [], "oil 5W-30 only"),
        (["inlet -", "outlet"], [], "inlet - outlet"),
        (["front- ", "and rear"], [], "front- and rear"),
        (["hydrau\u00ad", "lic"], [], "hydraulic"),
        (["a  b", "", "c"], [], "a b c"),
    ],
)
def test_join_lines_decides_hyphens_by_the_document(lines: list[str], document: list[str], expected: str) -> None:
    assert join_lines(lines, Vocabulary(document)) == expected


@pytest.mark.parametrize("text", ["SERVICE BRAKE BLEEDING", "DC BUS DISCHARGE AND ELECTRIC SHOCK", "FAULT CODES"])
def test_capitals_are_a_title(text: str) -> None:
    assert is_all_caps(text)


@pytest.mark.parametrize(
    "text", ["HT-2231-A", "12 V", "Brakes", "WARNING", "DANGER: HIGH VOLTAGE", "TOOLS:", "STOP NOW.", "P0301 P0302"]
)
def test_capitals_that_are_no_title(text: str) -> None:
    assert not is_all_caps(text)


def test_headings_by_form() -> None:
    assert chapter_title("SECTION 4: BRAKES") == "BRAKES"
    assert chapter_title("Chapter 2") == ""
    assert chapter_title("Section 4 describes the brakes") is None
    assert numbered("3.2 Hydraulic Oil") == "3.2"
    assert numbered("3.2 mm of play") is None
    assert numbered("4-1. Test") == "4-1"
    assert numbered("1. Remove the nut.") is None
    assert title_like("Clutch Pressure Test")
    assert not title_like("of the clutch")
    assert not title_like("Table 1-1: Pressures")
    assert is_label("⚠ CAUTION: HOT")
    assert not is_label("WARNING LIGHTS")
    assert step_number("Step 3") == 3
    assert step_number("Step 3: Bleed") is None


# Plain text


def test_plain_text_with_capitals_running_lines_contents_and_hyphenation() -> None:
    text = """NORVIK VM3 MAST
WORKSHOP MANUAL
Publication NV-0332

CONTENTS
CHAPTER 1 - MAST ............ 2
   CHAIN TENSION ............ 2

Workshop use only
--- PAGE 1 ---
NORVIK VM3                         NV-0332

CHAPTER 1 - MAST

CHAIN TENSION

Both chains of a pair must carry the same load, and the car-
riage must stop at the right height.

  1. Park on level floor, set the mast upright and lower the carriage with
     no load.
  2. Press each chain.

Workshop use only
--- PAGE 2 ---
NORVIK VM3                         NV-0332

  3. Tighten the lock nut.

WARNING

HYDRAULIC DATA

Ref   Part number   Qty
1     VM3-101       1
2     VM3-110       2
"""
    document = read_plain(text, "norvik")
    assert document.title == "NORVIK VM3 MAST WORKSHOP MANUAL"
    assert shown(document) == [
        "# 1 CHAPTER 1 - MAST",
        "# 2 CHAIN TENSION",
        "paragraph: Both chains of a pair must carry the same load, and the carriage must stop at the right height.",
        "item: 1. Park on level floor, set the mast upright and lower the carriage with no load.",
        "item: 2. Press each chain.",
        "item: 3. Tighten the lock nut.",
        "paragraph: WARNING",
        "# 2 HYDRAULIC DATA",
        "row: Ref | Part number | Qty",
        "row: 1 | VM3-101 | 1",
        "row: 2 | VM3-110 | 2",
    ]
    assert [block.page for block in document.blocks] == [2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3]
    assert text[document.blocks[1].start : document.blocks[1].end] == "CHAIN TENSION"


def test_plain_text_with_numbered_headings() -> None:
    text = """1 Safety

1.1 Rules for Work

Let the boiler cool.

1. Shut the valves and drain the boiler side until the gauge
   reads zero.
2. Open the cap.

2 Water

2.1 Filling

Fill slowly.
"""
    assert shown(read_plain(text, "boiler")) == [
        "# 1 1 Safety",
        "# 2 1.1 Rules for Work",
        "paragraph: Let the boiler cool.",
        "item: 1. Shut the valves and drain the boiler side until the gauge reads zero.",
        "item: 2. Open the cap.",
        "# 1 2 Water",
        "# 2 2.1 Filling",
        "paragraph: Fill slowly.",
    ]


def test_plain_text_with_underlined_headings() -> None:
    text = "Mounting\n========\n\nRack Assembly\n-------------\n\nMount the rail.\n\nSupply\n------\nUse 24 V.\n"
    assert shown(read_plain(text, "plc")) == [
        "# 1 Mounting",
        "# 2 Rack Assembly",
        "paragraph: Mount the rail.",
        "# 2 Supply",
        "paragraph: Use 24 V.",
    ]


def test_plain_text_with_sections_paragraphs_and_bare_contents() -> None:
    text = """--- PAGE 1 ---
TM 9 Vehicle Manual
TABLE OF CONTENTS
1. Starting System
2. Brakes
SECTION 1: STARTING SYSTEM
Para 1-1: Overview
The starter is driven by the battery.
--- PAGE 2 ---
Step 1: Test voltage
Connect voltmeter
SECTION 2: BRAKES
The brakes are hydraulic.
"""
    document = read_plain(text, "tm")
    assert document.title == "TM 9 Vehicle Manual"
    assert shown(document) == [
        "# 1 SECTION 1: STARTING SYSTEM",
        "# 2 Para 1-1: Overview",
        "paragraph: The starter is driven by the battery.",
        "item: Step 1: Test voltage",
        "paragraph: Connect voltmeter",
        "# 1 SECTION 2: BRAKES",
        "paragraph: The brakes are hydraulic.",
    ]
    assert [block.page for block in document.blocks] == [1, 1, 1, 2, 2, 2, 2]


def test_plain_tables_put_wrapped_cells_together() -> None:
    text = """FAULTS

Trouble               Cause              Remedy
--------------------  -----------------  ----------
Load drops when       Load check valve   Clean
the lever is moved    dirty              valve
Will not lift         Oil low            Top up,
                                         look for leaks
"""
    assert shown(read_plain(text, "faults")) == [
        "# 1 FAULTS",
        "row: Trouble | Cause | Remedy",
        "row: Load drops when the lever is moved | Load check valve dirty | Clean valve",
        "row: Will not lift | Oil low | Top up, look for leaks",
    ]


def test_form_feeds_part_pages() -> None:
    document = read_plain("First page text here.\n\fSecond page text here.\n", "x")
    assert [(block.text, block.page) for block in document.blocks] == [
        ("First page text here.", 1),
        ("Second page text here.", 2),
    ]


def test_a_heading_that_recurs_on_pages_far_apart_is_no_running_line() -> None:
    chapters = ("PUMP", "VALVE", "TANK")
    pages = [
        f"{name} FAULTS\n\nLook for leaks of the {name.lower()}.\n\nPage {n}\n" for n, name in enumerate(chapters, 1)
    ]
    blocks = shown(read_plain("".join(pages), "x"))
    assert [line for line in blocks if line.startswith("#")] == [f"# 1 {name} FAULTS" for name in chapters]


# Markdown


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
    assert shown(document) == [
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
    assert shown(read_markdown(text, "m")) == ["# 1 M", "# 2 Brakes", "paragraph: Never use this oil or that."]


def test_plain_text_in_markdown_is_read_as_markdown(tmp_path: Path) -> None:
    assert looks_like_markdown("# GUIDE\n\n## SECTION 1\n\ntext\n")
    assert not looks_like_markdown("# a comment\nx = 1\n# another\ny = 2\n")
    path = tmp_path / "guide.txt"
    path.write_text("# GUIDE\n\n## SECTION 1\n\n**Oil Change**\n\nDrain.\n", encoding="utf-8")
    assert shown(read_document(path)) == ["# 1 GUIDE", "# 2 SECTION 1", "# 3 Oil Change", "paragraph: Drain."]


# HTML and DOCX


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
    assert shown(document) == [
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
    assert shown(document) == [
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


# PDF


def test_pdf_headings_running_lines_contents_and_tables() -> None:
    story = [
        documents.heading("Halden HT-25", 0),
        documents.page_break(),
        documents.heading("Contents", 1),
        documents.prose("1 Brakes ............................ 3"),
        documents.prose("1.1 Bleeding ........................ 3"),
        documents.page_break(),
        documents.heading("1 Brakes", 1),
        documents.heading("1.1 Bleeding", 2),
        documents.prose(FILLER * 3),
        documents.prose("1. Fill the reservoir."),
        documents.prose("2. Open the nipple."),
        documents.table(
            [["Symptom", "Remedy"], ["Pedal soft", "Bleed the lines and look for a leak at the hose"]], [90, 120]
        ),
        documents.page_break(),
        documents.heading("1.2 Parking Brake", 2),
        documents.prose("Release the lever."),
    ]
    document = read_pdf(documents.flowing_pdf(story), "ht25")
    assert document.title == ""
    assert shown(document) == [
        "# 1 Halden HT-25",
        "# 2 1 Brakes",
        "# 3 1.1 Bleeding",
        f"paragraph: {(FILLER * 3).strip()}",
        "item: 1. Fill the reservoir.",
        "item: 2. Open the nipple.",
        "row: Symptom | Remedy",
        "row: Pedal soft | Bleed the lines and look for a leak at the hose",
        "# 3 1.2 Parking Brake",
        "paragraph: Release the lever.",
    ]
    assert [block.page for block in document.blocks] == [1, 3, 3, 3, 3, 3, 3, 3, 4, 4]
    assert document.text[document.blocks[1].start : document.blocks[1].end] == "1 Brakes"


def test_pdf_columns_are_read_one_after_the_other() -> None:
    parts = [f"Part {n} begins. {FILLER * 8}Part {n} ends." for n in range(1, 10)]
    document = read_pdf(documents.flowing_pdf([documents.prose(part) for part in parts], columns=2), "two")
    assert " ".join(block.text for block in document.blocks) == " ".join(parts)


def test_pdf_columns_drawn_line_by_line_across_the_page() -> None:
    left, right = (
        [f"{side} line {n} of this column, as wide as the column" for n in range(12)] for side in ("Left", "Right")
    )

    def draw(canvas: Canvas) -> None:
        for number, pair in enumerate(zip(left, right, strict=True)):
            for x, line in zip((50, 310), pair, strict=True):
                canvas.setFont("Helvetica", 10)
                canvas.drawString(x, 780 - 14 * number, line)

    document = read_pdf(documents.drawn_pdf(draw), "two")
    assert " ".join(block.text for block in document.blocks) == " ".join(left + right)


def test_pdf_table_without_rules_has_a_row_a_line() -> None:
    def draw(canvas: Canvas) -> None:
        for number, row in enumerate([("Joint", "Torque"), ("Wheel nuts", "480 Nm"), ("Mast caps", "195 Nm")]):
            canvas.drawString(60, 700 - 16 * number, row[0])
            canvas.drawString(200, 700 - 16 * number, row[1])

    document = read_pdf(documents.drawn_pdf(draw), "t")
    assert shown(document) == ["row: Joint | Torque", "row: Wheel nuts | 480 Nm", "row: Mast caps | 195 Nm"]


def test_pdf_of_one_type_size_has_headings_by_form() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Courier", 10)
        for y, line in (
            (780, "SERVICE BRAKES"),
            (750, "Drums on the drive wheels only."),
            (720, "PARKING BRAKE"),
            (690, "Two cables."),
        ):
            canvas.drawString(50, y, line)

    assert shown(read_pdf(documents.drawn_pdf(draw), "x")) == [
        "# 1 SERVICE BRAKES",
        "paragraph: Drums on the drive wheels only.",
        "# 1 PARKING BRAKE",
        "paragraph: Two cables.",
    ]


# Files that cannot be read


def _write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.txt", b"  \n", "empty file"),
        ("a.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xd8", "not text in UTF-8, UTF-16 with mark or Windows-1252"),
        ("a.md", "привет".encode("cp1251"), "not text in UTF-8, UTF-16 with mark or Windows-1252"),
        ("a.xls", b"x", "unsupported format .xls"),
        ("README", b"x", "unsupported format (no extension)"),
        ("a.md", b"---\ntitle: x\n---\n", "no text in it"),
        ("a.html", b"<nav>Menu</nav>", "no text in it"),
        ("a.pdf", b"%PDF-1.4 rubbish", "corrupt PDF"),
        ("a.pdf", documents.scanned_pdf(), "scanned: pages without text"),
        ("a.pdf", documents.drawn_pdf(lambda c: c.drawString(50, 700, "Secret"), "word"), "encrypted"),
        ("a.docx", b"PK\x03\x04 rubbish", "corrupt DOCX"),
        ("a.docx", documents.word_document()[:4000], "corrupt DOCX"),
        ("a.docx", b"\xd0\xcf\x11\xe0 old", "encrypted or in the old binary Word format"),
    ],
)
def test_unreadable_files_say_why(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_document(_write(tmp_path, name, data))
    assert str(caught.value) == reason


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_decode_knows_the_encodings(encoding: str) -> None:
    text = "Valve opens at 82 °C \u2013 ±2 °C, café\n"
    assert decode(text.replace("\n", "\r\n").encode(encoding)) == text


def _blocks(suffix: str, data: bytes) -> list[Block]:
    """A file's blocks; none if it is unreadable. Any other error is a fault of the reader."""
    try:
        return READERS[suffix](data, "name").blocks
    except UnreadableError:
        return []


@settings(deadline=None)
@given(st.binary(max_size=400), st.sampled_from(sorted(READERS)))
def test_any_bytes_are_a_document_or_unreadable(data: bytes, suffix: str) -> None:
    assert all(block.text.strip() for block in _blocks(suffix, data))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 40000), st.binary(min_size=1, max_size=30), st.sampled_from([".pdf", ".docx"]))
def test_damaged_files_are_a_document_or_unreadable(place: int, damage: bytes, suffix: str) -> None:
    data = DAMAGED[suffix]
    place %= len(data)
    damaged = data[:place] + damage + data[place + len(damage) :]
    assert all(block.text.strip() for block in _blocks(suffix, damaged))


DAMAGED = {".pdf": documents.flowing_pdf([documents.prose(FILLER)]), ".docx": documents.word_document()}


@settings(deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from("\n\t\f#*-=|. "), max_size=300),
    st.sampled_from([".txt", ".md", ".html"]),
)
def test_any_text_is_a_document(text: str, suffix: str) -> None:
    document = READERS[suffix](text.encode("utf-8"), "name")
    assert all(0 <= block.start <= block.end <= len(document.text) for block in document.blocks)
    assert all(block.text.strip() for block in document.blocks)


@given(
    st.lists(st.sampled_from(["oil", "pump", "valve", "the", "filter", "drains", "slowly"]), min_size=2, max_size=60),
    st.integers(20, 70),
)
def test_wrapped_prose_comes_back_whole(words: list[str], width: int) -> None:
    import textwrap

    paragraph = "The " + " ".join(words) + " ends here."
    text = "FIRST HEADING\n\n" + textwrap.fill(paragraph, width) + "\n\nSECOND HEADING\n\nShort.\n"
    assert f"paragraph: {paragraph}" in shown(read_plain(text, "x"))
