"""Every stage, one after the other in this process: a small model of random weights, two manuals."""

import importlib
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ruamel.yaml import YAML
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Transformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling
from transformers import BertConfig, BertModel

from domain_embeddings import VersionedEmbeddings
from domain_embeddings.core.beir_files import read_corpus, read_jsonl, read_queries
from domain_embeddings.core.metrics import METRICS
from domain_embeddings.encoding.encoder_config import WEIGHTS, EncoderConfig
from domain_embeddings.packaging.manifest import read
from domain_embeddings.params.search import SearchParams
from domain_embeddings.systems.system import family
from scripts.dependencies import ROOT
from stages.stage import start
from tests.base_models import ARCHITECTURES, LEAF, make_kind
from tests.knobs import all_params
from tests.stages.conftest import STAGES, TINY, set_params, write_inputs

VERSION = all_params()["package"]["version"]
SYSTEMS = family(aliases=False, params=SearchParams())
ARMS = {*(system.name for system in SYSTEMS), "shipped"}
PROMPTS = {"query": "find: ", "passage": "here: "}
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


def run_stages(folder: Path, model: Path) -> Path:
    """A workspace in which the main of every stage has run with this base model, in DVC's order."""
    write_inputs(folder)
    root = folder / "workspace"
    (root / "data").mkdir(parents=True)
    (root / "data/raw").symlink_to(ROOT / "data/raw")
    YAML().dump({**all_params(), "corpora": {"tiny": {"kind": "manuals", "path": "../tiny"}}}, root / "params.yaml")
    pinned = {name: read(model / name).sha256 for name in PINNED}
    base = {"source": "folder", "name": str(model), "revision": "", "hub_name": "", "sha256": pinned}
    set_params(root, TINY)
    set_params(root, {"base_model": {**base, "prompts": PROMPTS}, "evaluate": {"baselines": {}}})
    set_params(root, {"train": {"frozen_blocks": 1, "further_seeds": []}, "package": {"export": None}})
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        for stage in ("base_model", *STAGES):
            patch.setattr(sys, "argv", [f"stages/{stage}.py", *(["tiny"] if stage != "base_model" else [])])
            start()
            importlib.import_module(f"stages.{stage}").main()
    torch.set_num_threads(threads)
    return root


@pytest.fixture(scope="module")
def small(base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of a small BERT."""
    folder = tmp_path_factory.mktemp("small")
    make_model(base_folder, folder / "model")
    return run_stages(folder, folder / "model")


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in ARCHITECTURES if kind != "bert"])
def test_every_architecture_goes_from_ingest_to_a_package(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = run_stages(tmp_path, make_kind(kind, LEAF, tmp_path / kind))
    monkeypatch.chdir(root)

    model = VersionedEmbeddings(VERSION, "tiny", fallback_to_baseline=False, root=root / "models")

    assert model.encode_query(["bleed the brakes"]).shape == (1, 64)
    assert asdict(model.config.prompts) == PROMPTS
    base, tuned = (load_file(root / "models" / name / WEIGHTS) for name in ("base", "tuned/tiny"))
    assert {name for name in base if not torch.equal(base[name], tuned[name])}


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
    assert model.encode_query(["bleed the brakes"]).shape == (1, 32)


def test_every_model_has_the_prompts_of_the_params(small: Path) -> None:
    folders = [small / "models" / name for name in ("base", "tuned/tiny", f"tiny-embeddings-v{VERSION}")]

    assert [asdict(EncoderConfig.of(folder).prompts) for folder in folders] == [PROMPTS] * 3
    assert _json(folders[2] / "model_card.json")["encoding"]["prompts"] == PROMPTS


def test_every_stage_encodes_a_query_behind_its_prompt_and_a_passage_behind_its_own(small: Path) -> None:
    """What the stages found is found again by sentence-transformers' own encode_query and encode_document."""
    peer = SentenceTransformer(str(small / "models/base"), device="cpu", local_files_only=True)
    corpus = read_corpus(small / "data/ingest/tiny/corpus.jsonl")
    passages = peer.encode_document([passage.content for passage in corpus.values()], normalize_embeddings=True)
    questions = read_queries(small / "data/ingest/tiny/queries.jsonl")
    rows = [row for _, row in read_jsonl(small / "data/evaluate/tiny/per_query.jsonl") if row["arm"] == "base"]

    asked = peer.encode_query([questions[row["query_id"]].text for row in rows], normalize_embeddings=True)

    best = np.sort(asked @ passages.T, axis=1)[:, ::-1][:, :10]
    of = {passage_id: i for i, passage_id in enumerate(corpus)}
    found = [[float(vector @ passages[of[i]]) for i in row["found"]] for vector, row in zip(asked, rows, strict=True)]
    np.testing.assert_allclose(found, best, atol=1e-5)
