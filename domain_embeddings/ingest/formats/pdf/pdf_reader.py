"""PDF: headings told by size and weight of type, tables and columns by place."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pypdfium2

from domain_embeddings.ingest.formats.blocks import Document, UnreadableError, rooted
from domain_embeddings.ingest.formats.heading_form import is_caption, is_label, title_like
from domain_embeddings.ingest.formats.line_joining import Vocabulary
from domain_embeddings.ingest.formats.lines import NEW_PAGE, Line, is_item, to_blocks
from domain_embeddings.ingest.formats.pdf.pdf_layout import Region, Row, regions, without_running_lines
from domain_embeddings.ingest.formats.pdf.pdf_tables import leading, tables
from domain_embeddings.ingest.formats.pdf.pdf_text import Page, read_page
from domain_embeddings.ingest.formats.plain.plain_headings import mark_headings
from domain_embeddings.ingest.formats.running_headers import without_contents

_GAP = 0.2
_LONGEST_HEADING = 3


def _pages(data: bytes) -> list[Page]:
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        encrypted = "password" in str(error).lower() or "security" in str(error).lower()
        raise UnreadableError("encrypted" if encrypted else "corrupt PDF") from error
    try:
        return [read_page(document, index) for index in range(len(document))]
    except pypdfium2.PdfiumError as error:
        raise UnreadableError("corrupt PDF") from error
    finally:
        document.close()


def _row_text(row: Row) -> str:
    """A row as text; a bare number set apart at its left is an item's."""
    first = row.spans[0].text
    if len(row.spans) == 2 and re.fullmatch(r"\d{1,2}", first):
        return f"{first}. {row.spans[1].text}"
    return re.sub(r"^[\ue000-\uf8ff]\s*", "• ", row.text)


def _region_lines(region: Region, usual: float, vocabulary: Vocabulary) -> list[Line]:
    lines: list[Line] = []
    above: Row | None = None
    for rows, cells in tables(region, vocabulary):
        row = rows[0]
        gap = (above.y - row.y) / (usual * row.size) - 1 if above else NEW_PAGE
        cells = cells or (tuple(span.text for span in row.spans) if len(row.spans) > 2 else ())
        text = " | ".join(cells) if cells else _row_text(row)
        lines.append(Line(text, region.page, 0, 0, row.x0, row.x1, region.margin, gap, row.size, row.bold, cells))
        above = rows[-1]
    return lines


def _located(lines: Sequence[Line]) -> tuple[str, list[Line]]:
    """The document's text, a line each, and the lines with their offsets in it."""
    placed: list[Line] = []
    position = 0
    for line in lines:
        placed.append(replace(line, start=position, end=position + len(line.text)))
        position += len(line.text) + 1
    return "\n".join(line.text for line in lines), placed


def _body_size(lines: Sequence[Line]) -> float:
    """The size of most of the characters, to half a point."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[round(line.size * 2) / 2] += len(line.text)
    return max(sizes, key=lambda size: (sizes[size], -size))


def _style(line: Line, body: float, bold_body: bool) -> tuple[float, bool] | None:
    """(size, weight) of a line that is set as a heading, else None."""
    text = line.text
    if line.cells or not any(c.isalpha() for c in text) or is_caption(text) or is_label(text) or len(text) > 150:
        return None
    size = round(line.size * 2) / 2
    if size >= body + 1 and not (is_item(text) and not line.bold):
        return size, line.bold
    heavy = line.bold and not bold_body and size >= body - 0.5
    return (size, True) if heavy and title_like(text) and not text.endswith(":") else None


def _runs(styles: Sequence[tuple[float, bool] | None], lines: Sequence[Line]) -> list[list[int]]:
    """Indices of heading lines, those together that are one heading broken over lines."""
    runs: list[list[int]] = []
    for index, style in enumerate(styles):
        if style is None:
            continue
        same = runs and runs[-1][-1] == index - 1 and styles[index - 1] == style and NEW_PAGE < lines[index].gap < 0.5
        if same:
            runs[-1].append(index)
        else:
            runs.append([index])
    return runs


def _mark(lines: Sequence[Line]) -> list[Line]:
    """Give heading lines their level: the larger and heavier, the higher. Without any, headings are told by form."""
    body = _body_size(lines)
    bold_body = sum(len(line.text) for line in lines if line.bold) * 2 > sum(len(line.text) for line in lines)
    styles = [_style(line, body, bold_body) for line in lines]
    runs = [run for run in _runs(styles, lines) if len(run) <= _LONGEST_HEADING]
    if not runs:
        return mark_headings(lines)
    used = sorted({style for run in runs if (style := styles[run[0]])}, reverse=True)
    levels = {style: level for level, style in enumerate(used, start=1)}
    marked = list(lines)
    for run in runs:
        for index in run:
            style = styles[index]
            assert style is not None
            marked[index] = replace(marked[index], level=levels[style], continues=index != run[0])
    return marked


def read_pdf(data: bytes, name: str) -> Document:
    """Read a PDF. One that is encrypted, damaged, or only images is `UnreadableError`."""
    pages = _pages(data)
    if not pages:
        raise UnreadableError("no pages in it")
    if not any(page.spans for page in pages):
        raise UnreadableError("scanned: pages without text")
    content, removed = without_running_lines(pages)
    found = regions(content)
    vocabulary = Vocabulary(row.text for region in found for row in region.rows)
    usual = leading([region.rows for region in found])
    text, lines = _located([line for region in found for line in _region_lines(region, usual, vocabulary)])
    body = without_contents(lines)
    if not body:
        return Document(name, text, [])
    blocks = to_blocks(_mark(body), vocabulary, _GAP)
    title = next(
        (re.sub(r"\W*\bpage\b.*", "", line, flags=re.IGNORECASE) for line in removed if len(line.split()) > 2), name
    )
    return Document(rooted(blocks, title), text, blocks)
