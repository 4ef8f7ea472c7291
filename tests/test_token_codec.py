"""Token vectors as bytes: exact products, pooling, what is lost."""

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from domain_embeddings import late
from domain_embeddings.ranking import Scores
from domain_embeddings.token_codec import MIDDLE, PASSAGE_SCALE, Asked, TokenCodec, mean_max_sim, similarities
from tests.searching import PASSAGES

TEXTS = [passage.content for passage in PASSAGES] * 4


def _unit(*shape: int) -> Scores:
    rows = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def _database(asked: Asked, codes: np.ndarray) -> int:
    """What a database of bytes computes: the sum of each question vector's largest product."""
    return int((asked.codes.astype(np.int64) @ codes.astype(np.int64).T).max(axis=1).sum())


def test_a_question_by_hand() -> None:
    # [1, 0] spread over three numbers that sum to 0 is √(2/3)·(cos 30°, cos 90°, cos 150°) = (0.707, 0, -0.707),
    # [0, 1] is √(2/3)·(cos 60°, cos 180°, cos 300°) = (0.408, -0.816, 0.408); 0.816 becomes 126, so 1 is 154.3;
    # 109.1, 0, -109.1 have the floors 109, 0, -110, which sum to -1: the largest remainder, 0.9, goes up
    asked = TokenCodec.leading(4, 3, factor=1).question(np.eye(2, 4, dtype=np.float32))

    assert asked.scale == pytest.approx(126 / np.sqrt(2 / 3))
    assert (asked.codes - 128.0).tolist() == [[109, 0, -109], [63, -126, 63]]


def test_a_databases_product_of_bytes_is_mean_max_sim_of_the_decoded_vectors() -> None:
    codec = TokenCodec.fitted(_unit(500, 48), dimensions=32, factor=2)
    passage, asked = codec.passage(_unit(21, 48)), codec.question(_unit(5, 48) * 1.3)
    ours, theirs = asked.codes - float(MIDDLE), passage.codes - float(MIDDLE)

    assert ours.sum(axis=1).tolist() == [0] * 5
    assert theirs.sum(axis=1).tolist() == [0] * len(theirs)
    exact = (ours @ theirs.T).max(axis=1).mean() / (asked.scale * PASSAGE_SCALE)
    assert mean_max_sim(asked, _database(asked, passage.codes)) == pytest.approx(exact, rel=1e-12)
    assert similarities(asked, passage.codes).max(axis=1).mean() == pytest.approx(exact, rel=1e-6)


def test_what_is_kept_of_a_similarity() -> None:
    vectors = _unit(200, 48)
    codec = TokenCodec.leading(48, 49, factor=1)  # every dimension, no pooling: bytes alone are lost

    kept = similarities(codec.question(vectors[:20]), codec.passage(vectors).codes)

    np.testing.assert_allclose(kept, vectors[:20] @ vectors.T, atol=0.01)


def test_fitted_keeps_the_longest_directions() -> None:
    vectors = _unit(300, 6) * np.array([0.1, 3, 0.2, 2, 0.1, 0.1], np.float32)

    basis = TokenCodec.fitted(vectors, dimensions=3, factor=1).basis

    np.testing.assert_allclose(basis.T @ basis, np.eye(2), atol=1e-5)
    np.testing.assert_allclose((basis**2).sum(axis=1), [0, 1, 0, 1, 0, 0], atol=0.05)
    np.testing.assert_allclose(np.abs(basis[1]), [1, 0], atol=0.2)


def test_like_tokens_share_a_vector() -> None:
    one, other = np.eye(2, 8, dtype=np.float32)
    codec = TokenCodec.leading(8, 9, factor=2)

    pooled = codec.passage(np.stack([one, other, one, other * 0.9]))
    alone = codec.passage(np.stack([one]))

    assert pooled.owners[0] == pooled.owners[2] != pooled.owners[1] == pooled.owners[3]
    assert pooled.codes.shape == (2, 9)
    assert pooled.codes[pooled.owners[0]].tolist() == alone.codes[0].tolist()
    assert alone.owners == [0]


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_every_token_has_a_vector(factor: int) -> None:
    pooled = TokenCodec.leading(48, 33, factor).passage(_unit(50, 48))

    assert sorted(set(pooled.owners)) == list(range(len(pooled.codes)))
    assert len(pooled.owners) == 50
    assert len(pooled.codes) <= -(-50 // factor)


def test_rankings_of_the_real_model_stay(base: SentenceTransformer) -> None:
    questions = ["How do I get air out of the brakes?", "What does F30001 mean?", "oil change interval"]
    asked = late.encode(base, questions, question=True, dtype=torch.float32)[1]
    told = late.encode(base, TEXTS[:5], question=False, dtype=torch.float32)[1]
    codec = TokenCodec.fitted(told.vectors.numpy(), dimensions=64, factor=2)
    stored = [codec.passage(each.numpy()) for each in torch.split(told.vectors, list(told.lengths))]

    found = [
        [mean_max_sim(coded, _database(coded, each.codes)) for each in stored]
        for coded in (codec.question(each.numpy()) for each in torch.split(asked.vectors, list(asked.lengths)))
    ]

    exact = late.scores(asked, told)
    assert np.argmax(found, axis=1).tolist() == exact.argmax(axis=1).tolist() == [0, 3, 1]
    np.testing.assert_allclose(found, exact, atol=0.15)
