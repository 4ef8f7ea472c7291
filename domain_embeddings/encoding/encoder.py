"""Loading a sentence-transformers folder and turning texts into unit vectors."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import normalize
from tqdm.auto import tqdm

from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding.batching import at_once, by_length
from domain_embeddings.encoding.bert import Bert, is_bert
from domain_embeddings.encoding.cpu_features import has_bfloat16
from domain_embeddings.encoding.tokens import TOKENIZER

_TOKENIZED_AT_ONCE = 256

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Model:
    """A model in memory, to encode with."""

    network: torch.nn.Module
    """Token ids and mask (texts, tokens; no mask: no padding) → token vectors (texts, tokens, width) and, not yet of
    length 1, text vectors (texts, dimension)."""
    tokenizer: Tokenizer
    """It cuts a text at `max_seq_length` tokens and pads none."""
    max_seq_length: int
    dimension: int
    padding: int
    """The token id that fills a row up."""
    device: str

    def ids(self, texts: Sequence[str]) -> list[Ids]:
        """Each text's token ids."""
        found: list[Ids] = []
        for start in range(0, len(texts), _TOKENIZED_AT_ONCE):
            some = self.tokenizer.encode_batch_fast(list(texts[start : start + _TOKENIZED_AT_ONCE]))
            found += [np.array(encoding.ids, dtype=np.int32) for encoding in some]
        return found

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
    folder: Path, max_seq_length: int | None, device: str | None = None, dtype: torch.dtype = torch.float32
) -> Model:
    """Load a local model. The length limit is set here, for a model's files may hold several (None: as they say).

    Without a `device`, a GPU is taken where there is one. A model that is no BERT with mean pooling runs through
    sentence-transformers, which takes some seconds to import.
    """
    device = device or best_device()
    if is_bert(folder):
        config, limit = json.loads((folder / "config.json").read_text(encoding="utf-8")), max_seq_length
        network: torch.nn.Module = Bert.load(folder)
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        limit, dimension, padding = limit or _limit(folder, config), config["hidden_size"], config["pad_token_id"]
    else:
        from sentence_transformers import SentenceTransformer  # only here: its import is slow

        model = SentenceTransformer(str(folder), device=device, local_files_only=True, trust_remote_code=False)
        network, tokenizer = _SentenceTransformer(model).eval(), model.tokenizer.backend_tokenizer
        limit, dimension = max_seq_length or int(model.max_seq_length or 0), model.get_embedding_dimension() or 0
        padding = model.tokenizer.pad_token_id or 0
    tokenizer.no_padding()
    tokenizer.enable_truncation(limit)
    return Model(network.to(device, dtype), tokenizer, limit, dimension, padding, device)


def best_device() -> str:
    """CUDA, Apple's GPU, or the CPU: the first that this machine has."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _limit(folder: Path, config: dict[str, Any]) -> int:
    """The length in tokens that a folder's files ask for, as sentence-transformers reads them."""
    asked: list[int] = []
    for name, key in (("sentence_bert_config.json", "max_seq_length"), ("tokenizer_config.json", "model_max_length")):
        if not asked and (folder / name).is_file():
            value = json.loads((folder / name).read_text(encoding="utf-8")).get(key)
            asked += [int(value)] if value else []
    return min([*asked, int(config["max_position_embeddings"])])


def encode(model: Model, texts: Sequence[str], progress: bool = False, exact: bool = True) -> Scores:
    """Texts → float32 (n, dimension), each row of length 1.

    Not `exact`: a CPU that computes in bfloat16 does, about twice as fast, with cosines right to some 0.003. That is
    enough to compare models or to look for negatives; what a model's users get is exact.
    """
    vectors = np.empty((len(texts), model.dimension), dtype=np.float32)
    faster = not exact and model.device == "cpu" and has_bfloat16()
    with torch.autocast(model.device, torch.bfloat16, enabled=faster):
        for rows, _, found in model.run(model.ids(texts), progress):
            vectors[rows] = normalize(found.float(), dim=1).cpu().numpy()
    return vectors


def truncated(vectors: Scores, dimensions: int) -> Scores:
    """The first so many numbers of each row, scaled to length 1 again; a row that is zero there stays zero.

    What Matryoshka training (Kusupati et al., 2022) makes cheap; a model trained without it loses more: measure.
    """
    kept = vectors[:, :dimensions]
    length = np.linalg.norm(kept, axis=1, keepdims=True)
    return np.asarray(kept / np.where(length == 0, 1, length), dtype=np.float32)
