"""Tables drawn with white space, bars or box signs in plain text."""

import re
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import replace

from domain_embeddings.ingest.formats.heading_form import is_rule
from domain_embeddings.ingest.formats.line_joining import Vocabulary, join_lines
from domain_embeddings.ingest.formats.lines import Line, is_item

_CELL = re.compile(r"(?:\S|(?<![.!?:]) (?! )|(?<=[.!?:]) {1,2}(?! ))+")
_DRAWN_SIGNS = frozenset("-=+|:._ ")
_DRAWN = re.compile(r"[-=._]{3}")
_BOXES = str.maketrans(
    {chr(code): "+" for code in range(0x2500, 0x2580)}
    | dict.fromkeys("─━═┄┅┈┉╌╍", "-")
    | dict.fromkeys("│┃║┆┇┊┋╎╏", "|")
)
_LEADERS = re.compile(r"\s?\.{4,}\s?")
_WIDEST = 1000
"""The longest line that can be a table's row, in characters."""
_NEAR = 1
_JUSTIFYING = 3
"""The widest gap in a line of justified prose, in blanks."""
_FEWEST_WORDS = 6

Cells = list[tuple[int, str]]
"""(column where it begins, text) of each cell of a line."""


def _plain(text: str) -> str:
    """A text with box signs as the signs of ASCII with which tables are drawn."""
    return text.translate(_BOXES)


def cells_of(line: Line) -> Cells:
    """The cells of a line: texts with two blanks, a tab, a bar or dotted leaders between them."""
    if len(line.text) > _WIDEST:
        return [(int(line.left), line.text)]
    text = _LEADERS.sub(lambda m: " " * len(m[0]), _plain(line.text).expandtabs()).replace("|", "  ")
    offset = int(line.left)
    return [(offset + m.start(), m[0].strip()) for m in _CELL.finditer(text) if m[0].strip()]


def _is_drawn(line: Line) -> bool:
    """Whether a line holds nothing but what separates a table's rows."""
    text = _plain(line.text)
    return _DRAWN_SIGNS.issuperset(text) and _DRAWN.search(text) is not None


def _is_row(line: Line, cells: Cells) -> bool:
    return len(cells) > 1 and (not is_item(line.text) or len(cells) > 2) and not _is_drawn(line)


def _is_near(column: int, columns: Sequence[int]) -> bool:
    """Whether a column is among sorted ones, or beside one."""
    place = bisect_left(columns, column - _NEAR)
    return place < len(columns) and columns[place] <= column + _NEAR


def _nearest(column: int, columns: Sequence[int]) -> int:
    """The nearest of sorted columns, of two the left one."""
    place = bisect_left(columns, column)
    return min(columns[max(0, place - 1) : place + 1], key=lambda c: abs(c - column))


def _add_columns(columns: list[int], cells: Cells) -> None:
    """Add the columns of cells to sorted ones."""
    for column, _ in cells:
        place = bisect_left(columns, column)
        if place == len(columns) or columns[place] != column:
            insort(columns, column)


def _aligned(cells: Cells, others: Sequence[int]) -> bool:
    """Whether a row has a column beyond the first in common with others'."""
    return any(_is_near(column, others) for column, _ in cells[1:])


def _is_justified(line: Line, cells: Cells) -> bool:
    """Whether a line reads as prose whose words were set apart to fill it: narrow gaps before words of a sentence."""
    ends = [column + len(text) for column, text in cells]
    gaps = [column - end for end, (column, _) in zip(ends, cells[1:], strict=False)]
    if not gaps or max(gaps) > _JUSTIFYING or "|" in _plain(line.text) or len(line.text.split()) < _FEWEST_WORDS:
        return False
    small = sum(text[0].islower() for _, text in cells[1:])
    return small * 2 >= len(cells) - 1 or line.right >= line.margin - 2


def _shares_all(cells: Cells, columns: Sequence[int]) -> bool:
    """Whether all of a row's cells begin at the columns of the rows above it."""
    return all(_is_near(column, columns) for column, _ in cells)


