"""Markdown, with the wiki markup and bold lines for headings that are found in it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from markdown_it import MarkdownIt
from markdown_it.token import Token

from domain_embeddings.ingest.formats.blocks import Block, BlockKind, Document, rooted, without_page_furniture
from domain_embeddings.ingest.formats.heading_form import is_label, is_part_label, title_like
from domain_embeddings.ingest.formats.html.html_reader import fragment_blocks
from domain_embeddings.ingest.formats.line_joining import Vocabulary, join_lines
from domain_embeddings.ingest.formats.lines import row_text
from domain_embeddings.ingest.formats.markdown_dialects import plain_markdown

_FRONT_MATTER = re.compile(r"\A(?P<mark>---|\+\+\+)[ \t]*\n(?:.*?\n)?(?:(?P=mark)|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TITLE = re.compile(r"^title[ \t]*[:=](.*)$", re.MULTILINE)
_WIKI_LINK = re.compile(r"\[(?:https?://|/)[^\s|\[\]]*\|([^\[\]]*)\]|\[\[(?:[^\[\]|]*\|)?([^\[\]|]*)\]\]")
_WIKI_QUOTES = re.compile(r"'{2,}")
_ATX = re.compile(r"#{1,6} \S")
_BOLD_LINE = re.compile(r"\s*\*\*[^*]+\*\*:?\s*")


def looks_like_markdown(text: str) -> bool:
    """Whether plain text is really Markdown: two `#` headings set off by blank lines, or three bold lines."""
    lines = ["", *text.splitlines(), ""]
    headings = sum(
        bool(_ATX.match(line)) and not (before.strip() and after.strip())
        for before, line, after in zip(lines, lines[1:], lines[2:], strict=False)
    )
    deeper = any(line.startswith("## ") for line in lines)
    return (headings >= 2 and deeper) or sum(bool(_BOLD_LINE.fullmatch(line)) for line in lines) >= 3


def without_wiki_markup(text: str) -> str:
    """Text with '''bold''' and [http://address|text] reduced to what a reader sees."""
    return _without_quotes(_WIKI_LINK.sub(lambda m: m[1] if m[1] is not None else m[2], text))


def _without_quotes(text: str) -> str:
    """Text without the quotes that set ''words'' in italics or bold, and without three or more of them anywhere."""
    dropped: list[tuple[int, int]] = []
    opened: tuple[int, int] | None = None
    for match in _WIKI_QUOTES.finditer(text):
        start, end = match.span()
        if opened and not text[start - 1].isspace():
            dropped += [opened, (start, end)]
            opened = None
        elif not opened and end < len(text) and not text[end].isspace():
            opened = start, end
        elif end - start > 2:
            dropped.append((start, end))
    if opened and opened[1] - opened[0] > 2:
        dropped.append(opened)
    bounds = [0, *(place for span in sorted(dropped) for place in span), len(text)]
    return "".join(text[a:b] for a, b in zip(bounds[::2], bounds[1::2], strict=True))


class _Reader:
    """Walks the tokens of a text; `level` is that of the current heading made by `#` or underlining."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._starts = [0, *accumulate(len(line) + 1 for line in lines)]
        self._starts[-1] -= 1
        self._vocabulary = Vocabulary(lines)
        self._level = 0

    def _inline(self, token: Token) -> str:
        lines = [""]
        for child in token.children or []:
            if child.type in ("softbreak", "hardbreak"):
                lines.append("")
            elif child.type in ("text", "code_inline", "image"):
                lines[-1] += child.content
            elif child.type == "html_inline" and re.match(r"<br\b", child.content, re.IGNORECASE):
                lines.append("")
        return without_wiki_markup(join_lines(lines, self._vocabulary))

    def _place(self, block: Block, token: Token) -> Block:
        first, last = token.map or (0, 0)
        last = min(last, len(self._starts) - 1)
        return replace(block, start=self._starts[min(first, last)], end=self._starts[last])

    def blocks(self, tokens: list[Token]) -> Iterator[Block]:
        """The blocks of a token list."""
        index = 0
        while index < len(tokens):
            token = tokens[index]
            end = _closing(tokens, index)
            for block in self._of(token, tokens[index + 1 : end]):
                if block.text.strip():
                    yield self._place(block, token) if not block.end else block
            index = end + 1

    def _of(self, token: Token, inner: list[Token]) -> Iterator[Block]:
        if token.type == "heading_open":
            self._level = int(token.tag[1])
            yield Block(BlockKind.HEADING, self._inline(inner[0]), self._level)
        elif token.type == "paragraph_open":
            yield self._paragraph(inner[0])
        elif token.type in ("fence", "code_block"):
            yield Block(BlockKind.CODE, token.content.strip("\n"))
        elif token.type in ("ordered_list_open", "bullet_list_open"):
            yield from self._list(inner)
        elif token.type == "table_open":
            yield from self._table(inner)
        elif token.type == "html_block":
            yield from fragment_blocks(token.content, self._level)
        elif token.type == "blockquote_open":
            yield from self.blocks(inner)

    def _paragraph(self, inline: Token) -> Block:
        text = self._inline(inline)
        children = [child for child in inline.children or [] if child.content.strip() or child.nesting]
        bold = len(children) >= 3 and children[0].type == "strong_open" and children[-1].type == "strong_close"
        single = sum(child.type == "strong_open" for child in children) == 1
        title = text.rstrip(": ")
        if bold and single and title_like(title) and not is_label(text) and not is_part_label(text):
            return Block(BlockKind.HEADING, title, self._level + 1)
        return Block(BlockKind.PARAGRAPH, text)

    def _list(self, tokens: list[Token]) -> Iterator[Block]:
        """An item a block; what is nested in it follows on lines of its own."""
        index = 0
        while index < len(tokens):
            token, end = tokens[index], _closing(tokens, index)
            mark = f"{token.info}{token.markup} " if token.info else "- "
            parts = [block.text for block in self._item(tokens[index + 1 : end])]
            lines = "\n".join(parts).split("\n")
            text = mark + "\n  ".join(lines) if any(line.strip() for line in lines) else ""
            yield self._place(Block(BlockKind.ITEM, text), token)
            index = end + 1

    def _item(self, inner: list[Token]) -> Iterator[Block]:
        for block in self.blocks(inner):
            if block.kind is BlockKind.HEADING:
                self._level = min(self._level, block.level)
            yield block

    def _table(self, tokens: list[Token]) -> Iterator[Block]:
        for index, token in enumerate(tokens):
            if token.type == "tr_open":
                row = tokens[index : _closing(tokens, index)]
                text = row_text(self._inline(cell) for cell in row if cell.type == "inline")
                yield self._place(Block(BlockKind.ROW, text), token)


def _closing(tokens: list[Token], index: int) -> int:
    """The index of the token that closes the one at `index`; `index` itself if it does not open anything."""
    depth = 0
    for position in range(index, len(tokens)):
        depth += tokens[position].nesting
        if depth == 0:
            return position
    return len(tokens) - 1


def read_markdown(text: str, name: str) -> Document:
    """Read Markdown. Front matter is left out but for the title in it; `name` is the last resort for one."""
    front = _FRONT_MATTER.match(text)
    body = re.sub(r"[^\n]", " ", front[0]) + text[front.end() :] if front else text
    named = _TITLE.search(front[0]) if front else None
    lines = body.split("\n")
    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse("\n".join(plain_markdown(lines)))
    blocks = without_page_furniture(list(_Reader(lines).blocks(tokens)))
    title = named[1].strip().strip("\"'") if named else ""
    return Document(rooted(blocks, title or name), text, blocks)
