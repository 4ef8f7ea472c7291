"""A PDF's own outline, and the lines of the text that its entries stand for."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

import pypdfium2

from domain_embeddings.ingest.formats.lines import Line

_DEEPEST = 8
_MOST_ENTRIES = 20_000
_LONGEST_HEADING = 3
_LONGEST_TITLE = 300
_NUMBER = re.compile(
    r"(?:(?:section|chapter|part|appendix|annex)\s+)?(?:[A-Z]?\d{1,3}(?:[.-]\d{1,3}){0,8}|[A-Z](?:[.-]\d{1,3}){1,8}"
    r"|[IVXLC]{1,7}|[A-Z])[.:)]?\s+",
    re.IGNORECASE,
)
_FEWEST_MATCHED = 0.5
_PAGES_AN_ENTRY = 5


@dataclass(frozen=True)
class Entry:
    """An entry of an outline: level from 1, page from 1."""

    title: str
    level: int
    page: int


def read_outline(document: pypdfium2.PdfDocument) -> list[Entry]:
    """The entries of a document's outline that lead to a page, in order; levels without a gap at the top."""
    entries: list[Entry] = []
    for bookmark in islice(document.get_toc(max_depth=_DEEPEST), _MOST_ENTRIES):
        target = bookmark.get_dest()
        page = target.get_index() if target else None
        title = " ".join(bookmark.get_title().split())
        if page is not None and title:
            entries.append(Entry(title[:_LONGEST_TITLE], bookmark.level + 1, page + 1))
    return entries


def _squashed(text: str) -> str:
    """A title's letters and digits alone, so that spaces, hyphens and ligatures make no difference."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def _forms(text: str) -> list[str]:
    """A title as it is and without its number, squashed; the first is the surer one."""
    bare = _NUMBER.sub("", text, count=1) if _NUMBER.match(text) else text
    return list(dict.fromkeys(form for form in (_squashed(text), _squashed(bare)) if form))


def _runs(lines: Sequence[Line]) -> dict[tuple[int, str], list[tuple[int, int]]]:
    """(page, form of title) → (first line, number of lines) of the runs of one to three lines that have it."""
    found: dict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)
    for first, line in enumerate(lines):
        for count in range(1, _LONGEST_HEADING + 1):
            run = lines[first : first + count]
            if len(run) < count or run[-1].page != line.page or sum(len(part.text) for part in run) > _LONGEST_TITLE:
                break
            for form in _forms(" ".join(part.text for part in run)):
                found[line.page or 0, form].append((first, count))
    return found


def _best(
    entry: Entry, runs: dict[tuple[int, str], list[tuple[int, int]]], lines: Sequence[Line], taken: set[int]
) -> tuple[int, int] | None:
    """The run that an entry stands for: on its page or the next, the largest type first, then the first in order."""
    for page in (entry.page, entry.page + 1):
        for form in _forms(entry.title):
            free = [run for run in runs.get((page, form), []) if not taken & set(range(run[0], run[0] + run[1]))]
            if free:
                return min(free, key=lambda run: (-lines[run[0]].size, run))
    return None


def mark_by_outline(lines: Sequence[Line], entries: Sequence[Entry]) -> list[Line] | None:
    """Give the lines that the outline names their level; None where it names too few that are found."""
    runs = _runs(lines)
    marked = list(lines)
    taken: set[int] = set()
    for entry in entries:
        run = _best(entry, runs, lines, taken)
        if run is None:
            continue
        for index in range(run[0], run[0] + run[1]):
            text = lines[index].text.replace(" | ", " ") if lines[index].cells else lines[index].text
            marked[index] = replace(lines[index], text=text, cells=(), level=entry.level, continues=index != run[0])
            taken.add(index)
    found = sum(line.level is not None and not line.continues for line in marked)
    return marked if found >= 2 and found >= _FEWEST_MATCHED * len(entries) else None


def is_coarse(entries: Sequence[Entry], pages: int) -> bool:
    """Whether an outline names so few places that the text between them has headings of its own."""
    return len(entries) * _PAGES_AN_ENTRY < pages
