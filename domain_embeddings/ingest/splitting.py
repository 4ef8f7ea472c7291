"""Cutting a long text where a reader would: between steps, rows, lines and sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

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
    while len(text) > limit:
        cut = text.rfind(" ", 1, limit + 1)
        parts.append(text[: cut if cut > 0 else limit].rstrip())
        text = text[cut if cut > 0 else limit :].lstrip()
    return [part for part in (*parts, text) if part]


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
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(parts) + 1):
        best.append(_best_cut(parts, end, best, shortest, limit))
    cuts = [len(parts)]
    while cuts[-1] > 0:
        cuts.append(best[cuts[-1]][1])
    bounds = cuts[::-1]
    return [list(parts[a:b]) for a, b in pairwise(bounds)]


def _best_cut(
    parts: Sequence[Unit], end: int, best: list[tuple[float, int]], shortest: int, limit: int
) -> tuple[float, int]:
    """(cost, begin) of the cheapest way to cut the first `end` units, whose last piece begins at `begin`."""
    choices: list[tuple[float, int]] = []
    length = 0
    for begin in range(end - 1, -1, -1):
        length += len(parts[begin].text) + (len(parts[begin + 1].glue) if begin + 1 < end else 0)
        if length > limit and choices:
            break
        bad = (length < shortest) + (parts[end - 1].sticky and end < len(parts))
        choices.append((best[begin][0] + limit**2 * (1 + 4 * bad) + (limit - length) ** 2, begin))
    return min(choices)
