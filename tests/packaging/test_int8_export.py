"""The int8 export: near the model, on every processor the same, of the weights alone where more loses too much."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
from openvino import opset13

from domain_embeddings.encoding.encoder import Model
from domain_embeddings.encoding.encoder_config import EncoderConfig
from domain_embeddings.encoding.int8_encoder import Int8Encoder
from domain_embeddings.encoding.roles import Role
from domain_embeddings.encoding.tokens import TOKENIZER
from domain_embeddings.packaging import export_fidelity
from domain_embeddings.packaging.int8_export import export, pairs
from domain_embeddings.packaging.manifest import EXPORTED
from tests.packaged import NAME, calibration_texts, judging_texts

pytestmark = pytest.mark.slow


def test_the_export_is_near_the_model(models: Path) -> None:
    found = json.loads((models / NAME / "model_card.json").read_text(encoding="utf-8"))["int8_export"]

    assert (found["quantized"], found["passages"], found["queries"]) == ("weights and activations", 16, 16)
    assert 0.995 < found["cosine"] < 1
    assert found["overlap"] > 0.9


def test_the_largest_pair_by_hand() -> None:
    # neighbours are (0, 1), (2, 3) and the fifth with nothing
    rows = np.array([[100, 60, -50, 90, 1], [100, -60, -50, -90, 0], [1, 1, 1, 1, 80]], dtype=np.float32)

    assert pairs(rows).tolist() == [[160], [140], [80]]


def weights(graph: openvino.Model) -> list[Any]:
    """The int8 weights of all products, (rows, inputs) each."""
    products = [node for node in graph.get_ordered_ops() if node.get_type_name() == "MatMul"]
    found = []
    for node in products:
        source = node.input_value(1).get_node()
        while source.get_type_name() in ("Multiply", "Convert"):
            source = source.input_value(0).get_node()
        if source.get_type_name() == "Constant" and source.get_element_type() == openvino.Type.i8:
            found.append(source.data.astype(np.int32))
    return found


def test_no_two_products_saturate_16_bits(models: Path) -> None:
    all_weights = weights(openvino.Core().read_model(str(models / NAME / EXPORTED[0])))

    assert len(all_weights) == 35  # six a block, but one of the first
    for one in all_weights:
        for sign in (1, -1):
            positive = np.maximum(sign * one, 0)
            assert 255 * (positive[:, ::2] + positive[:, 1::2]).max() <= 32767
    assert np.mean([np.abs(one).max(axis=1).mean() for one in all_weights]) > 100  # most of the range is used


def exact(graph: openvino.Model) -> openvino.Model:
    """The graph with its activations rounded in float32, by definition of FakeQuantize: no int8 product anywhere."""
    for node in graph.get_ordered_ops():
        if node.get_type_name() != "FakeQuantize":
            continue
        value, low, high, out_low, out_high = (node.input_value(place) for place in range(5))
        steps = np.float32(node.get_attributes()["levels"] - 1)
        inside = opset13.minimum(opset13.maximum(value, low), high)
        share = opset13.divide(opset13.subtract(inside, low), opset13.subtract(high, low))
        rounded = opset13.divide(opset13.round(opset13.multiply(share, steps), "half_to_even"), steps)
        found = opset13.add(opset13.multiply(rounded, opset13.subtract(out_high, out_low)), out_low)
        node.output(0).replace(found.output(0))
    return graph


def test_this_processor_gives_what_exact_sums_give(models: Path, tmp_path: Path) -> None:
    whole = exact(openvino.Core().read_model(str(models / NAME / EXPORTED[0])))
    openvino.save_model(whole, tmp_path / "exact.xml", compress_to_fp16=False)
    graphs = (models / NAME / EXPORTED[0], tmp_path / "exact.xml")
    texts, config = judging_texts().passages, EncoderConfig.of(models / NAME)

    here, expected = (
        Int8Encoder(models / NAME / TOKENIZER, graph, config).encode(texts, Role.PASSAGE) for graph in graphs
    )

    assert (here * expected).sum(axis=1).mean() > 0.9995


def test_weights_alone_where_activations_lose_too_much(
    base: Model, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_fidelity, "MIN_COSINE", 0.999)

    found = export(base, models / "base" / TOKENIZER, calibration_texts(), judging_texts(), tmp_path / "model.xml")

    assert found.quantized == "weights"
    assert found.cosine >= 0.999
