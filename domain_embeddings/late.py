"""Late interaction: a vector for each token of a text, from the very weights that give the text its single vector.

A passage's score for a question is MeanMaxSim: each question token's best match among the passage's tokens, averaged,
1/|q| Σ_i max_j q_i · p_j (ColBERT's operator: Khattab and Zaharia, SIGIR 2020, who sum). Of a question only the words
that say something count: [CLS], [SEP], stopwords and punctuation are left out after the model has read them. A passage
keeps all its tokens. It is what sentence-transformers' MultiVectorEncoder computes over the same modules (a test
compares them); here one pass gives the single vectors too, and products run without padding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from torch import Tensor
from torch.nn.functional import normalize
from tqdm.auto import tqdm

from domain_embeddings.prefix_cache import has_bfloat16
from domain_embeddings.ranking import Scores
from domain_embeddings.text import STOPWORDS, words

_PASSAGES = 512
"""Passages whose token vectors are in memory at once: 512 of 256 tokens take 100 MB in bfloat16."""
_SIMILARITIES = 2**25
"""Token similarities that are in memory at once: 128 MB."""


@dataclass(frozen=True)
class Tokens:
    """The token vectors of several texts, one text after the other."""

    vectors: Tensor
    """(tokens of all texts, dimensions), each of length 1."""
    lengths: Sequence[int]
    """Tokens of each text; an empty question has none."""


def storage() -> torch.dtype:
    """What token vectors are kept and multiplied in: bfloat16 where the CPU computes in it."""
    return torch.bfloat16 if has_bfloat16("cpu") else torch.float32


def encode(
    model: SentenceTransformer, texts: Sequence[str], *, question: bool, dtype: torch.dtype
) -> tuple[Scores, Tokens]:
    """One pass: the texts' single vectors, as `encoder.encode` gives them, and those of their tokens.

    Of a `question`, only the tokens that `_telling` keeps.
    """
    features: list[dict[str, Tensor]] = model.encode(  # type: ignore[assignment]
        list(texts), batch_size=32, output_value=None, normalize_embeddings=True, show_progress_bar=False
    )
    single = [normalize(found["sentence_embedding"], dim=0).float().cpu().numpy() for found in features]
    chosen = [_telling(model.tokenizer, _ids(found)) if question else slice(None) for found in features]
    tokens = [_unit_vectors(found)[kept].to("cpu", dtype) for found, kept in zip(features, chosen, strict=True)]
    dimensions = model.get_embedding_dimension() or 0
    empty = torch.zeros(0, dimensions, dtype=dtype)
    return np.stack(single), Tokens(torch.cat([empty, *tokens]), [len(vectors) for vectors in tokens])


def _ids(features: dict[str, Any]) -> list[int]:
    """A text's token ids without padding."""
    found: list[int] = features["input_ids"][features["attention_mask"].bool()].tolist()
    return found


def _unit_vectors(features: dict[str, Any]) -> Tensor:
    """A text's token vectors (tokens, dimensions) without padding."""
    return normalize(features["token_embeddings"][features["attention_mask"].bool()].float(), dim=1)


def _telling(tokenizer: Any, ids: Sequence[int]) -> list[int]:
    """Places of a question's tokens that count: no stopwords, no punctuation; those too where nothing else is left."""
    inside = [place for place, i in enumerate(ids) if i not in (tokenizer.cls_token_id, tokenizer.sep_token_id)]
    read = {place: tokenizer.decode([ids[place]]).strip().casefold() for place in inside}
    return [place for place, token in read.items() if token not in STOPWORDS and words(token)] or inside


def scores(questions: Tokens, passages: Tokens) -> Scores:
    """MeanMaxSim, exactly: (questions, passages) in -1..1; a question without tokens scores 0 everywhere.

    Every passage must have a token.
    """
    found = np.empty((len(passages.lengths), len(questions.lengths)), dtype=np.float32)
    tokens = max(1, _SIMILARITIES // max(1, len(questions.vectors)))
    ends = np.cumsum(passages.lengths)
    first = 0
    while first < len(found):
        start = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, start + tokens, side="right")))
        similarities = (passages.vectors[start : ends[last - 1]] @ questions.vectors.T).float().numpy()
        starts = ends[first:last] - np.asarray(passages.lengths[first:last]) - start
        found[first:last] = _means(np.maximum.reduceat(similarities, starts, axis=0), questions.lengths)
        first = last
    return np.ascontiguousarray(found.T)


def _means(best: Scores, lengths: Sequence[int]) -> Scores:
    """Best matches (passages, question tokens) → their mean for each question (passages, questions)."""
    tokens = np.asarray(lengths, dtype=np.int64)
    owner = torch.from_numpy(np.repeat(np.arange(len(tokens)), tokens))
    sums = torch.zeros(len(best), len(tokens)).index_add_(1, owner, torch.from_numpy(best)).numpy()
    return np.divide(sums, np.maximum(tokens, 1), dtype=np.float32)


@dataclass(frozen=True)
class Scored:
    """All that one model says of questions and passages."""

    passages: Scores
    """Single vectors (passages, dimensions)."""
    questions: Scores
    """Single vectors (questions, dimensions)."""
    late: Scores
    """MeanMaxSim (questions, passages)."""


def score(model: SentenceTransformer, passages: Sequence[str], questions: Sequence[str]) -> Scored:
    """Encode passages a few hundred at a time and forget their token vectors once they are scored."""
    dtype = storage()
    asked, asked_tokens = encode(model, questions, question=True, dtype=dtype)
    single, late = [], []
    for start in tqdm(range(0, len(passages), _PASSAGES), desc="token vectors", unit="part", leave=False):
        found, tokens = encode(model, passages[start : start + _PASSAGES], question=False, dtype=dtype)
        single.append(found)
        late.append(scores(asked_tokens, tokens))
    return Scored(np.concatenate(single), asked, np.concatenate(late, axis=1))
