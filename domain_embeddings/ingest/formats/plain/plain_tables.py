"""Tables drawn with white space or bars in plain text."""

import re
from collections.abc import Sequence
from dataclasses import replace

from domain_embeddings.ingest.formats.heading_form import is_rule
from domain_embeddings.ingest.formats.line_joining import Vocabulary, join_lines
from domain_embeddings.ingest.formats.lines import Line, is_item

_CELL = re.compile(r"(?:\S|(?<![.!?:]) (?! )|(?<=[.!?:]) {1,2}(?! ))+")
_DRAWN = re.compile(r"[-=+|:._ ]*[-=._]{3}[-=+|:._ ]*")
_LEADERS = re.compile(r"\s?\.{4,}\s?")
_NEAR = 1

Cells = list[tuple[int, str]]
"""(column where it begins, text) of each cell of a line."""


def cells_of(line: Line) -> Cells:
    """The cells of a line: texts with two blanks, a tab, a bar or dotted leaders between them."""
    text = _LEADERS.sub(lambda m: " " * len(m[0]), line.text.expandtabs()).replace("|", "  ")
    offset = int(line.left)
    return [(offset + m.start(), m[0].strip()) for m in _CELL.finditer(text) if m[0].strip()]


def _is_row(line: Line) -> bool:
    return (
        len(cells_of(line)) > 1
        and (not is_item(line.text) or len(cells_of(line)) > 2)
        and not _DRAWN.fullmatch(line.text)
    )


def _aligned(cells: Cells, others: Cells) -> bool:
    """Whether two rows share a column beyond the first."""
    return any(abs(a - b) <= _NEAR for a, _ in cells[1:] for b, _ in others[1:])


def _belongs(cells: Cells, starts: set[int]) -> bool:
    """Whether a line goes on with the row above: all its cells at columns, the first only in lower case."""
    if not all(any(abs(column - start) <= _NEAR for start in starts) for column, _ in cells):
        return False
    column, text = cells[0]
    wide = len(cells) == 1 and any(start > column and column + len(text) >= start for start in starts)
    return column > min(starts) + _NEAR or (text[0].islower() and not wide)


def _run(lines: Sequence[Line], first: int) -> int:
    """The index after the table that may begin at `first`: `first` itself if there is none."""
    above = cells_of(lines[first])
    starts = {column for column, _ in above}
    rows, index = 1, first + 1
    while index < len(lines):
        cells, line = cells_of(lines[index]), lines[index]
        if _DRAWN.fullmatch(line.text):
            index += 1
        elif _is_row(line) and line.gap <= 1 and (_aligned(cells, above) or "|" in line.text):
            above, rows, index = cells, rows + 1, index + 1
            starts |= {column for column, _ in cells}
        elif line.gap <= 0 and cells and _belongs(cells, starts):
            rows, index = rows + 1, index + 1
        else:
            break
    return index if rows > 1 else first


def _add_cells(row: dict[int, list[str]], cells: Cells) -> None:
    for column, text in cells:
        start = min(row, key=lambda s: abs(s - column))
        row[start].append(text)


def _goes_on(cells: Cells, row: dict[int, list[str]], starts: set[int]) -> bool:
    """Whether a line holds the rest of the row's wrapped cells: no first cell, or one that begins in lower case."""
    if cells[0][0] > min(starts) + _NEAR:
        return _belongs(cells, starts)
    first = row[min(row)][0]
    return (
        cells[0][1][0].islower()
        and first[:1].isupper()
        and all(any(abs(c - s) <= _NEAR for s in row) for c, _ in cells)
    )


def _rows(lines: Sequence[Line], vocabulary: Vocabulary) -> list[Line]:
    """The table's rows, one line each, cells that were wrapped put together."""
    rows: list[tuple[Line, dict[int, list[str]]]] = []
    starts: set[int] = set()
    for line in lines:
        if _DRAWN.fullmatch(line.text):
            continue
        cells = cells_of(line)
        if rows and line.gap <= 0 and _goes_on(cells, rows[-1][1], starts):
            row = rows[-1][1]
            row.update({c: [] for c, _ in cells if not any(abs(c - s) <= _NEAR for s in row)})
            _add_cells(row, cells)
            rows[-1] = replace(rows[-1][0], end=line.end), row
        else:
            rows.append((line, {column: [text] for column, text in cells}))
        starts |= {column for column, _ in cells}
    return [replace(line, cells=tuple(join_lines(row[c], vocabulary) for c in sorted(row))) for line, row in rows]


def mark_tables(lines: Sequence[Line], vocabulary: Vocabulary) -> list[Line]:
    """Give the lines of tables their cells; other lines stay as they are."""
    result: list[Line] = []
    index = 0
    while index < len(lines):
        end = _run(lines, index) if _is_row(lines[index]) and not _underlined(lines, index) else index
        if end > index:
            result.extend(_rows(lines[index:end], vocabulary))
            index = end
        else:
            result.append(lines[index])
            index += 1
    return result


def _underlined(lines: Sequence[Line], index: int) -> bool:
    """Whether a line is a heading by the rule below it, which has no gaps as a table's would."""
    following = lines[index + 1].text if index + 1 < len(lines) else ""
    return is_rule(following) and len(cells_of(lines[index])) < 2
