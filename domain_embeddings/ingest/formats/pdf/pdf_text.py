"""The text of PDF pages with its places: spans of characters, and the edges drawn around them."""

import ctypes
import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pypdfium2
import pypdfium2.raw as pdfium

_HYPHENS = ("\x02", "\ufffe", "\u2010", "\u2011")
_MARKER = re.compile(r"[•●○◦▪■□‣·\u2013\u2014*-]|\(?\d{1,3}[.)]|\(?[a-z][.)]|[\ue000-\uf8ff]")
_BOLD = re.compile(r"bold|black|heavy|semibold|demi", re.IGNORECASE)
_CELL_GAP = 1.0
_PLACED_GAP = 0.7
_MARKER_GAP = 4.0
_LONGEST_SPAN = 2000
_UPRIGHT = 0.1
_BREAKS = ("\r", "\n", "\0")
_CORK = {
    0x10: "“", 0x11: "”", 0x12: "„", 0x15: "\u2013", 0x16: "\u2014",
    0x1B: "ff", 0x1C: "fi", 0x1D: "fl", 0x1E: "ffi", 0x1F: "ffl",
}  # fmt: skip
"""What control codes are in TeX's T1 fonts, which some files name no characters for (Ferguson, TUGboat 11:4, 1990)."""


@dataclass(frozen=True)
class Span:
    """Characters on one baseline without a wide gap. Lengths in points from the page's lower left."""

    text: str
    x0: float
    x1: float
    y: float
    size: float
    bold: bool


@dataclass(frozen=True)
class Edge:
    """A horizontal line, or the upper or lower side of a box."""

    y: float
    x0: float
    x1: float


@dataclass(frozen=True)
class Wall:
    """A vertical line, or the left or right side of a box."""

    x: float
    y0: float
    y1: float


@dataclass(frozen=True)
class Page:
    """The spans of a page, from 1, in the order of the file, and what is drawn on it."""

    number: int
    spans: list[Span]
    edges: list[Edge]
    walls: list[Wall]


@dataclass(frozen=True)
class _Char:
    text: str
    x0: float
    x1: float
    y: float
    size: float
    bold: bool
    spaced: bool
    """Whether white space stands before it."""
    placed: bool
    """Whether that white space is not in the file: the character was placed at a distance."""


def _font_is_bold(textpage: object, index: int) -> bool:
    buffer = ctypes.create_string_buffer(128)
    pdfium.FPDFText_GetFontInfo(textpage, index, buffer, len(buffer), ctypes.c_int())
    weight = int(pdfium.FPDFText_GetFontWeight(textpage, index))
    return weight >= 600 or _BOLD.search(buffer.value.decode("utf-8", "replace")) is not None


def _size(textpage: object, index: int) -> float:
    """The height of the type in points, with the scale of the text's matrix."""
    matrix = pdfium.FS_MATRIX()
    scale = 1.0
    if pdfium.FPDFText_GetMatrix(textpage, index, matrix):
        scale = (matrix.c**2 + matrix.d**2) ** 0.5 or 1.0
    return float(pdfium.FPDFText_GetFontSize(textpage, index)) * float(scale) or 1.0


def _character(code: int) -> str:
    """A character by its code: hyphens of all kinds as "-", control codes as TeX has them, none as NUL."""
    if code >= 0x110000 or 0xD800 <= code < 0xE000:
        return "\0"
    return "-" if chr(code) in _HYPHENS else _CORK.get(code, chr(code))


def _turned(textpage: object, count: int) -> set[int]:
    """The indices of characters that do not stand upright, as a stamp's at the side; none if most are so."""
    turned = {i for i in range(count) if abs(math.sin(pdfium.FPDFText_GetCharAngle(textpage, i))) > _UPRIGHT}
    return turned if len(turned) * 2 < count else set()


