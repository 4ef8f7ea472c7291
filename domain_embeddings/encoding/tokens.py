"""A text's tokens, as a model's tokenizer cuts them.

What stands before a text, its prompt, is read with it and is no part of it: of the tokens that a text is said to have,
those of [CLS] and [SEP] among them, the prompt's are none.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding, Tokenizer

TOKENIZER = "tokenizer.json"
"""The tokenizer's file in a model's folder."""
_AT_ONCE = 256
"""Texts that are tokenized at once."""

Ids = npt.NDArray[np.int32]
Own = npt.NDArray[np.bool_]


class Piece(NamedTuple):
    """A token of a text."""

    token: str | None
    """As text; None for [CLS] and [SEP]."""
    start: int
    end: int
    """Characters of the text."""
    word: int | None = None
    """Number of its word among all words of the text; None for [CLS] and [SEP]."""


def load_tokenizer(path: Path, max_seq_length: int) -> Tokenizer:
    """A tokenizer.json, which may hold another limit and a padding of its own."""
    return limited(Tokenizer.from_file(str(path)), max_seq_length)


def limited(tokenizer: Tokenizer, max_seq_length: int) -> Tokenizer:
    """The tokenizer, which cuts a text at this length from now on and pads none."""
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_seq_length)
    return tokenizer


def ids_of(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Ids]:
    """The token ids of each text as the model reads it, its prompt before it."""
    found: list[Ids] = []
    for start in range(0, len(texts), _AT_ONCE):
        some = tokenizer.encode_batch_fast(list(texts[start : start + _AT_ONCE]))
        found += [np.array(encoding.ids, dtype=np.int32) for encoding in some]
    return found


def own_tokens(tokenizer: Tokenizer, texts: Sequence[str], prompt: str) -> list[Own] | None:
    """Which of each text's `ids_of` are not of the prompt that it begins with; None where there is no prompt."""
    if not prompt:
        return None
    found: list[Own] = []
    for start in range(0, len(texts), _AT_ONCE):
        some = tokenizer.encode_batch(list(texts[start : start + _AT_ONCE]))
        found += [_own(encoding, prompt) for encoding in some]
    return found


def _own(encoding: Encoding, prompt: str) -> Own:
    """A token that holds the prompt's last character and the text's first one is the text's."""
    rows = zip(encoding.special_tokens_mask, encoding.offsets, strict=True)
    return np.array([bool(special) or end > len(prompt) for special, (_, end) in rows], dtype=np.bool_)


def pieces(tokenizer: Tokenizer, text: str, prompt: str) -> list[Piece]:
    """The tokens of a text, which is read behind a prompt."""
    encoding = tokenizer.encode(prompt + text)
    found = []
    for row in np.flatnonzero(_own(encoding, prompt)).tolist():
        if encoding.special_tokens_mask[row]:
            found.append(Piece(None, 0, 0))
            continue
        start, end = (max(0, place - len(prompt)) for place in encoding.offsets[row])
        found.append(Piece(read(tokenizer, encoding.ids[row]), start, end, encoding.word_ids[row]))
    return found


def read(tokenizer: Tokenizer, token: int) -> str:
    """A token as text, without the blank that it may stand for."""
    found: str = tokenizer.decode([token], skip_special_tokens=False)
    return found.strip()
