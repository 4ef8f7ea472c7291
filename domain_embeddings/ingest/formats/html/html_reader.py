"""HTML pages: structure from tags, page navigation left out."""

import re
from collections.abc import Iterable, Iterator

from bs4 import BeautifulSoup
from bs4.dammit import EncodingDetector
from bs4.element import NavigableString, PageElement, PreformattedString, Tag

from domain_embeddings.ingest.formats.blocks import (
    Block,
    BlockKind,
    Document,
    UnreadableError,
    located,
    rooted,
    without_page_furniture,
)
from domain_embeddings.ingest.formats.decoding import decode
from domain_embeddings.ingest.formats.heading_form import is_label, is_part_label, title_like
from domain_embeddings.ingest.formats.html.not_content import (
    CONTAINERS,
    HEADINGS,
    Links,
    NotContent,
    ancestors,
    tab_labels,
)
from domain_embeddings.ingest.formats.lines import row_text

_DEEPEST = 250
_HIGHEST_NUMBER = re.compile(r"-?[0-9]{1,9}")
_NO_TEXT = {ord(c): None for c in "\u00ad\u200b\u2060\ufeff"} | dict.fromkeys(range(0xE000, 0xF900))
"""Signs that mark where a line may break, and those that only a page's own font of pictures has."""


def _flat(text: str) -> str:
    return " ".join(text.translate(_NO_TEXT).split())


def _check_depth(soup: BeautifulSoup) -> None:
    """Raise `UnreadableError` for tags nested deeper than any page has them."""
    depths = {id(soup): 0}
    for tag in soup.find_all(True):
        depths[id(tag)] = depths[id(tag.parent)] + 1
        if depths[id(tag)] > _DEEPEST:
            raise UnreadableError("markup nested too deeply")


