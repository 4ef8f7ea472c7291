"""Cutting a long text where a reader would: between steps, rows, lines and sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from domain_embeddings.core.text import sentences
from domain_embeddings.ingest.formats.blocks import Block, BlockKind


@dataclass(frozen=True)
class Unit:
    """A text that is not cut. `glue` stands between it and the unit before it when both are in one piece."""

    text: str
    glue: str = "\n"
    sticky: bool = False
    """Whether a cut directly after it is bad: a heading, or a lead-in such as "Proceed as follows:"."""
    block: int = 0
    """The index of the block it comes from."""


def _hard_cut(text: str, limit: int) -> list[str]:
    """Cut at the last white space within the limit, inside a word only if that is longer than the limit."""
    parts: list[str] = []
    begin = 0
    while len(text) - begin > limit:
        cut = text.rfind(" ", begin + 1, begin + limit + 1)
        end = cut if cut > 0 else begin + limit
        parts.append(text[begin:end].rstrip())
        begin = end
        while begin < len(text) and text[begin].isspace():
            begin += 1
    return [part for part in (*parts, text[begin:]) if part]


def _lines(text: str, limit: int) -> list[tuple[str, str]]:
    """(glue, text) of a text's lines, each cut into sentences, and these anywhere, if they exceed the limit."""
    found: list[tuple[str, str]] = []
    for line in text.split("\n"):
        parts = [line] if len(line) <= limit else [part for s in sentences(line) for part in _hard_cut(s, limit)]
        found += [("\n" if number == 0 else " ", part) for number, part in enumerate(parts) if part.strip()]
    return found


def units(blocks: Sequence[Block], limit: int) -> list[Unit]:
    """The units of a section: paragraphs as sentences, other blocks whole if they are within the limit."""
    found: list[Unit] = []
    for index, block in enumerate(blocks):
        if block.kind is BlockKind.PARAGRAPH:
            parts = [(" ", part) for sentence in sentences(block.text) for part in _hard_cut(sentence, limit)]
        elif len(block.text) <= limit:
            parts = [("", block.text)]
        else:
            parts = _lines(block.text, limit)
        for number, (glue, text) in enumerate(parts):
            sticky = block.kind is BlockKind.HEADING or (text.endswith(":") and number == len(parts) - 1)
            found.append(Unit(text, glue if number else "\n", sticky, index))
    return found


def joined(piece: Sequence[Unit]) -> str:
    """The text of a piece."""
    return "".join((unit.glue if number else "") + unit.text for number, unit in enumerate(piece))


def pieces(parts: Sequence[Unit], shortest: int, limit: int) -> list[list[Unit]]:
    """Cut units into pieces of at most `limit` characters each, evenly and in as few pieces as go.

    Of all ways to cut, this is the one of least cost, where a piece of length n costs limit² + (limit - n)²
    and 4 limit² more if it is shorter than `shortest` or ends in a sticky unit. No unit may exceed the limit.
    """
    lengths = np.array([(len(unit.text), len(unit.glue)) for unit in parts], dtype=np.int64).reshape(-1, 2)
    ends = np.concatenate([[0], np.cumsum(lengths.sum(axis=1))])
    begins = ends[:-1] + lengths[:, 1]
    costs = np.zeros(len(parts) + 1)
    cuts = [0]
    for end in range(1, len(parts) + 1):
        low = min(end - 1, int(np.searchsorted(begins[:end], ends[end] - limit)))
        length = ends[end] - begins[low:end]
        bad = (length < shortest).astype(np.int64) + (parts[end - 1].sticky and end < len(parts))
        choices = costs[low:end] + limit**2 * (1 + 4 * bad) + (limit - length) ** 2
        cuts.append(low + int(choices.argmin()))
        costs[end] = choices.min()
    bounds = [len(parts)]
    while bounds[-1] > 0:
        bounds.append(cuts[bounds[-1]])
    return [list(parts[a:b]) for a, b in pairwise(bounds[::-1])]
