"""The ways to run a packaged model: PyTorch in float32 or bfloat16, OpenVINO in int8."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol, get_args

import torch

from domain_embeddings import late
from domain_embeddings.encoder import encode, load, truncated
from domain_embeddings.int8_encoder import TOKENIZER, Int8Encoder, Piece, pieces
from domain_embeddings.integrity import EXPORTED
from domain_embeddings.machine import has_bfloat16, has_int8
from domain_embeddings.ranking import Scores

Backend = Literal["auto", "torch", "bfloat16", "openvino"]


class Encoder(Protocol):
    """A loaded model: one caller at a time."""

    dimension: int
    max_seq_length: int

    def encode(self, texts: Sequence[str]) -> Scores:
        """At least one text → float32 (n, dimension), each row of length 1."""

    def encode_tokens(self, texts: Sequence[str]) -> tuple[Scores, list[Scores]]:
        """What `encode` gives, and each text's token vectors (tokens, dimension), each of length 1."""

    def pieces(self, text: str) -> list[Piece]:
        """The tokens that `encode_tokens` gives a vector each."""

    def forget_threads(self) -> None:
        """To be called in a forked child: the parent's threads are not there."""


class TorchEncoder:
    """A sentence-transformers model in float32 or bfloat16."""

    def __init__(self, folder: Path, max_seq_length: int | None, device: str, dtype: torch.dtype) -> None:
        """Load a folder; without `max_seq_length` its files are taken at their word."""
        self._model = load(folder, max_seq_length, device).to(dtype)
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self.max_seq_length = int(self._model.max_seq_length or 0)

    def encode(self, texts: Sequence[str]) -> Scores:
        """Texts → float32 (n, dimension), each row of length 1."""
        vectors = encode(self._model, texts)
        whole = self._model.dtype == torch.float32
        return vectors if whole else truncated(vectors, self.dimension)  # bfloat16's lengths are off by 0.1%

    def encode_tokens(self, texts: Sequence[str]) -> tuple[Scores, list[Scores]]:
        """What `encode` gives, and each text's token vectors (tokens, dimension), each of length 1."""
        single, tokens = late.encode(self._model, texts, question=False, dtype=torch.float32)
        return single, [part.numpy() for part in torch.split(tokens.vectors, list(tokens.lengths))]

    def pieces(self, text: str) -> list[Piece]:
        """The tokens that `encode_tokens` gives a vector each."""
        return pieces(self._model.tokenizer(text, truncation=True, max_length=self.max_seq_length).encodings[0])

    def forget_threads(self) -> None:
        """PyTorch's pool does not survive a fork: one thread is left."""
        torch.set_num_threads(1)


def choose(wanted: Backend, exported: bool, device: str) -> Backend:
    """What `wanted` comes to: `auto` is the fastest that the model and this machine have.

    Raises a ValueError for a backend that there is not, or not for this model or device.
    """
    if wanted not in get_args(Backend):
        raise ValueError(f"backend is {wanted!r}, allowed are {', '.join(get_args(Backend))}")
    if wanted == "openvino" and (not exported or device != "cpu"):
        problem = "device is not cpu" if exported else "the model has no int8 export (package.export in params.yaml)"
        raise ValueError(f"backend is 'openvino', but {problem}")
    if wanted != "auto":
        return wanted
    if exported and device == "cpu" and has_int8():
        return "openvino"
    return "bfloat16" if device == "cpu" and has_bfloat16() else "torch"


def load_encoder(folder: Path, max_seq_length: int | None, backend: Backend, device: str) -> tuple[Encoder, Backend]:
    """Load a folder that was checked, and tell with which backend.

    Without `max_seq_length`, which a card has and the base has not, the folder counts as one without an export.
    """
    exported = max_seq_length is not None and (folder / EXPORTED[0]).is_file()
    chosen = choose(backend, exported, device)
    if chosen == "openvino" and max_seq_length is not None:
        return Int8Encoder(folder / TOKENIZER, folder / EXPORTED[0], max_seq_length), chosen
    dtype = torch.bfloat16 if chosen == "bfloat16" else torch.float32
    return TorchEncoder(folder, max_seq_length, device, dtype), chosen
