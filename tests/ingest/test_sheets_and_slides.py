"""CSV, XLSX and PPTX: rows with their headers, slides with their titles, and what is too large for either."""

import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pytest
from openpyxl import Workbook
from pptx import Presentation
from pptx.util import Inches

from domain_embeddings.ingest.formats import archives
from domain_embeddings.ingest.formats.blocks import UnreadableError
from domain_embeddings.ingest.formats.office import csv_reader, table_rows
from domain_embeddings.ingest.formats.office.csv_reader import read_csv, read_tsv
from domain_embeddings.ingest.formats.office.pptx_reader import read_pptx
from domain_embeddings.ingest.formats.office.xlsx_reader import read_xlsx
from domain_embeddings.ingest.sections import pieces_of
from tests.ingest import documents


def _csv(text: str) -> list[str]:
    return documents.shown(read_csv(text.encode(), "parts"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Part,Torque\nSeal,12 Nm\nCap,\n", ["row: Part: Seal | Torque: 12 Nm", "row: Part: Cap"]),
        ("Part;Cost\nSeal, blue;1,5\nCap;2,5\n", ["row: Part: Seal, blue | Cost: 1,5", "row: Part: Cap | Cost: 2,5"]),
        ("sep=|\nPart|Use\nSeal|a, b\n", ["row: Part: Seal | Use: a, b"]),
        ('Part\tNote\nSeal\t"two\nlines, ""wet"""\n', ['row: Part: Seal | Note: two lines, "wet"']),
        ('Part,Bore\nPipe,5" wide\n', ['row: Part: Pipe | Bore: 5" wide']),
        ("Region,2024,2025\nNorth,12,13\n", ["row: Region: North | 2024: 12 | 2025: 13"]),
        ("#,Part,^GSPC\n1,Seal,-4\n", ["row: #: 1 | Part: Seal | ^GSPC: -4"]),
        ("Gap,<0.3 mm\nPlay,1 mm\n", ["row: Gap | <0.3 mm", "row: Play | 1 mm"]),
        ("Mass,24 kg\nPower,3 kW\n", ["row: Mass | 24 kg", "row: Power | 3 kW"]),
        ("Part,Torque\nSeal,12,more\n", ["row: Part: Seal | Torque: 12 | more"]),
        ("Part\nSeal\nCap\n", ["paragraph: Part", "paragraph: Seal", "paragraph: Cap"]),
        ("Spare Parts,\n,\nPart,Torque\nSeal,12\n\nCap,14\n",
         ["# 1 Spare Parts", "row: Part: Seal | Torque: 12", "row: Part: Cap | Torque: 14"]),
    ],
)  # fmt: skip
def test_a_row_says_its_headers(text: str, expected: list[str]) -> None:
    assert _csv(text) == expected


def test_lines_above_a_table_and_a_second_table() -> None:
    text = "Bolts\nPart,Torque\nM8,12\n\nSeals\nName,Bore\nRing,40\n"
    expected = ["# 1 Bolts", "row: Part: M8 | Torque: 12", "# 1 Seals", "row: Name: Ring | Bore: 40"]
    assert documents.shown(read_csv(text.encode(), "x")) == expected


def test_a_table_in_tabs_and_in_windows_1252() -> None:
    document = read_tsv("Größe\tMaß\nklein, rund\t3 µm\n".encode("cp1252"), "x")
    assert (document.title, documents.shown(document)) == ("x", ["row: Größe: klein, rund | Maß: 3 µm"])


def test_every_passage_of_a_long_table_has_the_headers() -> None:
    lines = "".join(f"P{i},{i} Nm\n" for i in range(40))
    found, _ = pieces_of(read_csv(f"Part,Torque\n{lines}".encode(), "parts"), 100, 400)
    assert len(found) > 1
    assert all(piece.title == "parts" and piece.text.startswith("Part: P") for piece in found)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a," * 600_000, "a line of more than 1,000,000 characters"),
        ('a,b\n1,"' + "2\n" * 100_000, "a cell longer than any table has"),
    ],
)
def test_text_that_is_no_table_is_told(text: str, reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason):
        read_csv(text.encode(), "x")


def test_a_table_with_too_many_cells_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_rows, "MOST_CELLS", 5)
    with pytest.raises(UnreadableError, match="more than 5 cells"):
        csv_reader.read_csv(b"a,b,c\n1,2,3\n", "x")


def _workbook(sheets: dict[str, Sequence[Sequence[Any]]], percent: str = "") -> bytes:
    """A workbook of rows of values by sheet; those of the column `percent` are shown as percentages."""
    book = Workbook()
    for sheet in book.worksheets:
        book.remove(sheet)
    for name, content in sheets.items():
        sheet = book.create_sheet(name)
        for row in content:
            sheet.append(row)
        for cell in sheet[percent] if percent else ():
            cell.number_format = "0%"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_a_sheet_is_a_section() -> None:
    data = _workbook(
        {
            "Torques": [
                ["All values at 20 °C."],
                [],
                ["Part", "Torque", "Checked"],
                ["Seal", 12.0, datetime(2024, 5, 1)],
            ],
            "Flags": [["Name", "On", "Limit", "Share"], ["Alarm", True, 0.5, 0.25], ["Pump", False, 1e6, 1.5]],
        },
        percent="D",
    )
    document = read_xlsx(data, "Settings")
    assert document.title == "Settings"
    assert documents.shown(document) == [
        "# 1 Torques",
        "paragraph: All values at 20 °C.",
        "row: Part: Seal | Torque: 12 | Checked: 2024-05-01",
        "# 1 Flags",
        "row: Name: Alarm | On: yes | Limit: 0.5 | Share: 25 %",
        "row: Name: Pump | On: no | Limit: 1000000 | Share: 150 %",
    ]


