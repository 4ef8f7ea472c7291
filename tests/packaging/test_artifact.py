"""Packaging: counts of parameters, files written once, a folder that loads plainly and goes to the hub as it is."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from domain_embeddings.core.errors import DataError
from domain_embeddings.packaging.artifact import package, parameter_counts, trainable
from domain_embeddings.systems.system import DEFAULT_SYSTEM
from domain_embeddings.training.fine_tuning import freeze
from tests.packaged import NAME, card


def test_all_parameters_are_counted(base_folder: Path) -> None:
    assert sum(parameter_counts(base_folder).values()) == 22_713_216


@pytest.mark.parametrize("blocks", [0, 4, 5])
def test_trainable_are_those_that_training_does_not_freeze(
    base_folder: Path, fresh_model: Callable[[], SentenceTransformer], blocks: int
) -> None:
    counts = parameter_counts(base_folder)

    assert trainable(counts, blocks) == freeze(fresh_model(), blocks)


def test_the_manifest_has_every_file_but_itself(models: Path) -> None:
    manifest = json.loads((models / NAME / "manifest.json").read_text())

    files = {path.relative_to(models / NAME).as_posix(): path for path in (models / NAME).rglob("*") if path.is_file()}
    assert manifest == {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items() if name != "manifest.json"
    }
    assert {"model_card.json", "README.md", "1_Pooling/config.json"} <= set(manifest)


def test_the_card_has_the_hashes_of_the_copied_files(models: Path) -> None:
    found = json.loads((models / NAME / "model_card.json").read_text())

    for key, file in (("weights_sha256", "model.safetensors"), ("config_sha256", "config.json")):
        assert found[key] == hashlib.sha256((models / NAME / file).read_bytes()).hexdigest()


def test_the_system_that_answers_is_in_the_folder_the_manifest_and_the_card(models: Path, tmp_path: Path) -> None:
    base, system = models / "base", DEFAULT_SYSTEM.model_dump()

    package(base, np.eye(2, dtype=np.float32), card(base, search=system), "tiny", "mit", tmp_path / NAME)

    found = {name: json.loads((tmp_path / NAME / name).read_text()) for name in ("search.json", "model_card.json")}
    assert found["search.json"] == found["model_card.json"]["search"] == system
    assert "search.json" in json.loads((tmp_path / NAME / "manifest.json").read_text())


def test_without_a_system_there_is_no_such_file(models: Path) -> None:
    assert json.loads((models / NAME / "model_card.json").read_text())["search"] is None
    assert not (models / NAME / "search.json").exists()


def test_a_version_is_written_once(models: Path) -> None:
    with pytest.raises(DataError, match=f"{NAME}: exists already"):
        package(models / "base", np.eye(2, dtype=np.float32), card(models / "base"), "tiny", "mit", models / NAME)


def test_a_packaged_model_loads_plainly(models: Path) -> None:
    model = SentenceTransformer(str(models / NAME), device="cpu", local_files_only=True)

    vector = model.encode("bleed the brakes")

    assert model.max_seq_length == 256
    assert vector.shape == (384,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_the_library_that_pushes_to_the_hub_keeps_the_readme(models: Path, tmp_path: Path) -> None:
    model = SentenceTransformer(str(models / NAME), device="cpu", local_files_only=True)

    model.save_pretrained(str(tmp_path), model_name=NAME)

    assert (tmp_path / "README.md").read_text() == (models / NAME / "README.md").read_text()
