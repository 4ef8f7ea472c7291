"""Every stage, one after the other in this process: a small model of random weights, two manuals."""

import importlib
import json
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
from domain_embeddings.params.search import SearchParams
from domain_embeddings.systems.system import family
from scripts.dependencies import ROOT
from stages.stage import start
from tests.knobs import all_params
from tests.stages.conftest import STAGES, TINY, set_params, write_inputs

VERSION = all_params()["package"]["version"]
SYSTEMS = family(aliases=False, params=SearchParams())
ARMS = {*(system.name for system in SYSTEMS), "shipped"}
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
def small(base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which the main of every stage has run, in DVC's order."""
    folder = tmp_path_factory.mktemp("small")
    write_inputs(folder)
    make_model(base_folder, folder / "model")
    root = folder / "workspace"
    (root / "data").mkdir(parents=True)
    (root / "data/raw").symlink_to(ROOT / "data/raw")
    YAML().dump({**all_params(), "corpora": {"tiny": {"kind": "manuals", "path": "../tiny"}}}, root / "params.yaml")
    pinned = {name: read(folder / "model" / name).sha256 for name in PINNED}
    base = {"source": "folder", "name": "../model", "revision": "", "hub_name": "", "sha256": pinned}
    set_params(root, TINY)
    set_params(root, {"base_model": base, "evaluate": {"baselines": {}}, "package": {"export": None}})
    set_params(root, {"train": {"frozen_blocks": 1, "further_seeds": []}})
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        for stage in ("base_model", *STAGES):
            patch.setattr(sys, "argv", [f"stages/{stage}.py", *(["tiny"] if stage != "base_model" else [])])
            start()
            importlib.import_module(f"stages.{stage}").main()
    torch.set_num_threads(threads)
    return root


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_figures_have_their_fixed_form(small: Path) -> None:
    table, found = _json(small / "metrics/tiny/evaluate.json"), _json(small / "metrics/tiny/verdict.json")

    assert table.keys() == ARMS
    assert all(row.keys() == {*METRICS, "n_queries"} for row in table.values())
    assert table["bm25"]["recall@10"] > 0.5  # the figure of a ranking, not of an empty file
    assert {"verdict", "metric", "delta", "ci95", "p", "promoted", "shipped", "shipped_delta"} <= found.keys()
    assert table["shipped"] == table[found["shipped"]]
    assert found["delta"] == pytest.approx(table["tuned"]["ndcg@10"] - table["base"]["ndcg@10"], abs=2e-6)


def test_what_is_packaged_loads_and_encodes(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(small)
    model = VersionedEmbeddings(VERSION, "tiny", root=small / "models")

    assert model.get_model_info()["loaded"] == "version"
    assert model.system is not None
    assert model.system.name == _json(small / "metrics/tiny/verdict.json")["shipped"]
    assert model.encode(["bleed the brakes"]).shape == (1, 32)
