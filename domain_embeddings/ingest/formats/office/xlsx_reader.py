"""Excel workbooks: a sheet a section, its rows with the headers of their columns."""

import io
from collections.abc import Iterator
from datetime import datetime, time
from typing import Any

from domain_embeddings.ingest.formats.archives import check_archive, corrupt_if_broken
from domain_embeddings.ingest.formats.blocks import Block, BlockKind, Document, located
from domain_embeddings.ingest.formats.office.table_rows import blocks_of, counted


def _text(cell: Any) -> str:
    """What a cell shows, near enough: whole numbers without decimals, percentages, dates without a midnight."""
    value = cell.value
    if value is None or (isinstance(value, str) and cell.data_type == "e"):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        percent = "%" in (cell.number_format or "")
        return f"{value * 100:.10g} %" if percent else f"{value:.15g}"
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return " ".join(str(value).split())


def _sheets(data: bytes) -> Iterator[Block]:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    try:
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # what a sheet says of its size may be a million empty columns
            yield Block(BlockKind.HEADING, sheet.title, 1)
            yield from blocks_of((tuple(_text(cell) for cell in row) for row in counted(sheet.iter_rows())), 2)
    finally:
        book.close()


def read_xlsx(data: bytes, name: str) -> Document:
    """Read a workbook: values, not formulas. One that is encrypted, damaged or too large is `UnreadableError`."""
    check_archive(data, "XLSX")
    with corrupt_if_broken("XLSX"):
        blocks = list(_sheets(data))
    if all(block.kind is BlockKind.HEADING for block in blocks):
        return Document(name, "", [])
    text, blocks = located(blocks)
    return Document(name, text, blocks)