def _chars(textpage: object, count: int) -> Iterator[_Char]:
    """The visible upright characters in the order of the file. Weight is looked up at the beginning of words.

    Of the letters of a ligature, which all have its box, the first has its width, the others have none.
    """
    turned = _turned(textpage, count)
    box, x, y = pdfium.FS_RECTF(), ctypes.c_double(), ctypes.c_double()
    spaced, placed, bold = True, True, False
    before = (0.0, 0.0)
    for index in range(count):
        text = _character(pdfium.FPDFText_GetUnicode(textpage, index))
        if text in _BREAKS or text.isspace() or index in turned:
            spaced, placed = True, placed or pdfium.FPDFText_IsGenerated(textpage, index) == 1
            continue
        pdfium.FPDFText_GetLooseCharBox(textpage, index, box)
        pdfium.FPDFText_GetCharOrigin(textpage, index, x, y)
        bold = _font_is_bold(textpage, index) if spaced else bold
        left, right = float(box.left), float(box.right)
        x0 = right if not spaced and (left, right) == before else left
        yield _Char(text, x0, right, y.value, _size(textpage, index), bold, spaced, placed)
        spaced, placed, before = False, False, (left, right)


def _follows(span: Span, char: _Char, walls: Sequence[Wall]) -> bool:
    """Whether a character goes on with a span: same baseline, no wall and no gap as wide as between columns."""
    size = max(span.size, char.size)
    gap = char.x0 - span.x1
    if abs(span.y - char.y) >= 0.4 * size or gap <= -0.6 * size or len(span.text) > _LONGEST_SPAN:
        return False
    widest = _MARKER_GAP if _MARKER.fullmatch(span.text) else _PLACED_GAP if char.placed else _CELL_GAP
    return gap < widest * size and not (gap > 1 and _is_walled(span.x1 - 1, char.x0 + 1, char.y + 1, walls))


def _is_walled(left: float, right: float, y: float, walls: Sequence[Wall]) -> bool:
    """Whether one of the walls, sorted by place, stands between two places at a height."""
    first = bisect_right(walls, left, key=lambda wall: wall.x)
    last = bisect_left(walls, right, lo=first, key=lambda wall: wall.x)
    return any(wall.y0 <= y <= wall.y1 for wall in walls[first:last])


def _spans(chars: Iterator[_Char], walls: Sequence[Wall]) -> list[Span]:
    spans: list[Span] = []
    for char in chars:
        if spans and _follows(spans[-1], char, walls):
            last = spans[-1]
            glue = " " if char.spaced or char.x0 - last.x1 > 0.3 * last.size else ""
            y, size = (last.y, last.size) if last.size >= char.size else (char.y, char.size)
            bold = last.bold and char.bold
            spans[-1] = replace(
                last, text=last.text + glue + char.text, x1=max(last.x1, char.x1), y=y, size=size, bold=bold
            )
        else:
            spans.append(Span(char.text, char.x0, char.x1, char.y, char.size, char.bold))
    return [span for span in spans if span.text.strip()]


def _drawn(page: pypdfium2.PdfPage) -> tuple[list[Edge], list[Wall]]:
    """Edges at least 20 points long and walls at least 5 high, of the drawn paths' bounds; not the page's frame."""
    edges: set[Edge] = set()
    walls: set[Wall] = set()
    for item in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_PATH]):
        left, bottom, right, top = item.get_bounds()
        if right - left > 0.9 * page.get_width() and top - bottom > 0.9 * page.get_height():
            continue
        if right - left >= 20:
            edges |= {Edge(bottom, left, right)} | ({Edge(top, left, right)} if top - bottom > 3 else set())
        if top - bottom >= 5:
            walls |= {Wall(left, bottom, top)} | ({Wall(right, bottom, top)} if right - left > 3 else set())
    return sorted(edges, key=lambda e: (-e.y, e.x0, e.x1)), sorted(walls, key=lambda w: (w.x, w.y0, w.y1))


def read_page(document: pypdfium2.PdfDocument, index: int) -> Page:
    """The spans and edges of a page, from 0. Raises `pypdfium2.PdfiumError` if it is damaged."""
    page = document[index]
    textpage = page.get_textpage()
    try:
        edges, walls = _drawn(page)
        return Page(index + 1, _spans(_chars(textpage.raw, textpage.count_chars()), walls), edges, walls)
    finally:
        textpage.close()
        page.close()
