"""BERT's forward pass on PyTorch alone, for inference.

sentence-transformers gives the same vectors (a test compares them), but takes several times as long to import as
PyTorch alone. It loads what is not of this shape (`encoder.load`). The architecture is that of Devlin et al., 2019; the
modules have the names that transformers gives their weights in files.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from domain_embeddings.encoding.encoder_config import LENGTH, WEIGHTS, EncoderConfig, Head
from domain_embeddings.encoding.roles import read_json


def is_bert(folder: Path, found: EncoderConfig) -> bool:
    """Whether a sentence-transformers folder holds what `Bert` computes: BERT, and the mean of its tokens or [CLS]."""
    config, settings = read_json(folder / "config.json"), read_json(folder / LENGTH)
    return (
        config.get("model_type") == "bert"
        and config.get("hidden_act") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not settings.get("do_lower_case")
        and found.pooling in (("mean",), ("cls",))
        and (folder / WEIGHTS).is_file()
    )


class Bert(nn.Module):
    """Token ids and mask (texts, tokens) → token vectors (texts, tokens, width) and text vectors (texts, dimension)."""

    encoder: Any

    def __init__(self, config: Mapping[str, Any], pooling: str, heads: Sequence[Head]) -> None:
        """Make the blocks, without weights; `config` is config.json, `pooling` `mean` or `cls`."""
        super().__init__()
        self.embeddings = _Embeddings(config)
        self.encoder = nn.Module()
        self.encoder.layer = nn.ModuleList(_Block(config) for _ in range(config["num_hidden_layers"]))
        self.heads = nn.ModuleList(_Dense(head) for head in heads)
        self.pooling = pooling

    @classmethod
    def load(cls, folder: Path, found: EncoderConfig) -> "Bert":
        """The model of a folder, ready to run; a RuntimeError that names what is missing where its weights are not."""
        with torch.device("meta"):
            model = cls(read_json(folder / "config.json"), found.pooling[0], found.heads)
        weights = {name.removeprefix("bert."): value for name, value in load_file(folder / WEIGHTS).items()}
        for row, head in enumerate(found.heads):
            own = load_file(folder / head.folder / WEIGHTS)
            weights |= {f"heads.{row}.{name}": value for name, value in own.items()}
        wanted = model.state_dict()
        # a file may hold more: a pooler, the numbers of the positions
        model.load_state_dict({n: value for n, value in weights.items() if n in wanted}, assign=True)
        return model.float().eval().requires_grad_(False)

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Run all blocks; without a mask, every token counts."""
        hidden = self.embeddings(input_ids)
        seen = None if attention_mask is None else attention_mask[:, None, None, :].bool()
        for block in self.encoder.layer:
            hidden = block(hidden, seen)
        pooled = hidden[:, 0] if self.pooling == "cls" else _mean(hidden, attention_mask)
        for head in self.heads:
            pooled = head(pooled)
        return hidden, pooled


def _mean(hidden: Tensor, attention_mask: Tensor | None) -> Tensor:
    if attention_mask is None:
        return hidden.mean(dim=1)
    counted = attention_mask[:, :, None].to(hidden.dtype)
    return (hidden * counted).sum(dim=1) / counted.sum(dim=1).clamp(min=1e-9)


class _Dense(nn.Module):
    """A head: (texts, inputs) → (texts, outputs)."""

    def __init__(self, head: Head) -> None:
        super().__init__()
        self.linear = nn.Linear(head.inputs, head.outputs, bias=head.bias)
        self.activation = getattr(nn, head.activation)()

    def forward(self, pooled: Tensor) -> Tensor:
        found: Tensor = self.activation(self.linear(pooled))
        return found


class _Embeddings(nn.Module):
    """Token ids (texts, tokens) → (texts, tokens, width)."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        width = config["hidden_size"]
        self.word_embeddings = nn.Embedding(config["vocab_size"], width)
        self.position_embeddings = nn.Embedding(config["max_position_embeddings"], width)
        self.token_type_embeddings = nn.Embedding(config["type_vocab_size"], width)
        self.LayerNorm = nn.LayerNorm(width, eps=config["layer_norm_eps"])

    def forward(self, input_ids: Tensor) -> Tensor:
        positions = self.position_embeddings(torch.arange(input_ids.shape[1], device=input_ids.device))
        found: Tensor = self.LayerNorm(
            self.word_embeddings(input_ids) + self.token_type_embeddings.weight[0] + positions
        )
        return found


class _Block(nn.Module):
    """Attention over all tokens, then a feed-forward layer, each added to what it was given."""

    attention: Any
    intermediate: Any

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        width, inner = config["hidden_size"], config["intermediate_size"]
        self.heads = config["num_attention_heads"]
        self.attention = nn.Module()
        self.attention.self = nn.Module()
        for name in ("query", "key", "value"):
            setattr(self.attention.self, name, nn.Linear(width, width))
        self.attention.output = _Added(width, width, config["layer_norm_eps"])
        self.intermediate = nn.Module()
        self.intermediate.dense = nn.Linear(width, inner)
        self.output = _Added(inner, width, config["layer_norm_eps"])

    def forward(self, hidden: Tensor, seen: Tensor | None) -> Tensor:
        inside = self.attention.self
        query, key, value = (
            linear(hidden).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for linear in (inside.query, inside.key, inside.value)
        )
        context = scaled_dot_product_attention(query, key, value, attn_mask=seen).transpose(1, 2).flatten(2)
        hidden = self.attention.output(context, hidden)
        found: Tensor = self.output(gelu(self.intermediate.dense(hidden)), hidden)
        return found


class _Added(nn.Module):
    """A layer whose output is added to what came before, and normalized."""

    def __init__(self, inner: int, width: int, eps: float) -> None:
        super().__init__()
        self.dense = nn.Linear(inner, width)
        self.LayerNorm = nn.LayerNorm(width, eps=eps)

    def forward(self, value: Tensor, before: Tensor) -> Tensor:
        found: Tensor = self.LayerNorm(self.dense(value) + before)
        return found
