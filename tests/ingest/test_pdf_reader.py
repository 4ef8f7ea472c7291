"""PDF: headings, columns and tables from where the text stands."""

from collections.abc import Sequence

from reportlab.pdfbase.pdfmetrics import registerFont  # type: ignore[import-untyped]
from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from domain_embeddings.ingest.formats.blocks import BlockKind
from domain_embeddings.ingest.formats.lines import Line
from domain_embeddings.ingest.formats.pdf.pdf_outline import Entry, mark_by_outline
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


def _outlined(canvas: Canvas, title: str, level: int) -> None:
    """Put an entry into the outline for the page being drawn."""
    canvas.bookmarkPage(title)
    canvas.addOutlineEntry(title, title, level)


def _lines(canvas: Canvas, top: float, texts: Sequence[str], font: str = "Helvetica", size: float = 10) -> float:
    """Draw lines below each other and return the height of the next one."""
    for text in texts:
        canvas.setFont(font, size)
        canvas.drawString(60, top, text)
        top -= 1.2 * size
    return top


BODY = ["The pump draws oil from the tank and passes it on to the", "control valve through a filter at the tank."]


def test_pdf_headings_are_those_of_the_outline() -> None:
    def draw(canvas: Canvas) -> None:
        _lines(canvas, 700, ["KT-6 Pump"], size=30)
        canvas.showPage()
        for number, (chapter, part) in enumerate([("Brakes", "Bleeding the lines"), ("Engine", "Oil")], start=1):
            _outlined(canvas, f"Chapter {number}. {chapter}", 0)
            top = _lines(canvas, 760, [f"{number} {chapter}"], size=10)
            top = _lines(canvas, top - 20, BODY)
            _outlined(canvas, part, 1)
            top = _lines(canvas, top - 20, [f"{number}.1 Bleeding", "the lines"] if number == 1 else ["1.2 Oil"])
            top = _lines(canvas, top - 20, BODY)
            _lines(canvas, top - 20, ["Not a heading at all"], "Helvetica-Bold", 16)
            canvas.showPage()

    document = read_pdf(documents.drawn_pdf(draw), "kt6")
    assert document.title == "KT-6 Pump"
    headings = [(b.level, b.text, b.page) for b in document.blocks if b.kind == "heading"]
    assert headings == [(1, "1 Brakes", 2), (2, "1.1 Bleeding the lines", 2), (1, "2 Engine", 3), (2, "1.2 Oil", 3)]


def test_pdf_outline_that_fits_nothing_is_not_used() -> None:
    def draw(canvas: Canvas) -> None:
        for title in ("Slide 1", "Slide 2", "Slide 3"):
            _outlined(canvas, title, 0)
        top = _lines(canvas, 760, ["Bleeding"], size=16)
        _lines(canvas, top - 20, BODY * 3)

    assert documents.shown(read_pdf(documents.drawn_pdf(draw), "x"))[0] == "# 1 Bleeding"


def test_pdf_numbers_decide_the_depth_before_type() -> None:
    def draw(canvas: Canvas) -> None:
        top = 780.0
        for text, size in [("1 Use", 16), ("1.1 Start", 14), ("1.1.1 Cold", 14), ("2 Care", 14), ("Spares", 14)]:
            top = _lines(canvas, _lines(canvas, top, [text], size=size) - 10, BODY) - 10

    shown = documents.shown(read_pdf(documents.drawn_pdf(draw), "x"))
    assert [line for line in shown if line.startswith("#")] == [
        "# 1 1 Use",
        "# 2 1.1 Start",
        "# 3 1.1.1 Cold",
        "# 1 2 Care",
        "# 3 Spares",
    ]


def test_pdf_imprints_and_watermarks_are_no_headings() -> None:
    def draw(canvas: Canvas) -> None:
        for number in range(5):
            top = _lines(canvas, 760, [f"Part {'ABCDE'[number]}"], size=18)
            top = _lines(canvas, top - 20, BODY)
            top = _lines(canvas, top - 20, ["Better by design"], size=16)
            _lines(canvas, top - 20, BODY * 4)
            canvas.showPage()
        _lines(canvas, 760, ["© 2024 Halden Ltd", "www.halden.example"], size=18)

    shown = documents.shown(read_pdf(documents.drawn_pdf(draw), "x"))
    assert [line for line in shown if line.startswith("#")] == [f"# 1 Part {letter}" for letter in "ABCDE"]


def test_pdf_headers_of_several_lines_and_model_numbers_are_removed() -> None:
    def draw(canvas: Canvas) -> None:
        for number in range(4):
            _lines(canvas, 820, ["HT-25", "Halden Ltd", "Service manual", "Issue 3", f"{number + 1}"], size=8)
            _lines(canvas, 700, [f"Step {word} is to be done" for word in ("ABCD"[number], "EFGH"[number])])
            canvas.showPage()

    text = " ".join(block.text for block in read_pdf(documents.drawn_pdf(draw), "x").blocks)
    assert text == "Step A is to be done Step E is to be done " + " ".join(
        f"Step {word} is to be done" for pair in ("BF", "CG", "DH") for word in pair
    )


def test_pdf_text_that_is_turned_is_left_out() -> None:
    def draw(canvas: Canvas) -> None:
        _lines(canvas, 700, BODY)
        canvas.saveState()
        canvas.translate(30, 600)
        canvas.rotate(90)
        canvas.drawString(0, 0, "UNCONTROLLED COPY")
        canvas.restoreState()

    assert documents.shown(read_pdf(documents.drawn_pdf(draw), "x")) == [f"paragraph: {' '.join(BODY)}"]


def test_pdf_outline_fits_headings_of_an_appendix() -> None:
    lines = [Line(text, 1, size=12) for text in ("A.1 Unix", "Text of it.", "A.1.1 Unix Installation", "More.")]
    entries = [Entry("Unix", 1, 1), Entry("Unix Installation", 2, 1)]
    marked = mark_by_outline(lines, entries)
    assert marked is not None
    assert [line.level for line in marked] == [1, None, 2, None]


def test_pdf_letters_of_a_ligature_stay_in_their_word() -> None:
    registerFont(TTFont("Vera", "Vera.ttf"))

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Vera", 12)
        canvas.drawString(72, 700, "Con\ufb01guration of the pump's \ufb02oat")
        canvas.drawString(72, 686, "comes \ufb01rst.")

    document = read_pdf(documents.drawn_pdf(draw), "pump")
    assert [block.text for block in document.blocks] == ["Configuration of the pump's float comes first."]


def test_pdf_lines_set_wide_to_fill_their_width_are_no_rows() -> None:
    halves = [
        ("Drain the pump before you", "remove the seal and wet it"),
        ("Push it on with the sleeve", "that was supplied with it,"),
        ("then turn the shaft with it", "by hand until it sits well"),
    ]

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 10)
        for y, (first, second) in zip((700, 688, 676), halves, strict=True):
            canvas.drawRightString(220, y, first)
            canvas.drawString(232, y, second)
        canvas.drawString(100, 664, "flush.")

    document = read_pdf(documents.drawn_pdf(draw), "pump")
    assert [block.kind for block in document.blocks if block.kind is BlockKind.ROW] == []
    assert " ".join(block.text for block in document.blocks) == f"{' '.join(' '.join(line) for line in halves)} flush."


def test_pdf_ligatures_by_their_code_in_a_font_of_tex() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 700, "Above")
        canvas._code.append("BT /F1 12 Tf 72 600 Td (text \\034les) Tj ET")

    assert [block.text for block in read_pdf(documents.drawn_pdf(draw), "pump").blocks] == ["Above", "text files"]
