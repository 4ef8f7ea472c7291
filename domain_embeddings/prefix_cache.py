"""Do each thing once: the hidden states below the trained blocks, computed once for each distinct text.

Frozen blocks give the same output for a text in every step. `cached_prefix` computes it once, without dropout, and
lets the blocks above train on it through the ordinary sentence-transformers Trainer, losses and checkpoints: the
model's input module is replaced, for the while, by one whose "token ids" are row numbers of the cache.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Transformer
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from tqdm.auto import tqdm
from transformers.masking_utils import create_bidirectional_mask

_SUPPORTED = ("BertModel", "RobertaModel", "XLMRobertaModel")
_TEXTS_AT_ONCE = 32
_MICRO_BATCH = 32


def supports(model: SentenceTransformer) -> bool:
    """Whether the model's blocks can be run on their own (BERT, RoBERTa and their kin)."""
    return type(model.transformers_model).__name__ in _SUPPORTED


class CachedTransformer(Transformer):
    """A Transformer whose inputs are rows of a cache of hidden states; shares the weights of the one it stands for."""

    cached_blocks: int
    rows: dict[str, int]
    states: list[Tensor]

    @classmethod
    def over(cls, transformer: Transformer, blocks: int, texts: Sequence[str]) -> "CachedTransformer":
        """Compute the states of `texts` after embeddings and `blocks` blocks: bfloat16 (tokens, dimensions) each."""
        module = cls.__new__(cls)
        module.__dict__.update(transformer.__dict__)
        module.cached_blocks = blocks
        module.rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        module.states = module._prefix(transformer, list(module.rows))
        return module

    def _prefix(self, transformer: Transformer, texts: list[str]) -> list[Tensor]:
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        states: list[Tensor] = [torch.empty(0)] * len(texts)
        starts = range(0, len(order), _TEXTS_AT_ONCE)
        self.model.eval()  # type: ignore[no-untyped-call]
        for start in tqdm(starts, desc="frozen blocks", unit="batch", leave=False):
            rows = order[start : start + _TEXTS_AT_ONCE]
            features = transformer.preprocess([texts[i] for i in rows])
            mask = features["attention_mask"].to(self.model.device)
            with torch.no_grad():
                embed: Any = self.model.embeddings
                hidden = embed(input_ids=features["input_ids"].to(self.model.device))
                hidden = self._blocks(hidden, mask, 0, self.cached_blocks)
            for i, state, length in zip(rows, hidden, mask.sum(1).tolist(), strict=True):
                states[i] = state[:length].to(torch.bfloat16).cpu().clone()
        return states

    def _blocks(self, hidden: Tensor, mask: Tensor, first: int, last: int | None) -> Tensor:
        attention = create_bidirectional_mask(config=self.model.config, inputs_embeds=hidden, attention_mask=mask)
        encoder: Any = self.model.encoder
        for block in encoder.layer[first:last]:
            hidden = block(hidden, attention)
        return hidden

    def preprocess(  # type: ignore[override]
        self, inputs: Sequence[Any], prompt: str | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """Texts → their row numbers (batch, 1). A text that is not in the cache is a KeyError."""
        rows = torch.tensor([[self.rows[text]] for text in inputs])
        return {"input_ids": rows, "attention_mask": torch.ones_like(rows)}

    def forward(self, features: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Run the blocks above the cache, texts of like length together: token_embeddings (batch, tokens, dims)."""
        states = [self.states[row] for row in features["input_ids"][:, 0].tolist()]
        lengths = [len(state) for state in states]
        order = sorted(range(len(states)), key=lengths.__getitem__)
        parts = [order[start : start + _MICRO_BATCH] for start in range(0, len(order), _MICRO_BATCH)]
        outputs: list[Tensor] = [torch.empty(0)] * len(states)
        for part in parts:
            hidden = pad_sequence([states[i] for i in part], batch_first=True).to(self.model.device, torch.float32)
            mask = self._mask([lengths[i] for i in part])
            for i, output in zip(part, self._blocks(hidden, mask, self.cached_blocks, None), strict=True):
                outputs[i] = output[: lengths[i]]
        features["token_embeddings"] = pad_sequence(outputs, batch_first=True)
        features["attention_mask"] = self._mask(lengths)
        return features

    def _mask(self, lengths: list[int]) -> Tensor:
        positions = torch.arange(max(lengths), device=self.model.device)
        return (positions[None, :] < torch.tensor(lengths, device=self.model.device)[:, None]).long()


@contextmanager
def cached_prefix(model: SentenceTransformer, blocks: int, texts: Sequence[str]) -> Iterator[None]:
    """Within the context, `model` knows only `texts` and skips its embeddings and first `blocks` blocks for them."""
    original = model[0]
    model[0] = CachedTransformer.over(original, blocks, texts)
    try:
        yield
    finally:
        model[0] = original
