"""The whole pipeline in a minute: a small model of random weights, two manuals, every stage by DVC."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from ruamel.yaml import YAML
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Transformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling
from transformers import BertConfig, BertModel

from domain_embeddings import VersionedEmbeddings
from domain_embeddings.core.metrics import METRICS
from domain_embeddings.packaging.manifest import read
from tests.knobs import all_params
from tests.stages.conftest import STAGES, Pipeline, make_clone, ran, run, set_params

VERSION = all_params()["package"]["version"]
ARMS = {"bm25", "base", "tuned", "hybrid_base", "hybrid_tuned", "late_base", "late_tuned", "late_hybrid"}
PINNED = ("model.safetensors", "tokenizer.json")


def make_model(tokenizer: Path, folder: Path) -> None:
    """A sentence-transformers folder: two blocks of 32 dimensions, random weights, a real tokenizer."""
    config = BertConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, max_position_embeddings=64
    )
    torch.manual_seed(0)
    backbone = folder.parent / "backbone"
    BertModel(config).save_pretrained(backbone)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
        (backbone / name).write_bytes((tokenizer / name).read_bytes())
    transformer = Transformer(str(backbone), max_seq_length=64)
    modules = [transformer, Pooling(32), Normalize()]
    SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(folder), create_model_card=False)


@pytest.fixture(scope="module")
def small(base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """All stages, run once."""
    folder = tmp_path_factory.mktemp("small")
    root = make_clone(folder)
    make_model(base_folder, folder / "model")
    values = YAML(typ="safe").load(root / "params.yaml")
    values["base_model"] = {
        "source": "folder", "name": "../model", "max_seq_length": 64,
        "sha256": {name: read(folder / "model" / name).sha256 for name in PINNED},
    }  # fmt: skip
    YAML().dump(values, root / "params.yaml")
    quick: dict[str, dict[str, Any]] = {
        "train": {"frozen_blocks": 1, "further_seeds": []},
        "evaluate": {"baselines": {}},
        "package": {"export": None},
    }
    set_params(root, quick)
    return Pipeline(root, run(root, sys.executable, "-m", "dvc", "repro"))


def test_every_stage_runs_once(small: Pipeline) -> None:
    assert sorted(ran(small.first_run)) == sorted(["base_model", *(f"{stage}@tiny" for stage in STAGES)])


def test_a_second_run_does_nothing(small: Pipeline) -> None:
    assert ran(small.dvc("repro")) == []


def test_the_figures_have_their_fixed_form(small: Pipeline) -> None:
    table, found = small.json("metrics/tiny/evaluate.json"), small.json("metrics/tiny/verdict.json")

    assert table.keys() >= ARMS
    assert all(row.keys() == {*METRICS, "n_queries"} for row in table.values())
    assert table["bm25"]["recall@10"] > 0.5  # the figure of a ranking, not of an empty file
    assert {"verdict", "metric", "delta", "ci95", "p", "promoted"} <= found.keys()
    assert found["delta"] == pytest.approx(table["tuned"]["ndcg@10"] - table["base"]["ndcg@10"], abs=2e-6)


def test_what_is_packaged_loads_and_encodes(small: Pipeline) -> None:
    model = VersionedEmbeddings(VERSION, "tiny", root=small.root / "models")

    assert model.get_model_info()["loaded"] == "version"
    assert model.encode(["bleed the brakes"]).shape == (1, 32)
