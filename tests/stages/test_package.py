"""The package stage: the promoted weights, a card that says why, a manifest of every file."""

import hashlib

import numpy as np
from sentence_transformers import SentenceTransformer

from tests.stages.conftest import Pipeline

FOLDER = "models/tiny-embeddings-v1.0"


def test_the_base_is_packaged_where_tuning_showed_nothing(pipeline: Pipeline) -> None:
    card = pipeline.json(f"{FOLDER}/model_card.json")

    assert card["promoted"] == pipeline.json("metrics/tiny/verdict.json")["promoted"] == "base"
    assert card["reason"].startswith("underpowered on ")
    packaged, base = (pipeline.root / folder / "model.safetensors" for folder in (FOLDER, "models/base"))
    assert packaged.read_bytes() == base.read_bytes()
    assert card["evaluation"] == pipeline.json("metrics/tiny/evaluate.json")


def test_the_manifest_names_every_file_with_its_hash(pipeline: Pipeline) -> None:
    manifest = pipeline.json(f"{FOLDER}/manifest.json")

    folder = pipeline.root / FOLDER
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    assert manifest == {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items() if name != "manifest.json"
    }
    assert pipeline.json(f"{FOLDER}/model_card.json")["weights_sha256"] == manifest["model.safetensors"]


def test_a_packaged_model_loads_plainly(pipeline: Pipeline) -> None:
    model = SentenceTransformer(str(pipeline.root / FOLDER), device="cpu", local_files_only=True)

    vector = model.encode("bleed the brakes")

    assert vector.shape == (384,)
    assert abs(np.linalg.norm(vector) - 1) < 1e-5
