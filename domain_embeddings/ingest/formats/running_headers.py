"""What repeats on every page and says nothing: running headers and footers, and tables of contents."""

import re
from collections import defaultdict
from collections.abc import Sequence

from domain_embeddings.ingest.formats.blocks import entry_key, has_leaders, is_contents_heading
from domain_embeddings.ingest.formats.lines import Line

_EDGE_LINES = 3
_BARE_NUMBER = re.compile(r"\W*(?:#(?:[-.]#)?|[ivxlc]+)\W*")
_LOOKAHEAD = 3


def masked(text: str) -> str:
    """A line as it recurs from page to page: case-folded, numbers as "#", white space collapsed."""
    return re.sub(r"\d+", "#", " ".join(text.casefold().split()))


def _edge(lines: Sequence[str], *, bottom: bool) -> list[tuple[int, str]]:
    """(index, masked text) of the first or last non-blank lines of a page, outermost first."""
    indices = [i for i, line in enumerate(lines) if line.strip()]
    ordered = indices[::-1] if bottom else indices
    return [(i, masked(lines[i])) for i in ordered[:_EDGE_LINES]]


def _recurring(numbers: list[int], pages: int) -> bool:
    """Whether a line found on these pages is a running one: on half of all, or three in (alternate) succession."""
    if len(numbers) < 2:
        return False
    if len(numbers) * 2 >= pages:
        return True
    return any(c - b <= 2 and b - a <= 2 for a, b, c in zip(numbers, numbers[1:], numbers[2:], strict=False))


def _may_run(text: str) -> bool:
    """A masked line can be a running one when it holds a word, or a page number and nothing else."""
    return re.search(r"[^\W\d_]{3}", text) is not None or _BARE_NUMBER.fullmatch(text) is not None


def running_lines(pages: Sequence[Sequence[str]]) -> set[tuple[int, int]]:
    """(page, line) indices of the running headers and footers.

    A running line is one of the first or last three of its page, with only running lines outside of it,
    and recurs at the same edge, numbers aside, on at least half of the pages or on three in succession.
    """
    found: set[tuple[int, int]] = set()
    filled = sum(any(line.strip() for line in lines) for lines in pages)
    for bottom in (False, True):
        edges = [_edge(lines, bottom=bottom) for lines in pages]
        seen: dict[str, list[int]] = defaultdict(list)
        for number, edge in enumerate(edges):
            for text in {text for _, text in edge}:
                seen[text].append(number)
        running = {text for text, numbers in seen.items() if _may_run(text) and _recurring(numbers, filled)}
        for number, edge in enumerate(edges):
            for index, text in edge:
                if text not in running:
                    break
                found.add((number, index))
    return found


def _leader_lines(lines: Sequence[Line]) -> set[int]:
    """Indices of lines with dotted leaders that stand in runs of two or more."""
    leaders = [i for i, line in enumerate(lines) if has_leaders(line.text)]
    return {i for i in leaders if any(0 < abs(i - other) <= 2 for other in leaders)}


def _contents_end(lines: Sequence[Line], first: int, leaders: set[int]) -> int:
    """The index after the entries of the table of contents that begin at `first`.

    An entry has dotted leaders, or stands before one that has (it was wrapped), or recurs below as a
    line of its own; the first line that says again what an entry said is the document going on.
    """
    later = [entry_key(line.text) for line in lines[first:]]
    entries: set[str] = set()
    for index in range(first, len(lines)):
        key = later[index - first]
        listed = any(i in leaders for i in range(index, index + _LOOKAHEAD))
        rule = not key
        if not (listed or rule) and (key in entries or key not in later[index - first + 1 :]):
            return index
        entries.add(key)
    return len(lines)


def without_contents(lines: Sequence[Line]) -> list[Line]:
    """Drop tables of contents: lines with dotted leaders, "Contents" and the list below it."""
    leaders = _leader_lines(lines)
    kept: list[Line] = []
    skip_to = 0
    for index, line in enumerate(lines):
        if index < skip_to:
            continue
        if is_contents_heading(line.text):
            skip_to = _contents_end(lines, index + 1, leaders)
        elif index not in leaders:
            kept.append(line)
    return kept
