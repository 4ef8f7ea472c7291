"""The ingest stage: a folder of documents becomes a BEIR collection and a report."""

from typing import get_args

from domain_embeddings.core.beir_files import read_dataset
from domain_embeddings.params.corpora import Kind
from stages.ingest import ADAPTERS
from tests.stages.conftest import MANUALS, Pipeline, outs_of


def test_every_kind_has_an_adapter() -> None:
    assert set(ADAPTERS) == set(get_args(Kind))


def test_the_stage_writes_a_beir_folder(pipeline: Pipeline) -> None:
    dataset = read_dataset(pipeline.root / "data/ingest/tiny")

    assert 20 <= len(dataset.corpus) <= 60
    assert {passage.extra["file"] for passage in dataset.corpus.values()} == set(MANUALS)
    assert {passage.domain for passage in dataset.corpus.values()} == {"forklift", "vehicle_civilian"}
    assert {split: len(qrels) for split, qrels in dataset.qrels.items()} == {"dev": 6, "test": 23}
    assert dataset.judged("test").keys() == dataset.qrels["test"].keys()


def test_the_report_counts(pipeline: Pipeline) -> None:
    report = pipeline.json("data/ingest/tiny/report.json")

    assert report["rejects"] == []
    assert (report["counts"]["files.read"], report["counts"]["files.rejected"]) == (2, 0)
    passages = len(read_dataset(pipeline.root / "data/ingest/tiny").corpus)
    assert sum(n for name, n in report["counts"].items() if name.startswith("passages.")) == passages


def test_the_outs_are_the_same_bytes_again(pipeline: Pipeline) -> None:
    assert pipeline.again("ingest") == outs_of(pipeline.root / "data/ingest/tiny")
