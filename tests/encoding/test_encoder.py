"""Texts to vectors, with the real base model."""

from pathlib import Path

import numpy as np
import pytest

from domain_embeddings.encoding import encoder
from domain_embeddings.encoding.cpu_features import has_bfloat16
from domain_embeddings.encoding.encoder import Model, encode, load, truncated
from domain_embeddings.encoding.roles import Role

TEXTS = ["brake", "Bleed the rear brake circuit.", "The mast lifts the carriage with two leaf chains. " * 10, ""]


def test_vectors_are_float32_of_length_1(base: Model) -> None:
    vectors = encode(base, TEXTS, Role.PASSAGE)

    assert vectors.dtype == np.float32
    assert vectors.shape == (4, 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.skipif(not has_bfloat16(), reason="this CPU has no bfloat16 instructions")
def test_what_is_not_exact_is_near(base: Model) -> None:
    exact, near = encode(base, TEXTS, Role.PASSAGE), encode(base, TEXTS, Role.PASSAGE, exact=False)

    assert near.dtype == np.float32
    assert 1e-5 < np.abs(near - exact).max() < 0.02
    assert (near * exact).sum(axis=1).min() > 0.999


def test_without_bfloat16_nothing_is_inexact(base: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "has_bfloat16", lambda: False)

    assert (encode(base, TEXTS, Role.PASSAGE, exact=False) == encode(base, TEXTS, Role.PASSAGE)).all()


def test_no_texts_give_no_rows(base: Model) -> None:
    assert len(encode(base, [], Role.PASSAGE)) == 0


def test_vectors_do_not_depend_on_the_batch(base: Model) -> None:
    together = encode(base, TEXTS * 20, Role.PASSAGE)  # several batches of 32, sorted by length within

    alone = np.concatenate([encode(base, [text], Role.PASSAGE) for text in TEXTS])
    assert np.abs(together - np.tile(alone, (20, 1))).max() < 1e-5


def test_the_limit_is_set_whatever_the_files_say(base_folder: Path) -> None:
    assert load(base_folder, 256, device="cpu").max_seq_length == 256
    assert load(base_folder, 64, device="cpu").max_seq_length == 64


def test_a_long_text_is_cut_at_256_tokens(base: Model) -> None:
    words = ["oil", "brake", "pump"] * 100  # a token each

    whole, cut, shorter = encode(base, [" ".join(words), " ".join(words[:254]), " ".join(words[:200])], Role.PASSAGE)

    assert np.abs(whole - cut).max() < 1e-6  # 254 words, [CLS] and [SEP]
    assert np.abs(whole - shorter).max() > 1e-3


def test_related_texts_are_near(base: Model) -> None:
    brakes, stopping, radar = encode(
        base, ["bleeding the brakes", "brake pedal feels spongy", "radar antenna gain"], Role.PASSAGE
    )

    assert brakes @ stopping > brakes @ radar


def test_truncated_vectors_have_length_1_by_hand() -> None:
    vectors = np.array([[3, 4, 12], [0, 0, 1]], dtype=np.float32) / np.float32(13)

    found = truncated(vectors, 2)

    assert found.dtype == np.float32
    assert found == pytest.approx(np.array([[0.6, 0.8], [0, 0]]), abs=1e-6)
