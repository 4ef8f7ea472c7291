"""Rows of cells as blocks: each row with the headers of its columns, so that it says by itself what its values are."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from domain_embeddings.ingest.formats.blocks import Block, BlockKind, UnreadableError
from domain_embeddings.ingest.formats.heading_form import title_like
from domain_embeddings.ingest.formats.lines import row_text

MOST_CELLS = 5_000_000
"""More cells than this, empty ones included, are not read."""
_LONGEST_HEADER = 80
_YEAR = re.compile(r"(?:19|20)\d\d")
_AMOUNT = re.compile(r"[-+±~<>≤≥.]?\s?\d")

Row = tuple[str, ...]
"""A row's cells as text, "" where empty."""


def counted(rows: Iterable[Sequence[object]]) -> Iterator[Sequence[object]]:
    """The rows of a sheet, of several empty ones the first; `UnreadableError` once they have too many cells."""
    count, last = 0, True
    for row in rows:
        count += len(row) or 1
        if count > MOST_CELLS:
            raise UnreadableError(f"more than {MOST_CELLS:,} cells")
        if row or last:
            yield row
        last = bool(row)


def _filled(row: Row) -> list[int]:
    return [column for column, cell in enumerate(row) if cell]


def _is_header(row: Row) -> bool:
    """Whether a row names columns: several short texts, none twice, numbers only as years beside texts."""
    cells = [cell for cell in row if cell]
    named = [cell for cell in cells if not _YEAR.fullmatch(cell)]
    fits = all(len(cell) <= _LONGEST_HEADER and not _AMOUNT.match(cell) for cell in named)
    worded = any(cell[0].isalpha() for cell in named)
    return len(cells) > 1 and worded and fits and len(set(cells)) == len(cells)


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows that no empty row sets apart."""
    group: list[Row] = []
    for row in rows:
        if _filled(row):
            group.append(row)
        elif group:
            yield group
            group = []
    if group:
        yield group


def _split(group: list[Row]) -> tuple[list[str], list[Row]]:
    """The lines of one cell that a group begins with, which are above its table, and the table's rows."""
    first = next((index for index, row in enumerate(group) if len(_filled(row)) > 1), len(group))
    return [row[_filled(row)[0]] for row in group[:first]], group[first:]


def _headed(row: Row, header: Row) -> Block:
    """A row as "Part: Seal | Torque: 12 Nm"; a cell without a header stands alone."""
    pairs = zip_longest(header[: len(row)], row, fillvalue="")
    return Block(BlockKind.ROW, row_text(f"{name}: {cell}" if name and cell else cell for name, cell in pairs))


def _lines(texts: Sequence[str], level: int, above_table: bool) -> Iterator[Block]:
    """Lines outside of tables: the last one above a table is its heading, if it reads like one."""
    last = len(texts) - 1 if above_table else -1
    for index, text in enumerate(texts):
        heading = index == last and title_like(text)
        yield Block(BlockKind.HEADING, text, level) if heading else Block(BlockKind.PARAGRAPH, text)


def blocks_of(rows: Iterable[Row], level: int) -> Iterator[Block]:
    """The blocks of a sheet. A line of one cell above a table is a heading of `level`, if it reads like one.

    A table's first row is its header where it names columns. What follows an empty row is a table of its own if a
    line stands above it or its columns are others; else the header holds on.
    """
    header: Row = ()
    columns: set[int] = set()
    above: list[str] = []
    for group in _groups(rows):
        lines, table = _split(group)
        above += lines
        if not table:
            continue
        yield from _lines(above, level, True)
        own = set(_filled(table[0]))
        if above or not own <= columns:
            named = len(table) > 1 and _is_header(table[0])
            header, table = (table[0], table[1:]) if named else ((), table)
            columns = own
        above = []
        yield from (_headed(row, header) for row in table)
    yield from _lines(above, level, False)
