"""Texts to vectors with the int8 export of the real base model."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from domain_embeddings.core.errors import IntegrityError
from domain_embeddings.encoding import late
from domain_embeddings.encoding.encoder import Model, encode
from domain_embeddings.encoding.encoder_config import EncoderConfig
from domain_embeddings.encoding.int8_encoder import Int8Encoder, padded
from domain_embeddings.encoding.roles import Role
from domain_embeddings.encoding.tokens import TOKENIZER, load_tokenizer
from domain_embeddings.packaging.manifest import EXPORTED
from tests.packaged import NAME, calibration_texts

TEXTS = ["brake", "Bleed the rear brake circuit.", "The mast lifts the carriage with two leaf chains. " * 60, ""]


@pytest.fixture(scope="module")
def encoder(models: Path) -> Int8Encoder:
    return Int8Encoder(models / NAME / TOKENIZER, models / NAME / EXPORTED[0], EncoderConfig.of(models / NAME))


def test_padding_by_hand() -> None:
    inputs = padded([[101, 102], [101, 7, 102]])

    assert inputs["input_ids"].tolist() == [[101, 102, 0], [101, 7, 102]]
    assert inputs["attention_mask"].tolist() == [[1, 1, 0], [1, 1, 1]]


def test_tokens_are_those_of_the_model(models: Path, peer: SentenceTransformer) -> None:
    tokenizer = load_tokenizer(models / NAME / TOKENIZER, 256)

    for text in [*TEXTS, "Überdruck  5.3 bar\n(P/N 0452-A)"]:
        assert tokenizer.encode(text).ids == peer.tokenize([text])["input_ids"][0].tolist()


@pytest.mark.slow
def test_vectors_are_near_those_of_the_model(encoder: Int8Encoder, base: Model) -> None:
    texts = [*TEXTS, *calibration_texts()]

    vectors = encoder.encode(texts, Role.PASSAGE)

    assert (vectors.dtype, vectors.shape) == (np.float32, (len(texts), 384))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert (vectors * encode(base, texts, Role.PASSAGE)).sum(axis=1).mean() > 0.98


def test_a_text_alone_is_what_it_is_among_others(encoder: Int8Encoder) -> None:
    together = encoder.encode(TEXTS * 10, Role.PASSAGE)

    alone = np.concatenate([encoder.encode([text], Role.PASSAGE) for text in TEXTS])
    assert (together * np.tile(alone, (10, 1))).sum(axis=1).min() > 0.999


@pytest.mark.slow
def test_token_vectors_are_near_those_of_the_model(encoder: Int8Encoder, base: Model) -> None:
    texts = [*TEXTS, *calibration_texts()]

    single, tokens = encoder.encode_tokens(texts, Role.PASSAGE)

    expected = late.encode(base, texts, Role.PASSAGE, torch.float32)[1]
    assert [len(each) for each in tokens] == list(expected.lengths)
    joined = np.concatenate(tokens)
    assert np.linalg.norm(joined, axis=1) == pytest.approx(1, abs=1e-5)
    assert (joined * expected.vectors.numpy()).sum(axis=1).mean() > 0.98
    assert np.array_equal(single, encoder.encode(texts, Role.PASSAGE))


def test_token_vectors_of_a_text_alone_are_those_among_others(encoder: Int8Encoder) -> None:
    together = encoder.encode_tokens(TEXTS, Role.PASSAGE)[1]

    for text, tokens in zip(TEXTS, together, strict=True):
        (alone,) = encoder.encode_tokens([text], Role.PASSAGE)[1]
        assert alone.shape == tokens.shape
        assert (alone * tokens).sum(axis=1).min() > 0.99


def test_a_piece_for_each_token_vector(encoder: Int8Encoder) -> None:
    text = "Fuse F12."

    pieces = encoder.pieces(text, Role.PASSAGE)

    assert [piece.token for piece in pieces] == [None, "fuse", "f1", "##2", ".", None]
    assert [text[piece.start : piece.end] for piece in pieces] == ["", "Fuse", "F1", "2", ".", ""]
    assert len(encoder.encode_tokens([text], Role.PASSAGE)[1][0]) == len(pieces)
    assert len(encoder.pieces("mast " * 1000, Role.PASSAGE)) == 256


def test_what_is_no_graph_is_an_error(models: Path, tmp_path: Path) -> None:
    (tmp_path / "model.xml").write_text("<net>")
    (tmp_path / "model.bin").write_bytes(b"")

    with pytest.raises(IntegrityError, match=r"model\.xml: is no graph"):
        Int8Encoder(models / NAME / TOKENIZER, tmp_path / "model.xml", EncoderConfig.of(models / NAME))


@pytest.mark.slow
def test_nothing_is_told_to_anybody() -> None:
    program = "import sys, domain_embeddings.packaging.int8_export; print(sys.modules['openvino_telemetry'])"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "None\n"
