"""The ways to run a packaged model: PyTorch in float32 or bfloat16, OpenVINO in int8.

A packaged model holds a few texts with their vectors (`probe`), and `auto` takes the first way that gives these vectors
on this machine. OpenVINO comes first: in int8 it is the fastest, with VNNI or without (`benchmarks.encode_throughput`).
It is imported only where it is asked for, for it need not be there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, get_args

import torch

from domain_embeddings.core.errors import IntegrityError
from domain_embeddings.core.optional import why
from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding import late
from domain_embeddings.encoding.cpu_features import has_bfloat16
from domain_embeddings.encoding.encoder import encode, load, truncated
from domain_embeddings.encoding.encoder_config import EncoderConfig
from domain_embeddings.encoding.roles import Role
from domain_embeddings.encoding.tokens import TOKENIZER, Piece, pieces
from domain_embeddings.packaging.manifest import EXPORTED
from domain_embeddings.packaging.probe import Probe, read_probe

Backend = Literal["auto", "torch", "bfloat16", "openvino"]


class BackendError(ValueError):
    """A backend that was asked for and that this model, this device or this machine does not have."""


class Encoder(Protocol):
    """A loaded model: one caller at a time."""

    config: EncoderConfig

    def encode(self, texts: Sequence[str], role: Role) -> Scores:
        """At least one text → float32 (n, dimension), each row of length 1."""

    def encode_tokens(self, texts: Sequence[str], role: Role) -> tuple[Scores, list[Scores]]:
        """What `encode` gives, and each text's own token vectors (tokens, width), each of length 1."""

    def pieces(self, text: str, role: Role) -> list[Piece]:
        """The tokens that `encode_tokens` gives a vector each."""

    def forget_threads(self) -> None:
        """To be called in a forked child: the parent's threads are not there."""


class TorchEncoder:
    """A sentence-transformers model in float32 or bfloat16."""

    def __init__(self, folder: Path, max_seq_length: int | None, device: str, dtype: torch.dtype) -> None:
        """Load a folder; without `max_seq_length` its files are taken at their word."""
        self._model = load(folder, max_seq_length, device, dtype)
        self._whole = dtype == torch.float32
        self.config = self._model.config

    def encode(self, texts: Sequence[str], role: Role) -> Scores:
        """Texts, all of one role → float32 (n, dimension), each row of length 1."""
        vectors = encode(self._model, texts, role)
        # bfloat16's lengths are off by 0.1%
        return vectors if self._whole else truncated(vectors, self.config.dimension)

    def encode_tokens(self, texts: Sequence[str], role: Role) -> tuple[Scores, list[Scores]]:
        """What `encode` gives, and each text's own token vectors (tokens, width), each of length 1."""
        return late.encode_tokens(self._model, texts, role)

    def pieces(self, text: str, role: Role) -> list[Piece]:
        """The tokens that `encode_tokens` gives a vector each."""
        return pieces(self._model.tokenizer, text, self.config.prompts.of(role))

    def forget_threads(self) -> None:
        """PyTorch's pool does not survive a fork: one thread is left."""
        torch.set_num_threads(1)


@dataclass(frozen=True)
class Loaded:
    """A model that is ready to encode."""

    encoder: Encoder
    backend: Backend
    refused: Mapping[str, str]
    """Backend → why `auto` did not take it, though this model and device have it."""


def load_encoder(folder: Path, max_seq_length: int | None, backend: Backend, device: str) -> Loaded:
    """Load a folder that was checked, with `backend` or, for `auto`, with the first that gives the packaged vectors.

    Without `max_seq_length`, which a card has and the base has not, the folder counts as one without an export. One
    without vectors, as the base and what was packaged before there were any, is run by `auto` in float32 alone.
    A BackendError for a backend that is none, not to be had, or gives other vectors; an IntegrityError where even
    float32 gives others, for then the model is not the one that was packaged.
    """
    if backend not in get_args(Backend):
        raise BackendError(f"backend is {backend!r}, allowed are {', '.join(get_args(Backend))}")
    exported = max_seq_length is not None and (folder / EXPORTED[0]).is_file()
    if backend == "openvino" and (not exported or device != "cpu"):
        problem = "device is not cpu" if exported else "the model has no int8 export (package.export in params.yaml)"
        raise BackendError(f"backend is 'openvino', but {problem}")
    probe = read_probe(folder)
    wanted = candidates(exported, probe is not None, device) if backend == "auto" else [backend]
    refused: dict[str, str] = {}
    for each in wanted:
        try:
            return Loaded(_checked(folder, max_seq_length, each, device, probe), each, refused)
        except (BackendError, IntegrityError) as error:
            if backend != "auto":
                raise
            refused[each] = str(error)
    raise IntegrityError(folder, f"no backend gives its vectors here: {'; '.join(refused.values())}")


def candidates(exported: bool, probed: bool, device: str) -> list[Backend]:
    """What `auto` tries, the fastest first."""
    int8: list[Backend] = ["openvino"] if exported and device == "cpu" and probed else []
    half: list[Backend] = ["bfloat16"] if device == "cpu" and probed and has_bfloat16() else []
    return [*int8, *half, "torch"]


def _checked(folder: Path, max_seq_length: int | None, backend: Backend, device: str, probe: Probe | None) -> Encoder:
    """Load with one backend.

    A BackendError where that cannot be or gives other vectors than the probe's, an IntegrityError for what is no graph.
    """
    if backend != "openvino" or max_seq_length is None:
        dtype = torch.bfloat16 if backend == "bfloat16" else torch.float32
        encoder: Encoder = TorchEncoder(folder, max_seq_length, device, dtype)
        problem = probe and probe.problem(encoder)
    else:
        try:
            from domain_embeddings.encoding.int8_encoder import Int8Encoder  # only here: OpenVINO need not be there

            config = EncoderConfig.of(folder, max_seq_length)
            encoder = Int8Encoder(folder / TOKENIZER, folder / EXPORTED[0], config)
            problem = probe and probe.problem(encoder)
        except IntegrityError:
            raise
        except Exception as error:  # of many kinds, where a library or a processor is not what OpenVINO expects
            problem = why(error)
    if problem:
        raise BackendError(f"{backend}: {problem}")
    return encoder
