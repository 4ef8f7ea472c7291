"""Late interaction over stored token vectors: what evaluation scores is what a codec gives back."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding import encoder, late
from domain_embeddings.encoding.encoder import Model
from domain_embeddings.encoding.roles import Role
from domain_embeddings.encoding.token_codec import TokenCodec
from domain_embeddings.params.search import LateStorage
from domain_embeddings.systems import token_vectors
from domain_embeddings.systems.token_vectors import codec_for, score

PASSAGES = [
    "Bleed the rear brake circuit.",
    "The mast lifts the carriage with two leaf chains. " * 5,
    "Fuse F12: 30 A",
    "Drain the engine oil and fill in 5W-30 after every 500 hours.",
]
QUESTIONS = ["pedal feels soft", "", "which fuse?"]


def _parts(model: Model, texts: Sequence[str], *, role: Role) -> list[Scores]:
    tokens = late.encode(model, texts, role, torch.float32)[1]
    return np.split(tokens.vectors.numpy(), np.cumsum(tokens.lengths)[:-1])


def _mean_max_sim(question: Scores, passage: Scores) -> float:
    return float((question @ passage.T).max(axis=1).mean()) if len(question) else 0.0


@pytest.mark.parametrize(
    "storage", [LateStorage(), LateStorage(bits=1, factor=4), LateStorage(bits=4, factor=1, dimensions=64)], ids=str
)
def test_scores_are_mean_max_sim_over_what_a_codec_gives_back(base: Model, storage: LateStorage) -> None:
    found = score(base, PASSAGES, QUESTIONS, storage)

    tokens = _parts(base, PASSAGES, role=Role.PASSAGE)
    width = storage.dimensions or 384
    codec = TokenCodec.fitted(np.concatenate(tokens), width, storage.bits, storage.factor)
    codes = [codec.pooled(each).codes for each in tokens]
    asked = [each[:, :width] for each in _parts(base, QUESTIONS, role=Role.QUERY)]
    expected = [[_mean_max_sim(question, codec.vectors(each)) for each in codes] for question in asked]
    np.testing.assert_allclose(found.late, expected, atol=1e-5)
    assert found.late[1].tolist() == [0, 0, 0, 0]  # a question without tokens
    assert found.stored == sum(len(each) for each in codes) * width * storage.bits // 8


def test_the_single_vectors_are_the_models(base: Model) -> None:
    found = score(base, PASSAGES, QUESTIONS, LateStorage())

    np.testing.assert_allclose(found.passages, encoder.encode(base, PASSAGES, Role.PASSAGE), atol=1e-6)
    np.testing.assert_allclose(found.questions, encoder.encode(base, QUESTIONS, Role.QUERY), atol=1e-6)


def test_few_bits_are_near_the_vectors_themselves(base: Model) -> None:
    asked, tokens = _parts(base, QUESTIONS, role=Role.QUERY), _parts(base, PASSAGES, role=Role.PASSAGE)
    whole = np.array([[_mean_max_sim(question, each) for each in tokens] for question in asked])

    lost = [
        np.abs(score(base, PASSAGES, QUESTIONS, LateStorage(bits=bits, factor=1)).late - whole).max() for bits in (4, 1)
    ]

    assert lost[0] < 0.02 < lost[1]


def test_scoring_in_parts_is_scoring_at_once(base: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = score(base, PASSAGES, QUESTIONS, LateStorage())

    monkeypatch.setattr(token_vectors, "_PASSAGES", 3)
    parts = score(base, PASSAGES, QUESTIONS, LateStorage())

    np.testing.assert_allclose(parts.late, at_once.late, atol=1e-3)  # another batch's last digits may cross a level
    np.testing.assert_allclose(parts.passages, at_once.passages, atol=1e-6)
    assert parts.stored == at_once.stored


def _made(texts: Sequence[str]) -> tuple[Scores, list[Scores]]:
    """Two random token vectors of 16 dimensions a text; the single vectors are asked of nobody."""
    draws = (np.random.default_rng(len(text)).standard_normal((2, 16)) for text in texts)
    return np.zeros((len(texts), 16), np.float32), [each.astype(np.float32) for each in draws]


def _refused(texts: Sequence[str]) -> tuple[Scores, list[Scores]]:
    raise AssertionError("a codec that is known was fitted again")


KNOWN = TokenCodec(np.full(16, 0.125, np.float32), np.full(16, 0.5, np.float32), 2, 2)


@pytest.mark.parametrize(
    ("storage", "dimension"),
    [(LateStorage(), 16), (LateStorage.model_construct(bits=2, factor=2, dimensions=16, candidates=50), 384)],
    ids=["all dimensions", "some"],
)
def test_a_known_codec_stays_where_it_is_as_wanted(storage: LateStorage, dimension: int) -> None:
    found = codec_for(storage, dimension, KNOWN.as_json(), ["a text"], _refused)

    assert found.key == KNOWN.key


@pytest.mark.parametrize("changed", [{"bits": 4}, {"factor": 3}, {"dimensions": 8}], ids=str)
def test_a_known_codec_of_another_form_is_fitted_anew(changed: dict[str, Any]) -> None:
    storage = LateStorage().model_copy(update=changed)

    found = codec_for(storage, 16, KNOWN.as_json(), ["a", "two"], _made)

    wanted = (storage.bits, storage.factor, storage.dimensions or 16)
    assert (found.bits, found.factor, found.dimensions) == wanted
    assert found.key != KNOWN.key


def test_without_a_known_codec_one_is_fitted() -> None:
    texts = ["x" * i for i in range(1, 5)]

    found = codec_for(LateStorage(), 16, None, texts, _made)

    assert found.key == TokenCodec.fitted(np.concatenate(_made(texts)[1]), 16, 2, 2).key


@pytest.mark.parametrize(("count", "step"), [(256, 1), (257, 2), (1000, 4)])
def test_a_codec_is_fitted_on_at_most_256_passages_of_the_whole_collection(count: int, step: int) -> None:
    asked: list[str] = []

    def encode(texts: Sequence[str]) -> tuple[Scores, list[Scores]]:
        asked.extend(texts)
        return _made(texts)

    codec_for(LateStorage(), 16, None, [f"t{i}" for i in range(count)], encode)

    assert asked == [f"t{i}" for i in range(0, count, step)]
