"""HTML pages, and DOCX by way of HTML: structure from tags, page navigation left out."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from xml.parsers.expat import ExpatError

import mammoth
from bs4 import BeautifulSoup
from bs4.element import Comment, NavigableString, PageElement, PreformattedString, Tag

from domain_embeddings.ingest.formats.blocks import (
    Block,
    BlockKind,
    Document,
    UnreadableError,
    located,
    rooted,
    without_page_furniture,
)
from domain_embeddings.ingest.formats.heading_form import is_label, is_part_label, title_like
from domain_embeddings.ingest.formats.lines import row_text

_NOT_CONTENT = (
    "nav, header, footer, script, style, aside, noscript, template, head, button, input, select, textarea, "
    "[hidden], [role=navigation], [role=banner], [role=contentinfo]"
)
_HEADING = re.compile(r"h([1-6])")
_CONTAINER_NAMES = """
html body div section article main blockquote center figure figcaption details summary dl dt dd address fieldset
    p ul ol li table thead tbody tfoot tr td th caption pre hr h1 h2 h3 h4 h5 h6
"""
_CONTAINERS = frozenset(_CONTAINER_NAMES.split())
_DOCX_STYLES = """
p[style-name='Title'] => p.document-title:fresh
p[style-name^='toc '] => !
p[style-name^='TOC '] => !
p[style-name='List Number'] => ol > li:fresh
p[style-name='List Bullet'] => ul > li:fresh
p[style-name='List Number 2'] => ul|ol > li > ol > li:fresh
p[style-name='List Bullet 2'] => ul|ol > li > ul > li:fresh
p[style-name='Caption'] => p:fresh
"""
_BAD_ZIP = (zipfile.BadZipFile, zlib.error, ExpatError, OSError, EOFError)
_BAD_PARTS = (LookupError, ValueError, TypeError, AttributeError, RuntimeError)
"""What mammoth raises, having no error of its own, when a part of a DOCX is missing or not what it should be."""


def _flat(text: str) -> str:
    return " ".join(text.replace("\u00ad", "").split())


@dataclass
class _Walker:
    """Turns a tree into blocks; keeps the level of the current heading."""

    level: int = 0

    def blocks(self, tag: Tag) -> Iterator[Block]:
        """The blocks inside a tag; text between its block children makes paragraphs."""
        inline: list[str] = []
        for child in tag.children:
            if isinstance(child, Tag) and _is_block(child):
                yield from _paragraph(inline)
                inline = []
                yield from self._of(child)
            else:
                inline.append(_inline_text(child))
        yield from _paragraph(inline)

    def _of(self, tag: Tag) -> Iterator[Block]:
        if match := _HEADING.fullmatch(tag.name):
            yield from self._heading(tag, int(match[1]))
        elif tag.name == "table":
            yield from _rows(tag)
        elif tag.name in ("ol", "ul"):
            yield from (Block(BlockKind.ITEM, text) for text in _items(tag))
        elif tag.name == "pre":
            code = tag.get_text().strip("\n").rstrip()
            yield from [Block(BlockKind.CODE, code)] if code.strip() else []
        elif tag.name == "p" and _is_bold(tag):
            yield Block(BlockKind.HEADING, _flat(tag.get_text()).rstrip(": "), self.level + 1)
        else:
            yield from self.blocks(tag)

    def _heading(self, tag: Tag, level: int) -> Iterator[Block]:
        text = _flat(tag.get_text(" "))
        if text:
            self.level = level
            yield Block(BlockKind.HEADING, text, level)


def _is_block(tag: Tag) -> bool:
    """Whether a tag breaks the line, by itself or by something in it."""
    return tag.name in _CONTAINERS or tag.find(list(_CONTAINERS)) is not None


def _inline_text(node: PageElement) -> str:
    if isinstance(node, Tag):
        return " " if node.name == "br" else node.get_text()
    if isinstance(node, NavigableString) and not isinstance(node, Comment | PreformattedString):
        return str(node)
    return ""


def _paragraph(inline: list[str]) -> Iterator[Block]:
    text = _flat("".join(inline))
    if text:
        yield Block(BlockKind.PARAGRAPH, text)


def _is_bold(tag: Tag) -> bool:
    """Whether a paragraph is bold from end to end and reads as a heading."""
    children = [child for child in tag.children if _inline_text(child).strip()]
    bold = bool(children) and all(isinstance(child, Tag) and child.name in ("strong", "b") for child in children)
    text = _flat(tag.get_text()).rstrip(": ")
    return bold and title_like(text) and not is_label(text) and not is_part_label(text)


def _items(tag: Tag, indent: str = "") -> Iterator[str]:
    """The text of a list's items, numbered or with "- "; items of a nested list are lines of their item."""
    start = str(tag.get("start", "1"))
    number = int(start) if start.lstrip("-").isdigit() else 1
    for item in tag.find_all("li", recursive=False):
        mark = f"{number}. " if tag.name == "ol" else "- "
        number += 1
        lists = item.find_all(["ol", "ul"], recursive=False)
        own = _flat(" ".join(_spaced(child) for child in item.children if child not in lists))
        lines = [f"{indent}{mark}{own}"] if own else []
        lines += [line for inner in lists for line in _items(inner, indent + "  ")]
        if lines:
            yield "\n".join(lines)


