"""The int8 export of a model for OpenVINO, and how near it is to the model.

Activations are asymmetric (one side of a GELU is nearly empty) and SmoothQuant's share (Xiao et al., 2022, alpha) is
0.75: of 0.5 to 0.95 the nearest to float32 on the sample corpora. The first block's second feed-forward layer has the
largest outliers and stays as it is: that takes 40% off the distance to float32. Attention is
left to bfloat16, which is faster there than int8.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nncf
import numpy as np
import openvino
import torch
from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters, AdvancedSmoothQuantParameters
from sentence_transformers import SentenceTransformer

from domain_embeddings.dataset import DataError
from domain_embeddings.dev import Dev, scores
from domain_embeddings.encoder import encode
from domain_embeddings.int8_encoder import Inputs, Int8Encoder, load_tokenizer, padded
from domain_embeddings.params.package import ExportParams
from domain_embeddings.ranking import Scores

KEPT = [r".*scaled_dot_product_attention.*", r".*layer\.0\.output\.dense.*"]
SMOOTHING = AdvancedSmoothQuantParameters(matmul=0.75)

Vectors = tuple[Scores, Scores]
"""Of a dev set's passages, and of its questions."""


@dataclass(frozen=True)
class Fidelity:
    """What the export gives where float32 gives something else, on the same dev questions."""

    quantized: str
    """`weights and activations`, or `weights` where that lost too much."""
    questions: int
    passages: int
    cosine: float
    """Mean over passages and questions."""
    ndcg: float
    ndcg_float32: float

    def problem(self, params: ExportParams) -> str | None:
        """Why the export is refused, if it is."""
        if self.ndcg < self.ndcg_float32 * (1 - params.max_ndcg_loss):
            loss = 1 - self.ndcg / self.ndcg_float32
            return (
                f"nDCG@10 is {self.ndcg} where float32 has {self.ndcg_float32} ({self.questions} dev questions): "
                f"{loss:.1%} lost, allowed are {params.max_ndcg_loss:.1%}"
            )
        if self.cosine < params.min_cosine:
            return f"the mean cosine to float32 is {self.cosine}, at least {params.min_cosine} is asked for"
        return None


def export(
    model: SentenceTransformer, tokenizer: Path, corpus: Sequence[str], dev: Dev, params: ExportParams, graph: Path
) -> Fidelity:
    """Write `graph` (.xml) and its .bin, and tell how near they are to `model`, a float32 model on the CPU.

    Weights and activations are int8 where that loses no more than `params` allows, else the weights alone; where that
    loses more too, a DataError with all figures. `corpus` are the texts of which some calibrate: no questions.
    """
    texts = [corpus[row] for row in np.linspace(0, len(corpus) - 1, min(params.calibration, len(corpus)), dtype=int)]
    whole, limit = converted(model), int(model.max_seq_length or 0)
    expected = _vectors(lambda some: encode(model, some), dev)
    ways: Mapping[str, Callable[[], openvino.Model]] = {
        "weights and activations": lambda: _quantized(whole, _inputs(tokenizer, limit, texts)),
        "weights": lambda: nncf.compress_weights(whole, mode=nncf.CompressWeightsMode.INT8_ASYM),
    }
    nncf.set_log_level(logging.WARNING)
    problems = []
    for name, way in ways.items():
        openvino.save_model(_numbered(way()), graph, compress_to_fp16=False)
        found = _vectors(Int8Encoder(tokenizer, graph, limit).encode, dev)
        fidelity = _compared(name, found, expected, dev)
        problem = fidelity.problem(params)
        if problem is None:
            return fidelity
        problems.append(f"with int8 {name}, {problem}")
    remedy = "package.export: null packages without an export; package.export in params.yaml has both limits"
    raise DataError("int8 export", "; ".join(problems), remedy=remedy)


class _UnitVectors(torch.nn.Module):
    """All of a sentence-transformers model: token ids and mask → vectors of length 1."""

    def __init__(self, model: SentenceTransformer) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        features = self.model({"input_ids": input_ids, "attention_mask": attention_mask})
        return torch.nn.functional.normalize(features["sentence_embedding"], dim=1)


def converted(model: SentenceTransformer) -> openvino.Model:
    """The model in float32 as one graph, for any number of texts of any length."""
    example = {name: torch.ones(2, 8, dtype=torch.int64) for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        graph = openvino.convert_model(_UnitVectors(model).eval(), example_input=example)
    graph.reshape({name: openvino.PartialShape([-1, -1]) for name in example})
    return graph


def _quantized(graph: openvino.Model, calibration: list[Inputs]) -> openvino.Model:
    return nncf.quantize(
        graph,
        nncf.Dataset(calibration),
        model_type=nncf.ModelType.TRANSFORMER,
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(calibration),
        ignored_scope=nncf.IgnoredScope(patterns=KEPT, validate=False),
        advanced_parameters=AdvancedQuantizationParameters(disable_bias_correction=True, smooth_quant_alphas=SMOOTHING),
    )


def _numbered(graph: openvino.Model) -> openvino.Model:
    """The graph with names that do not count up within a process: the same model gives the same bytes."""
    graph.set_friendly_name("model")
    for number, node in enumerate(graph.get_ordered_ops()):
        node.set_friendly_name(str(number))
    return graph


def _inputs(tokenizer: Path, limit: int, texts: Sequence[str]) -> list[Inputs]:
    """The graph's inputs for each text alone."""
    return [padded([encoding.ids]) for encoding in load_tokenizer(tokenizer, limit).encode_batch_fast(list(texts))]


def _vectors(encode_texts: Callable[[Sequence[str]], Scores], dev: Dev) -> Vectors:
    return (
        encode_texts(list(dev.passages.values())),
        encode_texts([query.text for query in dev.queries.values()]),
    )


def _compared(name: str, found: Vectors, expected: Vectors, dev: Dev) -> Fidelity:
    cosines = np.concatenate([(ours * theirs).sum(axis=1) for ours, theirs in zip(found, expected, strict=True)])
    ndcg, ndcg_float32 = (
        float(np.mean([row["ndcg@10"] for row in scores(dev, *vectors).values()])) for vectors in (found, expected)
    )
    return Fidelity(
        quantized=name,
        questions=len(dev.queries),
        passages=len(dev.passages),
        cosine=round(float(cosines.mean()), 4),
        ndcg=round(ndcg, 4),
        ndcg_float32=round(ndcg_float32, 4),
    )
