"""The int8 export: the same bytes again, and refused where it is too far from the model."""

from pathlib import Path

import pytest
from sentence_transformers import SentenceTransformer

from domain_embeddings.dataset import DataError
from domain_embeddings.export import Fidelity, export
from domain_embeddings.int8_encoder import TOKENIZER
from domain_embeddings.integrity import EXPORTED
from tests.packaged import NAME, calibration_texts, export_params, tiny_dev

CORPUS = calibration_texts()


def fidelity(cosine: float, ndcg: float) -> Fidelity:
    return Fidelity("weights", questions=60, passages=200, cosine=cosine, ndcg=ndcg, ndcg_float32=0.5)


@pytest.mark.parametrize(
    ("cosine", "ndcg", "problem"),
    [
        (0.99, 0.4975, None),  # 0.5 * (1 - 0.005)
        (1.0, 0.6, None),
        (0.9899, 0.5, "the mean cosine to float32 is 0.9899, at least 0.99 is asked for"),
        (0.999, 0.49, "nDCG@10 is 0.49 where float32 has 0.5 (60 dev questions): 2.0% lost, allowed are 0.5%"),
    ],
)
def test_limits_by_hand(cosine: float, ndcg: float, problem: str | None) -> None:
    params = export_params(max_ndcg_loss=0.005, min_cosine=0.99)

    assert fidelity(cosine, ndcg).problem(params) == problem


def test_the_same_model_gives_the_same_bytes(base: SentenceTransformer, models: Path, tmp_path: Path) -> None:
    tokenizer = models / "base" / TOKENIZER

    found = export(base, tokenizer, CORPUS, tiny_dev(), export_params(), tmp_path / "model.xml")

    for name in EXPORTED:
        assert (tmp_path / Path(name).name).read_bytes() == (models / NAME / name).read_bytes()
    assert (found.quantized, found.questions, found.passages) == ("weights and activations", 2, 2)
    assert 0.98 < found.cosine < 1
    assert found.ndcg == found.ndcg_float32 == 1


def test_weights_alone_where_activations_lose_too_much(base: SentenceTransformer, models: Path, tmp_path: Path) -> None:
    params = export_params(min_cosine=0.999)

    found = export(base, models / "base" / TOKENIZER, CORPUS, tiny_dev(), params, tmp_path / "model.xml")

    assert found.quantized == "weights"
    assert found.cosine >= 0.999


def test_an_export_that_is_too_far_is_refused(base: SentenceTransformer, models: Path, tmp_path: Path) -> None:
    params = export_params(min_cosine=1.0)

    with pytest.raises(DataError) as error:
        export(base, models / "base" / TOKENIZER, CORPUS, tiny_dev(), params, tmp_path / "model.xml")

    assert "with int8 weights and activations, the mean cosine to float32 is 0.9" in str(error.value)
    assert "with int8 weights, the mean cosine to float32 is 0.9" in str(error.value)
    assert "package.export: null" in str(error.value)
