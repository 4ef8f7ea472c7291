"""PDF: headings, columns and tables from where the text stands."""

from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from domain_embeddings.ingest.formats.pdf.pdf_reader import read_pdf
from tests.ingest import documents


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
        documents.prose(documents.FILLER * 3),
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
    assert documents.shown(document) == [
        "# 1 Halden HT-25",
        "# 2 1 Brakes",
        "# 3 1.1 Bleeding",
        f"paragraph: {(documents.FILLER * 3).strip()}",
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
    parts = [f"Part {n} begins. {documents.FILLER * 8}Part {n} ends." for n in range(1, 10)]
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
    assert documents.shown(document) == ["row: Joint | Torque", "row: Wheel nuts | 480 Nm", "row: Mast caps | 195 Nm"]


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

    assert documents.shown(read_pdf(documents.drawn_pdf(draw), "x")) == [
        "# 1 SERVICE BRAKES",
        "paragraph: Drums on the drive wheels only.",
        "# 1 PARKING BRAKE",
        "paragraph: Two cables.",
    ]
