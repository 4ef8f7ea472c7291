"""Loading a sentence-transformers folder and turning texts into unit vectors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import normalize
from tqdm.auto import tqdm

from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding.batching import at_once, by_length
from domain_embeddings.encoding.bert import Bert, is_bert
from domain_embeddings.encoding.cpu_features import has_bfloat16
from domain_embeddings.encoding.encoder_config import EncoderConfig
from domain_embeddings.encoding.roles import Role, read_json
from domain_embeddings.encoding.tokens import TOKENIZER, Ids, Own, ids_of, limited, load_tokenizer, own_tokens


@dataclass(frozen=True)
class Model:
    """A model in memory, to encode with."""

    network: torch.nn.Module
    """Token ids and mask (texts, tokens; no mask: no padding) → token vectors (texts, tokens, width) and, not yet of
    length 1, text vectors (texts, dimension)."""
    tokenizer: Tokenizer
    """It cuts a text at `max_seq_length` tokens and pads none."""
    config: EncoderConfig
    padding: int
    """The token id that fills a row up."""
    device: str

    @property
    def max_seq_length(self) -> int:
        """Longest input in tokens."""
        return self.config.max_seq_length

    @property
    def dimension(self) -> int:
        """Numbers of a text's vector."""
        return self.config.dimension

    def ids(self, texts: Sequence[str], role: Role) -> list[Ids]:
        """Each text's token ids, those of the role's prompt among them."""
        return ids_of(self.tokenizer, self.config.prompts.before(texts, role))

    def own(self, texts: Sequence[str], role: Role) -> list[Own] | None:
        """Which of each text's `ids` are not the prompt's; None where the role has no prompt."""
        prompts = self.config.prompts
        return own_tokens(self.tokenizer, prompts.before(texts, role), prompts.of(role))

    def run(self, ids: Sequence[Ids], progress: bool = False) -> Iterator[tuple[list[int], Tensor, Tensor]]:
        """Micro-batches of texts of like length: their rows, and what the network makes of them."""
        parts = by_length([len(one) for one in ids], at_once(self.device))
        for rows in tqdm(parts, desc="encode", unit="batch", leave=False, disable=not progress):
            with torch.inference_mode():
                tokens, pooled = self.network(*self._padded([ids[row] for row in rows]))
            yield rows, tokens, pooled

    def _padded(self, ids: Sequence[Ids]) -> tuple[Tensor, Tensor | None]:
        """Rows as long as the longest, and a mask where they are not all as long as that."""
        width = max(len(one) for one in ids)
        filled = torch.full((len(ids), width), self.padding)
        for row, one in enumerate(ids):
            filled[row, : len(one)] = torch.from_numpy(one)
        lengths = torch.tensor([len(one) for one in ids])
        mask = None if lengths.min() == width else (torch.arange(width) < lengths[:, None]).long().to(self.device)
        return filled.to(self.device), mask


class _SentenceTransformer(torch.nn.Module):
    """Any model of sentence-transformers that pools a transformer's tokens, as a network."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None) -> tuple[Tensor, Tensor]:
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        found = self.model({"input_ids": input_ids, "attention_mask": mask})
        return found["token_embeddings"], found["sentence_embedding"]


def load(
    folder: Path,
    max_seq_length: int | None = None,
    device: str | None = None,
    dtype: torch.dtype = torch.float32,
    name: str = "",
) -> Model:
    """Load a local model, to be run as its files say; `max_seq_length` stands in for the length that they hold.

    Without a `device`, a GPU is taken where there is one. A model that is no BERT with mean or [CLS] pooling runs
    through sentence-transformers, which takes some seconds to import. A DataError where `EncoderConfig.of` has one;
    `name` is what the model is called, where its files need not say it.
    """
    device = device or best_device()
    config = EncoderConfig.of(folder, max_seq_length, *filter(None, [name]))
    if is_bert(folder, config):
        network: torch.nn.Module = Bert.load(folder, config)
        tokenizer = load_tokenizer(folder / TOKENIZER, config.max_seq_length)
        padding = int(read_json(folder / "config.json").get("pad_token_id") or 0)
    else:
        from sentence_transformers import SentenceTransformer  # only here: its import is slow

        model = SentenceTransformer(str(folder), device=device, local_files_only=True, trust_remote_code=False)
        network = _SentenceTransformer(model).eval()
        tokenizer = limited(model.tokenizer.backend_tokenizer, config.max_seq_length)
        padding = model.tokenizer.pad_token_id or 0
    return Model(network.to(device, dtype), tokenizer, config, padding, device)


def best_device() -> str:
    """CUDA, Apple's GPU, or the CPU: the first that this machine has."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def encode(model: Model, texts: Sequence[str], role: Role, progress: bool = False, exact: bool = True) -> Scores:
    """Texts, all of one role → float32 (n, dimension), each row of length 1.

    Not `exact`: a CPU that computes in bfloat16 does, about twice as fast, with cosines right to some 0.003. That is
    enough to compare models or to look for negatives; what a model's users get is exact.
    """
    vectors = np.empty((len(texts), model.dimension), dtype=np.float32)
    faster = not exact and model.device == "cpu" and has_bfloat16()
    with torch.autocast(model.device, torch.bfloat16, enabled=faster):
        for rows, _, found in model.run(model.ids(texts, role), progress):
            vectors[rows] = normalize(found.float(), dim=1).cpu().numpy()
    return vectors


def truncated(vectors: Scores, dimensions: int) -> Scores:
    """The first so many numbers of each row, scaled to length 1 again; a row that is zero there stays zero.

    What Matryoshka training (Kusupati et al., 2022) makes cheap; a model trained without it loses more: measure.
    """
    kept = vectors[:, :dimensions]
    length = np.linalg.norm(kept, axis=1, keepdims=True)
    return np.asarray(kept / np.where(length == 0, 1, length), dtype=np.float32)
