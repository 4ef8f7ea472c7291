"""What a reader makes of a file: a list of blocks, each a heading, paragraph, list item, table row or code."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum


class UnreadableError(Exception):
    """A file of which nothing can be made. The message is the reason, in words that group alike files."""


class BlockKind(StrEnum):
    """What a piece of a document is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"
    ROW = "row"
    CODE = "code"


@dataclass(frozen=True)
class Block:
    """A piece of a document.

    `level` is a heading's depth, smaller is higher. `start` and `end` are character offsets in the
    document's text, `page` the page (from 1) it begins on in formats that have pages. An item's text
    begins with its number or bullet; the text of items and code may have several lines.
    """

    kind: BlockKind
    text: str
    level: int = 0
    page: int | None = None
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class Document:
    """A file's extracted text and its blocks; `title` is "" when the first heading is the title."""

    title: str
    text: str
    blocks: list[Block]


def located(blocks: Iterable[Block]) -> tuple[str, list[Block]]:
    """Lay blocks out a line each; return that text and the blocks with their offsets in it."""
    placed: list[Block] = []
    texts: list[str] = []
    position = 0
    for block in blocks:
        placed.append(replace(block, start=position, end=position + len(block.text)))
        texts.append(block.text)
        position += len(block.text) + 1
    return "\n".join(texts), placed


_PAGE_MARK = re.compile(
    r"""[\W_]* (?: (?:page|pg\.?) \s* (?P<named>\d{1,6}) (?: \s* (?:of|/) \s* \d{1,6} )? [\W_]*
      | (?<=[-\u2013\u2014])\s* (?P<dashed>\d{1,6}) \s* [-\u2013\u2014]+ \s*
      | (?P<of>\d{1,6}) \s+ of \s+ \d{1,6} \s* )""",
    re.IGNORECASE | re.VERBOSE,
)
_LONGEST_MARK = 80


def page_mark(text: str) -> int | None:
    """The page number in "--- PAGE 12 ---", "Page 7", "- 7 -" or "7 of 40"; None for any other text."""
    match = _PAGE_MARK.fullmatch(text) if len(text) <= _LONGEST_MARK else None
    return int(next(number for number in match.groups() if number)) if match else None


_CONTENTS = re.compile(r"\W*(?:table\s+of\s+)?contents(?:\s+page)?\W*", re.IGNORECASE)
_LEADERS = re.compile(
    r"""(?: (?<!\.)\.{3,}+ | (?<!…)…{2,}+ | (?<!\.\s)(?:\.\s){3,}+ | (?<!_)_{4,}+ ) \s*+
      (?P<page> [A-Z]?-?\d++(?:[-.]\d++)? | [ivxl]++ )? \s*+ $""",
    re.VERBOSE,
)
_TRAILING_PAGE = re.compile(r"\s\.*+\s?\d++(?:-\d++)?$")
_LEADING_NUMBER = re.compile(
    r"(?:(?:section|chapter|part|para|appendix)\s)?[\dIVX]++(?:[-.]\d++)*+[.):]*+\s", re.IGNORECASE
)


def is_contents_heading(text: str) -> bool:
    """Whether a line says "Contents" or "Table of contents" and nothing else."""
    return _CONTENTS.fullmatch(text) is not None


def has_leaders(text: str) -> bool:
    """Whether a line ends in dotted leaders with a page number, as lines of a table of contents do."""
    match = _LEADERS.search(text)
    return match is not None and match["page"] is not None


def entry_key(text: str) -> str:
    """A heading, or its line in a table of contents, without number, leaders, page number and case."""
    bare = _TRAILING_PAGE.sub("", " ".join(_LEADERS.sub("", text).split()))
    begin = _LEADING_NUMBER.match(bare)
    return " ".join(re.findall(r"\w+", bare[begin.end() if begin else 0 :].casefold()))


def _contents_end(blocks: list[Block], first: int, headings: dict[str, int]) -> int:
    """The index after the table of contents whose entries begin at `first`; `headings`: the last place of each key."""
    for index in range(first, len(blocks)):
        block = blocks[index]
        listed = block.kind in (BlockKind.ITEM, BlockKind.ROW) or has_leaders(block.text)
        if block.kind is BlockKind.HEADING or not (listed or headings.get(entry_key(block.text), -1) >= first):
            return index
    return len(blocks)


def without_page_furniture(blocks: list[Block]) -> list[Block]:
    """Drop page marks, lines with dotted leaders, and the list under "Contents"."""
    kept: list[Block] = []
    headings = {entry_key(block.text): i for i, block in enumerate(blocks) if block.kind is BlockKind.HEADING}
    skip_to = 0
    for index, block in enumerate(blocks):
        if index < skip_to or block.kind is BlockKind.CODE:
            kept.extend([block] if index >= skip_to else [])
        elif is_contents_heading(block.text):
            skip_to = _contents_end(blocks, index + 1, headings)
        elif page_mark(block.text) is None and not (block.kind is not BlockKind.ROW and has_leaders(block.text)):
            kept.append(block)
    return kept


def rooted(blocks: list[Block], fallback: str) -> str:
    """The title to put above all headings: "" when the first heading is the only one of the highest level."""
    levels = [b.level for b in blocks if b.kind is BlockKind.HEADING]
    return "" if levels and levels[0] == min(levels) and levels.count(levels[0]) == 1 else fallback
