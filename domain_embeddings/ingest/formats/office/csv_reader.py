"""Tables in text: CSV with any of the usual delimiters, and TSV."""

import csv
import io
from collections import Counter

from domain_embeddings.ingest.formats.blocks import Document, UnreadableError, located
from domain_embeddings.ingest.formats.decoding import decode
from domain_embeddings.ingest.formats.office.table_rows import blocks_of, counted

_DELIMITERS = "\t;|,"
"""From the one that text has least of: prose in cells has commas, and so have numbers in some languages."""
_LONGEST_LINE = 1_000_000
_SAMPLE = 100
_AGREED = 0.9


def _agreement(lines: list[str], delimiter: str) -> float:
    """The part of the rows that have the most frequent number of cells; 0 if that is one."""
    try:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter) if row)
    except csv.Error:
        return 0.0
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(1, 0))
    return count / widths.total() if width > 1 else 0.0


def _delimiter(lines: list[str]) -> str:
    """The first delimiter by which nearly all rows have as many cells, else the one by which most have."""
    shares = {delimiter: _agreement(lines, delimiter) for delimiter in _DELIMITERS}
    agreed = [delimiter for delimiter, share in shares.items() if share >= _AGREED]
    best = max(shares, key=lambda delimiter: shares[delimiter])
    return agreed[0] if agreed else best if shares[best] else ","


def read_csv(data: bytes, name: str, delimiter: str = "") -> Document:
    """Read a table with a `delimiter`, or with the one that it says ("sep=;", as Excel writes), or that fits its rows.

    A line or cell longer than any table has is `UnreadableError`.
    """
    text = decode(data)
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first) == 5:
        text, delimiter = rest, first[4]
    lines = text.splitlines(keepends=True)
    if any(len(line) > _LONGEST_LINE for line in lines):
        raise UnreadableError(f"a line of more than {_LONGEST_LINE:,} characters")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter or _delimiter(lines[:_SAMPLE]))
    try:
        blocks = list(blocks_of((tuple(" ".join(str(cell).split()) for cell in row) for row in counted(rows)), 1))
    except csv.Error as error:
        raise UnreadableError("a cell longer than any table has: a quote that is not closed?") from error
    placed, blocks = located(blocks)
    return Document(name, placed, blocks)


def read_tsv(data: bytes, name: str) -> Document:
    """Read a table whose cells are set apart by tabs."""
    return read_csv(data, name, "\t")
