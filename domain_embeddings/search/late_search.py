"""The second stage of a search: late interaction over stored token vectors, and which words of a passage it matched.

Token vectors lie in a passage's payload as base64 of the codec's bytes, so that a folder and a server keep them alike
and a hundred passages' come in one request. Qdrant's own multivectors compute MaxSim too, but know no numbers of 1 or
2 bits without whole copies beside them (see docs/log.md).
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding import late
from domain_embeddings.encoding.late import Tokens
from domain_embeddings.encoding.roles import Role
from domain_embeddings.encoding.token_codec import Pooled, TokenCodec
from domain_embeddings.encoding.tokens import Piece
from domain_embeddings.packaging.embeddings import VersionedEmbeddings

FIELDS = ("codec", "tokens")
"""Of a payload: which codec it was stored with, and what."""


@dataclass(frozen=True)
class Question:
    """A question's tokens that count."""

    vectors: Scores
    """(tokens, the model's dimensions), each of the length of its weight."""
    pieces: list[Piece]
    """The token of each vector."""


@dataclass(frozen=True)
class Match:
    """What a word of the question found in a passage."""

    word: str
    similarity: float
    """Cosine of the word's vector and the stored one that is nearest, mean over the word's tokens."""
    found: list[str]
    """The passage's words that this vector stands for."""
    spans: list[tuple[int, int]]
    """Where they stand in the passage's title and text, joined by a space; none where it holds disguised letters."""


def question(model: VersionedEmbeddings, text: str) -> tuple[Scores, Question]:
    """One pass: a question's single vector (1, dimensions), and its tokens."""
    single, (states,) = model.encode_tokens([text], Role.QUERY)
    pieces = model.pieces(text, Role.QUERY)
    weights = np.array(late.token_weights([piece.token for piece in pieces]), dtype=np.float32)
    counted = np.flatnonzero(weights)
    return single, Question(states[counted] * weights[counted, None], [pieces[i] for i in counted])


def payload(codec: TokenCodec, tokens: Scores) -> dict[str, Any]:
    """What is stored of a passage's token vectors."""
    pooled = codec.pooled(tokens)
    owners = np.array(pooled.owners, dtype=np.uint8)
    return {"codec": codec.key, "tokens": {"codes": _text(pooled.codes), "owners": _text(owners)}}


def scores(codec: TokenCodec, asked: Question, stored: Sequence[Mapping[str, Any]]) -> list[float] | None:
    """MeanMaxSim of the question and each of these payloads; None where one has no vectors of this codec."""
    if not stored or any(each.get("codec") != codec.key for each in stored):
        return None
    codes = [_pooled(codec, each).codes for each in stored]
    told = Tokens(torch.from_numpy(codec.vectors(np.concatenate(codes))), [len(each) for each in codes])
    vectors = torch.from_numpy(asked.vectors[:, : codec.dimensions])
    found: list[float] = late.scores(Tokens(vectors, [len(vectors)]), told)[0].tolist()
    return found


def matches(
    codec: TokenCodec, asked: Question, stored: Mapping[str, Any], pieces: Sequence[Piece], content: str, plain: bool
) -> list[Match]:
    """What each word of the question found, stopwords and punctuation aside, in the question's order.

    `pieces` are the tokens of `content`, the passage's canonical text; `plain` where that is the passage's text.
    """
    pooled = _pooled(codec, stored)
    own = asked.vectors[:, : codec.dimensions]
    cosines = own @ codec.vectors(pooled.codes).T / np.linalg.norm(own, axis=1, keepdims=True)
    told = list(_words(pieces))
    found = []
    for rows in _words(asked.pieces):
        word = "".join((asked.pieces[row].token or "").removeprefix("##") for row in rows)
        if late.tells(word):
            nearest = cosines[rows].argmax(axis=1)
            spans = [_span(pieces, tokens) for tokens in told if {pooled.owners[i] for i in tokens} & set(nearest)]
            spans = [span for span in spans if late.tells(content[slice(*span)])] or spans
            similarity = round(float(cosines[rows, nearest].mean()), 4)
            found.append(Match(word, similarity, [content[slice(*span)] for span in spans], spans if plain else []))
    return found


def _words(pieces: Sequence[Piece]) -> Iterator[list[int]]:
    """The rows of the tokens of each word; [CLS] and [SEP] are none."""
    word: list[int] = []
    for row, piece in enumerate(pieces):
        if word and piece.word != pieces[word[-1]].word:
            yield word
            word = []
        if piece.token is not None:
            word.append(row)
    if word:
        yield word


def _span(pieces: Sequence[Piece], rows: Sequence[int]) -> tuple[int, int]:
    return pieces[rows[0]].start, pieces[rows[-1]].end


def _pooled(codec: TokenCodec, stored: Mapping[str, Any]) -> Pooled:
    codes, owners = (
        np.frombuffer(base64.b64decode(stored["tokens"][name]), dtype=np.uint8) for name in ("codes", "owners")
    )
    return Pooled(codes.reshape(-1, codec.width), owners.tolist())


def _text(values: np.ndarray[Any, np.dtype[np.uint8]]) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")
