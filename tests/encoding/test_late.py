"""Token vectors and MeanMaxSim, with the real base model."""

import numpy as np
import pytest
import torch
from sentence_transformers import MultiVectorEncoder, SentenceTransformer
from sentence_transformers.base.modules import Normalize
from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask
from torch import Tensor

from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding import encoder, late
from domain_embeddings.encoding.encoder import Model
from domain_embeddings.encoding.late import Tokens
from domain_embeddings.encoding.roles import Role

PASSAGES = [
    "Bleed the rear brake circuit.",
    "The mast lifts the carriage with two leaf chains. " * 10,
    "Fuse F12: 30 A",
]
QUESTIONS = ["pedal feels soft", "", "which fuse?"]


def _tokens(model: Model, texts: list[str], *, role: Role) -> Tokens:
    return late.encode(model, texts, role, torch.float32)[1]


def _parts(tokens: Tokens) -> list[Tensor]:
    return list(torch.split(tokens.vectors, list(tokens.lengths)))


def _of(*texts: list[list[float]]) -> Tokens:
    return Tokens(torch.tensor([row for text in texts for row in text]), [len(text) for text in texts])


def _directly(questions: Tokens, passages: Tokens) -> Scores:
    return np.array([[(q @ p.T).amax(1).mean() for p in _parts(passages)] for q in _parts(questions)], np.float32)


def test_scores_by_hand() -> None:
    questions = _of([[1.0, 0.0], [0.0, 1.0]], [[0.6, 0.8]])
    passages = _of([[1.0, 0.0]], [[0.6, 0.8], [0.8, -0.6]])

    assert late.scores(questions, passages) == pytest.approx(np.array([[0.5, 0.8], [0.6, 1.0]]))


def test_scores_are_those_of_a_direct_max_sim_whatever_fits_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    random = torch.Generator().manual_seed(0)
    made = [torch.nn.functional.normalize(torch.randn(60, 8, generator=random), dim=1) for _ in range(2)]
    questions, passages = Tokens(made[0], [1, 9, 20, 30]), Tokens(made[1], [7, 1, 2, 30, 20])
    expected = _directly(questions, passages)

    for similarities in (1, 600, 1800, 10**6):  # a passage at a time, one to three of them, all
        monkeypatch.setattr(late, "_SIMILARITIES", similarities)
        assert late.scores(questions, passages) == pytest.approx(expected, abs=1e-6)


def test_a_question_without_tokens_scores_0(base: Model) -> None:
    questions = _tokens(base, QUESTIONS, role=Role.QUERY)

    found = late.scores(questions, _tokens(base, PASSAGES, role=Role.PASSAGE))

    assert questions.lengths[1] == 0
    assert found[1].tolist() == [0, 0, 0]
    assert found[2].argmax() == 2


def test_no_questions_score_nothing() -> None:
    assert late.scores(Tokens(torch.zeros(0, 2), []), _of([[1.0, 0.0]])).shape == (0, 1)


def test_one_pass_gives_both_kinds_of_vectors(base: Model, peer: SentenceTransformer) -> None:
    single, tokens = late.encode(base, PASSAGES, Role.PASSAGE, torch.float32)

    np.testing.assert_allclose(single, encoder.encode(base, PASSAGES, Role.PASSAGE), atol=1e-6)
    assert tokens.vectors.norm(dim=1).numpy() == pytest.approx(1, abs=1e-5)
    ids = peer.tokenizer(PASSAGES)["input_ids"]
    assert list(tokens.lengths) == [len(text) for text in ids]


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("Bleed the rear brake circuit.", [6 / 5, 3 / 5, 6 / 5, 6 / 5, 6 / 5, 3 / 5]),  # the and the full stop: half
        ("How do I do it?", [1, 1, 1, 1, 1, 1]),  # nothing else is there
        ("F12?", [6 / 5, 6 / 5, 3 / 5]),  # f, ##12
        ("", []),
    ],
)
def test_what_the_tokens_of_a_question_count(base: Model, text: str, weights: list[float]) -> None:
    whole, asked = (_tokens(base, [text], role=role) for role in (Role.PASSAGE, Role.QUERY))

    expected = whole.vectors[1:-1] * torch.tensor(weights)[:, None]  # without [CLS] and [SEP]
    torch.testing.assert_close(asked.vectors, expected, atol=1e-5, rtol=0)


def test_without_weights_scores_are_those_of_sentence_transformers(
    base: Model, peer: SentenceTransformer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late, "SILENT", 1.0)
    mask = MultiVectorMask(["[CLS]", "[SEP]"], skiplist_tasks="query")
    modules = [peer[0], mask, Normalize(module_input_name="token_embeddings")]
    theirs = MultiVectorEncoder(modules=modules, similarity_fn_name="meanmaxsim", device="cpu")

    ours = late.scores(_tokens(base, QUESTIONS, role=Role.QUERY), _tokens(base, PASSAGES, role=Role.PASSAGE))

    expected = theirs.similarity(theirs.encode_query(QUESTIONS), theirs.encode_document(PASSAGES))
    np.testing.assert_allclose(ours, expected.cpu().numpy(), atol=1e-5)


def test_scoring_in_parts_is_scoring_at_once(base: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = late.score(base, PASSAGES, QUESTIONS)

    monkeypatch.setattr(late, "_PASSAGES", 2)
    parts = late.score(base, PASSAGES, QUESTIONS)

    assert at_once.late.shape == (len(QUESTIONS), len(PASSAGES))
    np.testing.assert_allclose(parts.passages, at_once.passages, atol=1e-6)
    np.testing.assert_allclose(parts.late, at_once.late, atol=5e-3)  # bfloat16 rounds 0.5 to 0.004


def test_bfloat16_scores_are_near_those_of_float32(base: Model) -> None:
    short, whole = (
        late.scores(
            *(
                late.encode(base, texts, role, dtype)[1]
                for texts, role in ((QUESTIONS, Role.QUERY), (PASSAGES, Role.PASSAGE))
            )
        )
        for dtype in (torch.bfloat16, torch.float32)
    )

    np.testing.assert_allclose(short, whole, atol=5e-3)
    assert short.argmax(axis=1).tolist() == whole.argmax(axis=1).tolist()
