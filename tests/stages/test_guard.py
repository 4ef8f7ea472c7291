"""The guard stage: other corpora's dev questions, ranked by base and tuned."""

from pathlib import Path

import numpy as np
import pytest

from domain_embeddings.dataset import Dataset, Passage, Query, read_jsonl, write_corpus, write_json, write_queries
from domain_embeddings.dev import per_query
from domain_embeddings.encoder import Model, encode
from domain_embeddings.params.guard import GuardParams
from stages.guard import ranked, sample
from stages.workspace import asks_synthetic, base_vectors
from tests.knobs import knobs
from tests.stages.conftest import Pipeline


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """A corpus `other` of 200 passages and 40 dev questions, in the folder where stages look."""
    corpus = {f"p{i}": Passage(f"p{i}", "", f"item{i} of the list") for i in range(200)}
    queries = {f"q{i}": Query(f"q{i}", f"where is item{i}") for i in range(40)}
    qrels = {query_id: {f"p{query_id[1:]}": 1} for query_id in queries}
    write_corpus(tmp_path / "data/ingest/other/corpus.jsonl", corpus)
    write_queries(tmp_path / "data/synthesize/other", queries, {"dev": qrels})
    write_json(tmp_path / "data/synthesize/other/statistics.json", {"dev": {"origin": "synthetic"}})
    monkeypatch.chdir(tmp_path)
    return Dataset(corpus, queries, {"dev": qrels})


def test_a_sample_holds_the_answers_to_its_questions(other: Dataset) -> None:
    params = knobs("guard", GuardParams, questions=10, passages=50)

    dev = sample("other", params)

    assert len(dev.queries) == 10
    assert {passage for grades in dev.qrels.values() for passage in grades} <= dev.passages.keys()
    assert 50 <= len(dev.passages) < 200
    assert sample("other", params) == dev
    assert sample("other", knobs("guard", GuardParams, questions=10, passages=50, seed=7)) != dev


def test_the_bases_rows_are_those_of_its_own_ranking(other: Dataset, base: Model) -> None:
    base_vectors("other").parent.mkdir(parents=True)
    np.save(base_vectors("other"), encode(base, [passage.content for passage in other.corpus.values()]))
    dev = sample("other", knobs("guard", GuardParams, questions=10, passages=50))

    rows = list(ranked("other", dev, base, base))

    found = {row["query_id"]: row["ndcg@10"] for row in rows if row["arm"] == "base"}
    assert found == {query_id: row["ndcg@10"] for query_id, row in per_query(base, dev).items()}
    assert [row["ndcg@10"] for row in rows if row["arm"] == "tuned"] == list(found.values())
    assert all(row["corpus"] == "other" and row["synthetic"] for row in rows)


def test_synthetic_dev_questions_are_known_as_such(other: Dataset) -> None:
    assert asks_synthetic("other")


def test_without_another_corpus_there_is_nothing_to_guard(pipeline: Pipeline) -> None:
    assert list(read_jsonl(pipeline.root / "data/guard/tiny/per_query.jsonl")) == []
