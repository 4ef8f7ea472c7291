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
from domain_embeddings.encoding.roles import Prompts, Role
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

    def read(self, prompts: Prompts) -> list[str]:
        """All of them as a model reads them: the query as one, the others as passages."""
        return prompts.before([self.query], Role.QUERY) + prompts.before(self.texts[1:], Role.PASSAGE)


class _Guide(torch.nn.Module):
    """A model whose vectors are known already, by row of the training model's cache."""

    def __init__(self, model: SentenceTransformer, vectors: Tensor) -> None:
        super().__init__()
        self.tokenizer, self.max_seq_length = model.tokenizer, model.max_seq_length
        self.register_buffer("vectors", vectors, persistent=False)

    def forward(self, features: dict[str, Tensor]) -> dict[str, Any]:
        return {"sentence_embedding": self.vectors[features["input_ids"][:, 0]]}  # type: ignore[index]


def _guide(model: SentenceTransformer, path: str, examples: Sequence[Example]) -> Any:
    """The vectors that the model at `path` (empty: `model` as it is now, the base) has for the examples' texts.

    A text that another model reads in two ways, and `model` in one, is a query.
    """
    cache = model[0]
    if not isinstance(cache, CachedTransformer):
        raise TypeError("a guide needs the model's inputs to be rows of a cache: call this within cached_prefix")
    if not path:
        vectors = frozen_layer_cache.encode(model, list(cache.rows))
        return _Guide(model, torch.from_numpy(vectors).to(model.device))
    own = Prompts(model.prompts["query"] or "", model.prompts["document"] or "")
    guide = load(Path(path), name=path)
    vectors = np.zeros((len(cache.rows), guide.dimension), dtype=np.float32)
    for role, texts in _by_role(examples).items():
        rows = [cache.rows[text] for text in own.before(texts, role)]
        vectors[rows] = encode(guide, texts, role, progress=True)
    return _Guide(model, torch.from_numpy(vectors).to(model.device))


def _by_role(examples: Sequence[Example]) -> dict[Role, list[str]]:
    """Every text of the examples, once for each role that it has, queries last."""
    passages = dict.fromkeys(text for example in examples for text in example.texts[1:])
    return {Role.PASSAGE: list(passages), Role.QUERY: list(dict.fromkeys(example.query for example in examples))}


def loss_of(
    model: SentenceTransformer, params: TrainParams, examples: Sequence[Example], several_processes: bool
) -> torch.nn.Module:
    """The loss that `params` ask for, over these examples; within `cached_prefix`."""
    shared: dict[str, Any] = {"gather_across_devices": several_processes}
    if params.mini_batch:
        shared["mini_batch_size"] = params.mini_batch
    loss: torch.nn.Module
    if params.teacher is not None:
        loss = DistillKLDivLoss(model, student_temperature=1 / params.scale, teacher_temperature=1.0)
    elif params.guide is not None:
        gist = CachedGISTEmbedLoss if params.mini_batch else GISTEmbedLoss
        guide = _guide(model, params.guide, examples)
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
    model, texts = load(Path(teacher.path), name=teacher.path), _by_role(examples)
    vectors = {role: encode(model, some, role, progress=True) for role, some in texts.items()}
    rows = {role: {text: row for row, text in enumerate(some)} for role, some in texts.items()}
    asked = vectors[Role.QUERY][[rows[Role.QUERY][example.query] for example in examples]]
    told = vectors[Role.PASSAGE][[[rows[Role.PASSAGE][text] for text in e.texts[1:]] for e in examples]]
    cosines = np.einsum("nd,nwd->nw", asked, told)
    return np.asarray(cosines / teacher.temperature, dtype=np.float32)
