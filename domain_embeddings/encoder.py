"""Loading a sentence-transformers folder and turning texts into unit vectors."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer

from domain_embeddings.ranking import Scores


def load(folder: Path, max_seq_length: int, device: str | None = None) -> SentenceTransformer:
    """Load a local model. The length limit is set here, for the files of a model may hold several."""
    model = SentenceTransformer(str(folder), device=device, local_files_only=True, trust_remote_code=False)
    model.max_seq_length = max_seq_length
    return model


def encode(model: SentenceTransformer, texts: Sequence[str], progress: bool = False) -> Scores:
    """Texts → float32 (n, dimensions), each row of length 1."""
    vectors = model.encode(
        list(texts), batch_size=32, convert_to_numpy=True, normalize_embeddings=True, show_progress_bar=progress
    )
    return np.asarray(vectors, dtype=np.float32)
