"""The int8 export of every architecture, on random weights."""

from pathlib import Path

import numpy as np
import openvino
import pytest

from domain_embeddings.encoding import late
from domain_embeddings.encoding.encoder import load
from domain_embeddings.encoding.int8_encoder import Int8Encoder
from domain_embeddings.encoding.roles import Role
from domain_embeddings.encoding.tokens import TOKENIZER
from domain_embeddings.packaging.int8_export import ExportError, converted, export
from tests.base_models import ARCHITECTURES, LEAF, make_kind
from tests.packaged import calibration_texts, judging_texts

pytestmark = pytest.mark.slow

TEXTS = ["brake", "The mast lifts the carriage. " * 9, "grease it"]
EXPORTED = [kind for kind in ARCHITECTURES if kind != "modernbert"]


@pytest.mark.parametrize("kind", EXPORTED)
def test_the_graph_gives_what_pytorch_gives(kind: str, tmp_path: Path) -> None:
    model = load(make_kind(kind, LEAF, tmp_path / kind), device="cpu")
    openvino.save_model(converted(model.network), tmp_path / "model.xml", compress_to_fp16=False)
    encoder = Int8Encoder(tmp_path / kind / TOKENIZER, tmp_path / "model.xml", model.config)

    found, expected = encoder.encode_tokens(TEXTS, Role.QUERY), late.encode_tokens(model, TEXTS, Role.QUERY)

    # OpenVINO takes bfloat16 where the processor has it
    np.testing.assert_allclose(found[0], expected[0], atol=0.02)
    for ours, theirs in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=0.05)


@pytest.mark.parametrize("kind", EXPORTED)
def test_the_export_is_near_enough(kind: str, tmp_path: Path) -> None:
    model = load(make_kind(kind, LEAF, tmp_path / kind), device="cpu")

    found = export(model, tmp_path / kind / TOKENIZER, calibration_texts(), judging_texts(), tmp_path / "model.xml")

    assert found.problem() is None


def test_a_window_of_near_tokens_is_refused(tmp_path: Path) -> None:
    """ModernBERT: in the padding a window holds nothing that may be looked at."""
    model = load(make_kind("modernbert", LEAF, tmp_path / "model"), device="cpu")

    with pytest.raises(ExportError, match="no numbers for a short text beside a long one"):
        export(model, tmp_path / "model" / TOKENIZER, calibration_texts(), judging_texts(), tmp_path / "model.xml")
