"""A transformer as embeddings and blocks that can be run one by one, for each architecture that this is known of."""

from typing import Any

import torch
from torch import Tensor, nn
from transformers.masking_utils import create_bidirectional_mask, create_bidirectional_sliding_window_mask


class Blocks:
    """The blocks of any architecture, to freeze some: the first list of as many modules as the model has blocks."""

    def __init__(self, model: Any) -> None:
        """Over a model of transformers, whose weights are shared."""
        self.model = model

    @property
    def layers(self) -> nn.ModuleList:
        """The blocks, the lowest first."""
        lists = (module for module in self.model.modules() if isinstance(module, nn.ModuleList))
        return next(one for one in lists if len(one) == self.model.config.num_hidden_layers)

    @property
    def below(self) -> list[nn.Module]:
        """What is frozen with any block: the embeddings, and what all blocks share."""
        return [getattr(self.model, "embeddings", None) or self.model.get_input_embeddings()]

    @property
    def unused(self) -> list[nn.Module]:
        """What no vector depends on."""
        return [self.model.pooler] if getattr(self.model, "pooler", None) is not None else []


class BlockStack(Blocks):
    """Blocks that can be run on their own; as it is, those of BERT, RoBERTa, XLM-R and DistilBERT."""

    def embed(self, ids: Tensor) -> Tensor:
        """Token ids (texts, tokens) → what goes into the first block (texts, tokens, width)."""
        found: Tensor = self.model.embeddings(input_ids=ids)
        return found

    def run(self, hidden: Tensor, mask: Tensor, first: int, last: int | None) -> Tensor:
        """The blocks from `first` to before `last` (None: all, and what follows them); `mask` is (texts, tokens)."""
        attention = create_bidirectional_mask(config=self.model.config, inputs_embeds=hidden, attention_mask=mask)
        for block in self.layers[first:last]:
            hidden = block(hidden, attention)
        return hidden


class _MPNet(BlockStack):
    """The blocks share a bias by the distance of two tokens."""

    @property
    def below(self) -> list[nn.Module]:
        return [self.model.embeddings, self.model.encoder.relative_attention_bias]

    def run(self, hidden: Tensor, mask: Tensor, first: int, last: int | None) -> Tensor:
        attention = create_bidirectional_mask(config=self.model.config, inputs_embeds=hidden, attention_mask=mask)
        bias = self.model.encoder.compute_position_bias(hidden)
        for block in self.layers[first:last]:
            hidden = block(hidden, attention, bias)[0]
        return hidden


class _ModernBert(BlockStack):
    """Blocks that look at all tokens and blocks that look at near ones, rotated positions, a norm behind the last."""

    def run(self, hidden: Tensor, mask: Tensor, first: int, last: int | None) -> Tensor:
        given = {"config": self.model.config, "inputs_embeds": hidden, "attention_mask": mask}
        masks = {
            "full_attention": create_bidirectional_mask(**given),
            "sliding_attention": create_bidirectional_sliding_window_mask(**given),
        }
        positions = torch.arange(hidden.shape[1], device=hidden.device)[None]
        turned = {kind: self.model.rotary_emb(hidden, positions, kind) for kind in set(self.model.config.layer_types)}
        block: Any
        for block in self.layers[first:last]:
            kind = block.attention_type
            hidden = block(hidden, attention_mask=masks[kind], position_embeddings=turned[kind])
        found: Tensor = hidden if last is not None else self.model.final_norm(hidden)
        return found


_KNOWN: dict[str, type[BlockStack]] = {
    "BertModel": BlockStack,
    "RobertaModel": BlockStack,
    "XLMRobertaModel": BlockStack,
    "MPNetModel": _MPNet,
    "DistilBertModel": BlockStack,
    "ModernBertModel": _ModernBert,
}


def blocks_of(model: Any) -> Blocks:
    """A model's blocks, a `BlockStack` where it is known how they are run."""
    return _KNOWN.get(type(model).__name__, Blocks)(model)
