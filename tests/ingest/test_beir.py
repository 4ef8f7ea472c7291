"""The adapter for BEIR folders: which splits and questions are kept, and what domain a question has."""

import json
from pathlib import Path
from typing import Any

import pytest

from domain_embeddings.core.beir_files import read_dataset, write_dataset
from domain_embeddings.core.dataset import Reject, author_of
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


def test_rows_without_a_word_are_left_out_with_what_was_judged_of_them(tmp_path: Path) -> None:
    folder = _folder(tmp_path, [*QUERIES, {"_id": "q9", "text": " "}])
    with (folder / "corpus.jsonl").open("a") as file:
        file.write(json.dumps({"_id": "p3", "title": "", "text": "", "metadata": {}}) + "\n")
    with (folder / "qrels/test.tsv").open("a") as file:
        file.write("q3\tp3\t1\nq9\tp1\t1\n")

    ingested = read(folder, _params("test"))

    assert list(ingested.dataset.corpus) == ["p1", "p2"]
    assert ingested.dataset.qrels == {"test": {"q3": {"p1": 1, "p2": 2}}}
    assert ingested.counts["rows.empty"] == 2
    assert ingested.rejects == [
        Reject("corpus.jsonl:3", "'p3' has neither title nor text"),
        Reject("queries.jsonl:5", "'q9' has no text"),
        Reject("qrels", "2 judgements of these rows"),
    ]


def test_a_title_without_a_text_is_the_text(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    rows = [{"_id": "p1", "title": "Bleed the brakes."}, {"_id": "p2", "title": "Vent it.", "text": " "}]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    corpus = read(folder, _params("test")).dataset.corpus

    assert [(passage.title, passage.text) for passage in corpus.values()] == [
        ("", "Bleed the brakes."),
        ("", "Vent it."),
    ]


def test_files_that_are_not_read_are_named(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    for name in ("qrels.tsv", "NOTE.md", "qrels/val.tsv", "qrels/test.txt"):
        (folder / name).write_text("q1\tp1\t1\n")

    reason = "not read: corpus.jsonl, queries.jsonl and qrels/{train,dev,test}.tsv are"
    assert read(folder, _params("test")).rejects == [
        Reject(name, reason) for name in ("NOTE.md", "qrels.tsv", "qrels/test.txt", "qrels/val.tsv")
    ]


def test_judgements_beside_the_corpus_alone_are_a_problem(tmp_path: Path) -> None:
    folder = _folder(tmp_path, splits={})
    (folder / "qrels").rename(folder / "judgements")
    (folder / "qrels.tsv").write_text("q1\tp1\t1\n")

    ingested = read(folder, _params("test"))

    assert [reject.place for reject in ingested.rejects] == ["qrels.tsv"]
    assert ingested.problems == ["no question is judged in qrels/test.tsv, so nothing can be evaluated"]
    assert read(_folder(tmp_path / "whole"), _params("test")).problems == []


def test_keys_by_which_later_stages_go_are_renamed_and_named(tmp_path: Path) -> None:
    asked: dict[str, Any] = {**QUERIES[2], "source": "sentence", "expected_topics": 5}
    queries = [*QUERIES[:2], asked, QUERIES[3]]
    folder = _folder(tmp_path, queries)
    odd = {"held_out": True, "entity": {"a": 1}, "x_entity": 2, "mentions": 7, "price": 3.5, "file": "a.pdf"}
    (folder / "corpus.jsonl").write_text("".join(json.dumps({**row, **odd}) + "\n" for row in CORPUS))

    ingested = read(folder, _params("test"))

    assert ingested.dataset.corpus["p1"].extra == {
        "x_held_out": True, "x_x_entity": {"a": 1}, "x_entity": 2, "x_mentions": 7, "price": 3.5, "file": "a.pdf"
    }  # fmt: skip
    assert ingested.dataset.queries["q3"].extra == {
        "x_source": "sentence",
        "x_expected_topics": 5,
        "written_by": "unknown",
    }
    assert [(reject.place, reject.reason.split("'")[1]) for reject in ingested.rejects] == [
        ("corpus.jsonl", "entity"), ("corpus.jsonl", "mentions"), ("corpus.jsonl", "held_out"),
        ("queries.jsonl", "source"), ("queries.jsonl", "expected_topics"),
    ]  # fmt: skip
    assert ingested.rejects[0].reason.startswith("the key 'entity' of 2 rows means something else here")


@pytest.mark.parametrize(
    ("passage_id", "text", "judged", "own"),
    [
        ("q3", "how to bleed the brakes?", "p1", "q3"),
        ("q3", "How to bleed the brakes", "q3", None),  # who judges it an answer means it as one
        ("q3", "Vent the radiator of the heater.", "p1", None),  # ids that are alike by chance
        ("q7", "how to bleed the brakes?", "p1", None),
    ],
)
def test_a_question_that_is_a_passage_says_so(
    tmp_path: Path, passage_id: str, text: str, judged: str, own: str | None
) -> None:
    queries = [*QUERIES[:2], {"_id": "q3", "text": "How to bleed the brakes?"}, QUERIES[3]]
    folder = _folder(tmp_path / "in", queries, {"test": f"q3\t{judged}\t1\n"})
    with (folder / "corpus.jsonl").open("a") as file:
        file.write(json.dumps({"_id": passage_id, "title": "", "text": text}) + "\n")

    ingested = read(folder, _params("test"))
    write_dataset(tmp_path / "out", ingested.dataset)

    assert read_dataset(tmp_path / "out").queries["q3"].own_passage == own
    assert ingested.counts.get("queries.in_corpus") == (1 if own else None)
