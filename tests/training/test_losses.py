"""Losses by params: large batches in parts, masked negatives, vectors that may be cut, a teacher."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder, SentenceTransformer

from domain_embeddings.encoding import encoder
from domain_embeddings.encoding.encoder import load
from domain_embeddings.encoding.roles import Prompts, Role
from domain_embeddings.params.train import Teacher, TrainParams
from domain_embeddings.training.frozen_layer_cache import cached_prefix, encode
from domain_embeddings.training.losses import Example, loss_of, teacher_scores
from tests.base_models import LEAF, make_folder
from tests.knobs import knobs

EXAMPLES = [
    Example("bleeding the brakes", "radar antenna gain", ("mast rollers",)),
    Example("fuse of the display", "bleeding the brakes", ("grease the chain",)),  # answers the first one better
    Example("worn rollers", "replace mast rollers in pairs", ("antenna mount",)),
]
TEXTS = [text for example in EXAMPLES for text in example.texts]


def _params(**changes: Any) -> TrainParams:
    return knobs("train", TrainParams, **{"frozen_blocks": 4, "negatives": 1, "precision": "float32", **changes})


@pytest.fixture
def model(fresh_model: Callable[[], SentenceTransformer], tmp_path: Path) -> Iterator[SentenceTransformer]:
    """A model that reads rows of its cache."""
    loaded = fresh_model()
    loaded.eval()
    with cached_prefix(loaded, 4, TEXTS, tmp_path / "states", torch.float32):
        yield loaded


def _value(model: SentenceTransformer, params: TrainParams) -> torch.Tensor:
    features = [model.preprocess(list(texts)) for texts in zip(*(e.texts for e in EXAMPLES), strict=True)]
    value: torch.Tensor = loss_of(model, params, EXAMPLES, False)(features, torch.empty(0))
    return value


def _gradients(model: SentenceTransformer) -> list[torch.Tensor]:
    found = [weight.grad.clone() for weight in model.parameters() if weight.grad is not None]
    model.zero_grad()
    return found


def _vectors(model: SentenceTransformer) -> list[torch.Tensor]:
    columns = zip(*(example.texts for example in EXAMPLES), strict=True)
    return [torch.from_numpy(encode(model, list(column))) for column in columns]


def _contrast(queries: torch.Tensor, passages: torch.Tensor, barred: list[tuple[int, int]]) -> float:
    scores = 20.0 * torch.nn.functional.normalize(queries) @ torch.nn.functional.normalize(passages).T
    for row, column in barred:
        scores[row, column] = -torch.inf
    return float(torch.nn.functional.cross_entropy(scores, torch.arange(len(queries))))


def test_the_plain_loss_is_cross_entropy_over_scaled_cosines(model: SentenceTransformer) -> None:
    queries, positives, negatives = _vectors(model)

    expected = _contrast(queries, torch.cat([positives, negatives]), [])

    assert float(_value(model, _params()).detach()) == pytest.approx(expected, abs=1e-3)


def test_a_batch_in_parts_has_the_gradient_of_the_whole(model: SentenceTransformer) -> None:
    _value(model, _params()).backward()
    whole = _gradients(model)

    value = _value(model, _params(mini_batch=1))
    value.backward()

    parts = _gradients(model)
    assert len(parts) == len(whole) > 0
    assert all(torch.allclose(one, other, atol=1e-5) for one, other in zip(parts, whole, strict=True))


def test_what_the_guide_holds_for_an_answer_is_no_negative(model: SentenceTransformer) -> None:
    queries, positives, negatives = _vectors(model)
    # the second positive is the first query's own text: the base scores it 1, far above "radar antenna gain"
    plain = [(0, 0)]
    guided = queries @ torch.cat([positives, negatives]).T
    limit = guided.diagonal()[:, None] - 0.05 * guided.diagonal().abs()[:, None]
    barred = [(i, j) for i in range(3) for j in range(6) if guided[i, j] > limit[i] and i != j]
    assert (0, 1) in barred
    assert plain[0] not in barred

    expected = _contrast(queries, torch.cat([positives, negatives]), barred)

    assert float(_value(model, _params(guide="")).detach()) == pytest.approx(expected, abs=1e-3)
    assert float(_value(model, _params(guide="", mini_batch=2)).detach()) == pytest.approx(expected, abs=1e-3)
    assert expected < float(_value(model, _params()).detach())


def test_matryoshka_adds_the_loss_of_the_leading_dimensions(model: SentenceTransformer) -> None:
    queries, positives, negatives = _vectors(model)
    passages = torch.cat([positives, negatives])

    expected = sum(_contrast(queries[:, :width], passages[:, :width], []) for width in (384, 64))

    assert float(_value(model, _params(matryoshka=[384, 64])).detach()) == pytest.approx(expected, abs=2e-3)


def test_a_model_has_nothing_to_learn_from_itself(model: SentenceTransformer, base_folder: Path) -> None:
    teacher = Teacher(kind="bi_encoder", path=str(base_folder), temperature=0.05)
    scores = torch.from_numpy(teacher_scores(teacher, EXAMPLES))
    features = [model.preprocess(list(texts)) for texts in zip(*(e.texts for e in EXAMPLES), strict=True)]
    loss = loss_of(model, _params(teacher=teacher.model_dump()), EXAMPLES, False)

    assert scores.shape == (3, 2)
    assert float(loss(features, scores).detach()) == pytest.approx(0, abs=1e-5)
    assert float(loss(features, scores.flip(1)).detach()) > 1e-3


def test_a_cross_encoders_scores_are_its_own(base_folder: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    reranker = CrossEncoder(str(base_folder), num_labels=1, device="cpu")
    reranker.save_pretrained(str(tmp_path / "reranker"))
    teacher = Teacher(kind="cross_encoder", path=str(tmp_path / "reranker"), temperature=2.0)

    scores = teacher_scores(teacher, EXAMPLES)

    pairs = [("worn rollers", "replace mast rollers in pairs"), ("worn rollers", "antenna mount")]
    expected = reranker.predict(pairs, activation_fn=torch.nn.Identity()) / 2
    assert scores.shape == (3, 2)
    assert np.allclose(scores[2], expected, atol=1e-4)


def test_a_query_and_its_passages_are_read_behind_their_prompts() -> None:
    example = Example("q", "p", ("n", "m"))

    assert example.read(Prompts("query: ", "passage: ")) == ["query: q", "passage: p", "passage: n", "passage: m"]
    assert example.read(Prompts()) == list(example.texts)


def test_a_guide_reads_each_text_as_what_it_is(model: SentenceTransformer, base_folder: Path, tmp_path: Path) -> None:
    guide = make_folder(LEAF, base_folder, tmp_path / "leaf")

    found: Any = loss_of(model, _params(guide=str(guide)), EXAMPLES, False)

    cache: Any = model[0]
    own, queries = load(guide, device="cpu"), [example.query for example in EXAMPLES]
    passages = [text for example in EXAMPLES for text in example.texts[1:] if text not in queries]
    for texts, role in ((queries, Role.QUERY), (passages, Role.PASSAGE)):
        vectors = found.guide.vectors[[cache.rows[text] for text in texts]]
        np.testing.assert_allclose(vectors, encoder.encode(own, texts, role), atol=1e-6)


def test_a_teacher_reads_each_text_as_what_it_is(base_folder: Path, tmp_path: Path) -> None:
    teacher = Teacher(kind="bi_encoder", path=str(make_folder(LEAF, base_folder, tmp_path / "leaf")), temperature=0.5)

    found = teacher_scores(teacher, EXAMPLES)

    own = load(Path(teacher.path), device="cpu")
    asked = encoder.encode(own, [example.query for example in EXAMPLES], Role.QUERY)
    told = encoder.encode(own, [example.negatives[0] for example in EXAMPLES], Role.PASSAGE)
    np.testing.assert_allclose(found[:, 1], (asked * told).sum(axis=1) / 0.5, atol=1e-5)


def test_a_guide_without_a_cache_is_an_error(peer: SentenceTransformer) -> None:
    with pytest.raises(TypeError, match="within cached_prefix"):
        loss_of(peer, _params(guide=""), EXAMPLES, False)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"guide": "", "negatives": 2}, "at most 1 negative, negatives is 2"),
        ({"teacher": {"kind": "bi_encoder", "path": "x", "temperature": 1.0}, "guide": ""}, "exclude each other"),
        ({"teacher": {"kind": "bi_encoder", "path": "x", "temperature": 1.0}, "negatives": 0}, "needs negatives"),
        ({"teacher": {"kind": "bi_encoder", "path": "x", "temperature": 1.0}, "mini_batch": 8}, "set mini_batch to 0"),
        ({"matryoshka": [384, 0]}, "numbers of dimensions from 1 on"),
    ],
)
def test_losses_that_do_not_go_together_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _params(**changes)
