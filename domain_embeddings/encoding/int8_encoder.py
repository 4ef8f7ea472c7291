"""Texts to unit vectors with a model's int8 export, run by OpenVINO.

Much of a short query's time goes into what surrounds a model, so little surrounds it here: the folder's own tokenizer
and a graph that holds pooling and normalization too. All cores work on one text; of many texts each core takes batches
of its own, which are as long as their longest text and small enough for its cache.
"""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino
import torch

from domain_embeddings.core.errors import IntegrityError
from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding.batching import by_length
from domain_embeddings.encoding.cpu_features import has_bfloat16
from domain_embeddings.encoding.encoder_config import EncoderConfig
from domain_embeddings.encoding.roles import Role
from domain_embeddings.encoding.tokens import Piece, load_tokenizer, own_tokens, pieces

TOKENS = 640
"""Of a batch, padding included."""

_ABANDONED: list[Any] = []
"""What has threads that are not there: to take it down would be to wait for them."""

Inputs = dict[str, npt.NDArray[np.int64]]


def unit(vectors: Scores) -> Scores:
    """Rows scaled to length 1."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-9), dtype=np.float32)


class Int8Encoder:
    """One caller at a time; as many threads as PyTorch would use."""

    def __init__(self, tokenizer: Path, graph: Path, config: EncoderConfig) -> None:
        """Load a graph (.xml; its .bin lies beside it); an IntegrityError where it is none."""
        self.config = config
        self._tokenizer = load_tokenizer(tokenizer, config.max_seq_length)
        self._graph = _read(graph)
        _give_tokens(self._graph, config.width)

    def encode(self, texts: Sequence[str], role: Role) -> Scores:
        """Texts, all of one role → float32 (n, dimension), each row of length 1."""
        return self._run(self.config.prompts.before(texts, role), None)

    def encode_tokens(self, texts: Sequence[str], role: Role) -> tuple[Scores, list[Scores]]:
        """What `encode` gives, and each text's own token vectors (tokens, width), each of length 1."""
        tokens: list[Scores] = [np.empty((0, 0), dtype=np.float32)] * len(texts)
        read = self.config.prompts.before(texts, role)
        single, own = self._run(read, tokens), own_tokens(self._tokenizer, read, self.config.prompts.of(role))
        return single, tokens if own is None else [each[kept] for each, kept in zip(tokens, own, strict=True)]

    def pieces(self, text: str, role: Role) -> list[Piece]:
        """The tokens that `encode_tokens` gives a vector each."""
        return pieces(self._tokenizer, text, self.config.prompts.of(role))

    def _run(self, texts: Sequence[str], tokens: list[Scores] | None) -> Scores:
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]
        lengths = [len(one) for one in ids]
        vectors = np.empty((len(ids), self.config.dimension), dtype=np.float32)
        if len(ids) == 1:
            self._alone.infer(padded(ids))
            _keep(vectors, tokens, lengths, self._alone, [0])
            return vectors
        self._batches.set_callback(functools.partial(_keep, vectors, tokens, lengths))
        for rows in reversed(by_length(lengths, TOKENS)):  # the longest first: at the end, none waits for long
            self._batches.start_async(padded([ids[row] for row in rows]), rows)
        self._batches.wait_all()
        return vectors

    def forget_threads(self) -> None:
        """To be called in a forked child: the parent's threads are not there, and one is left."""
        torch.set_num_threads(1)
        _ABANDONED.append([self.__dict__.pop(name, None) for name in ("_alone", "_batches")])

    @functools.cached_property
    def _alone(self) -> openvino.InferRequest:
        return self._compiled(streams=1).create_infer_request()

    @functools.cached_property
    def _batches(self) -> openvino.AsyncInferQueue:
        return openvino.AsyncInferQueue(self._compiled(streams=torch.get_num_threads()))

    def _compiled(self, streams: int) -> openvino.CompiledModel:
        settings = {
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "INFERENCE_PRECISION_HINT": "bf16" if has_bfloat16() else "f32",  # of what is not int8
        }
        return openvino.Core().compile_model(self._graph, "CPU", settings)


def _read(graph: Path) -> openvino.Model:
    """The graph and its weights, in memory: the files may go."""
    core = openvino.Core()
    core.set_property({"ENABLE_MMAP": False})
    try:
        return core.read_model(str(graph), str(graph.with_suffix(".bin")))
    except RuntimeError as error:
        raise IntegrityError(graph, f"is no graph: {error}") from error


def padded(ids: Sequence[Sequence[int]]) -> Inputs:
    """Token ids, and a mask that is 1 where there are any: int64 (texts, tokens of the longest)."""
    width = max(len(one) for one in ids)
    inputs = {name: np.zeros((len(ids), width), dtype=np.int64) for name in ("input_ids", "attention_mask")}
    for row, one in enumerate(ids):
        inputs["input_ids"][row, : len(one)] = one
        inputs["attention_mask"][row, : len(one)] = 1
    return inputs


def _give_tokens(graph: openvino.Model, width: int) -> None:
    """Make what is pooled, the last value with a row for each token, an output too."""
    of_tokens = [
        node.output(0)
        for node in graph.get_ordered_ops()
        if node.get_output_size() == 1
        and (shape := node.output(0).partial_shape).rank.get_length() == 3
        and shape[2] == width
    ]
    graph.add_outputs(of_tokens[-1:])


def _keep(vectors: Scores, tokens: list[Scores] | None, lengths: Sequence[int], request: Any, rows: list[int]) -> None:
    vectors[rows] = request.get_output_tensor(0).data
    if tokens is not None:
        for row, states in zip(rows, request.get_output_tensor(1).data, strict=True):
            tokens[row] = unit(states[: lengths[row]])
