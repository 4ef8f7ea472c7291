"""PowerPoint: a slide a section under its title, with the speaker's notes."""

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from domain_embeddings.ingest.formats.archives import check_archive, corrupt_if_broken
from domain_embeddings.ingest.formats.blocks import Block, BlockKind, Document, located
from domain_embeddings.ingest.formats.lines import row_text

_DEEPEST = 50
"""Of groups within groups."""
_FURNITURE = ("DATE", "FOOTER", "SLIDE_NUMBER")


def _flat(text: str) -> str:
    return " ".join(text.split())


def _is_furniture(shape: Any) -> bool:
    return shape.is_placeholder and str(shape.placeholder_format.type).split(" ")[0].split(".")[-1] in _FURNITURE


def _shapes(shapes: Any, depth: int = 0) -> Iterator[Any]:
    """The shapes of a slide from top to bottom, those of groups in their group's place."""
    ordered = sorted(shapes, key=lambda shape: (shape.top or 0, shape.left or 0))
    for shape in ordered:
        if hasattr(shape, "shapes"):
            if depth < _DEEPEST:
                yield from _shapes(shape.shapes, depth + 1)
        elif not _is_furniture(shape):
            yield shape


def _frame(frame: Any, listed: bool) -> Iterator[Block]:
    """The paragraphs of a text frame. In a placeholder for text they are items, the deeper ones lines of theirs."""
    lines = [(paragraph.level, _flat(paragraph.text)) for paragraph in frame.paragraphs]
    lines = [(level, text) for level, text in lines if text]
    if not listed or len(lines) < 2:
        yield from (Block(BlockKind.PARAGRAPH, text) for _, text in lines)
        return
    item: list[str] = []
    for level, text in lines:
        if level == 0 and item:
            yield Block(BlockKind.ITEM, "\n".join(item))
            item = []
        item.append(f"{'  ' * level if item else ''}- {text}")
    yield Block(BlockKind.ITEM, "\n".join(item))


def _shape(shape: Any) -> Iterator[Block]:
    if shape.has_text_frame:
        yield from _frame(shape.text_frame, shape.is_placeholder)
    elif getattr(shape, "has_table", False):
        rows = (row_text(cell.text for cell in row.cells) for row in shape.table.rows)
        yield from (Block(BlockKind.ROW, text) for text in rows if text)
    elif getattr(shape, "has_chart", False) and shape.chart.has_title:
        title = _flat(shape.chart.chart_title.text_frame.text)
        yield from [Block(BlockKind.PARAGRAPH, title)] if title else []


def _slide(slide: Any, number: int) -> Iterator[Block]:
    """A heading, what is on the slide, and its notes; nothing for a slide without text."""
    title = slide.shapes.title
    name = _flat(title.text_frame.text) if title is not None else ""
    shapes = [shape for shape in _shapes(slide.shapes) if title is None or shape.shape_id != title.shape_id]
    content = [block for shape in shapes for block in _shape(shape)]
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = _flat(slide.notes_slide.notes_text_frame.text)
        content += [Block(BlockKind.PARAGRAPH, f"Notes: {notes}")] if notes else []
    if name or content:
        yield Block(BlockKind.HEADING, name or f"Slide {number}", 1)
        yield from content


def _slides(data: bytes) -> Iterator[Block]:
    from pptx import Presentation

    for number, slide in enumerate(Presentation(io.BytesIO(data)).slides, start=1):
        yield from (replace(block, page=number) for block in _slide(slide, number))


def read_pptx(data: bytes, name: str) -> Document:
    """Read a presentation; a block's page is its slide. One that is damaged or too large is `UnreadableError`."""
    check_archive(data, "PPTX")
    with corrupt_if_broken("PPTX"):
        text, blocks = located(_slides(data))
    return Document(name, text, blocks)
