"""Each architecture's blocks, run one by one, beside sentence-transformers' own forward; freezing; others."""

from pathlib import Path

import pytest
import torch
from sentence_transformers import SentenceTransformer

from domain_embeddings.packaging.artifact import parameter_counts, trainable
from domain_embeddings.training import fine_tuning
from domain_embeddings.training.block_stacks import BlockStack, blocks_of
from domain_embeddings.training.fine_tuning import freeze
from domain_embeddings.training.frozen_layer_cache import CachedTransformer, cached_prefix, encode
from tests.base_models import ARCHITECTURES, LEAF, make_kind
from tests.packaged import calibration_texts

TEXTS = ["brake", "Bleed the rear brake circuit.", *calibration_texts()[:3]]


@pytest.fixture(scope="module", params=ARCHITECTURES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def folder(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_kind(kind, LEAF, tmp_path_factory.mktemp(kind))


@pytest.fixture(scope="module")
def model(folder: Path) -> SentenceTransformer:
    return fine_tuning.load(folder, device="cpu")


def _states(model: SentenceTransformer) -> tuple[torch.Tensor, torch.Tensor]:
    model.eval()
    with torch.no_grad():
        found = model(model.preprocess(TEXTS))
    return found["token_embeddings"], found["attention_mask"].bool()


def test_blocks_run_one_by_one_are_the_models_own(model: SentenceTransformer) -> None:
    expected, mask = _states(model)
    stack = blocks_of(model.transformers_model)
    assert isinstance(stack, BlockStack)
    ids = model.preprocess(TEXTS)["input_ids"]

    with torch.no_grad():
        below = stack.run(stack.embed(ids), mask.long(), 0, 1)
        found = stack.run(below, mask.long(), 1, None)

    assert (found - expected)[mask].abs().max() < 1e-5


@pytest.mark.parametrize("blocks", [0, 2])
def test_the_cache_gives_the_models_own_vectors(model: SentenceTransformer, tmp_path: Path, blocks: int) -> None:
    expected = torch.from_numpy(model.encode(TEXTS, prompt="", normalize_embeddings=True))

    with cached_prefix(model, blocks, TEXTS, tmp_path, torch.float32):
        assert isinstance(model[0], CachedTransformer)
        found = torch.from_numpy(encode(model, TEXTS))

    assert len(list(tmp_path.iterdir())) == (blocks > 0)
    assert (found - expected).abs().max() < (2e-2 if blocks else 1e-5)  # cached states are bfloat16
    assert (found * expected).sum(dim=1).min() > 0.9999


def test_blocks_in_bfloat16_are_near(model: SentenceTransformer, tmp_path: Path) -> None:
    expected = torch.from_numpy(model.encode(TEXTS, prompt="", normalize_embeddings=True))

    with cached_prefix(model, 2, TEXTS, tmp_path, torch.bfloat16):
        found = torch.from_numpy(encode(model, TEXTS))

    assert (found * expected).sum(dim=1).min() > 0.999


def test_what_learns_is_above_the_frozen_blocks(folder: Path) -> None:
    model = fine_tuning.load(folder, device="cpu")

    count = freeze(model, 2)

    learning = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert {name for name in learning if ".0." in name.replace("0.model", "") and "layer" in name} == set()
    assert any(name.startswith("2.linear") for name in learning)
    assert not any("embeddings" in name or "pooler" in name or "relative" in name for name in learning)
    assert count == trainable(parameter_counts(folder), 2)
    assert freeze(model, 0) == trainable(parameter_counts(folder), 0) > count


def test_training_changes_the_upper_block_alone(folder: Path, tmp_path: Path) -> None:
    model = fine_tuning.load(folder, device="cpu")
    freeze(model, 2)

    with cached_prefix(model, 2, TEXTS, tmp_path, torch.float32):
        found = model(model.preprocess(TEXTS[:2]))["sentence_embedding"]
        found.square().sum().backward()

    moved = {name for name, weight in model.named_parameters() if weight.grad is not None and weight.grad.any()}
    frozen = {name for name, weight in model.named_parameters() if not weight.requires_grad}
    assert moved
    assert not moved & frozen


def test_another_architecture_is_not_cached_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = fine_tuning.load(make_kind("electra", LEAF, tmp_path / "model"), device="cpu")
    expected = torch.from_numpy(model.encode(TEXTS, prompt="", normalize_embeddings=True))

    assert freeze(model, 1) < freeze(model, 0)
    with cached_prefix(model, 1, TEXTS, tmp_path / "states", torch.float32):
        found = torch.from_numpy(encode(model, TEXTS))

    assert capsys.readouterr().out == "ElectraModel: its frozen blocks are not cached, every step runs them\n"
    assert not (tmp_path / "states").exists()
    assert (found - expected).abs().max() < 1e-5