def _changed(data: bytes, part: str, old: str, new: str) -> bytes:
    """A package with a text in one of its parts replaced."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == part:
                assert old.encode() in content
                content = content.replace(old.encode(), new.encode())
            target.writestr(name, content)
    return buffer.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
SMALL = _workbook({"Torques": [["Part", "Torque"], ["Seal", "12 Nm"]]})


def test_a_sheet_that_says_it_has_a_million_columns_is_read_as_it_is() -> None:
    data = _changed(SMALL, SHEET, '<dimension ref="A1:B2"', '<dimension ref="A1:XFD1048576"')
    assert documents.shown(read_xlsx(data, "x")) == ["# 1 Torques", "row: Part: Seal | Torque: 12 Nm"]


def test_a_row_far_below_all_others_is_told() -> None:
    data = _changed(SMALL, SHEET, '<row r="2">', '<row r="900000000">')
    with pytest.raises(UnreadableError, match="more than 5,000,000 cells"):
        read_xlsx(data, "x")


def test_entities_are_not_followed() -> None:
    entity = '<!DOCTYPE sst [<!ENTITY e SYSTEM "file:///etc/hostname">]><sst '
    data = _changed(_changed(SMALL, "xl/sharedStrings.xml", "<sst ", entity), "xl/sharedStrings.xml", "Seal", "Seal&e;")
    try:
        shown = documents.shown(read_xlsx(data, "x"))
    except UnreadableError:
        shown = []
    assert shown in ([], ["# 1 Torques", "row: Part: Seal | Torque: 12 Nm"])


@pytest.mark.parametrize("read", [read_xlsx, read_pptx])
def test_an_archive_that_is_large_when_unpacked_is_refused(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("a.xml", b"0" * 100_000)
    monkeypatch.setattr(archives, "_LARGEST", 50_000)
    with pytest.raises(UnreadableError, match="too large when unpacked"):
        read(buffer.getvalue(), "x")


def _deck(fill: Callable[[Any], None]) -> bytes:
    deck = Presentation()
    fill(deck)
    buffer = io.BytesIO()
    deck.save(buffer)
    return buffer.getvalue()


def _fill(deck: Any) -> None:
    first = deck.slides.add_slide(deck.slide_layouts[1])
    first.shapes.title.text = "Bleeding the\vbrakes"
    frame = first.placeholders[1].text_frame
    frame.text = "Open the valve"
    for level, text in ((1, "a half turn"), (0, "Close it")):
        paragraph = frame.add_paragraph()
        paragraph.level, paragraph.text = level, text
    first.notes_slide.notes_text_frame.text = "Wear gloves."
    second = deck.slides.add_slide(deck.slide_layouts[6])
    table = second.shapes.add_table(2, 2, Inches(1), Inches(3), Inches(4), Inches(1)).table
    for row, texts in enumerate((("Part", "Torque"), ("Seal", "12 Nm"))):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text
    box = second.shapes.add_group_shape().shapes.add_textbox(Inches(1), Inches(1), Inches(4), Inches(1))
    box.text_frame.text = "Tighten in this order."
    deck.slides.add_slide(deck.slide_layouts[6])


def test_a_slide_is_a_section_with_its_notes() -> None:
    document = read_pptx(_deck(_fill), "Brakes")
    assert (document.title, documents.shown(document)) == (
        "Brakes",
        [
            "# 1 Bleeding the brakes",
            "item: - Open the valve\n  - a half turn",
            "item: - Close it",
            "paragraph: Notes: Wear gloves.",
            "# 1 Slide 2",
            "paragraph: Tighten in this order.",
            "row: Part | Torque",
            "row: Seal | 12 Nm",
        ],
    )
    assert [block.page for block in document.blocks] == [1, 1, 1, 1, 2, 2, 2, 2]


@pytest.mark.parametrize(("read", "kind"), [(read_xlsx, "XLSX"), (read_pptx, "PPTX")])
def test_damaged_and_older_files_are_told(read: Any, kind: str) -> None:
    for data, reason in (
        (b"PK\x03\x04 rubbish", f"corrupt {kind}"),
        (_changed(SMALL, "[Content_Types].xml", "<Types", "<Tipes"), f"corrupt {kind}"),
        (b"\xd0\xcf\x11\xe0 old", f"encrypted or no {kind} but an older format"),
    ):
        with pytest.raises(UnreadableError) as caught:
            read(data, "x")
        assert str(caught.value) == reason
