"""Plain text, as scanned or exported manuals are: pages, hard-wrapped lines, headings told by their form."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, takewhile

from domain_embeddings.ingest.formats.blocks import Block, Document, is_contents_heading, page_mark, rooted
from domain_embeddings.ingest.formats.heading_form import chapter_title, is_rule, numbered, title_like
from domain_embeddings.ingest.formats.line_joining import Vocabulary
from domain_embeddings.ingest.formats.lines import NEW_PAGE, Line, to_blocks
from domain_embeddings.ingest.formats.plain.plain_headings import mark_headings
from domain_embeddings.ingest.formats.plain.plain_tables import mark_tables
from domain_embeddings.ingest.formats.running_headers import masked, running_lines, without_contents

_PAGE_IN_LINE = re.compile(r"(?:^|\s)page\s+(\d{1,6})(?:\s+of\s+\d+)?\s*$|^\s*page\s+(\d{1,6})\s", re.IGNORECASE)
_ANY_GAP = 0.5
_COVER_LINES = 10
_LONGEST_TITLE = 140
_IMPRINT = re.compile(
    r"\b(?:rev(?:ision)?|issue|edition|publication|document|doc|version|date|copyright)\b", re.IGNORECASE
)


def _raw_lines(text: str) -> list[Line]:
    """Every line of a text, blank ones too; a form feed begins a line of its own."""
    lines: list[Line] = []
    position = 0
    for raw in re.split(r"(?<=\n)|(?=\f)|(?<=\f)", text):
        body = raw.strip()
        left = len(raw.expandtabs()) - len(raw.expandtabs().lstrip())
        start = position + raw.find(body)
        if raw == "\f":
            body = raw
        lines.append(Line(body, None, start, start + len(body), left, left + len(body)))
        position += len(raw)
    return lines


def _marks(lines: Sequence[Line]) -> dict[int, int]:
    """Index → page number of the lines that are page marks, or else of those with "Page 7" at an end."""
    pure = {i: n for i, line in enumerate(lines) if (n := page_mark(line.text)) is not None}
    if pure:
        return pure
    found = {i: m for i, line in enumerate(lines) if len(line.text) < 120 and (m := _PAGE_IN_LINE.search(line.text))}
    forms = Counter(masked(lines[i].text) for i in found)
    return {i: int(m[1] or m[2]) for i, m in found.items() if forms[masked(lines[i].text)] > 1}


def _pages_by_feeds(lines: Sequence[Line]) -> list[Line]:
    """Number pages by form feeds; no page in a text that has none."""
    feeds = any(line.text == "\f" for line in lines)
    numbers = accumulate((line.text == "\f" for line in lines), initial=1)
    return [
        replace(line, page=number if feeds else None) for line, number in zip(lines, list(numbers)[1:], strict=True)
    ]


def _with_pages(lines: list[Line]) -> list[Line]:
    """Give each line its page; None in a text without page marks and form feeds.

    A mark heads its page if the text begins with one, else it stands at its page's foot.
    """
    marks = _marks(lines)
    if not marks:
        return _pages_by_feeds(lines)
    at_head = sum(bool(line.text.strip()) for line in lines[: min(marks)]) <= 2
    current = marks[min(marks)] if at_head else marks[max(marks)] + 1
    pages: dict[int, int] = {}
    for index in range(len(lines)) if at_head else reversed(range(len(lines))):
        pages[index] = current = marks.get(index, current)
    return [replace(line, page=pages[index]) for index, line in enumerate(lines)]


def _by_page(lines: Sequence[Line]) -> list[list[Line]]:
    pages: list[list[Line]] = []
    for line in lines:
        if not pages or pages[-1][-1].page != line.page:
            pages.append([])
        pages[-1].append(line)
    return pages


def _content(lines: list[Line]) -> tuple[list[Line], list[str]]:
    """The lines that are content, with `gap` counting blank lines above; and the running lines removed."""
    pages = [[line for line in page if page_mark(line.text) is None and line.text != "\f"] for page in _by_page(lines)]
    running = running_lines([[line.text for line in page] for page in pages]) if len(pages) > 1 else set()
    kept: list[Line] = []
    removed: list[str] = []
    for number, page in enumerate(pages):
        blank, fresh = 0, True
        for index, line in enumerate(page):
            if (number, index) in running:
                removed.append(line.text)
            elif not line.text:
                blank += 1
            else:
                kept.append(replace(line, gap=NEW_PAGE if fresh else blank))
                blank, fresh = 0, False
    return kept, removed


def _with_margin(lines: list[Line]) -> list[Line]:
    """Give all lines the text's right margin: the 95th percentile of where lines of several words end."""
    ends = sorted(line.right for line in lines if len(line.text.split()) > 3) or [0.0]
    margin = ends[int(len(ends) * 0.95)] if len(ends) > 1 else ends[0]
    return [replace(line, margin=margin) for line in lines]


def _is_cover_line(line: Line) -> bool:
    return title_like(line.text) and not is_rule(line.text) and not is_contents_heading(line.text)


def _cover(lines: Sequence[Line]) -> tuple[str, int]:
    """The title that the first lines make, and how many lines it takes.

    These are the short lines before the table of contents or the first line that is no title; of several,
    those that hold an imprint (revision, issue, document number) do not count.
    """
    cover = list(takewhile(_is_cover_line, lines[:_COVER_LINES]))
    stop = next((i for i, line in enumerate(cover) if i and line.gap == NEW_PAGE), len(cover))
    titles = [line.text for line in cover[:stop] if not _IMPRINT.search(line.text) and len(line.text.split()) > 1]
    return " ".join(titles), stop


def _begins_with_title(lines: Sequence[Line]) -> bool:
    """Whether the first line is the document's title: a short line that is not the heading of the text below it."""
    first = lines[0].text
    if len(lines) < 2 or not title_like(first) or len(first.split()) < 2 or is_rule(lines[1].text):
        return False
    levels = [line.level for line in mark_headings(lines)]
    if levels[0] is None:
        return True
    named = numbered(first) or chapter_title(first) is not None
    return not named and (levels[1] == levels[0] or (levels[1] is not None and levels.count(levels[0]) == 1))


def _title(lines: list[Line], removed: list[str], fallback: str) -> tuple[str, list[Line]]:
    """The document's title and the lines below it."""
    title, count = _cover(lines)
    if count < len(lines) and is_contents_heading(lines[count].text) and title and len(title) <= _LONGEST_TITLE:
        return title, lines[count:]
    if _begins_with_title(lines):
        return re.split(r"\s{3,}", lines[0].text, maxsplit=1)[0], lines[1:]
    named = [re.sub(r"\s{2,}.*|(?<!\W)\W*+\bpage\b.*", "", text, flags=re.IGNORECASE) for text in removed]
    return next((text for text in named if len(text.split()) > 1), fallback), lines


def read_plain(text: str, name: str) -> Document:
    """Read plain text. `name` is the title of a text that has none of its own."""
    lines, removed = _content(_with_pages(_raw_lines(text)))
    if not lines:
        return Document(name, text, [])
    title, body = _title(_with_margin(lines), removed, name)
    vocabulary = Vocabulary(line.text for line in lines)
    body = mark_headings(mark_tables(without_contents(body), vocabulary))
    blocks: list[Block] = to_blocks(body, vocabulary, _ANY_GAP)
    return Document(title if title != name else rooted(blocks, name), text, blocks)
