"""What is minimised: sentence-transformers' own losses, put together from the params.

`guide` and `teacher` are other models. Each reads every text once, before training; in training their vectors or scores
are looked up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.sentence_transformer.losses import (
    CachedGISTEmbedLoss,
    CachedMultipleNegativesRankingLoss,
    DistillKLDivLoss,
    GISTEmbedLoss,
    MatryoshkaLoss,
    MultipleNegativesRankingLoss,
)
from torch import Tensor

from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding.encoder import encode, load
from domain_embeddings.params.train import Teacher, TrainParams
from domain_embeddings.training import frozen_layer_cache
from domain_embeddings.training.frozen_layer_cache import CachedTransformer


@dataclass(frozen=True)
class Example:
    """Texts of one training pair and its hard negatives."""

    query: str
    positive: str
    negatives: tuple[str, ...]
    whole: str = ""
    """The passage that `positive` is a part of, if it is one: no negative of the query in a batch."""

    @property
    def texts(self) -> tuple[str, ...]:
        """All of them, the query first, the positive second."""
        return self.query, self.positive, *self.negatives


class _Guide(torch.nn.Module):
    """A model whose vectors are known already, by row of the training model's cache."""

    def __init__(self, model: SentenceTransformer, vectors: Tensor) -> None:
        super().__init__()
        self.tokenizer, self.max_seq_length = model.tokenizer, model.max_seq_length
        self.register_buffer("vectors", vectors, persistent=False)

    def forward(self, features: dict[str, Tensor]) -> dict[str, Any]:
        return {"sentence_embedding": self.vectors[features["input_ids"][:, 0]]}  # type: ignore[index]


def _guide(model: SentenceTransformer, path: str) -> Any:
    """The vectors that the model at `path` (empty: `model` as it is now, the base) has for all texts of the cache."""
    cache = model[0]
    if not isinstance(cache, CachedTransformer):
        raise TypeError("a guide needs the model's inputs to be rows of a cache: call this within cached_prefix")
    texts = list(cache.rows)
    vectors = encode(load(Path(path), None), texts, progress=True) if path else frozen_layer_cache.encode(model, texts)
    return _Guide(model, torch.from_numpy(vectors).to(model.device))


def loss_of(model: SentenceTransformer, params: TrainParams, several_processes: bool) -> torch.nn.Module:
    """The loss that `params` ask for; within `cached_prefix`."""
    shared: dict[str, Any] = {"gather_across_devices": several_processes}
    if params.mini_batch:
        shared["mini_batch_size"] = params.mini_batch
    loss: torch.nn.Module
    if params.teacher is not None:
        loss = DistillKLDivLoss(model, student_temperature=1 / params.scale, teacher_temperature=1.0)
    elif params.guide is not None:
        gist = CachedGISTEmbedLoss if params.mini_batch else GISTEmbedLoss
        guide = _guide(model, params.guide)
        # contrast as the plain loss does: queries with passages only
        shared |= {"contrast_anchors": False, "contrast_positives": False}
        loss = gist(
            model, guide, temperature=1 / params.scale, margin_strategy="relative", margin=params.guide_margin, **shared
        )
    else:
        plain = CachedMultipleNegativesRankingLoss if params.mini_batch else MultipleNegativesRankingLoss
        loss = plain(model, scale=params.scale, **shared)
    return MatryoshkaLoss(model, loss, params.matryoshka) if params.matryoshka else loss


def teacher_scores(teacher: Teacher, examples: Sequence[Example]) -> Scores:
    """What a stronger model thinks of each query with its positive and negatives (examples, 1 + negatives), in logits.

    A cross-encoder's own, or a bi-encoder's cosines divided by the teacher's temperature.
    """
    ways = len(examples[0].texts) - 1
    if teacher.kind == "cross_encoder":
        reranker = CrossEncoder(teacher.path, local_files_only=True, trust_remote_code=False)
        pairs = [(example.query, text) for example in examples for text in example.texts[1:]]
        logits = reranker.predict(pairs, activation_fn=torch.nn.Identity(), show_progress_bar=True)
        return np.asarray(logits, dtype=np.float32).reshape(len(examples), ways) / teacher.temperature
    rows = {text: row for row, text in enumerate(dict.fromkeys(text for e in examples for text in e.texts))}
    vectors = encode(load(Path(teacher.path), None), list(rows), progress=True)
    places = np.array([[rows[text] for text in example.texts] for example in examples])
    cosines = np.einsum("nd,nwd->nw", vectors[places[:, 0]], vectors[places[:, 1:]])
    return np.asarray(cosines / teacher.temperature, dtype=np.float32)