def _spaced(node: PageElement) -> str:
    return node.get_text(" ") if isinstance(node, Tag) and _is_block(node) else _inline_text(node)


def _rows(table: Tag) -> Iterator[Block]:
    for caption in table.find_all("caption"):
        yield from _paragraph([caption.get_text()])
    for row in table.find_all("tr"):
        text = row_text(" ".join(_spaced(child) for child in cell.children) for cell in row.find_all(["td", "th"]))
        if text:
            yield Block(BlockKind.ROW, text)


def fragment_blocks(markup: str, level: int = 0) -> list[Block]:
    """The blocks of a piece of HTML below a heading of `level`, without offsets."""
    return list(_Walker(level).blocks(_content(BeautifulSoup(markup, "lxml"))))


def _content(soup: BeautifulSoup) -> Tag:
    """The page's body without what is not content; of the header of a part of it the headings stay."""
    for header in soup.select("main header, article header, section header"):
        header.replace_with(*header.select("h1, h2, h3, h4, h5, h6"))
    for tag in soup.select(_NOT_CONTENT):
        tag.decompose()
    return soup.body or soup


def _texts(soup: BeautifulSoup, selector: str) -> list[str]:
    """The texts of the tags that a selector finds, without empty ones."""
    return [text for tag in soup.select(selector) if (text := _flat(tag.get_text(" ")))]


def read_html(markup: str, name: str) -> Document:
    """Read a page. Its title is the only `h1` if it is first, or else `<title>`, an `h1` in its header, or `name`."""
    try:
        soup = BeautifulSoup(markup, "lxml")
        given = _texts(soup, ".document-title")
        heads = _texts(soup, "title") + _texts(soup, "h1")
        blocks = without_page_furniture(list(_Walker().blocks(_content(soup))))
    except RecursionError as error:
        raise UnreadableError("markup nested too deeply") from error
    title = next(iter(given + heads), name)
    text, blocks = located(block for block in blocks if block.text != title or block.kind is not BlockKind.PARAGRAPH)
    return Document(title if given else rooted(blocks, title), text, blocks)


def read_docx(data: bytes, name: str) -> Document:
    """Read a Word document: its styles are the structure; headers, footers and contents are left out."""
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableError("encrypted or in the old binary Word format")
    try:
        markup = mammoth.convert_to_html(io.BytesIO(data), style_map=_DOCX_STYLES, convert_image=lambda image: []).value
    except (*_BAD_ZIP, *_BAD_PARTS) as error:
        raise UnreadableError("corrupt DOCX") from error
    return read_html(markup, name)
