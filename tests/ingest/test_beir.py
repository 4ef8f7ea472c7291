"""The adapter for BEIR folders: which splits and questions are kept, and what domain a question has."""

import json
from pathlib import Path
from typing import Any

import pytest

from domain_embeddings.core.authors import author_of
from domain_embeddings.core.beir_files import read_dataset, write_dataset
from domain_embeddings.core.errors import DataError
from domain_embeddings.ingest.kinds.beir import read
from domain_embeddings.params.ingest import IngestParams
from tests.knobs import knobs

CORPUS = [
    {"_id": "p1", "title": "", "text": "Bleed the brakes.", "domain": "forklift"},
    {"_id": "p2", "title": "", "text": "Vent the radiator.", "domain": "hvac"},
]
QUERIES = [{"_id": f"q{i}", "text": f"question {i}"} for i in range(1, 5)]
SPLITS = {"train": "q1\tp1\t1\n", "dev": "q2\tp2\t1\n", "test": "q3\tp1\t1\nq3\tp2\t2\n"}


def _folder(root: Path, queries: list[dict[str, Any]] = QUERIES, splits: dict[str, str] = SPLITS) -> Path:
    (root / "qrels").mkdir(parents=True)
    (root / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in CORPUS))
    (root / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in queries))
    for split, lines in splits.items():
        (root / "qrels" / f"{split}.tsv").write_text("query-id\tcorpus-id\tscore\n" + lines)
    return root


def _params(*splits: str) -> IngestParams:
    return knobs("ingest", IngestParams, splits=list(splits))


def test_all_splits_are_kept_and_counted(tmp_path: Path) -> None:
    ingested = read(_folder(tmp_path), _params("train", "dev", "test"))

    assert ingested.dataset.qrels == {
        "train": {"q1": {"p1": 1}},
        "dev": {"q2": {"p2": 1}},
        "test": {"q3": {"p1": 1, "p2": 2}},
    }
    assert list(ingested.dataset.queries) == ["q1", "q2", "q3"]
    assert ingested.counts == {
        "passages": 2, "queries.train": 1, "queries.dev": 1, "queries.test": 1, "queries.unused": 1,
    }  # fmt: skip
    assert ingested.rejects == []


def test_the_test_split_alone_when_asked_for(tmp_path: Path) -> None:
    ingested = read(_folder(tmp_path), _params("test"))

    assert ingested.dataset.qrels == {"test": {"q3": {"p1": 1, "p2": 2}}}
    assert list(ingested.dataset.queries) == ["q3"]
    assert ingested.counts["queries.unused"] == 3


def test_the_test_split_alone_when_there_is_no_other(tmp_path: Path) -> None:
    ingested = read(_folder(tmp_path, splits={"test": SPLITS["test"]}), _params("train", "dev", "test"))

    assert ingested.dataset.qrels.keys() == {"test"}


def test_a_question_has_the_domain_of_its_best_passage(tmp_path: Path) -> None:
    queries = [{**QUERIES[0], "domain": "own"}, *QUERIES[1:]]

    found = read(_folder(tmp_path, queries), _params("train", "dev", "test")).dataset.queries

    assert {i: query.domain for i, query in found.items()} == {"q1": "own", "q2": "hvac", "q3": "hvac"}


def test_what_else_a_question_says_is_kept(tmp_path: Path) -> None:
    queries = [{**QUERIES[0], "category": "how-to", "difficulty": "hard", "asked_by": "a driver"}, *QUERIES[1:]]

    query = read(_folder(tmp_path, queries), _params("train", "test")).dataset.queries["q1"]

    assert (query.category, query.difficulty, query.extra) == (
        "how-to",
        "hard",
        {"asked_by": "a driver", "written_by": "unknown"},
    )


def test_who_wrote_a_question_is_what_it_says_or_unknown_even_with_a_source(tmp_path: Path) -> None:
    queries = [{**QUERIES[0], "written_by": "model"}, {**QUERIES[1], "source": "a forum"}, *QUERIES[2:]]

    found = read(_folder(tmp_path / "in", queries), _params("train", "dev", "test")).dataset
    write_dataset(tmp_path / "out", found)

    written = read_dataset(tmp_path / "out").queries
    assert [author_of(written[i]) for i in ("q1", "q2", "q3")] == ["model", "unknown", "unknown"]
    assert json.loads((tmp_path / "out/queries.jsonl").read_text().splitlines()[0])["written_by"] == "model"


def test_an_author_outside_the_set_is_an_error_with_its_line(tmp_path: Path) -> None:
    queries = [QUERIES[0], {**QUERIES[1], "written_by": "ann"}, *QUERIES[2:]]

    with pytest.raises(
        DataError, match=r"queries\.jsonl:2: 'written_by' is \"ann\" \(one of people, rules, model, unknown\)"
    ):
        read(_folder(tmp_path, queries), _params("test"))


def test_a_dangling_judgement_is_an_error_even_in_a_split_not_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"dev\.tsv:2: passage id 'p9' is not in corpus\.jsonl"):
        read(_folder(tmp_path, splits={**SPLITS, "dev": "q2\tp9\t1\n"}), _params("test"))


@pytest.mark.parametrize("aliases", ["tower", ["tower", 7], {"a": "b"}])
def test_aliases_that_are_no_list_of_names_are_an_error(tmp_path: Path, aliases: Any) -> None:
    folder = _folder(tmp_path)
    rows = [{**CORPUS[0], "aliases": ["tower"]}, {**CORPUS[1], "aliases": aliases}]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    with pytest.raises(DataError, match=r"corpus\.jsonl: the 'aliases' of passage 'p2' must be a list of strings"):
        read(folder, _params("test"))
