"""The cache of the frozen blocks' states: the same vectors as without it, and no trace of it afterwards."""

from pathlib import Path
from typing import Any

import pytest
import torch
from sentence_transformers import SentenceTransformer

from domain_embeddings.training import frozen_layer_cache
from domain_embeddings.training.frozen_layer_cache import CachedTransformer, cached_prefix, resolve

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
def test_vectors_are_those_of_the_ordinary_forward(peer: SentenceTransformer, tmp_path: Path, blocks: int) -> None:
    expected = _forward(peer, TEXTS)

    with cached_prefix(peer, blocks, TEXTS, tmp_path, torch.float32):
        found = _forward(peer, TEXTS)

    difference = found["sentence_embedding"] - expected["sentence_embedding"]
    assert difference.abs().max() < 2e-2  # the states are kept as bfloat16
    cosines = torch.cosine_similarity(found["sentence_embedding"], expected["sentence_embedding"])
    assert cosines.min() > 0.9999
    assert torch.equal(found["attention_mask"], expected["attention_mask"])
    assert found["token_embeddings"].shape == expected["token_embeddings"].shape == (4, 256, 384)


def test_vectors_do_not_depend_on_the_batch(peer: SentenceTransformer, tmp_path: Path) -> None:
    with cached_prefix(peer, 4, TEXTS, tmp_path, torch.float32):
        together = _forward(peer, TEXTS * 10)["sentence_embedding"]  # more than are run at once
        alone = torch.cat([_forward(peer, [text])["sentence_embedding"] for text in TEXTS])

    assert torch.allclose(together, alone.repeat(10, 1), atol=1e-5)


def test_a_text_is_kept_once(peer: SentenceTransformer, tmp_path: Path) -> None:
    with cached_prefix(peer, 4, [*TEXTS, *TEXTS], tmp_path, torch.float32):
        module = peer[0]

        assert isinstance(module, CachedTransformer)
        assert [len(state) for state in module.states] == [3, 8, 42, 256]  # tokens, [CLS] and [SEP] among them


def test_an_unknown_text_is_an_error(peer: SentenceTransformer, tmp_path: Path) -> None:
    with cached_prefix(peer, 4, TEXTS, tmp_path, torch.float32), pytest.raises(KeyError, match="not in the cache"):
        peer.preprocess(["this text is not in the cache"])


def test_the_model_is_put_back(peer: SentenceTransformer, tmp_path: Path) -> None:
    before = peer[0]

    with cached_prefix(peer, 4, TEXTS, tmp_path, torch.float32):
        assert peer[0] is not before
        assert peer[0].auto_model is before.auto_model  # the same weights learn
    assert peer[0] is before

    with pytest.raises(ZeroDivisionError), cached_prefix(peer, 4, TEXTS, tmp_path, torch.float32):
        raise ZeroDivisionError
    assert peer[0] is before


def test_nothing_frozen_is_the_ordinary_forward(peer: SentenceTransformer, tmp_path: Path) -> None:
    expected = _forward(peer, TEXTS)["sentence_embedding"]

    with cached_prefix(peer, 0, TEXTS, tmp_path, torch.float32):
        found = _forward(peer, TEXTS)["sentence_embedding"]

    assert torch.allclose(found, expected, atol=1e-5)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_bfloat16_is_near_float32(peer: SentenceTransformer, tmp_path: Path) -> None:
    expected = _forward(peer, TEXTS)["sentence_embedding"]
    assert peer.transformers_model is not None
    attention = peer.transformers_model.config._attn_implementation

    with cached_prefix(peer, 4, TEXTS, tmp_path, torch.bfloat16):
        found = _forward(peer, TEXTS)["sentence_embedding"]

    assert found.dtype == torch.float32
    assert not torch.equal(found, expected)
    assert torch.cosine_similarity(found, expected).min() > 0.999
    assert peer.transformers_model.config._attn_implementation == attention


def test_a_text_that_a_batch_holds_twice_is_run_once(
    peer: SentenceTransformer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run: list[int] = []
    blocks = CachedTransformer._blocks

    def counting(self: CachedTransformer, hidden: torch.Tensor, *rest: Any) -> torch.Tensor:
        run.append(len(hidden))
        return blocks(self, hidden, *rest)

    with cached_prefix(peer, 4, TEXTS, tmp_path, torch.float32):
        monkeypatch.setattr(CachedTransformer, "_blocks", counting)
        found = _forward(peer, [TEXTS[1], TEXTS[0], TEXTS[1]])["sentence_embedding"]

    assert run == [2]
    assert torch.equal(found[0], found[2])
    assert not torch.equal(found[0], found[1])


@pytest.mark.slow
def test_the_states_are_found_again_and_only_they(peer: SentenceTransformer, tmp_path: Path) -> None:
    def file_of(texts: list[str], dtype: torch.dtype = torch.float32, blocks: int = 4) -> tuple[str, int]:
        with cached_prefix(peer, blocks, texts, tmp_path, dtype):
            (file,) = tmp_path.iterdir()
            return file.name, file.stat().st_mtime_ns

    first = file_of(TEXTS)

    assert file_of(TEXTS) == first
    others = {file_of(TEXTS[:2])[0], file_of(TEXTS, torch.bfloat16)[0], file_of(TEXTS, blocks=3)[0]}
    assert len(others | {first[0]}) == 4


def test_what_a_killed_run_left_is_removed(peer: SentenceTransformer, tmp_path: Path) -> None:
    (tmp_path / "0123.unfinished").write_bytes(b"half")

    with cached_prefix(peer, 4, TEXTS, tmp_path, torch.float32):
        assert [file.suffix for file in tmp_path.iterdir()] == [".npy"]


def test_precision_is_what_the_device_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frozen_layer_cache, "has_bfloat16", lambda device: device == "cuda")

    assert resolve("auto", "cuda") == resolve("bfloat16", "cuda") == torch.bfloat16
    assert resolve("auto", "cpu") == resolve("float32", "cuda") == torch.float32
    with pytest.raises(ValueError, match="this cpu: has no bfloat16 instructions"):
        resolve("bfloat16", "cpu")