def _belongs(cells: Cells, columns: Sequence[int]) -> bool:
    """Whether a line goes on with the row above: all its cells at columns, the first only in lower case."""
    if not _shares_all(cells, columns):
        return False
    column, text = cells[0]
    right = bisect_left(columns, column + 1)
    wide = len(cells) == 1 and right < len(columns) and column + len(text) >= columns[right]
    return column > columns[0] + _NEAR or (text[0].islower() and not wide)


def _run(lines: Sequence[Line], rows: Sequence[Cells], first: int) -> int:
    """The index after the table that may begin at `first`: `first` itself if there is none.

    Rows share a column; lines that read as justified prose are rows only where three or more share all of theirs.
    """
    columns: list[int] = []
    _add_columns(columns, rows[first])
    above = [column for column, _ in rows[first]]
    justified = _is_justified(lines[first], rows[first])
    count, index = 1, first + 1
    while index < len(lines):
        line, cells = lines[index], rows[index]
        prose = _is_justified(line, cells)
        if _is_drawn(line):
            justified, index = False, index + 1
            continue
        aligned = _shares_all(cells, columns) if prose or justified else _aligned(cells, above[1:])
        if _is_row(line, cells) and line.gap <= 1 and (aligned or "|" in _plain(line.text)):
            above, count = [column for column, _ in cells], count + 1
            _add_columns(columns, cells)
        elif line.gap <= 0 and cells and not prose and _belongs(cells, columns):
            count += 1
        else:
            break
        index += 1
    return index if count > (2 if justified else 1) else first


def _add_cells(row: dict[int, list[str]], cells: Cells) -> None:
    columns = sorted(row)
    for column, text in cells:
        row[_nearest(column, columns)].append(text)


def _goes_on(cells: Cells, row: dict[int, list[str]], columns: Sequence[int]) -> bool:
    """Whether a line holds the rest of the row's wrapped cells: no first cell, or one that begins in lower case."""
    if cells[0][0] > columns[0] + _NEAR:
        return _belongs(cells, columns)
    first = row[min(row)][0]
    return cells[0][1][0].islower() and first[:1].isupper() and _shares_all(cells, sorted(row))


def _rows(lines: Iterable[tuple[Line, Cells]], vocabulary: Vocabulary) -> list[Line]:
    """The table's rows, one line each, cells that were wrapped put together."""
    rows: list[tuple[Line, dict[int, list[str]]]] = []
    columns: list[int] = []
    for line, cells in lines:
        if _is_drawn(line):
            continue
        if rows and line.gap <= 0 and _goes_on(cells, rows[-1][1], columns):
            row = rows[-1][1]
            known = sorted(row)
            row.update({column: [] for column, _ in cells if not _is_near(column, known)})
            _add_cells(row, cells)
            rows[-1] = replace(rows[-1][0], end=line.end), row
        else:
            rows.append((line, {column: [text] for column, text in cells}))
        _add_columns(columns, cells)
    return [replace(line, cells=tuple(join_lines(row[c], vocabulary) for c in sorted(row))) for line, row in rows]


def mark_tables(lines: Sequence[Line], vocabulary: Vocabulary) -> list[Line]:
    """Give the lines of tables their cells, and leave out what is drawn around text; other lines stay as they are."""
    cells = [cells_of(line) for line in lines]
    result: list[Line] = []
    index = 0
    while index < len(lines):
        begins = _is_row(lines[index], cells[index]) and not _underlined(lines, cells, index)
        end = _run(lines, cells, index) if begins else index
        if end > index:
            result.extend(_rows(zip(lines[index:end], cells[index:end], strict=True), vocabulary))
            index = end
        else:
            result.extend(_unboxed(lines[index]))
            index += 1
    return result


def _unboxed(line: Line) -> list[Line]:
    """A line without the sides of a box around it; none if it is nothing else."""
    if not any("\u2500" <= c < "\u2580" for c in (line.text[:1], line.text[-1:])):
        return [line]
    text = line.text.strip("".join(map(chr, range(0x2500, 0x2580))) + " ")
    return [replace(line, text=text)] if text or is_rule(line.text) else []


def _underlined(lines: Sequence[Line], cells: Sequence[Cells], index: int) -> bool:
    """Whether a line is a heading by the rule below it, which has no gaps as a table's would."""
    following = lines[index + 1].text if index + 1 < len(lines) else ""
    return is_rule(following) and len(cells[index]) < 2
