"""The mine stage: a hard negative for every training pair, and an audit."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from qdrant_client import QdrantClient, models
from ruamel.yaml import YAML

from domain_embeddings.core.beir_files import read_corpus, read_jsonl, read_qrels, read_queries, write_dataset
from domain_embeddings.core.dataset import Dataset, Passage, Query
from domain_embeddings.encoding.encoder import Model, encode
from domain_embeddings.encoding.roles import Role
from stages import mine
from tests.knobs import all_params
from tests.stages.conftest import Pipeline

TEXTS = {"pads": "worn brake pads squeal", "oil": "change the oil warm", "rudder": "grease the rudder cable"}
Mined = Callable[[str], tuple[dict[str, list[str]], dict[str, Any]]]
"""Origin of the dev questions → positive → negatives, and the audit."""


def test_every_pair_has_a_triplet_with_sound_negatives(pipeline: Pipeline) -> None:
    corpus = read_corpus(pipeline.root / "data/ingest/tiny/corpus.jsonl")
    synthesized = pipeline.root / "data/synthesize/tiny"
    queries = read_queries(synthesized / "queries.jsonl")
    qrels = read_qrels(synthesized / "qrels/train.tsv", queries, corpus)

    triplets = [row for _, row in read_jsonl(pipeline.root / "data/mine/tiny/triplets.jsonl")]

    pairs = [(query_id, passage) for query_id, grades in qrels.items() for passage in grades]
    assert [(row["query_id"], row["positive"]) for row in triplets] == pairs
    for row in triplets:
        assert row["query"] == queries[row["query_id"]].text
        assert len(row["negatives"]) == 1
        assert not qrels[row["query_id"]].keys() & set(row["negatives"])
        assert corpus[row["negatives"][0]].title != corpus[row["positive"]].title


def test_the_audit_adds_up(pipeline: Pipeline) -> None:
    audit = pipeline.json("data/mine/tiny/audit.json")
    triplets = list(read_jsonl(pipeline.root / "data/mine/tiny/triplets.jsonl"))

    assert audit["kept"]["same domain"] + audit["kept"]["cross domain"] == len(triplets)
    assert audit["dropped"]["relevant to this query"] > 0
    shares = [row["share"] for row in audit["suspicious"]]
    assert len(shares) == 50
    assert shares == sorted(shares, reverse=True)


def _write_inputs(folder: Path, base_folder: Path, dev_origin: str) -> None:
    """A corpus with a query for every passage, the base model, and params by which the collection alone is asked.

    The dev questions, of people or synthetic, are one for rudder, which judges oil irrelevant.
    """
    corpus = {name: Passage(name, name, text) for name, text in TEXTS.items()}
    queries = {f"q-{name}": Query(f"q-{name}", text) for name, text in TEXTS.items()}
    qrels = {f"q-{name}": {name: 1} for name in TEXTS}
    dev = {"d-rudder": Query("d-rudder", "who greases the cable")}
    dataset = Dataset(corpus, queries | dev, {"train": qrels, "dev": {"d-rudder": {"rudder": 1, "oil": 0}}})
    for stage in ("ingest", "synthesize"):
        write_dataset(folder / "data" / stage / "docs", dataset)
    statistics = {"dev": {"origin": dev_origin}}
    (folder / "data/synthesize/docs/statistics.json").write_text(json.dumps(statistics), encoding="utf-8")
    (folder / "models").mkdir()
    (folder / "models/base").symlink_to(base_folder)
    values = all_params()
    qdrant = {"path": "search", "collection": "docs", "id_field": "doc"}
    values["mine"].update(candidates=["qdrant"], qdrant=qdrant, negatives=1)
    YAML().dump(values, folder / "params.yaml")


def _index(folder: Path, base: Model) -> None:
    """What is searched today: two of the passages, and one that the corpus does not have."""
    indexed = {"oil": TEXTS["oil"], "rudder": TEXTS["rudder"], "old": "worn brake pads squeal loudly"}
    client = QdrantClient(path=str(folder))
    client.create_collection("docs", models.VectorParams(size=384, distance=models.Distance.COSINE))
    vectors = encode(base, list(indexed.values()), Role.PASSAGE)
    rows = zip(indexed, vectors.tolist(), strict=True)
    client.upsert("docs", [models.PointStruct(id=i, vector=v, payload={"doc": n}) for i, (n, v) in enumerate(rows)])
    client.close()


@pytest.fixture
def mined(tmp_path: Path, base_folder: Path, base: Model, monkeypatch: pytest.MonkeyPatch) -> Mined:
    """Runs the stage."""

    def run(dev_origin: str) -> tuple[dict[str, list[str]], dict[str, Any]]:
        _write_inputs(tmp_path, base_folder, dev_origin)
        _index(tmp_path / "search", base)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.argv", ["stages/mine.py", "docs"])
        mine.main()
        triplets = {row["positive"]: row["negatives"] for _, row in read_jsonl(Path("data/mine/docs/triplets.jsonl"))}
        return triplets, json.loads(Path("data/mine/docs/audit.json").read_text(encoding="utf-8"))

    return run


def test_the_collection_in_use_gives_candidates(mined: Mined) -> None:
    triplets, audit = mined("labelled")

    assert triplets["oil"] == ["rudder"]  # pads is not in the collection
    assert triplets["rudder"] == ["oil"]
    assert audit["dropped"] == {"relevant to this query": 2, "not in the corpus": 3}
    assert audit["kept"] == {"same domain": 3}


def test_what_synthetic_dev_questions_ask_for_is_no_negative(mined: Mined) -> None:
    triplets, audit = mined("synthetic")

    assert triplets == {"oil": ["pads"], "pads": ["oil"], "rudder": ["oil"]}
    assert audit["dropped"] == {"held out": 2, "relevant to this query": 2, "not in the corpus": 3}
    assert audit["kept"] == {"fallback": 1, "same domain": 3}
