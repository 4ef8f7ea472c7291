"""Lines of a page, as plain text and PDF give them, and their way to blocks."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from domain_embeddings.ingest.formats.blocks import Block, BlockKind
from domain_embeddings.ingest.formats.line_joining import Vocabulary, is_broken, join_lines

NEW_PAGE = -1.0
"""A line's `gap` when it is the first of its page or column: whether a paragraph ended before it is not known."""


@dataclass(frozen=True)
class Line:
    """A line of a page.

    Lengths are in characters in plain text, in points in a PDF. `gap` is the white space above in lines
    (about 0 inside a paragraph), `margin` where the right edge of full lines is; `cells` are a table row's.
    """

    text: str
    page: int | None = None
    start: int = 0
    end: int = 0
    left: float = 0
    right: float = 0
    margin: float = 0
    gap: float = 0
    size: float = 0
    bold: bool = False
    cells: tuple[str, ...] = ()
    level: int | None = None
    """The level of the heading that this line is, or begins."""
    continues: bool = False
    """Whether it goes on with the heading or table row of the line above."""


_MARKER = re.compile(
    r"""\s* (?P<bullet> [•●○◦▪■□‣·*\u2013\u2014-] | \(?\d{1,3}[.)] | \(?[a-zA-Z][.)] | \(?[ivx]{1,4}\)
      | step\s+\d+\s*[:.] ) \s+ (?=\S)""",
    re.IGNORECASE | re.VERBOSE,
)
_LETTERED = re.compile(r"\s*\(?[a-zA-Z][.)]\s")
_TERMINAL = re.compile(r"[.!?:;][\"')\]]*$")


def is_item(text: str) -> bool:
    """Whether a line begins with a bullet, a number with dot or parenthesis, or "Step 3:"."""
    return _MARKER.match(text) is not None


def bulleted(text: str) -> str:
    """An item's text with any bullet shown as "- "."""
    match = _MARKER.match(text)
    if match and not match["bullet"][-1].isalnum() and len(match["bullet"]) == 1:
        return f"- {text[match.end() :]}"
    return text.strip()


def _is_full(line: Line, following: Line) -> bool:
    """Whether the first word of the next line would not have fitted at the end of this one."""
    unit = (line.right - line.left) / max(1, len(line.text))
    word = following.text.split(" ", 1)[0]
    return line.right + unit * (len(word) + 1) > line.margin - 4 * unit


def continues_paragraph(first: Line, line: Line, following: Line, gap_limit: float) -> bool:
    """Whether the line that follows goes on with the paragraph or item that began with `first` and is at `line`."""
    if is_broken(line.text) and following.text[:1].islower():
        return True
    lowercase, terminal = following.text[:1].islower(), _TERMINAL.search(line.text) is not None
    marked = is_item(following.text) and (
        terminal or _LETTERED.match(following.text) is None or not _is_full(line, following)
    )
    if following.gap > gap_limit or marked:
        return False
    if following.gap == NEW_PAGE:
        return not terminal and (lowercase or _is_full(line, following))
    if lowercase and not terminal:
        return True
    unit = (line.right - line.left) / max(1, len(line.text))
    if is_item(first.text):
        return following.left > first.left + 1.5 * unit or _is_full(line, following)
    return following.left >= line.left - 1.5 * unit and _is_full(line, following)


def _groups(lines: Iterable[Line], gap_limit: float) -> Iterator[tuple[BlockKind, list[Line]]]:
    """Group lines into headings, rows, items and paragraphs."""
    group: list[Line] = []
    kind = BlockKind.PARAGRAPH
    for line in lines:
        this = _kind(line)
        prose = {this, kind} <= {BlockKind.PARAGRAPH, BlockKind.ITEM}
        if group and (line.continues or (prose and continues_paragraph(group[0], group[-1], line, gap_limit))):
            group.append(line)
            continue
        if group:
            yield kind, group
        group, kind = [line], this
    if group:
        yield kind, group


def _kind(line: Line) -> BlockKind:
    if line.level is not None:
        return BlockKind.HEADING
    if line.cells:
        return BlockKind.ROW
    return BlockKind.ITEM if is_item(line.text) else BlockKind.PARAGRAPH


def row_text(cells: Iterable[str]) -> str:
    """A table row as text: its non-empty cells joined by " | "."""
    return " | ".join(cell for cell in (" ".join(cell.split()) for cell in cells) if cell)


def to_blocks(lines: Iterable[Line], vocabulary: Vocabulary, gap_limit: float) -> list[Block]:
    """Join lines to blocks. A `gap` above `gap_limit` ends a paragraph."""
    blocks: list[Block] = []
    for kind, group in _groups(lines, gap_limit):
        first = group[0]
        text = row_text(first.cells) if kind is BlockKind.ROW else join_lines((line.text for line in group), vocabulary)
        text = bulleted(text) if kind is BlockKind.ITEM else text
        if text:
            blocks.append(Block(kind, text, first.level or 0, first.page, first.start, group[-1].end))
    return blocks
