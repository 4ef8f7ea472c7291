"""What production code imports: a packaged model, loaded only if it is byte for byte what was packaged.

from domain_embeddings.embeddings import VersionedEmbeddings

model = VersionedEmbeddings(version="1.1", corpus="manuals")
vectors = model.encode(["How do I bleed the brakes?"])  # float32 (1, 384), of length 1
"""

import logging
import os
import tempfile
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from domain_embeddings.encoder import encode
from domain_embeddings.integrity import IntegrityError
from domain_embeddings.provenance import recorded_by
from domain_embeddings.ranking import Scores
from domain_embeddings.verification import BASE, Verified, lock_of, model_name, verify

LOG = logging.getLogger(__name__)


class VersionedEmbeddings:
    """A version of a corpus's embeddings, or the base model in its place, each checked before it is loaded.

    Safe to use from threads (one encodes at a time, all cores help it) and in forked workers (each with one thread of
    its own: the parent's thread pool does not survive a fork). A model on a GPU cannot be used after a fork.
    """

    def __init__(
        self,
        version: str | None,
        corpus: str,
        fallback_to_baseline: bool = True,
        root: Path = Path("models"),
        public_key: Path | None = None,
        device: str = "cpu",
        dimensions: int | None = None,
    ) -> None:
        """Load `root`/<corpus>-embeddings-v<version>, or, where the version is None, the base on purpose.

        Where that is not what was packaged, the base in `root`/base is loaded, checked as strictly, and the reason
        logged; without `fallback_to_baseline` an IntegrityError is raised, as it is where the base is not right either.
        With a `public_key` (PEM), models without its signature are refused. `dimensions` keeps only so many leading
        numbers of each vector, for a smaller index. A ValueError for an impossible name or number of dimensions.
        """
        name = BASE if version is None else model_name(corpus, version)
        self.corpus, self.version = corpus, version
        self.fallback_reason: str | None = None
        try:
            self._model, self._verified = _load(root / name, public_key, device)
        except IntegrityError as error:
            if not fallback_to_baseline or version is None:
                raise
            self.fallback_reason = str(error)
            LOG.warning("%s is refused, the base model is used instead: %s", name, error)
            self._model, self._verified = _load(root / BASE, public_key, device)
        self.dimension = _dimension(self._model, dimensions)
        self._lock = threading.Lock()
        _LOADED.add(self)

    def encode(self, texts: Sequence[str]) -> Scores:
        """Texts → float32 (n, dimension), 384 unless asked for fewer; each row of length 1."""
        if isinstance(texts, str):
            raise TypeError(f"encode takes a list of texts, not one text: [{texts[:40]!r}]")
        if len(texts) == 0:
            return np.empty((0, self.dimension), dtype=np.float32)
        with self._lock:  # a tokenizer is changed while it is used
            vectors = encode(self._model, texts)
        return vectors if vectors.shape[1] == self.dimension else truncated(vectors, self.dimension)

    def get_model_info(self) -> dict[str, Any]:
        """What is loaded, why, checked against what, and the commit (with its date) that recorded it, if Git knows."""
        folder = self._verified.folder
        recorded = recorded_by(lock_of(folder.parent), f"{folder.parent.name}/{folder.name}")
        return {
            "corpus": self.corpus,
            "version": self.version,
            "loaded": "base" if folder.name == BASE else "version",
            "fallback_reason": self.fallback_reason,
            "folder": str(folder),
            "checked_against": list(self._verified.witnesses),
            "dimension": self.dimension,
            "max_seq_length": self._model.max_seq_length,
            "weights_sha256": self._verified.sha256,
            "training_commit": (recorded or {}).get("commit", self._verified.card.get("training_commit")),
            "training_date": (recorded or {}).get("date"),
            "card": self._verified.card,
        }

    def _after_fork(self) -> None:
        self._lock = threading.Lock()  # the parent's may be held by a thread that is not here


def truncated(vectors: Scores, dimensions: int) -> Scores:
    """The first so many numbers of each row, scaled to length 1 again; a row that is zero there stays zero.

    What Matryoshka training (Kusupati et al., 2022) makes cheap; a model trained without it loses more: measure.
    """
    kept = vectors[:, :dimensions]
    length = np.linalg.norm(kept, axis=1, keepdims=True)
    return np.asarray(kept / np.where(length == 0, 1, length), dtype=np.float32)


def _dimension(model: SentenceTransformer, wanted: int | None) -> int:
    """How wide the vectors are to be; a ValueError for more than the model has, or none."""
    width = int(model.get_embedding_dimension() or 0)
    if wanted is not None and not 1 <= wanted <= width:
        raise ValueError(f"dimensions is {wanted}, the model has {width}: allowed are 1 to {width}")
    return wanted or width


def _load(folder: Path, public_key: Path | None, device: str) -> tuple[SentenceTransformer, Verified]:
    """Verify a copy and load that copy, which nobody else knows."""
    with tempfile.TemporaryDirectory(prefix="domain-embeddings-") as temporary:
        copy = Path(temporary) / folder.name
        copy.mkdir()
        verified = verify(folder, copy, public_key)
        model = SentenceTransformer(str(copy), device=device, local_files_only=True, trust_remote_code=False)
    if verified.card:  # a model's files may hold several limits; the base is taken at its word
        model.max_seq_length = int(verified.card["max_seq_length"])
    return model, verified


_LOADED: "weakref.WeakSet[VersionedEmbeddings]" = weakref.WeakSet()


def _in_forked_child() -> None:
    if _LOADED:
        torch.set_num_threads(1)
    for model in _LOADED:
        model._after_fork()


os.register_at_fork(after_in_child=_in_forked_child)
