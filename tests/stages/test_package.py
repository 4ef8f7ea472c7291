"""The package stage: the promoted weights, a card that says why, a manifest of every file."""

import sys

from tests.knobs import all_params
from tests.stages.conftest import Pipeline, outs_of, run

VERSION = all_params()["package"]["version"]
FOLDER = f"models/tiny-embeddings-v{VERSION}"


def test_the_base_is_packaged_where_tuning_showed_nothing(pipeline: Pipeline) -> None:
    card = pipeline.json(f"{FOLDER}/model_card.json")

    assert card["promoted"] == pipeline.json("metrics/tiny/verdict.json")["promoted"] == "base"
    assert card["reason"].startswith("underpowered on ")
    assert card["parameters"] == {"total": 22_713_216, "trainable": 0}
    packaged, base = (pipeline.root / folder / "model.safetensors" for folder in (FOLDER, "models/base"))
    assert packaged.read_bytes() == base.read_bytes()


def test_the_cards_numbers_are_those_of_metrics(pipeline: Pipeline) -> None:
    arms = pipeline.json(f"{FOLDER}/model_card.json")["arms"]

    for arm, means in pipeline.json("metrics/tiny/evaluate.json").items():
        assert arms[arm].pop("n_queries") == means.pop("n_queries")
        assert {metric: cell["value"] for metric, cell in arms[arm].items()} == means
        spans = pipeline.json("metrics/tiny/significance.json")["intervals"][arm]
        assert {metric: cell["ci95"] for metric, cell in arms[arm].items()} == spans


def test_the_model_is_the_one_that_the_lock_has(pipeline: Pipeline) -> None:
    said = run(
        pipeline.root, sys.executable, "-m", "domain_embeddings", "verify", "--corpus", "tiny", "--version", VERSION
    )

    assert "checked against manifest, dvc.lock" in said


def test_the_int8_export_is_near_the_model(pipeline: Pipeline) -> None:
    export = pipeline.json(f"{FOLDER}/model_card.json")["int8_export"]

    assert export["quantized"] in ("weights and activations", "weights")
    assert export["cosine"] >= 0.99
    assert export["ndcg"] >= 0.995 * export["ndcg_float32"] > 0
    assert export["questions"] > 0
    assert (pipeline.root / FOLDER / "int8/model.xml").is_file()


def test_packaging_again_gives_the_same_bytes(pipeline: Pipeline) -> None:
    folder = pipeline.root.parent / "again_package"
    (folder / "models").mkdir(parents=True)
    for name in ("stages", "domain_embeddings", "params.yaml", "metrics", "data", "models/base", "models/tuned"):
        (folder / name).symlink_to(pipeline.root / name)

    run(folder, sys.executable, "-m", "stages.package", "tiny")

    assert outs_of(folder / FOLDER) == outs_of(pipeline.root / FOLDER)
