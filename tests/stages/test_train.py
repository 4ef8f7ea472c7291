"""The train stage: tuned weights, what happened in training, and no checkpoint left behind."""

from pathlib import Path

import pytest
from safetensors.numpy import load_file

from domain_embeddings.params.train import TrainParams
from stages.train import fingerprint
from tests.knobs import knobs
from tests.stages.conftest import Pipeline


def test_the_fingerprint_is_of_params_and_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("a")
    other.write_text("b")
    params = knobs("train", TrainParams)
    first = fingerprint(params, [one, other])

    assert fingerprint(knobs("train", TrainParams), [one, other]) == first
    assert fingerprint(knobs("train", TrainParams, seed=43), [one, other]) != first
    assert fingerprint(params, [other, one]) != first
    one.write_text("A")
    assert fingerprint(params, [one, other]) != first


def test_only_the_upper_blocks_have_learned(pipeline: Pipeline) -> None:
    base = load_file(pipeline.root / "models/base/model.safetensors")
    tuned = load_file(pipeline.root / "models/tuned/tiny/model.safetensors")

    changed = {name for name in base if name in tuned and (base[name] != tuned[name]).any()}

    assert base.keys() - tuned.keys() <= {"embeddings.position_ids"}
    assert changed
    assert {name.split(".")[2] for name in changed} == {"4", "5"}  # encoder.layer.<n>. …


def test_the_history_tells_what_happened(pipeline: Pipeline) -> None:
    history = pipeline.json("data/train/tiny/history.json")

    assert (history["trainable_parameters"], history["total_parameters"]) == (3_548_928, 22_713_216)
    assert all(row["loss"] > 0 for row in history["loss"])
    scores = {row["step"]: row["dev_ndcg@10"] for row in history["dev"]}
    assert list(scores)[:3] == [0, 2, 4]
    assert scores[history["best_step"]] == max(score for step, score in scores.items() if step)
    tried = {row["share"]: row["dev_ndcg@10"] for row in history["shares"]}
    assert tried[1.0] == pytest.approx(scores[history["best_step"]])
    assert tried[history["best_share"]] == max(tried.values())
    assert {"dev_ndcg@10_forklift", "dev_ndcg@10_vehicle_civilian"} <= history["dev"][0].keys()


def test_a_further_seed_gives_other_weights(pipeline: Pipeline) -> None:
    first, further = (pipeline.root / f"models/{name}/model.safetensors" for name in ("tuned/tiny", "seeds/tiny/7"))

    assert pipeline.json("models/seeds/tiny/seeds.json") == [42, 7]
    assert first.read_bytes() != further.read_bytes()


def test_no_checkpoint_is_left(pipeline: Pipeline) -> None:
    assert [path.name for path in (pipeline.root / "models").rglob("*checkpoint*")] == ["checkpoints"]
    assert list((pipeline.root / "models/checkpoints").iterdir()) == []
