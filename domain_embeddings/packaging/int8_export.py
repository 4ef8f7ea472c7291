"""The int8 export of a model for OpenVINO.

Activations are asymmetric (one side of a GELU is nearly empty) and SmoothQuant's share (Xiao et al., 2022, alpha) is
0.75. The first block's second feed-forward layer has the largest outliers and stays as it is. Attention is left to
bfloat16, which is faster there than int8.

A processor without VNNI adds two products at a time in 16 bits, and what does not fit is cut off: other vectors than
with VNNI, farther from float32. Weights are scaled here so that every two fit (`fitting`), and both kinds of processor
give the same. `benchmarks.export_settings` compares these choices with others.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import nncf
import numpy as np
import openvino
import torch
from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters, AdvancedSmoothQuantParameters
from openvino import opset13

from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding.encoder import Model, encode
from domain_embeddings.encoding.int8_encoder import Inputs, Int8Encoder, padded
from domain_embeddings.encoding.roles import Role
from domain_embeddings.encoding.tokens import load_tokenizer
from domain_embeddings.packaging.export_fidelity import Fidelity, Texts, Vectors, evenly, measure

CALIBRATION = 32
"""Texts that show how large each layer's values become."""
KEPT = [r".*scaled_dot_product_attention.*", r".*layer\.0\.output\.dense.*"]
ALPHA = 0.75
_PADDED = 256
"""Tokens of the longer of two texts that show whether a graph can pad; more than any window."""
_LARGEST = 127
"""Of an int8 weight."""


class ExportError(RuntimeError):
    """No export comes near enough to the model. The message has the figures."""


def export(model: Model, tokenizer: Path, corpus: Sequence[str], texts: Texts, graph: Path) -> Fidelity:
    """Write `graph` (.xml) and its .bin, and tell how near they are to `model`, a float32 model on the CPU, on `texts`.

    Weights and activations are int8 where that is near enough, else the weights alone; an ExportError where that is too
    far off too, and where the graph cannot pad. `corpus` are the texts of which some calibrate: no questions. OpenVINO
    and nncf raise errors of many kinds where a model has parts that they do not know.
    """
    nncf.set_log_level(logging.WARNING)
    read = model.config.prompts.before(evenly(corpus, CALIBRATION), Role.PASSAGE)
    calibration = inputs_of(tokenizer, model.max_seq_length, read)
    expected = Vectors.of(texts, lambda some, role: encode(model, some, role))
    whole = converted(model.network)
    _check_padding(whole, model.max_seq_length)
    ways: Mapping[str, Callable[[], openvino.Model]] = {
        "weights and activations": lambda: fitting(quantized(whole, calibration)),
        "weights": lambda: nncf.compress_weights(whole, mode=nncf.CompressWeightsMode.INT8_ASYM),
    }
    problems = []
    for name, way in ways.items():
        openvino.save_model(_numbered(way()), graph, compress_to_fp16=False)
        fidelity = measure(name, Vectors.of(texts, Int8Encoder(tokenizer, graph, model.config).encode), expected)
        problem = fidelity.problem()
        if problem is None:
            return fidelity
        problems.append(f"with int8 {name}, {problem}")
    raise ExportError("; ".join(problems))


def _check_padding(graph: openvino.Model, limit: int) -> None:
    """Raise an ExportError where a short text beside a long one has no vector.

    OpenVINO's attention gives no numbers where nothing may be looked at, as a window of near tokens in the padding.
    """
    shortest, longest = [1, 2], [1] * min(limit, _PADDED)
    found = openvino.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(
        padded([shortest, longest])
    )
    if not np.isfinite(found[0]).all():
        raise ExportError("OpenVINO gives no numbers for a short text beside a long one")


