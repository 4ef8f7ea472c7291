"""Loading a sentence-transformers folder and turning texts into unit vectors."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from tqdm.auto import tqdm

from domain_embeddings.batching import at_once, by_length
from domain_embeddings.machine import has_bfloat16
from domain_embeddings.ranking import Scores

_TOKENIZED_AT_ONCE = 256


def load(folder: Path, max_seq_length: int | None, device: str | None = None) -> SentenceTransformer:
    """Load a local model. The length limit is set here, for a model's files may hold several (None: as they say)."""
    model = SentenceTransformer(str(folder), device=device, local_files_only=True, trust_remote_code=False)
    if max_seq_length is not None:
        model.max_seq_length = max_seq_length
    return model


def encode(model: SentenceTransformer, texts: Sequence[str], progress: bool = False, exact: bool = True) -> Scores:
    """Texts → float32 (n, dimensions), each row of length 1.

    Not `exact`: a CPU that computes in bfloat16 does, about twice as fast, with cosines right to some 0.003. That is
    enough to compare models or to look for negatives; what a model's users get is exact.
    """
    vectors = np.empty((len(texts), model.get_embedding_dimension() or 0), dtype=np.float32)
    faster = not exact and model.device.type == "cpu" and has_bfloat16()
    with torch.autocast(model.device.type, torch.bfloat16, enabled=faster):
        for part in tqdm(micro_batches(model, texts), desc="encode", unit="batch", leave=False, disable=not progress):
            vectors[part] = model.encode(
                [texts[row] for row in part], batch_size=len(part), normalize_embeddings=True, show_progress_bar=False
            )
    return vectors


def micro_batches(model: SentenceTransformer, texts: Sequence[str]) -> list[list[int]]:
    """Rows of `texts` in micro-batches of like length, as many tokens at once as suit the model's device."""
    lengths: list[int] = []
    for start in range(0, len(texts), _TOKENIZED_AT_ONCE):
        some = list(texts[start : start + _TOKENIZED_AT_ONCE])
        ids = model.tokenizer(some, truncation=True, max_length=model.max_seq_length)["input_ids"]
        lengths += [len(row) for row in ids]
    return by_length(lengths, at_once(model.device.type))


def truncated(vectors: Scores, dimensions: int) -> Scores:
    """The first so many numbers of each row, scaled to length 1 again; a row that is zero there stays zero.

    What Matryoshka training (Kusupati et al., 2022) makes cheap; a model trained without it loses more: measure.
    """
    kept = vectors[:, :dimensions]
    length = np.linalg.norm(kept, axis=1, keepdims=True)
    return np.asarray(kept / np.where(length == 0, 1, length), dtype=np.float32)
