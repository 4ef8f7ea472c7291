"""PDF: headings told by size and weight of type, tables and columns by place."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

import pypdfium2

from domain_embeddings.ingest.formats.blocks import Document, UnreadableError, rooted
from domain_embeddings.ingest.formats.heading_form import is_caption, is_label, numbered, title_like
from domain_embeddings.ingest.formats.line_joining import Vocabulary
from domain_embeddings.ingest.formats.lines import NEW_PAGE, Line, is_item, to_blocks
from domain_embeddings.ingest.formats.pdf.pdf_layout import Region, Row, regions, without_running_lines
from domain_embeddings.ingest.formats.pdf.pdf_outline import Entry, is_coarse, mark_by_outline, read_outline
from domain_embeddings.ingest.formats.pdf.pdf_tables import fills_line, leading, tables
from domain_embeddings.ingest.formats.pdf.pdf_text import Page, read_page
from domain_embeddings.ingest.formats.plain.plain_headings import mark_headings
from domain_embeddings.ingest.formats.running_headers import masked, without_contents

Style = tuple[float, bool]
"""The size of type, to half a point, and whether it is bold."""

_GAP = 0.2
_LONGEST_HEADING = 3


def _opened(data: bytes) -> tuple[list[Page], list[Entry]]:
    """The pages of a PDF and the entries of its outline."""
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        encrypted = "password" in str(error).lower() or "security" in str(error).lower()
        raise UnreadableError("encrypted" if encrypted else "corrupt PDF") from error
    try:
        return [read_page(document, index) for index in range(len(document))], read_outline(document)
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
        if not cells and len(row.spans) > 2 and not fills_line(row, region.margin):
            cells = tuple(span.text for span in row.spans)
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


_IMPRINT = re.compile(
    r"©|\(c\)\s|\bcopyright\b|\ball rights reserved\b|https?://|\bwww\.|\S@[^\s@.]++\.\w", re.IGNORECASE
)
_FEWEST_PAGES = 4


def _everywhere(lines: Sequence[Line]) -> set[str]:
    """The texts, numbers aside, that stand on half of the pages or more: watermarks and slogans."""
    pages: dict[str, set[int | None]] = defaultdict(set)
    for line in lines:
        pages[masked(line.text)].add(line.page)
    least = max(_FEWEST_PAGES, len({line.page for line in lines}) / 2)
    return {text for text, numbers in pages.items() if len(numbers) >= least}


def _style(line: Line, body: float, bold_body: bool) -> Style | None:
    """(size, weight) of a line that is set as a heading, else None."""
    text = line.text
    if line.cells or line.level is not None or len(text) > 150 or not any(c.isalpha() for c in text):
        return None
    if is_caption(text) or is_label(text) or _IMPRINT.search(text):
        return None
    size = round(line.size * 2) / 2
    if size >= body + 1 and not (is_item(text) and not line.bold):
        return size, line.bold
    heavy = line.bold and not bold_body and size >= body - 0.5
    return (size, True) if heavy and title_like(text) and not text.endswith(":") else None


def _runs(styles: Sequence[Style | None], lines: Sequence[Line]) -> list[list[int]]:
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


def _depths(runs: Sequence[Sequence[int]], lines: Sequence[Line]) -> dict[int, int]:
    """The depth of the headings that begin with a number, by their first line; empty where few have one."""
    depths: dict[int, int] = {}
    for run in runs:
        if number := numbered(lines[run[0]].text):
            depths[run[0]] = 1 + len(re.findall(r"[.-]", number))
    return depths if len(depths) * 2 >= len(runs) and max(depths.values(), default=0) > 1 else {}


def _levels(runs: Sequence[Sequence[int]], styles: Sequence[Style | None], lines: Sequence[Line]) -> dict[int, int]:
    """The level of each heading, by its first line.

    Where half of the headings or more have numbers, numbers decide: a heading without one is above all that have
    if its type is larger than theirs, else on the level of the deepest numbers in type as large as its own, or
    below the deepest in larger type. Without numbers, the larger and heavier, the higher.
    """
    firsts = {run[0]: style for run in runs if (style := styles[run[0]])}
    ranks = {style: level for level, style in enumerate(sorted(set(firsts.values()), reverse=True), start=1)}
    depths = _depths(runs, lines)
    if not depths:
        return {first: ranks[style] for first, style in firsts.items()}
    largest = {depth: max(firsts[first] for first, d in depths.items() if d == depth) for depth in set(depths.values())}
    above = sorted({style for style in firsts.values() if style > max(largest.values())}, reverse=True)
    levels: dict[int, int] = {}
    for first, style in firsts.items():
        if first in depths:
            levels[first] = len(above) + depths[first]
        elif style in above:
            levels[first] = above.index(style) + 1
        else:
            same = [depth for depth, size in largest.items() if size == style]
            larger = [depth for depth, size in largest.items() if size > style]
            levels[first] = len(above) + (max(same) if same else max(larger) + 1)
    return levels


def _mark(lines: Sequence[Line], below: int = 0) -> list[Line]:
    """Give lines that are set as headings a level below `below`; headings that are marked stay."""
    body = _body_size(lines)
    bold_body = sum(len(line.text) for line in lines if line.bold) * 2 > sum(len(line.text) for line in lines)
    everywhere = _everywhere(lines)
    styles = [None if masked(line.text) in everywhere else _style(line, body, bold_body) for line in lines]
    runs = [run for run in _runs(styles, lines) if len(run) <= _LONGEST_HEADING]
    levels = _levels(runs, styles, lines)
    marked = list(lines)
    for run in runs:
        for index in run:
            marked[index] = replace(marked[index], level=below + levels[run[0]], continues=index != run[0])
    return marked


def _with_headings(lines: list[Line], outline: Sequence[Entry]) -> list[Line]:
    """Mark the headings: those of the outline, if there is one; else by type, or by form where all is of one type."""
    by_outline = mark_by_outline(lines, outline) if outline else None
    if by_outline and not is_coarse(outline, len({line.page for line in lines})):
        return by_outline
    if by_outline:
        return _mark(by_outline, max(line.level or 0 for line in by_outline))
    marked = _mark(lines)
    return marked if any(line.level is not None for line in marked) else mark_headings(lines)


def _cover_title(lines: Sequence[Line]) -> str:
    """What is set in much the largest type on the first page, above the first heading; "" if nothing is."""
    cover = list(takewhile(lambda line: line.page == lines[0].page and line.level is None, lines))
    largest = max((line.size for line in cover), default=0.0)
    title = " ".join(line.text for line in cover if line.size >= largest - 0.5)
    large = largest >= 1.5 * _body_size(lines)
    return title if large and title_like(title) and not _IMPRINT.search(title) else ""


def _running_title(removed: Sequence[str], pages: int) -> str:
    """The running line of three words or more that is on half of the pages, without its page number; "" if none is."""
    forms = Counter(masked(text) for text in removed if len(text.split()) > 2)
    form, count = max(forms.items(), key=lambda item: item[1], default=("", 0))
    line = next((text for text in removed if masked(text) == form), "")
    return re.sub(r"(?<!\W)\W*+\bpage\b.*", "", line, flags=re.IGNORECASE) if count * 2 >= pages else ""


def read_pdf(data: bytes, name: str) -> Document:
    """Read a PDF. One that is encrypted, damaged, or only images is `UnreadableError`."""
    pages, outline = _opened(data)
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
    marked = _with_headings(body, outline)
    blocks = to_blocks(marked, vocabulary, _GAP)
    return Document(rooted(blocks, _cover_title(marked) or _running_title(removed, len(pages)) or name), text, blocks)
