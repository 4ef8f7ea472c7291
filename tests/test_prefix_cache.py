"""The cache of the frozen blocks' states: the same vectors as without it, and no trace of it afterwards."""

from pathlib import Path

import pytest
import torch
from sentence_transformers import SentenceTransformer

from domain_embeddings.prefix_cache import CachedTransformer, cached_prefix, supports

TEXTS = [
    "grease",
    "Bleed the rear brake first.",
    "The mast lifts the carriage with two leaf chains. " * 4,
    "Fault P0301: misfire in cylinder 1. Check plug, coil and 5W-30 oil level. " * 20,  # beyond 256 tokens
]


def _forward(model: SentenceTransformer, texts: list[str]) -> dict[str, torch.Tensor]:
    model.eval()
    with torch.no_grad():
        return model(model.preprocess(texts))


@pytest.mark.parametrize("blocks", [1, 4, 5])
def test_vectors_are_those_of_the_ordinary_forward(base: SentenceTransformer, tmp_path: Path, blocks: int) -> None:
    expected = _forward(base, TEXTS)

    with cached_prefix(base, blocks, TEXTS, tmp_path, torch.float32):
        found = _forward(base, TEXTS)

    difference = found["sentence_embedding"] - expected["sentence_embedding"]
    assert difference.abs().max() < 2e-2  # the states are kept as bfloat16
    cosines = torch.cosine_similarity(found["sentence_embedding"], expected["sentence_embedding"])
    assert cosines.min() > 0.9999
    assert torch.equal(found["attention_mask"], expected["attention_mask"])
    assert found["token_embeddings"].shape == expected["token_embeddings"].shape == (4, 256, 384)


def test_vectors_do_not_depend_on_the_batch(base: SentenceTransformer, tmp_path: Path) -> None:
    with cached_prefix(base, 4, TEXTS, tmp_path, torch.float32):
        together = _forward(base, TEXTS * 10)["sentence_embedding"]  # more than are run at once
        alone = torch.cat([_forward(base, [text])["sentence_embedding"] for text in TEXTS])

    assert torch.allclose(together, alone.repeat(10, 1), atol=1e-5)


def test_a_text_is_kept_once(base: SentenceTransformer, tmp_path: Path) -> None:
    with cached_prefix(base, 4, [*TEXTS, *TEXTS], tmp_path, torch.float32):
        module = base[0]

        assert isinstance(module, CachedTransformer)
        assert [len(state) for state in module.states] == [3, 8, 42, 256]  # tokens, [CLS] and [SEP] among them


def test_an_unknown_text_is_an_error(base: SentenceTransformer, tmp_path: Path) -> None:
    with cached_prefix(base, 4, TEXTS, tmp_path, torch.float32), pytest.raises(KeyError, match="not in the cache"):
        base.preprocess(["this text is not in the cache"])


def test_the_model_is_put_back(base: SentenceTransformer, tmp_path: Path) -> None:
    before = base[0]

    with cached_prefix(base, 4, TEXTS, tmp_path, torch.float32):
        assert base[0] is not before
        assert base[0].auto_model is before.auto_model  # the same weights learn
    assert base[0] is before

    with pytest.raises(ZeroDivisionError), cached_prefix(base, 4, TEXTS, tmp_path, torch.float32):
        raise ZeroDivisionError
    assert base[0] is before


def test_bert_is_supported(base: SentenceTransformer) -> None:
    assert supports(base)
