"""Packaging a model that was trained elsewhere."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense

from domain_embeddings.core.errors import IntegrityError
from domain_embeddings.encoding.encoder import Model, encode
from domain_embeddings.encoding.roles import Role
from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from domain_embeddings.packaging.external_model import ModelArtifactCreator
from domain_embeddings.packaging.probe import TEXTS, read_probe

BASE = {"name": "owner/base", "revision": "0" * 40, "weights_sha256": "1" * 64}
SCORES = {"base": {"recall@5": 0.5, "mrr@10": 0.25}, "tuned": {"recall@5": 0.75, "mrr@10": 0.5}}


def save(model: SentenceTransformer, root: Path, **changes: Any) -> Path:
    arguments = {
        "version": "1.0",
        "training_corpus_hash": "a" * 64,
        "benchmark_scores": SCORES,
        "adversarial_results": {"passed": 19, "total": 20},
        "training_commit": "b" * 40,
    }
    return ModelArtifactCreator("ours", BASE, root).save_finetuned_model(model, **{**arguments, **changes})


def test_it_loads_as_a_version(peer: SentenceTransformer, base: Model, tmp_path: Path) -> None:
    folder = save(peer, tmp_path)

    model = VersionedEmbeddings("1.0", "ours", fallback_to_baseline=False, root=tmp_path, backend="torch")

    assert folder == tmp_path / "ours-embeddings-v1.0"
    assert np.array_equal(model.encode(["brake"]), encode(base, ["brake"], Role.PASSAGE))
    assert model.get_model_info()["training_commit"] == "b" * 40


def test_it_knows_its_vectors(peer: SentenceTransformer, base: Model, tmp_path: Path) -> None:
    probe = read_probe(save(peer, tmp_path))

    assert probe is not None
    assert (probe.vectors * encode(base, TEXTS, Role.PASSAGE)).sum(axis=1) == pytest.approx(1, abs=1e-3)


def test_the_card_has_what_was_handed_over(peer: SentenceTransformer, tmp_path: Path) -> None:
    card = json.loads((save(peer, tmp_path) / "model_card.json").read_text())

    assert card["recall@5"] == {"base": 0.5, "tuned": 0.75}
    assert card["mrr@10"] == {"base": 0.25, "tuned": 0.5}
    assert card["base_model"] == BASE
    assert card["adversarial_tests"] == {"passed": 19, "total": 20}
    assert card["training_corpus_sha256"] == "a" * 64
    assert card["parameters"]["total"] == 22_713_216


@pytest.mark.slow
def test_the_same_again_changes_nothing(peer: SentenceTransformer, tmp_path: Path) -> None:
    before = (save(peer, tmp_path) / "model.safetensors").stat()

    after = (save(peer, tmp_path) / "model.safetensors").stat()

    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert [path.name for path in tmp_path.iterdir()] == ["ours-embeddings-v1.0"]


@pytest.mark.slow
def test_other_content_under_the_same_version_is_refused(peer: SentenceTransformer, tmp_path: Path) -> None:
    card = (save(peer, tmp_path) / "model_card.json").read_bytes()

    with pytest.raises(IntegrityError, match=r"ours-embeddings-v1\.0: v1\.0 exists with other content \(raise the ver"):
        save(peer, tmp_path, training_corpus_hash="c" * 64)

    assert (tmp_path / "ours-embeddings-v1.0/model_card.json").read_bytes() == card


def test_a_part_that_would_not_be_loaded_is_not_saved(peer: SentenceTransformer, tmp_path: Path) -> None:
    model = SentenceTransformer(modules=[*peer.children(), Dense(384, 8)], device="cpu")

    with pytest.raises(IntegrityError, match=r"modules\.json: lists .*Dense"):
        save(model, tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"version": "../1"}, "version '../1' is no version"),
        ({"training_corpus_hash": "abc"}, "training_corpus_hash 'abc' is no SHA-256"),
        ({"training_commit": "main"}, "training_commit 'main' is no full commit hash"),
        ({"benchmark_scores": {"tuned": {}}}, r"benchmark_scores lacks \['base'\]"),
        ({"adversarial_results": {"passed": 3, "total": 2}}, "passed <= total"),
    ],
)
def test_a_value_that_says_nothing_is_refused(
    peer: SentenceTransformer, tmp_path: Path, changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        save(peer, tmp_path, **changes)

    assert list(tmp_path.iterdir()) == []
