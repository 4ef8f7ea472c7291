"""The int8 export: the same bytes again, the same vectors on every processor, refused where it is too far off."""

from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
from openvino import opset13

from domain_embeddings.encoding.encoder import Model, load
from domain_embeddings.encoding.int8_encoder import Int8Encoder
from domain_embeddings.encoding.tokens import TOKENIZER
from domain_embeddings.packaging import export_fidelity
from domain_embeddings.packaging import int8_export as exporting
from domain_embeddings.packaging.int8_export import ExportError, export, pairs
from domain_embeddings.packaging.manifest import EXPORTED
from tests.packaged import NAME, calibration_texts, judging_texts

pytestmark = pytest.mark.slow


def exported(model: Model, models: Path, folder: Path) -> export_fidelity.Fidelity:
    return export(model, models / "base" / TOKENIZER, calibration_texts(), judging_texts(), folder / "model.xml")


def test_the_same_model_gives_the_same_bytes(base: Model, models: Path, tmp_path: Path) -> None:
    found = exported(base, models, tmp_path)

    for name in EXPORTED:
        assert (tmp_path / Path(name).name).read_bytes() == (models / NAME / name).read_bytes()
    assert (found.quantized, found.passages, found.queries) == ("weights and activations", 16, 16)
    assert 0.995 < found.cosine < 1
    assert found.overlap > 0.9


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
    texts = judging_texts().passages

    here, expected = (Int8Encoder(models / NAME / TOKENIZER, graph, 256).encode(texts) for graph in graphs)

    assert (here * expected).sum(axis=1).mean() > 0.9995


def test_weights_alone_where_activations_lose_too_much(
    base: Model, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_fidelity, "MIN_COSINE", 0.999)

    found = exported(base, models, tmp_path)

    assert found.quantized == "weights"
    assert found.cosine >= 0.999


def test_an_export_that_is_too_far_off_is_refused_with_its_figures(
    base: Model, base_folder: Path, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged: Any = load(base_folder, 256, device="cpu").network
    damaged.encoder.layer[3].intermediate.dense.weight.data *= 2
    converted = exporting.converted
    monkeypatch.setattr(exporting, "converted", lambda _: converted(damaged))

    with pytest.raises(ExportError) as error:
        exported(base, models, tmp_path)

    assert "with int8 weights and activations, the cosine to float32 is 0.9" in str(error.value)
    assert "; with int8 weights, the cosine to float32 is 0.9" in str(error.value)
    assert "asked for are 0.995 and 0.99" in str(error.value)
