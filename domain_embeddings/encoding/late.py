"""Late interaction: a vector for each token of a text, from the very weights that give the text its single vector.

A passage's score for a question is MeanMaxSim: each question token's best match among the passage's tokens, averaged,
1/|q| Σ_i max_j q_i · p_j (ColBERT's operator: Khattab and Zaharia, SIGIR 2020, who sum). Of a question,
[CLS] and [SEP] do not count, and stopwords and punctuation count half (`SILENT`). A passage keeps all its tokens. A
prompt is read with either, and its tokens are left out of both. But for that and the weights it is what
sentence-transformers' MultiVectorEncoder computes over the same modules (a test compares them); here one pass gives the
single vectors too, and products run without padding.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import normalize
from tqdm.auto import tqdm

from domain_embeddings.core.ranking import Scores
from domain_embeddings.core.text import STOPWORDS, words
from domain_embeddings.encoding.cpu_features import has_bfloat16
from domain_embeddings.encoding.encoder import Model
from domain_embeddings.encoding.roles import Role
from domain_embeddings.encoding.tokens import Ids, read

SILENT = 0.5
"""Weight of a stopword or punctuation mark in a question, beside 1 for other tokens; chosen on dev, see docs/log.md."""
_PASSAGES = 512
"""Passages whose token vectors are in memory at once: 512 of 256 tokens take 100 MB in bfloat16."""
_SIMILARITIES = 2**25
"""Token similarities that are in memory at once: 128 MB."""


@dataclass(frozen=True)
class Tokens:
    """The token vectors of several texts, one text after the other."""

    vectors: Tensor
    """(tokens of all texts, dimensions), each of length 1; of a question, of the length of its weight, 1 on average."""
    lengths: Sequence[int]
    """Tokens of each text; an empty question has none."""


def storage() -> torch.dtype:
    """What token vectors are kept and multiplied in: bfloat16 where the CPU computes in it."""
    return torch.bfloat16 if has_bfloat16() else torch.float32


def encode(model: Model, texts: Sequence[str], role: Role, dtype: torch.dtype) -> tuple[Scores, Tokens]:
    """One pass: the texts' single vectors, as `encoder.encode` gives them, and those of their tokens.

    A query's token vectors have the length that `token_weights` gives them, and those of length 0 are left out.
    """

    def kept(vectors: Tensor, ids: Ids) -> Tensor:
        if role is Role.PASSAGE:
            return vectors.to(dtype)
        weights = torch.tensor(token_weights(_read(model.tokenizer, ids)))
        return (vectors[weights > 0] * weights[weights > 0, None]).to(dtype)

    single, tokens = _encode(model, texts, role, kept)
    empty = torch.zeros(0, model.config.width, dtype=dtype)
    return single, Tokens(torch.cat([empty, *tokens]), [len(vectors) for vectors in tokens])


def encode_tokens(model: Model, texts: Sequence[str], role: Role) -> tuple[Scores, list[Scores]]:
    """One pass: the texts' single vectors, and those of all their tokens (tokens, width), each of length 1."""
    single, tokens = _encode(model, texts, role, lambda vectors, _: vectors)
    return single, [vectors.numpy() for vectors in tokens]


def _encode(
    model: Model, texts: Sequence[str], role: Role, kept: Callable[[Tensor, Ids], Tensor]
) -> tuple[Scores, list[Tensor]]:
    """Single vectors, and what is kept of each text's own token vectors, whose ids stand beside them."""
    ids, own = model.ids(texts, role), model.own(texts, role)
    single = np.empty((len(texts), model.dimension), dtype=np.float32)
    tokens = [torch.zeros(0)] * len(texts)
    for rows, states, found in model.run(ids):
        single[rows] = normalize(found.float(), dim=1).cpu().numpy()
        for row, state in zip(rows, states, strict=True):
            vectors, read = normalize(state[: len(ids[row])].float(), dim=1).cpu(), ids[row]
            if own is not None:
                vectors, read = vectors[torch.from_numpy(own[row])], read[own[row]]
            tokens[row] = kept(vectors, read)
    return single, tokens


def _read(tokenizer: Tokenizer, ids: Ids) -> list[str | None]:
    """The tokens as text; None for those at the edges, [CLS] and [SEP]."""
    edges = {int(ids[0]), int(ids[-1])}
    return [None if i in edges else read(tokenizer, i) for i in ids.tolist()]


def token_weights(read: Sequence[str | None]) -> list[float]:
    """What each token of a question counts, 1 on average; what is None ([CLS] and [SEP]) counts 0."""
    counted = [0.0 if token is None else 1.0 if tells(token) else SILENT for token in read]
    inside = sum(token is not None for token in read)
    return [weight * (inside / max(sum(counted), SILENT)) for weight in counted]


def tells(token: str) -> bool:
    """Whether a token is neither a stopword nor punctuation."""
    return token.casefold() not in STOPWORDS and bool(words(token))


def scores(questions: Tokens, passages: Tokens) -> Scores:
    """MeanMaxSim, exactly: (questions, passages); a question without tokens scores 0 everywhere.

    Every passage must have a token.
    """
    found = np.empty((len(passages.lengths), len(questions.lengths)), dtype=np.float32)
    tokens = max(1, _SIMILARITIES // max(1, len(questions.vectors)))
    ends = np.cumsum(passages.lengths)
    first = 0
    while first < len(found):
        start = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, start + tokens, side="right")))
        similarities = passages.vectors[start : ends[last - 1]] @ questions.vectors.T
        parts = torch.split(similarities, list(passages.lengths[first:last]))
        best = torch.stack([part.amax(0) for part in parts])
        found[first:last] = _means(best.float(), questions.lengths)
        first = last
    return np.ascontiguousarray(found.T)


def _means(best: Tensor, lengths: Sequence[int]) -> Scores:
    """Best matches (passages, question tokens) → their mean for each question (passages, questions)."""
    tokens = np.asarray(lengths, dtype=np.int64)
    owner = torch.from_numpy(np.repeat(np.arange(len(tokens)), tokens))
    sums = torch.zeros(len(best), len(tokens)).index_add_(1, owner, best).numpy()
    means: Scores = np.divide(sums, np.maximum(tokens, 1), dtype=np.float32)
    return means


@dataclass(frozen=True)
class Scored:
    """All that one model says of questions and passages."""

    passages: Scores
    """Single vectors (passages, dimensions)."""
    questions: Scores
    """Single vectors (questions, dimensions)."""
    late: Scores
    """MeanMaxSim (questions, passages)."""


def score(model: Model, passages: Sequence[str], questions: Sequence[str]) -> Scored:
    """Encode passages a few hundred at a time and forget their token vectors once they are scored."""
    dtype = storage()
    asked, asked_tokens = encode(model, questions, Role.QUERY, dtype)
    single, late = [], []
    for start in tqdm(range(0, len(passages), _PASSAGES), desc="token vectors", unit="part", leave=False):
        found, tokens = encode(model, passages[start : start + _PASSAGES], Role.PASSAGE, dtype)
        single.append(found)
        late.append(scores(asked_tokens, tokens))
    return Scored(np.concatenate(single), asked, np.concatenate(late, axis=1))
