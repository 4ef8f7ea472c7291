"""The synthesize stage: training queries from passages, dev queries, and no held-out question among them."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from domain_embeddings.core.beir_files import read_corpus, read_qrels, read_queries, write_dataset
from domain_embeddings.core.dataset import Dataset, Passage, Query
from domain_embeddings.core.errors import DataError
from domain_embeddings.text_matching.near_equal_queries import NearEqualQueries
from stages.synthesize import held_out_questions, labelled, main
from tests.knobs import all_params
from tests.stages.conftest import Pipeline, outs_of

QUERIES = {
    "t1": "how do I bleed the brakes",
    "t2": "what oil does the gearbox take",
    "d1": "Bleed the BRAKES: how?",
    "x1": "where is the fuse box",
    "u1": "nobody judged this",
}
DATASET = Dataset(
    {"p": Passage("p", "Brakes", "Bleed them.")},
    {query_id: Query(query_id, text) for query_id, text in QUERIES.items()},
    {"train": {"t1": {"p": 1}, "t2": {"p": 2}}, "dev": {"d1": {"p": 1}}, "test": {"x1": {"p": 1}}},
)


def test_held_out_questions_are_those_of_dev_and_test() -> None:
    assert held_out_questions(DATASET) == {
        "dev question d1": "Bleed the BRAKES: how?",
        "test question x1": "where is the fuse box",
    }


def test_a_leaked_training_question_stops_the_stage() -> None:
    with pytest.raises(DataError) as error:
        labelled(DATASET, held_out_questions(DATASET), "fail")

    assert "1 training questions are near-equal to held-out ones" in str(error.value)
    assert "train question t1 'how do I bleed the brakes' ~ dev question d1 'Bleed the BRAKES: how?'" in str(
        error.value
    )


def test_a_leaked_training_question_is_dropped_when_asked_for() -> None:
    kept, leaks = labelled(DATASET, held_out_questions(DATASET), "drop")

    assert list(kept) == ["t2"]
    assert leaks == [("train question t1", "dev question d1")]


def test_a_corpus_of_which_no_query_can_be_made_stops_the_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dev questions are labelled, so only training is without any."""
    corpus = {str(i): Passage(str(i), "", f"如果泵过热，请检查第{i}号螺栓的扭矩是否为{20 + i}牛米。") for i in range(6)}
    queries = {"a": Query("a", "泵过热怎么办"), "b": Query("b", "扭矩是多少")}
    dataset = Dataset(corpus, queries, {"dev": {"a": {"1": 1}}, "test": {"b": {"2": 1}}})
    write_dataset(tmp_path / "data/ingest/docs", dataset)
    YAML().dump(all_params(), tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["synthesize", "docs"])

    with pytest.raises(DataError, match=r"corpus\.jsonl: no training query can be made from its passages \(label some"):
        main()


def test_every_pair_names_a_query_and_a_passage(pipeline: Pipeline) -> None:
    folder = pipeline.root / "data/synthesize/tiny"
    corpus = read_corpus(pipeline.root / "data/ingest/tiny/corpus.jsonl")
    queries = read_queries(folder / "queries.jsonl")
    train, dev = (read_qrels(folder / "qrels" / f"{split}.tsv", queries, corpus) for split in ("train", "dev"))

    assert len(train) > len(corpus)  # two for most passages
    assert len(dev) == 6
    assert train.keys() | dev.keys() == queries.keys()
    assert not train.keys() & dev.keys()


def test_no_training_query_says_what_a_held_out_question_says(pipeline: Pipeline) -> None:
    ingested = pipeline.root / "data/ingest/tiny"
    held_out = NearEqualQueries({i: query.text for i, query in read_queries(ingested / "queries.jsonl").items()})
    folder = pipeline.root / "data/synthesize/tiny"
    queries = read_queries(folder / "queries.jsonl")
    trained_on = read_qrels(folder / "qrels/train.tsv", queries, read_corpus(ingested / "corpus.jsonl"))

    assert [query_id for query_id in trained_on if held_out.find(queries[query_id].text)] == []


def test_labelled_dev_questions_are_used(pipeline: Pipeline) -> None:
    statistics = pipeline.json("data/synthesize/tiny/statistics.json")

    assert statistics["dev"] == {"origin": "labelled", "queries": 6, "passages_held_out": 0}
    assert statistics["labelled"] == {"train": 0, "leaks_dropped": []}


def test_the_outs_are_the_same_bytes_again(pipeline: Pipeline) -> None:
    assert pipeline.again("synthesize") == outs_of(pipeline.root / "data/synthesize/tiny")
