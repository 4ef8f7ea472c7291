"""Token vectors as bits: literals, pooling, what is lost."""

import json

import numpy as np
import pytest
import torch

from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding import late
from domain_embeddings.encoding.encoder import Model
from domain_embeddings.encoding.late import Tokens
from domain_embeddings.encoding.roles import Role
from domain_embeddings.encoding.token_codec import Bits, TokenCodec
from tests.searching import PASSAGES

ALL_BITS: list[Bits] = [1, 2, 4]


def _unit(*shape: int) -> Scores:
    rows = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), dtype=np.float32)


def _codec(bits: Bits, factor: int = 1, dimensions: int = 8) -> TokenCodec:
    return TokenCodec(np.zeros(dimensions, np.float32), np.full(dimensions, 0.5, np.float32), bits, factor)


def test_1_bit_by_hand() -> None:
    pooled = _codec(1).pooled(np.array([[0.5, -0.5, 0.5, 0.5, 0, -0.1, 0, 0]], np.float32))

    assert pooled.codes.tolist() == [[0b10110000]]  # the sign, and 0 counts as below
    expected = np.array([1, -1, 1, 1, -1, -1, -1, -1]) / np.sqrt(8)
    np.testing.assert_allclose(_codec(1).vectors(pooled.codes), [expected], atol=1e-6)


def test_2_bits_by_hand() -> None:
    # in units of the spread: 1.2 → 3 (above the border (0.4528 + 1.5104) / 2 = 0.98), 0.4 → 2, -0.8 → 1, -1.34 → 0
    pooled = _codec(2, dimensions=4).pooled(np.array([[0.6, 0.2, -0.4, -0.67]], np.float32))

    assert pooled.codes.tolist() == [[0b11_10_01_00]]
    expected = np.array([1.5104, 0.4528, -0.4528, -1.5104])
    found = _codec(2, dimensions=4).vectors(pooled.codes)
    np.testing.assert_allclose(found, [expected / np.linalg.norm(expected)], atol=1e-6)


def test_4_bits_by_hand() -> None:
    # in units of the spread 1.9996 and 0.04: levels 2.0690 (number 14) and 0.1284 (number 8)
    pooled = _codec(4, dimensions=2).pooled(np.array([[0.9998, 0.02]], np.float32))

    assert pooled.codes.tolist() == [[0b1110_1000]]


def test_mean_and_spread_are_those_of_the_sample() -> None:
    tokens = np.array([[0.6, 0.8], [0.8, 0.6], [1.0, 0.0], [3.0, 4.0]], np.float32)  # the last one's length is not 1

    codec = TokenCodec.fitted(tokens, 2, 4, 1)

    assert codec.mean.tolist() == pytest.approx([0.75, 0.55], abs=1e-5)
    assert codec.spread.tolist() == pytest.approx([0.16583, 0.32787], abs=1e-5)


def test_fewer_dimensions_are_the_leading_ones() -> None:
    tokens = _unit(50, 16)

    cut, short = TokenCodec.fitted(tokens, 8, 2, 3), TokenCodec.fitted(tokens[:, :8], 8, 2, 3)

    assert (cut.dimensions, cut.width) == (8, 2)
    assert np.array_equal(cut.pooled(tokens).codes, short.pooled(tokens[:, :8]).codes)


@pytest.mark.parametrize(("dimensions", "bits"), [(12, 1), (17, 4), (0, 4), (6, 2)])
def test_a_vector_fills_whole_bytes(dimensions: int, bits: Bits) -> None:
    with pytest.raises(ValueError, match=f"{dimensions} dimensions of {bits} bits: at most 16, and whole bytes"):
        TokenCodec.fitted(_unit(50, 16), dimensions, bits, 1)


@pytest.mark.parametrize("bits", ALL_BITS)
def test_a_codec_comes_back_from_json(bits: Bits) -> None:
    codec = TokenCodec.fitted(_unit(100, 16), 16, bits, 2)

    again = TokenCodec.of_json(json.loads(json.dumps(codec.as_json())))

    assert again.as_json() == codec.as_json()
    assert np.array_equal(again.mean, codec.mean)
    assert np.array_equal(again.spread, codec.spread)


@pytest.mark.parametrize(("bits", "lost"), [(1, 0.363), (2, 0.117), (4, 0.0095)])
def test_as_much_is_lost_as_must_be(bits: Bits, lost: float) -> None:
    """Of a normal number's variance: Max's table."""
    vectors = _unit(400, 64)
    codec = TokenCodec.fitted(vectors, 64, bits, 1)

    kept = (codec.vectors(codec.pooled(vectors).codes) * vectors).sum(axis=1)

    assert kept.mean() == pytest.approx(np.sqrt(1 - lost), abs=0.01)


def test_like_tokens_share_a_vector() -> None:
    one, other = np.eye(2, 8, dtype=np.float32)
    codec = _codec(2, factor=2)

    pooled, alone = codec.pooled(np.stack([one, other, one, other])), codec.pooled(np.stack([one]))

    assert pooled.owners[0] == pooled.owners[2] != pooled.owners[1] == pooled.owners[3]
    assert pooled.codes.shape == (2, 2)
    assert pooled.codes[pooled.owners[0]].tolist() == alone.codes[0].tolist()
    assert alone.owners == [0]


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_every_token_has_a_vector(factor: int) -> None:
    pooled = _codec(1, factor, 48).pooled(_unit(50, 48))

    assert sorted(set(pooled.owners)) == list(range(len(pooled.codes)))
    assert len(pooled.owners) == 50
    assert len(pooled.codes) <= -(-50 // factor)


@pytest.mark.parametrize(("bits", "most"), [(1, 0.2), (4, 0.03)])
def test_scores_of_the_real_model_stay_near(base: Model, bits: Bits, most: float) -> None:
    questions = ["How do I get air out of the brakes?", "What does F30001 mean?", "oil change interval"]
    asked = late.encode(base, questions, Role.QUERY, torch.float32)[1]
    told = late.encode(base, [passage.content for passage in PASSAGES], Role.PASSAGE, torch.float32)[1]
    codec = TokenCodec.fitted(told.vectors.numpy(), 384, bits, 1)

    stored = [codec.vectors(codec.pooled(each.numpy()).codes) for each in told.vectors.split(list(told.lengths))]
    found = late.scores(asked, Tokens(torch.from_numpy(np.concatenate(stored)), [len(each) for each in stored]))

    exact = late.scores(asked, told)
    assert found.argmax(axis=1).tolist() == exact.argmax(axis=1).tolist() == [0, 3, 1]
    assert np.abs(found - exact).max() < most