class _UnitVectors(torch.nn.Module):
    """All of a model: token ids and mask → vectors of length 1."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.normalize(self.network(input_ids, attention_mask)[1], dim=1)


def converted(network: torch.nn.Module) -> openvino.Model:
    """A model's network in float32 as one graph, for any number of texts of any length."""
    example = {name: torch.ones(2, 8, dtype=torch.int64) for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        graph = openvino.convert_model(_UnitVectors(network).eval(), example_input=example)
    graph.reshape({name: openvino.PartialShape([-1, -1]) for name in example})
    return graph


def quantized(
    graph: openvino.Model, calibration: Sequence[Inputs], alpha: float = ALPHA, kept: Sequence[str] = KEPT
) -> openvino.Model:
    """The graph with weights and activations rounded to 8 bits, its weights still stored in float32.

    `alpha` is SmoothQuant's share; what matches `kept` stays as it is.
    """
    settings = AdvancedQuantizationParameters(
        disable_bias_correction=True,
        smooth_quant_alphas=AdvancedSmoothQuantParameters(matmul=alpha),
        backend_params={"compress_weights": False},  # they are needed in float32, to be scaled anew
    )
    return nncf.quantize(
        graph,
        nncf.Dataset(list(calibration)),
        model_type=nncf.ModelType.TRANSFORMER,
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(calibration),
        ignored_scope=nncf.IgnoredScope(patterns=list(kept), validate=False),
        advanced_parameters=settings,
    )


def fitting(graph: openvino.Model) -> openvino.Model:
    """The graph with int8 weights of which no two products saturate 16 bits (`pairs`)."""
    for node in graph.get_ordered_ops():
        source = node.input_value(0).get_node() if node.get_type_name() == "FakeQuantize" else None
        if source is None or source.get_type_name() != "Constant":
            continue  # an activation
        weights = np.asarray(source.data, dtype=np.float32)
        user = next(iter(node.output(0).get_target_inputs())).get_node()
        scale = np.maximum(_largest(weights, user), 1e-9) / _LARGEST
        whole = opset13.constant(np.rint(weights / scale).astype(np.int8))
        node.output(0).replace(opset13.multiply(opset13.convert(whole, np.float32), opset13.constant(scale)).output(0))
    return graph


def _largest(weights: Scores, user: Any) -> Scores:
    """What 127 stands for in each row, (rows, 1, …): the largest weight, or more where two would not fit."""
    rows = tuple(range(1, weights.ndim))
    alone = np.abs(weights).max(axis=rows, keepdims=True)
    if user.get_type_name() == "Gather":  # looked up, not multiplied
        return np.asarray(alone, dtype=np.float32)
    if user.get_type_name() == "MatMul" and weights.ndim == 2 and user.get_attributes()["transpose_b"]:
        return np.asarray(np.maximum(alone, pairs(weights)), dtype=np.float32)
    return np.asarray(2 * alone, dtype=np.float32)


def pairs(weights: Scores) -> Scores:
    """The largest sum of two neighbours of one sign in each row: (rows, inputs) → (rows, 1).

    An unsigned activation is at most 255, so where such a sum is 128 or less in int8, the sum of both products lies
    within ±32,640: 16 bits hold it. A sum of 127 may become 128 by rounding. Half the range for every weight would do
    too, at the price of a bit: few rows have their largest weights side by side.
    """
    even = np.pad(weights, ((0, 0), (0, weights.shape[1] % 2)))
    signs = (np.maximum(sign * even, 0) for sign in (1, -1))
    found = np.max([one[:, ::2] + one[:, 1::2] for one in signs], axis=(0, 2))
    return np.asarray(found[:, None], dtype=np.float32)


def _numbered(graph: openvino.Model) -> openvino.Model:
    """The graph with names that do not count up within a process: the same model gives the same bytes."""
    graph.set_friendly_name("model")
    for number, node in enumerate(graph.get_ordered_ops()):
        node.set_friendly_name(str(number))
    return graph


def inputs_of(tokenizer: Path, limit: int, texts: Sequence[str]) -> list[Inputs]:
    """The graph's inputs for each text alone."""
    return [padded([encoding.ids]) for encoding in load_tokenizer(tokenizer, limit).encode_batch_fast(list(texts))]
