"""The package stage: the promoted weights, a card that says why, a manifest of every file."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from domain_embeddings.core.beir_files import write_dataset, write_json, write_queries
from domain_embeddings.core.dataset import Dataset, Passage, Query
from domain_embeddings.encoding.encoder import load
from domain_embeddings.packaging import int8_export
from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from scripts.dependencies import ROOT
from stages import package
from stages.base_model import copy
from tests.knobs import all_params
from tests.packaged import judging_texts
from tests.stages.conftest import Pipeline, outs_of, run, set_params

pytestmark = pytest.mark.slow

VERSION = all_params()["package"]["version"]
FOLDER = f"models/tiny-embeddings-v{VERSION}"


def test_the_base_is_packaged_where_tuning_showed_nothing(pipeline: Pipeline) -> None:
    card = pipeline.json(f"{FOLDER}/model_card.json")

    assert card["promoted"] == pipeline.json("metrics/tiny/verdict.json")["promoted"] == "base"
    assert card["reason"].startswith("late_hybrid_base is the default: ")
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

    assert export["quantized"] == "weights and activations"
    assert (export["cosine"] >= 0.995, export["cosine_low"] >= 0.99, export["overlap_ci95"][0] >= 0.9) == (True,) * 3
    assert export["queries"] > 0
    assert (pipeline.root / FOLDER / "int8/model.xml").is_file()
    said = (pipeline.root / "metrics/tiny/package.md").read_text(encoding="utf-8")
    assert f"a mean cosine of {export['cosine']:.4f} to the float32 ones" in said
    assert said.split("\n\n")[3] in (pipeline.root / FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def workspace(base_folder: Path, tmp_path: Path) -> Path:
    """What the stage reads: a few real passages and queries, the base as the tuned model, this repository's figures."""
    for name in ("models/base", "models/tuned/manuals"):
        copy(base_folder, tmp_path / name)
    shutil.copytree(ROOT / "metrics/manuals", tmp_path / "metrics/manuals")
    statistics = json.loads((ROOT / "metrics/manuals/significance.json").read_text(encoding="utf-8"))
    write_json(tmp_path / "metrics/manuals/significance.json", {**statistics, "skipped": {}})
    passages, asked = judging_texts()
    corpus = {str(i): Passage(str(i), "", text) for i, text in enumerate(passages)}
    queries = {f"q{i}": Query(f"q{i}", text) for i, text in enumerate(asked)}
    write_dataset(tmp_path / "data/ingest/manuals", Dataset(corpus, {}, {}))
    write_queries(tmp_path / "data/synthesize/manuals", queries, {"train": {f"q{i}": {i: 1} for i in corpus}})
    YAML().dump(all_params(), tmp_path / "params.yaml")
    return tmp_path


Packaged = Callable[[], tuple[dict[str, Any], str, str]]


@pytest.fixture
def packaged(workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Packaged:
    """Runs the stage there: the card, both texts for people, and what the stage printed."""

    def run_it() -> tuple[dict[str, Any], str, str]:
        monkeypatch.chdir(workspace)
        monkeypatch.setattr(sys, "argv", ["package", "manuals"])
        package.main()
        (folder,) = workspace.glob("models/manuals-embeddings-v*")
        texts = (folder / "README.md", workspace / "metrics/manuals/package.md")
        card = json.loads((folder / "model_card.json").read_text(encoding="utf-8"))
        return card, "\n".join(path.read_text(encoding="utf-8") for path in texts), capsys.readouterr().out

    return run_it


def loads(workspace: Path) -> VersionedEmbeddings:
    return VersionedEmbeddings(VERSION, "manuals", fallback_to_baseline=False, root=workspace / "models")


def test_no_export_is_made_where_none_is_asked_for(workspace: Path, packaged: Packaged) -> None:
    set_params(workspace, {"package": {"export": None}})

    card, texts, said = packaged()

    assert (card["int8_export"], card["skipped"]) == (None, {})
    assert "int8 export:" not in said + texts
    assert "No int8 export." in texts
    assert loads(workspace).backend in ("bfloat16", "torch")


def test_without_openvino_a_model_is_packaged_all_the_same(
    workspace: Path, packaged: Packaged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "domain_embeddings.packaging.int8_export", raising=False)  # to be imported anew
    for name in ("openvino", "nncf"):
        monkeypatch.setitem(sys.modules, name, None)

    card, texts, said = packaged()

    reason = "ModuleNotFoundError: import of nncf halted; None in sys.modules"
    assert (card["int8_export"], card["skipped"]) == (None, {"int8 export": reason})
    assert f"manuals: packaged without an int8 export: {reason}\n" in said
    assert texts.count(f"int8 export: {reason}") == 2
    assert loads(workspace).backend in ("bfloat16", "torch")


def test_an_export_with_a_scaled_weight_is_left_out_with_its_figures(
    workspace: Path, packaged: Packaged, base_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged: Any = load(base_folder, 256, device="cpu").network
    damaged.encoder.layer[3].intermediate.dense.weight.data *= 2
    converted = int8_export.converted
    monkeypatch.setattr(int8_export, "converted", lambda _: converted(damaged))

    card, texts, said = packaged()

    reason = card["skipped"]["int8 export"]
    assert card["int8_export"] is None
    assert reason.startswith("with int8 weights and activations, the cosine to float32 is 0.9")
    assert "; with int8 weights, the cosine to float32 is 0.9" in reason
    assert "asked for are 0.995 and 0.99" in reason
    assert f"manuals: packaged without an int8 export: {reason}\n" in said
    assert texts.count(f"int8 export: {reason}") == 2
    assert loads(workspace).backend in ("bfloat16", "torch")


def test_packaging_again_gives_the_same_bytes(pipeline: Pipeline) -> None:
    folder = pipeline.root.parent / "again_package"
    (folder / "models").mkdir(parents=True)
    for name in ("stages", "domain_embeddings", "params.yaml", "metrics", "data", "models/base", "models/tuned"):
        (folder / name).symlink_to(pipeline.root / name)

    run(folder, sys.executable, "-m", "stages.package", "tiny")

    assert outs_of(folder / FOLDER) == outs_of(pipeline.root / FOLDER)