class _Page:
    """Turns a page's tree into blocks; keeps the level of the current heading."""

    def __init__(self, soup: BeautifulSoup, level: int = 0) -> None:
        _check_depth(soup)
        self._soup = soup
        self._level = level
        self._labels, lists = tab_labels(soup)
        self._links = Links(soup)
        self._skipped = NotContent(soup, self._links).skipped | lists
        self._broken = ancestors(soup.find_all(list(CONTAINERS)))
        self._headed = ancestors(soup.find_all(list(HEADINGS)))
        self._tabled = ancestors(soup.find_all("table"))

    def blocks(self) -> Iterator[Block]:
        """The blocks of the page."""
        yield from self._within(self._soup.body or self._soup)

    def texts(self, selector: str) -> list[str]:
        """The texts of the tags that a selector finds, without empty ones."""
        return [text for tag in self._soup.select(selector) if (text := _flat(self._text(tag)))]

    def _within(self, tag: Tag) -> Iterator[Block]:
        """The blocks inside a tag; text between its block children makes paragraphs."""
        if label := self._labels.get(id(tag)):
            yield Block(BlockKind.PARAGRAPH, f"{label}:")
        inline: list[str] = []
        for child in tag.children:
            if isinstance(child, Tag) and self._is_block(child):
                yield from _paragraph(inline)
                inline = []
                yield from self._of(child)
            else:
                inline.append(self._text(child))
        yield from _paragraph(inline)

    def _of(self, tag: Tag) -> Iterator[Block]:
        if id(tag) in self._skipped:
            return
        if tag.name in HEADINGS:
            yield from self._heading(tag)
        elif tag.name == "header":
            for heading in tag.find_all(list(HEADINGS)):
                yield from self._heading(heading)
        elif tag.name == "table":
            yield from self._table(tag)
        elif tag.name in ("ol", "ul"):
            yield from (Block(BlockKind.ITEM, text) for text in self._items(tag))
        elif tag.name == "pre":
            code = self._text(tag, code=True).strip("\n").rstrip()
            yield from [Block(BlockKind.CODE, code)] if code.strip() else []
        elif tag.name == "p" and self._is_bold(tag):
            yield Block(BlockKind.HEADING, _flat(self._text(tag)).rstrip(": "), self._level + 1)
        else:
            yield from self._within(tag)

    def _is_block(self, tag: Tag) -> bool:
        """Whether a tag breaks the line, by itself or by something in it."""
        return tag.name in CONTAINERS or id(tag) in self._broken

    def _text(self, node: PageElement, *, code: bool = False, tables: bool = True) -> str:
        """The text of a node as it is read, set apart where lines break; `tables`: with that of tables in it."""
        if isinstance(node, NavigableString):
            return "" if isinstance(node, PreformattedString) else str(node)
        if not isinstance(node, Tag) or id(node) in self._skipped or (node.name == "table" and not tables):
            return ""
        if node.name == "br":
            return "\n" if code else " "
        if node.name == "input":
            return str(node.get("value", ""))
        inner = "".join(self._text(child, code=code, tables=tables) for child in node.children)
        return f" {inner} " if node.name in CONTAINERS and not code else inner

    def _heading(self, tag: Tag) -> Iterator[Block]:
        text = _flat(self._text(tag))
        if text:
            self._level = int(tag.name[1])
            yield Block(BlockKind.HEADING, text, self._level)

    def _is_bold(self, tag: Tag) -> bool:
        """Whether a paragraph is bold from end to end and reads as a heading."""
        children = [child for child in tag.children if self._text(child).strip()]
        if not children or not all(isinstance(child, Tag) and child.name in ("strong", "b") for child in children):
            return False
        text = _flat(self._text(tag)).rstrip(": ")
        return title_like(text) and not is_label(text) and not is_part_label(text)

    def _items(self, tag: Tag, indent: str = "") -> Iterator[str]:
        """The text of a list's items, numbered or with "- "; items of a nested list are lines of their item."""
        start = str(tag.get("start", "1"))
        number = int(start) if _HIGHEST_NUMBER.fullmatch(start) else 1
        for item in tag.find_all("li", recursive=False):
            mark = f"{number}. " if tag.name == "ol" else "- "
            number += 1
            lists = item.find_all(["ol", "ul"], recursive=False)
            own = _flat("".join(self._text(child) for child in item.children if not _is_list(child)))
            lines = [f"{indent}{mark}{own}"] if own and id(item) not in self._skipped else []
            lines += [line for inner in lists for line in self._items(inner, indent + "  ")]
            if lines:
                yield "\n".join(lines)

    def _table(self, table: Tag) -> Iterator[Block]:
        rows = [(row, list(_own(row, ("td", "th")))) for row in _own(table, ("tr",))]
        if self._is_layout(table, rows):
            for cell in (cell for _, cells in rows for cell in cells):
                if id(cell) in self._headed or self._links.share(cell) < 0.8:
                    yield from self._within(cell)
            return
        for caption in _own(table, ("caption",)):
            yield from _paragraph([self._text(caption)])
        for row, cells in rows:
            text = row_text(_flat(self._text(cell, tables=False)) for cell in cells)
            if text and id(row) not in self._skipped:
                yield Block(BlockKind.ROW, text)
            for inner in (inner for cell in cells if id(cell) in self._tabled for inner in _own(cell, ("table",))):
                yield from self._of(inner)

    def _is_layout(self, table: Tag, rows: list[tuple[Tag, list[Tag]]]) -> bool:
        """Whether a table only places parts of the page: it holds headings, or blocks in cells that are no table's."""
        cells = [cell for _, row in rows for cell in row]
        if str(table.get("role")) in ("presentation", "none") or any(id(cell) in self._headed for cell in cells):
            return True
        plain = all(cell.name == "td" for cell in cells)
        placed = len(rows) == 1 and any(id(cell) in self._broken for cell in cells)
        return plain and (placed or any(id(cell) in self._tabled for cell in cells))


def _is_list(node: PageElement) -> bool:
    return isinstance(node, Tag) and node.name in ("ol", "ul")


def _own(tag: Tag, names: tuple[str, ...]) -> Iterator[Tag]:
    """The tags of these names below a tag, in order, without those that are inside of one or of another table."""
    waiting = list(tag.children)[::-1]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, Tag):
            continue
        if node.name in names:
            yield node
        elif node.name != "table":
            waiting.extend(reversed(list(node.children)))


def _paragraph(inline: Iterable[str]) -> Iterator[Block]:
    text = _flat("".join(inline))
    if text:
        yield Block(BlockKind.PARAGRAPH, text)


def fragment_blocks(markup: str, level: int = 0) -> list[Block]:
    """The blocks of a piece of HTML below a heading of `level`, without offsets."""
    return list(_Page(BeautifulSoup(markup, "lxml"), level).blocks())


def read_html(markup: str, name: str) -> Document:
    """Read a page. Its title is the only `h1` if it is first, or else `<title>`, an `h1` in its header, or `name`."""
    page = _Page(BeautifulSoup(markup, "lxml"))
    given = page.texts(".document-title")
    heads = page.texts("title") + page.texts("h1")
    blocks = without_page_furniture(list(page.blocks()))
    title = next(iter(given + heads), name)
    text, blocks = located(block for block in blocks if block.text != title or block.kind is not BlockKind.PARAGRAPH)
    return Document(title if given else rooted(blocks, title), text, blocks)


def read_page(data: bytes, name: str) -> Document:
    """Read a page in the charset that it declares."""
    return read_html(decode(data, EncodingDetector.find_declared_encoding(data, is_html=True)), name)
