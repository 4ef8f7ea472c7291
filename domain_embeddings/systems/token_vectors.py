"""Late interaction over token vectors as they are stored: what evaluation scores is what search reads."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from tqdm.auto import tqdm

from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding import late
from domain_embeddings.encoding.encoder import Model
from domain_embeddings.encoding.late import Tokens
from domain_embeddings.encoding.roles import Role
from domain_embeddings.encoding.token_codec import TokenCodec
from domain_embeddings.params.search import LateStorage

EncodeTokens = Callable[[Sequence[str]], tuple[Scores, list[Scores]]]
"""Passages → their single vectors, and those of their tokens."""

_FITTED = 256
"""Passages, about, that a codec is fitted on."""
_PASSAGES = 512
"""Passages whose token vectors are in memory at once: 512 of 256 tokens take 200 MB."""


def codec_for(
    storage: LateStorage, width: int, known: Mapping[str, Any] | None, texts: Sequence[str], encode: EncodeTokens
) -> TokenCodec:
    """A collection's own codec, where that is as `storage` wants it, else one that some of the texts fit.

    `width` is how many numbers the model's token vectors have.
    """
    codec, dimensions = TokenCodec.of_json(known) if known else None, storage.dimensions or width
    if codec and (codec.dimensions, codec.bits, codec.factor) == (dimensions, storage.bits, storage.factor):
        return codec
    tokens = np.concatenate(encode(texts[:: -(-len(texts) // _FITTED)])[1])
    return TokenCodec.fitted(tokens, dimensions, storage.bits, storage.factor)


@dataclass(frozen=True)
class Scored:
    """All that one model says of questions and passages."""

    passages: Scores
    """Single vectors (passages, dimensions)."""
    questions: Scores
    """Single vectors (questions, dimensions)."""
    late: Scores
    """MeanMaxSim (questions, passages) over the stored token vectors."""
    stored: int
    """Bytes of all passages' token vectors."""


def score(model: Model, passages: Sequence[str], questions: Sequence[str], storage: LateStorage) -> Scored:
    """Encode passages a few hundred at a time, store and read their token vectors, score and forget them."""

    def encode(texts: Sequence[str]) -> tuple[Scores, list[Scores]]:
        return late.encode_tokens(model, texts, Role.PASSAGE)

    asked, asked_tokens = late.encode(model, questions, Role.QUERY, torch.float32)
    codec = codec_for(storage, model.config.width, None, passages, encode)
    asked_tokens = Tokens(asked_tokens.vectors[:, : codec.dimensions], asked_tokens.lengths)
    single, found, stored = [], [], 0
    for start in tqdm(range(0, len(passages), _PASSAGES), desc="token vectors", unit="part", leave=False):
        vectors, tokens = encode(passages[start : start + _PASSAGES])
        codes = [codec.pooled(each).codes for each in tokens]
        stored += sum(each.nbytes for each in codes)
        read = Tokens(torch.from_numpy(codec.vectors(np.concatenate(codes))), [len(each) for each in codes])
        single.append(vectors)
        found.append(late.scores(asked_tokens, read))
    return Scored(np.concatenate(single), asked, np.concatenate(found, axis=1), stored)
