"""Tables in PDF pages: rows whose spans stand in columns, told apart by drawn edges or by white space."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from domain_embeddings.ingest.formats.line_joining import Vocabulary, join_lines
from domain_embeddings.ingest.formats.lines import is_item
from domain_embeddings.ingest.formats.pdf.pdf_layout import Region, Row
from domain_embeddings.ingest.formats.pdf.pdf_text import Edge, Span, Wall

_FARTHEST = 2.6
_JUSTIFYING = 1.6
"""Below so many sizes of type a gap may be one that fills a line."""

Columns = list[tuple[float, float]]


def _merged(intervals: Sequence[tuple[float, float]]) -> Columns:
    """The union of intervals as disjoint ones from left to right."""
    columns: Columns = []
    for low, high in sorted(intervals):
        if columns and low <= columns[-1][1] + 1:
            columns[-1] = columns[-1][0], max(high, columns[-1][1])
        else:
            columns.append((low, high))
    return columns


def _intervals(row: Row) -> list[tuple[float, float]]:
    return [(span.x0, span.x1) for span in row.spans]


def _separators(edges: Sequence[Edge], columns: Columns) -> list[float]:
    """Heights, ascending, at which edges, sorted from the top, cover at least half of the width of the columns."""
    left, right = columns[0][0], columns[-1][1]
    covered: dict[float, float] = {}
    for edge in edges:
        length = min(edge.x1, right + 12) - max(edge.x0, left - 12)
        if length > 0:
            last = next(reversed(covered), edge.y)
            y = last if last - edge.y < 2 else edge.y
            covered[y] = covered.get(y, 0) + length
    return sorted(y for y, length in covered.items() if length >= 0.5 * (right - left))


def fills_line(row: Row, margin: float) -> bool:
    """Whether a row reads as a line of justified prose: narrow gaps before words in lower case, to the margin."""
    if len(row.spans) < 2 or row.x1 < margin - 2 * row.size:
        return False
    return all(b.x0 - a.x1 < _JUSTIFYING * row.size and b.text[0].islower() for a, b in pairwise(row.spans))


def _may_begin(row: Row) -> bool:
    if len(row.spans) < 2 or is_item(row.text):
        return False
    return (
        len(row.spans) > 2
        or not row.spans[0].text.strip(".)").isdigit()
        or row.spans[1].x0 - row.spans[0].x0 > 4 * row.size
    )


def _walled(row: Row, columns: Columns, walls: Sequence[Wall]) -> bool:
    """Whether vertical lines stand beside a row, within the width of the columns."""
    return any(w.y0 <= row.y + 1 <= w.y1 and columns[0][0] - 12 <= w.x <= columns[-1][1] + 12 for w in walls)


def _extends(row: Row, above: Row, columns: Columns, separators: Sequence[float], region: Region) -> bool:
    """Whether a row belongs to the table above it, of these columns and separators."""
    if _walled(above, columns, region.walls) and not _walled(row, columns, region.walls):
        return False
    if len(row.spans) == 1 and row.size > above.size + 0.9:
        return False
    merged = _merged([*columns, *_intervals(row)])
    under, over = bisect_left(separators, row.y), bisect_right(separators, row.y)
    between = over < len(separators) and separators[over] < above.y
    below = under > 0 and row.y - separators[under - 1] < 8 * row.size
    if len(merged) < min(2, len(columns)) or (len(merged) < len(columns) and len(row.spans) < len(columns)):
        return False
    if above.y - row.y > _FARTHEST * row.size and not (between and below):
        return False
    if len(row.spans) > 1:
        return not is_item(row.text)
    return below if len(separators) > 1 else row.x0 > columns[0][1]


def _end(region: Region, first: int) -> int:
    """The index after the table that may begin at row `first`; `first` if there is none."""
    rows = region.rows
    columns = _merged(_intervals(rows[first]))
    separators = _separators(region.edges, columns)
    index = first + 1
    while index < len(rows) and _extends(rows[index], rows[index - 1], columns, separators, region):
        known, columns = columns, _merged([*columns, *_intervals(rows[index])])
        if (known[0][0], known[-1][1]) != (columns[0][0], columns[-1][1]):
            separators = _separators(region.edges, columns)
        index += 1
    several = sum(len(row.spans) > 1 and not fills_line(row, region.margin) for row in rows[first:index]) > 1
    ruled = sum(rows[index - 1].y - 30 < y < rows[first].y + 30 for y in separators) > 1
    return index if len(columns) > 1 and index > first + 1 and (several or ruled) else first


def _grouped(rows: Sequence[Row], columns: Columns, separators: Sequence[float]) -> list[list[Row]]:
    """Rows on the page that are one row of the table.

    Between two separators all is one row, unless three or more there begin in the first column: then,
    as where nothing is drawn, each of these begins a row.
    """
    bands: dict[int, list[Row]] = {}
    for row in rows:
        bands.setdefault(len(separators) - bisect_right(separators, row.y), []).append(row)
    groups: list[list[Row]] = []
    for band in bands.values():
        full = [row for row in band if len(row.spans) > 1 and row.x0 <= columns[0][1]]
        drawn = len(bands) > 1 and len(full) < 3
        for number, row in enumerate(band):
            if number == 0 or (not drawn and _begins_row(row, columns)):
                groups.append([])
            groups[-1].append(row)
    return groups


def _begins_row(row: Row, columns: Columns) -> bool:
    return row.x0 <= columns[0][1] and not row.spans[0].text[:1].islower()


def _cells(rows: Sequence[Row], columns: Columns, vocabulary: Vocabulary) -> tuple[str, ...]:
    spans: list[Span] = [span for row in rows for span in row.spans]
    columned = [[s.text for s in spans if low - 1 <= s.x0 <= high + 1] for low, high in columns]
    return tuple(join_lines(texts, vocabulary) for texts in columned)


def tables(region: Region, vocabulary: Vocabulary) -> list[tuple[list[Row], tuple[str, ...]]]:
    """A region's rows in order, each as ([row], ()), or (rows, cells) for a row of a table."""
    found: list[tuple[list[Row], tuple[str, ...]]] = []
    index = 0
    while index < len(region.rows):
        row = region.rows[index]
        end = _end(region, index) if _may_begin(row) else index
        if end == index:
            found.append(([row], ()))
            index += 1
            continue
        table = region.rows[index:end]
        columns = _merged([interval for r in table for interval in _intervals(r)])
        separators = _separators(region.edges, columns)
        found += [(group, _cells(group, columns, vocabulary)) for group in _grouped(table, columns, separators)]
        index = end
    return found


def leading(rows_by_region: Sequence[Sequence[Row]]) -> float:
    """The usual distance of baselines in units of the type size: the median over a document, 2.4 at most."""
    steps = [(a.y - b.y) / b.size for rows in rows_by_region for a, b in pairwise(rows) if abs(a.size - b.size) < 0.5]
    return min(2.4, median(steps)) if steps else 1.2
