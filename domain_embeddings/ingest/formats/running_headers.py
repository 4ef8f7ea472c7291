"""What repeats on every page and says nothing: running headers and footers, and tables of contents."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from domain_embeddings.ingest.formats.blocks import entry_key, has_leaders, is_contents_heading
from domain_embeddings.ingest.formats.lines import Line

_EDGE_LINES = 6
_BARE_NUMBER = re.compile(r"\W*(?:#(?:[-.]#)?|[ivxlc]+)\W*")
_LOOKAHEAD = 3
_LONGEST = 200


def masked(text: str) -> str:
    """A line as it recurs from page to page: case-folded, numbers as "#", white space collapsed."""
    return re.sub(r"\d+", "#", " ".join(text.casefold().split()))


def _edge(lines: Sequence[str], *, bottom: bool) -> list[tuple[int, str]]:
    """(index, masked text) of the first or last non-blank lines of a page, outermost first."""
    indices = [i for i, line in enumerate(lines) if line.strip()]
    ordered = indices[::-1] if bottom else indices
    return [(i, _recurring_form(lines[i])) for i in ordered[:_EDGE_LINES]]


def _recurring(numbers: list[int], pages: int) -> bool:
    """Whether a line found on these pages is a running one: on half of all, or three in (alternate) succession."""
    if len(numbers) < 2:
        return False
    if len(numbers) * 2 >= pages:
        return True
    return any(c - b <= 2 and b - a <= 2 for a, b, c in zip(numbers, numbers[1:], numbers[2:], strict=False))


def _recurring_form(text: str) -> str:
    """A line as it recurs: masked if it holds a word or is a page number, else as it is, as a model number's is."""
    form = masked(text[: _LONGEST + 1])
    worded = re.search(r"[^\W\d_]{3}", form) is not None or _BARE_NUMBER.fullmatch(form) is not None
    return form if worded else " ".join(text.casefold().split())


def _may_run(form: str) -> bool:
    """Whether a line can be a running one: short, with a letter or a number in it."""
    return len(form) <= _LONGEST and any(c.isalnum() or c == "#" for c in form)


def running_lines(pages: Sequence[Sequence[str]]) -> set[tuple[int, int]]:
    """(page, line) indices of the running headers and footers.

    A running line is one of the first or last six of its page, with only running lines outside of it,
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
    leaders = {i for i, line in enumerate(lines) if has_leaders(line.text)}
    return {i for i in leaders if leaders & {i - 2, i - 1, i + 1, i + 2}}


def _contents_end(keys: Sequence[str], last: Mapping[str, int], first: int, leaders: set[int]) -> int:
    """The index after the entries of the table of contents that begin at `first`.

    An entry has dotted leaders, or stands before one that has (it was wrapped), or recurs below as a line of
    its own; the first line that says again what an entry said is the document going on. `keys` are the lines'
    entry keys, `last` the last place of each.
    """
    entries: set[str] = set()
    for index in range(first, len(keys)):
        key = keys[index]
        listed = any(i in leaders for i in range(index, index + _LOOKAHEAD))
        if key and not listed and (key in entries or last[key] == index):
            return index
        entries.add(key)
    return len(keys)


def without_contents(lines: Sequence[Line]) -> list[Line]:
    """Drop tables of contents: lines with dotted leaders, "Contents" and the list below it."""
    leaders = _leader_lines(lines)
    keys = [entry_key(line.text) for line in lines]
    last = {key: index for index, key in enumerate(keys)}
    kept: list[Line] = []
    skip_to = 0
    for index, line in enumerate(lines):
        if index < skip_to:
            continue
        if is_contents_heading(line.text):
            skip_to = _contents_end(keys, last, index + 1, leaders)
        elif index not in leaders:
            kept.append(line)
    return kept
