"""PDF and DOCX files made for the tests, as bytes, and documents as lines to compare with."""

import io
import zipfile
from collections.abc import Callable, Sequence

import docx
from PIL import Image
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]
from reportlab.lib.pdfencrypt import StandardEncryption  # type: ignore[import-untyped]
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet  # type: ignore[import-untyped]
from reportlab.lib.utils import ImageReader  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]
from reportlab.platypus import Flowable, Frame, PageBreak, PageTemplate, Paragraph, Table  # type: ignore[import-untyped]
from reportlab.platypus.doctemplate import BaseDocTemplate  # type: ignore[import-untyped]

from domain_embeddings.ingest.formats.blocks import Block, Document

STYLES = getSampleStyleSheet()
FILLER = "The pump draws oil from the tank and passes it on to the control valve through a filter. "


def shown(document: Document) -> list[str]:
    """A document as lines: headings as "# 1 Title" with their level, other blocks as "kind: text"."""
    return [_shown(block) for block in document.blocks]


def _shown(block: Block) -> str:
    return f"# {block.level} {block.text}" if block.kind == "heading" else f"{block.kind}: {block.text}"


def drawn_pdf(draw: Callable[[Canvas], None], password: str = "") -> bytes:
    """A PDF of what `draw` puts on its canvas."""
    buffer = io.BytesIO()
    encrypt = StandardEncryption(password) if password else None
    canvas = Canvas(buffer, pagesize=A4, invariant=1, encrypt=encrypt)
    draw(canvas)
    canvas.save()
    return buffer.getvalue()


def _running(canvas: Canvas, document: BaseDocTemplate) -> None:
    canvas.setFont("Helvetica", 8)
    canvas.drawString(50, 810, "Halden HT-25 Service Manual")
    canvas.drawRightString(545, 30, f"TM-4471   Page {document.page}")


def flowing_pdf(story: Sequence[Flowable], columns: int = 1) -> bytes:
    """A PDF of flowables in columns, with a running header and footer on each page."""
    buffer = io.BytesIO()
    width = 495 / columns
    frames = [Frame(50 + i * width, 60, width - 12 * (columns > 1), 720) for i in range(columns)]
    document = BaseDocTemplate(buffer, pagesize=A4, invariant=1)
    document.addPageTemplates([PageTemplate(frames=frames, onPage=_running)])
    document.build(list(story))
    return buffer.getvalue()


def heading(text: str, level: int) -> Paragraph:
    """A heading; level 0 is the cover's, in the largest type."""
    style = (
        ParagraphStyle("Cover", STYLES["Title"], fontSize=26, leading=30) if level == 0 else STYLES[f"Heading{level}"]
    )
    return Paragraph(text, style)


def prose(text: str) -> Paragraph:
    return Paragraph(text, STYLES["BodyText"])


def table(rows: Sequence[Sequence[str]], widths: Sequence[float]) -> Table:
    """A ruled table whose cells wrap."""
    cells = [[prose(cell) for cell in row] for row in rows]
    return Table(
        cells, colWidths=widths, style=[("GRID", (0, 0), (-1, -1), 0.5, "black"), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    )


def page_break() -> PageBreak:
    return PageBreak()


def scanned_pdf() -> bytes:
    """A page that is only an image."""
    picture = ImageReader(Image.new("L", (60, 80), 200))
    return drawn_pdf(lambda canvas: canvas.drawImage(picture, 0, 0, 595, 842))


def word_document() -> bytes:
    """A manual in Word: title, headings, a running header, a numbered list, a bulleted list and a table."""
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "Brantley R16   OM-16"
    document.add_paragraph("Brantley R16 Handbook", style="Title")
    document.add_heading("Before You Drive", 1)
    document.add_heading("Pre-Shift Inspection", 2)
    document.add_paragraph("Go round the truck.")
    for step in ("Look under the truck.", "Test the horn."):
        document.add_paragraph(step, style="List Number")
    document.add_paragraph("Keep the key.", style="List Bullet")
    cells = document.add_table(2, 2)
    for row, texts in zip(cells.rows, (("Item", "Value"), ("Mass", "1.6 t")), strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    document.add_heading("Parking", 2)
    document.add_paragraph("Lower the forks.")
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


_WORD_NAMESPACES = """
xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"
xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"
xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"
xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"
xmlns:v="urn:schemas-microsoft-com:vml"
"""
_WORD_RELATION = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)


def word_package(body: str, styles: str) -> bytes:
    """A Word document of what is given of its XML."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("_rels/.rels", _WORD_RELATION)
        package.writestr("word/document.xml", f"<w:document {_WORD_NAMESPACES}><w:body>{body}</w:body></w:document>")
        package.writestr("word/styles.xml", f"<w:styles {_WORD_NAMESPACES}>{styles}</w:styles>")
    return buffer.getvalue()
