"""A text's tokens, as a model's tokenizer cuts them."""

from typing import NamedTuple

from tokenizers import Encoding

TOKENIZER = "tokenizer.json"
"""The tokenizer's file in a model's folder."""


class Piece(NamedTuple):
    """A token of a text."""

    token: str | None
    """As the vocabulary has it; None for [CLS] and [SEP]."""
    start: int
    end: int
    """Characters of the text."""


def pieces(encoding: Encoding) -> list[Piece]:
    """A tokenizer's answer as pieces."""
    rows = zip(encoding.tokens, encoding.special_tokens_mask, encoding.offsets, strict=True)
    return [Piece(None if special else token, *span) for token, special, span in rows]
