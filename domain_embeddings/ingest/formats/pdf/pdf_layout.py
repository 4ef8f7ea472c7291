"""Reading order of a PDF's pages: running lines removed, columns one after the other, rows of one baseline."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from domain_embeddings.ingest.formats.pdf.pdf_text import Edge, Page, Span, Wall
from domain_embeddings.ingest.formats.running_headers import running_lines

_FULL_LINES = 6


@dataclass(frozen=True)
class Row:
    """The spans on one baseline of a region, from left to right."""

    spans: tuple[Span, ...]

    @property
    def y(self) -> float:
        """The baseline."""
        return self.spans[0].y

    @property
    def size(self) -> float:
        """The largest size of type."""
        return max(span.size for span in self.spans)

    @property
    def bold(self) -> bool:
        """Whether all of it is bold."""
        return all(span.bold for span in self.spans)

    @property
    def text(self) -> str:
        """The spans' texts."""
        return " ".join(span.text for span in self.spans)

    @property
    def x0(self) -> float:
        """The left end."""
        return self.spans[0].x0

    @property
    def x1(self) -> float:
        """The right end."""
        return max(span.x1 for span in self.spans)


@dataclass(frozen=True)
class Region:
    """Rows that are read from top to bottom: a page, or a column of one. `margin` is its right edge."""

    page: int
    rows: list[Row]
    edges: list[Edge]
    walls: list[Wall]
    margin: float


def rows_of(spans: Iterable[Span]) -> list[Row]:
    """Group spans by baseline, from the top."""
    rows: list[list[Span]] = []
    for span in sorted(spans, key=lambda s: (-s.y, s.x0)):
        if rows and abs(rows[-1][0].y - span.y) < 0.4 * max(rows[-1][0].size, span.size):
            rows[-1].append(span)
        else:
            rows.append([span])
    return [Row(tuple(sorted(row, key=lambda s: s.x0))) for row in rows]


def without_running_lines(pages: Sequence[Page]) -> tuple[list[Page], list[str]]:
    """Pages without headers and footers, and the texts of these."""
    rows = [rows_of(page.spans) for page in pages]
    running = running_lines([[row.text for row in page] for page in rows]) if len(pages) > 1 else set()
    kept = [
        [span for i, row in enumerate(page) if (n, i) not in running for span in row.spans]
        for n, page in enumerate(rows)
    ]
    return [Page(p.number, spans, p.edges, p.walls) for p, spans in zip(pages, kept, strict=True)], [
        rows[n][i].text for n, i in sorted(running)
    ]


def _crossing(spans: Sequence[Span], x: float) -> int:
    return sum(s.x0 < x < s.x1 for s in spans)


def _page_gutter(spans: Sequence[Span], left: float, right: float) -> float | None:
    """Where the white space between two columns of text is, if at least six lines fill either side of it."""
    best: tuple[float, float] | None = None
    for step in range(60, 141):
        x = left + (right - left) * step / 200
        crossing = _crossing(spans, x)
        before = sum(s.x1 <= x and s.x1 - s.x0 > 0.8 * (x - left) for s in spans)
        after = sum(s.x0 >= x and s.x1 - s.x0 > 0.8 * (right - x) for s in spans)
        if min(before, after) >= _FULL_LINES and crossing * 5 <= len(spans):
            choice = (crossing * 100 + abs(step - 100), x)
            best = min(best, choice) if best else choice
    return best[1] if best else None


def gutter(pages: Sequence[Page]) -> float | None:
    """The gutter of a document in two columns: the median of its pages', if few other pages have text across it."""
    spans = [s for p in pages for s in p.spans]
    if not spans:
        return None
    left, right = min(s.x0 for s in spans), max(s.x1 for s in spans)
    found = [x for page in pages if (x := _page_gutter(page.spans, left, right)) is not None]
    if not found:
        return None
    x = median(found)
    against = sum(_crossing(page.spans, x) * 5 > len(page.spans) for page in pages if len(page.spans) > 2 * _FULL_LINES)
    return x if against <= 2 * len(found) else None


def _bands(rows: Sequence[Row], x: float) -> list[tuple[list[Span], bool]]:
    """Split a page at rows that cross the gutter. Each band is (spans, whether they are of full width)."""
    bands: list[tuple[list[Span], bool]] = []
    for row in rows:
        crosses = any(s.x0 < x < s.x1 for s in row.spans)
        if not bands or bands[-1][1] != crosses:
            bands.append(([], crosses))
        bands[-1][0].extend(row.spans)
    return bands


def regions(pages: Sequence[Page]) -> list[Region]:
    """The regions of a document in reading order."""
    x = gutter(pages)
    margin = max((s.x1 for p in pages for s in p.spans), default=0.0)
    left_margin = max((s.x1 for p in pages for s in p.spans if x and s.x1 <= x), default=margin)
    found: list[Region] = []
    for page in pages:
        rows = rows_of(page.spans)
        crossing = sum(any(s.x0 < x < s.x1 for s in row.spans) for row in rows) if x else 0
        if not x or crossing * 3 > len(rows):
            found.append(Region(page.number, rows, page.edges, page.walls, margin))
            continue
        for spans, full in _bands(rows, x):
            columns = (
                [(spans, margin)]
                if full
                else [([s for s in spans if s.x1 <= x], left_margin), ([s for s in spans if s.x1 > x], margin)]
            )
            found += [
                Region(page.number, rows_of(column), page.edges, page.walls, edge) for column, edge in columns if column
            ]
    return found
