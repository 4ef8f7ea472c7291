"""Which way a model is run."""

from pathlib import Path

import numpy as np
import pytest
import torch

from domain_embeddings import backends
from domain_embeddings.backends import Backend, TorchEncoder, choose


@pytest.mark.parametrize(
    ("wanted", "exported", "device", "int8", "bfloat16", "chosen"),
    [
        ("auto", True, "cpu", True, True, "openvino"),
        ("auto", True, "cpu", False, True, "bfloat16"),
        ("auto", True, "cpu", False, False, "torch"),
        ("auto", False, "cpu", True, True, "bfloat16"),
        ("auto", True, "cuda", True, True, "torch"),
        ("openvino", True, "cpu", False, False, "openvino"),
        ("bfloat16", False, "cuda", False, False, "bfloat16"),
        ("torch", True, "cpu", True, True, "torch"),
    ],
)
def test_choice(
    monkeypatch: pytest.MonkeyPatch,
    wanted: Backend,
    exported: bool,
    device: str,
    int8: bool,
    bfloat16: bool,
    chosen: Backend,
) -> None:
    monkeypatch.setattr(backends, "has_int8", lambda: int8)
    monkeypatch.setattr(backends, "has_bfloat16", lambda: bfloat16)

    assert choose(wanted, exported, device) == chosen


def test_openvino_needs_an_export_and_a_processor() -> None:
    with pytest.raises(ValueError, match=r"no int8 export \(package\.export in params\.yaml\)"):
        choose("openvino", exported=False, device="cpu")
    with pytest.raises(ValueError, match="device is not cpu"):
        choose("openvino", exported=True, device="cuda")


def test_bfloat16_vectors_have_length_1(base_folder: Path) -> None:
    encoder = TorchEncoder(base_folder, 256, "cpu", torch.bfloat16)

    vectors = encoder.encode(["brake", "Bleed the rear brake circuit."])

    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-6)


def test_pytorch_gives_token_vectors_and_their_pieces(base_folder: Path) -> None:
    texts, encoder = ["Fuse F12.", ""], TorchEncoder(base_folder, 256, "cpu", torch.float32)

    single, tokens = encoder.encode_tokens(texts)

    np.testing.assert_allclose(single, encoder.encode(texts), atol=1e-6)
    assert [piece.token for piece in encoder.pieces(texts[0])] == [None, "fuse", "f1", "##2", ".", None]
    assert [each.shape for each in tokens] == [(len(encoder.pieces(text)), 384) for text in texts]
    assert np.linalg.norm(np.concatenate(tokens), axis=1) == pytest.approx(1, abs=1e-5)
    assert len(encoder.pieces("mast " * 1000)) == 256


def test_without_a_limit_the_folder_is_taken_at_its_word(base_folder: Path) -> None:
    assert TorchEncoder(base_folder, None, "cpu", torch.float32).max_seq_length == 256
    assert TorchEncoder(base_folder, 64, "cpu", torch.float32).max_seq_length == 64
