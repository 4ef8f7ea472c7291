"""Which lines of a plain text are headings, and of what level."""

import re
from collections.abc import Sequence
from dataclasses import replace

from domain_embeddings.ingest.formats.heading_form import (
    chapter_title,
    is_all_caps,
    is_paragraph_heading,
    is_rule,
    numbered,
    title_like,
)
from domain_embeddings.ingest.formats.lines import Line, is_item

_TOP = frozenset(("chapter", "rule ="))


def _joined(line: Line) -> bool:
    """Whether a line stands directly below the one before it, on the same page."""
    return abs(line.gap) < 0.2


def _stands_apart(lines: Sequence[Line], index: int, headed: bool) -> bool:
    """Whether a line begins a page, follows a blank line or follows a heading."""
    return index == 0 or headed or not _joined(lines[index])


def _style(lines: Sequence[Line], index: int, headed: bool, chapters: set[str]) -> str | None:
    """The style of heading that a line has, None if it is none. `headed`: the line above is a heading.

    `chapters` are the numbers that others are below of.
    """
    line = lines[index]
    below = lines[index + 1] if index + 1 < len(lines) else None
    if line.cells or is_rule(line.text):
        return None
    if (
        below
        and is_rule(below.text)
        and _joined(below)
        and len(below.text) * 2 >= len(line.text)
        and not is_item(line.text)
    ):
        return f"rule {below.text[0]}" if len(line.text) <= 100 else None
    if chapter_title(line.text) is not None:
        return "chapter"
    if is_paragraph_heading(line.text):
        return "paragraph"
    apart = _stands_apart(lines, index, headed)
    if apart and (number := numbered(line.text)):
        return _numbered_style(line, below, number, chapters)
    return "capitals" if apart and is_all_caps(line.text) and not is_item(line.text) else None


def _numbered_style(line: Line, below: Line | None, number: str, chapters: set[str]) -> str | None:
    """Style of a line that begins with a number: a heading, unless it is one of a list of steps."""
    depth = 1 + number.count(".") + number.count("-")
    listed = below is not None and _joined(below) and (other := numbered(below.text)) and len(other) == len(number)
    if listed:
        return None
    chapter = number in chapters and (below is None or not _joined(below))
    if depth == 1 and not (chapter or is_all_caps(line.text)):
        return None
    return f"number {depth}"


def _styles(lines: Sequence[Line]) -> list[str | None]:
    numbers = {n for line in lines if (n := numbered(line.text)) and not line.cells}
    chapters = {n[: match.start()] for n in numbers for match in re.finditer(r"[.-]", n)}
    styles: list[str | None] = []
    for index in range(len(lines)):
        headed = bool(styles) and (styles[-1] is not None or (is_rule(lines[index - 1].text) and _joined(lines[index])))
        styles.append(_style(lines, index, headed, chapters))
    return styles


def _levels(styles: Sequence[str | None]) -> dict[str, int]:
    """Levels from 1: chapters and double rules first, the others in the order in which they first appear."""
    order = list(dict.fromkeys(style for style in styles if style))
    order.sort(key=lambda style: style not in _TOP)
    depths = sorted(style for style in order if style.startswith("number"))
    places = [i for i, style in enumerate(order) if style.startswith("number")]
    for place, style in zip(places, depths, strict=True):
        order[place] = style
    return {style: level for level, style in enumerate(order, start=1)}


def _with_title_below(lines: Sequence[Line], styles: list[str | None]) -> set[int]:
    """Indices of title lines that belong to the "CHAPTER 3" directly above, which has no title itself."""
    return {
        i
        for i in range(1, len(lines))
        if styles[i - 1] == "chapter"
        and chapter_title(lines[i - 1].text) == ""
        and lines[i].gap <= 1
        and title_like(lines[i].text)
        and len(lines[i].text.split()) <= 10
    }


def mark_headings(lines: Sequence[Line]) -> list[Line]:
    """Give heading lines their level and drop lines that are only drawn."""
    styles = _styles(lines)
    below = _with_title_below(lines, styles)
    for index in below:
        styles[index] = "chapter"
    levels = _levels(styles)
    marked = [
        replace(line, level=levels[style] if style else None, continues=index in below)
        for index, (line, style) in enumerate(zip(lines, styles, strict=True))
    ]
    return [line for line in marked if not is_rule(line.text) or line.level is not None]
