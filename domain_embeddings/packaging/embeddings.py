"""What production code imports: a packaged model, loaded only if it is byte for byte what was packaged.

from domain_embeddings import VersionedEmbeddings

model = VersionedEmbeddings(version="1.1", corpus="manuals")
asked = model.encode_query(["How do I bleed the brakes?"])  # float32 (1, 384), of length 1
found = model.encode_passage(["Open the bleeder, press the pedal, …"])
"""

import logging
import os
import tempfile
import threading
import weakref
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from domain_embeddings.core.errors import IntegrityError, UserError
from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding.encoder import truncated
from domain_embeddings.encoding.encoder_config import EncoderConfig
from domain_embeddings.encoding.roles import Role
from domain_embeddings.encoding.tokens import Piece
from domain_embeddings.packaging.backends import Backend, Loaded, load_encoder
from domain_embeddings.packaging.dvc_lock import recorded_by
from domain_embeddings.packaging.verification import BASE, Verified, model_name, verify
from domain_embeddings.text_matching.unicode_normalization import canonical

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
        backend: Backend = "auto",
        require: Collection[str] = (),
    ) -> None:
        """Load `root`/<corpus>-embeddings-v<version>, or, where the version is None, the base on purpose.

        Where that is not what was packaged, the base in `root`/base is loaded, checked as strictly, and the reason
        logged; without `fallback_to_baseline` an IntegrityError is raised, as it is where the base is not right either.
        With a `public_key` (PEM), models without its signature are refused; with `require`, those that were not checked
        against each of these witnesses (`manifest`, `dvc.lock`, `signature`). `dimensions` keeps only so many leading
        numbers of each vector, for a smaller index. `backend` is `openvino` (the model's int8 export), `bfloat16`,
        `torch` (float32) or `auto`, the first of these that model, device and processor have and that gives the
        packaged vectors here; the base, which has no export and no such vectors, takes float32. A ValueError for an
        impossible name, number of dimensions or backend, and for a backend that gives other vectors here.
        """
        name = BASE if version is None else model_name(corpus, version)
        self.corpus, self.version = corpus, version
        self.fallback_reason: str | None = None
        try:
            loaded, self._verified = _load(root / name, public_key, backend, device, require)
        except IntegrityError as error:
            if not fallback_to_baseline or version is None:
                raise
            self.fallback_reason = str(error)
            LOG.warning("%s is refused, the base model is used instead: %s", name, error)
            without_export: Backend = "auto" if backend == "openvino" else backend
            loaded, self._verified = _load(root / BASE, public_key, without_export, device, require)
        self._encoder, self.backend, self.refused_backends = loaded.encoder, loaded.backend, dict(loaded.refused)
        for reason in self.refused_backends.values():
            LOG.warning("%s runs with %s: %s", self._verified.folder.name, self.backend, reason)
        self.dimension = _dimension(self._encoder.config, dimensions)
        self.token_dimension = min(dimensions or self._encoder.config.width, self._encoder.config.width)
        self.config = self._encoder.config
        self.system = self._verified.system
        self._lock = threading.Lock()
        _LOADED.add(self)

    def encode_query(self, texts: Sequence[str]) -> Scores:
        """Queries → float32 (n, dimension), the model's own unless asked for fewer; each row of length 1.

        Disguised letters and invisible characters are read as what they stand for (`canonical`).
        """
        return self._encode(texts, Role.QUERY)

    def encode_passage(self, texts: Sequence[str]) -> Scores:
        """Passages, as `encode_query` encodes queries; a passage's title stands before its text, a space between."""
        return self._encode(texts, Role.PASSAGE)

    def encode(self, texts: Sequence[str]) -> Scores:
        """Texts of either role, by a model for which that makes no difference; a UserError where it makes one."""
        if self.config.prompts.query != self.config.prompts.passage:
            problem = "has other prompts before queries than before passages"
            raise UserError(f"{self._verified.folder.name} {problem}: call encode_query or encode_passage")
        return self._encode(texts, Role.PASSAGE)

    def encode_tokens(self, texts: Sequence[str], role: Role) -> tuple[Scores, list[Scores]]:
        """What `encode_query` or `encode_passage` gives, and in the same pass each text's own token vectors.

        These have (tokens, the model's dimensions); those of the prompt are left out.
        """
        with self._lock:
            vectors, tokens = self._encoder.encode_tokens([canonical(text) for text in texts], role)
        return vectors if vectors.shape[1] == self.dimension else truncated(vectors, self.dimension), tokens

    def pieces(self, text: str, role: Role) -> list[Piece]:
        """The tokens that `encode_tokens` gives a vector each, and where they stand in the canonical text."""
        with self._lock:
            return self._encoder.pieces(canonical(text), role)

    def _encode(self, texts: Sequence[str], role: Role) -> Scores:
        if isinstance(texts, str):
            raise TypeError(f"expected is a list of texts, not one text: [{texts[:40]!r}]")
        if len(texts) == 0:
            return np.empty((0, self.dimension), dtype=np.float32)
        with self._lock:  # a tokenizer is changed while it is used
            vectors = self._encoder.encode([canonical(text) for text in texts], role)
        return vectors if vectors.shape[1] == self.dimension else truncated(vectors, self.dimension)

    def get_model_info(self) -> dict[str, Any]:
        """What is loaded, why, checked against what, and the commit (with its date) that recorded it, if Git knows."""
        folder = self._verified.folder
        recorded = recorded_by(folder)
        return {
            "corpus": self.corpus,
            "version": self.version,
            "loaded": "base" if folder.name == BASE else "version",
            "fallback_reason": self.fallback_reason,
            "folder": str(folder),
            "checked_against": list(self._verified.witnesses),
            "backend": self.backend,
            "refused_backends": self.refused_backends,
            "dimension": self.dimension,
            "max_seq_length": self.config.max_seq_length,
            "prompts": asdict(self.config.prompts),
            "weights_sha256": self._verified.sha256,
            "training_commit": (recorded or {}).get("commit", self._verified.card.get("training_commit")),
            "training_date": (recorded or {}).get("date"),
            "card": self._verified.card,
        }

    def _after_fork(self) -> None:
        self._lock = threading.Lock()  # the parent's may be held by a thread that is not here
        self._encoder.forget_threads()


def _dimension(config: EncoderConfig, wanted: int | None) -> int:
    """How wide the vectors are to be; a ValueError for more than the model has, or none."""
    if wanted is not None and not 1 <= wanted <= config.dimension:
        has = config.dimension
        raise ValueError(f"dimensions is {wanted}, the model has {has}: allowed are 1 to {has}")
    return wanted or config.dimension


def _load(
    folder: Path, public_key: Path | None, backend: Backend, device: str, require: Collection[str]
) -> tuple[Loaded, Verified]:
    """Verify a copy and load that copy, which nobody else knows."""
    with tempfile.TemporaryDirectory(prefix="domain-embeddings-") as temporary:
        copy = Path(temporary) / folder.name
        copy.mkdir()
        verified = verify(folder, copy, public_key, require)
        limit = verified.card.get("max_seq_length")  # the base has no card and is taken at its word
        loaded = load_encoder(copy, limit, backend, device)
    return loaded, verified


_LOADED: "weakref.WeakSet[VersionedEmbeddings]" = weakref.WeakSet()


def _in_forked_child() -> None:
    for model in _LOADED:
        model._after_fork()


os.register_at_fork(after_in_child=_in_forked_child)
