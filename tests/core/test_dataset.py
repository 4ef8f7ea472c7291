"""The BEIR folder: what is written is read back, and every wrong line is named by file and number."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain_embeddings.core.beir_files import (
    EmptyRows,
    read_corpus,
    read_dataset,
    read_jsonl,
    read_qrels,
    write_dataset,
    write_json,
)
from domain_embeddings.core.dataset import Dataset, Passage, Query
from domain_embeddings.core.errors import DataError

P1 = {"_id": "p1", "title": "Brakes", "text": "Bleed them."}
P2 = {"_id": "p2", "title": "", "text": "Grease it."}
Q1 = {"_id": "q1", "text": "how to bleed"}
Q2 = {"_id": "q2", "text": "how to grease"}
HEADER = "query-id\tcorpus-id\tscore\n"


def _lines(*rows: Mapping[str, Any] | str) -> str:
    return "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound folder of two passages and two questions."""
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.jsonl").write_text(_lines(P1, P2))
    (tmp_path / "queries.jsonl").write_text(_lines(Q1, Q2))
    (tmp_path / "qrels/test.tsv").write_text(HEADER + "q1\tp1\t1\n")
    (tmp_path / "qrels/dev.tsv").write_text(HEADER + "q2\tp2\t2\n")
    return tmp_path


def test_a_sound_folder(folder: Path) -> None:
    assert read_dataset(folder) == Dataset(
        {"p1": Passage("p1", "Brakes", "Bleed them."), "p2": Passage("p2", "", "Grease it.")},
        {"q1": Query("q1", "how to bleed"), "q2": Query("q2", "how to grease")},
        {"dev": {"q2": {"p2": 2}}, "test": {"q1": {"p1": 1}}},
    )


def test_any_subset_of_splits_will_do(folder: Path) -> None:
    (folder / "qrels/dev.tsv").unlink()

    assert read_dataset(folder).qrels == {"test": {"q1": {"p1": 1}}}


def test_ids_may_be_integers(folder: Path) -> None:
    (folder / "corpus.jsonl").write_text(_lines({**P1, "_id": 1}, {**P2, "_id": 20}))
    (folder / "queries.jsonl").write_text(_lines({**Q1, "_id": -3}, {**Q2, "_id": 0}))
    (folder / "qrels/test.tsv").write_text(HEADER + "-3\t1\t1\n")
    (folder / "qrels/dev.tsv").write_text(HEADER + "0\t20\t2\n")

    dataset = read_dataset(folder)

    assert (list(dataset.corpus), list(dataset.queries)) == (["1", "20"], ["-3", "0"])
    assert dataset.qrels == {"dev": {"0": {"20": 2}}, "test": {"-3": {"1": 1}}}


@pytest.mark.parametrize(
    "written",
    [
        HEADER + "q1\tp1\t1.0\nq1\tp2\t-1.\n",
        "q1\tp1\t1\nq1\tp2\t-1\n",
        "q1 0 p1 1\nq1 0 p2 -1\n",
        "q1\tQ0\tp1\t1\r\n\r\nq1\tQ0\tp2\t-1\r\n",
        "\ufeff" + HEADER + "q1\tp1\t1\nq1\tp2\t-1\n",
        "query_id\tcorpus_id\tscore\nq1\tp1\t1\nq1\tp2\t-1\n",
    ],
    ids=["floats", "no header", "TREC", "TREC with tabs and CRLF", "byte order mark", "underscores"],
)
def test_judgements_in_the_forms_of_others(folder: Path, written: str) -> None:
    (folder / "qrels/test.tsv").write_bytes(written.encode())

    assert read_dataset(folder).qrels["test"] == {"q1": {"p1": 1, "p2": -1}}


@pytest.mark.parametrize("name", ["val", "valid", "validation"])
def test_dev_may_be_called_validation(folder: Path, name: str) -> None:
    (folder / "qrels/dev.tsv").rename(folder / f"qrels/{name}.tsv")

    assert read_dataset(folder).qrels["dev"] == {"q2": {"p2": 2}}


def test_lines_may_end_as_on_windows_and_files_begin_with_a_mark(folder: Path) -> None:
    expected = read_dataset(folder)
    for name in ("corpus.jsonl", "queries.jsonl"):
        path = folder / name
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))

    assert read_dataset(folder) == expected


def test_rows_without_a_word_are_put_down_where_that_is_asked_for(folder: Path) -> None:
    (folder / "corpus.jsonl").write_text(_lines(P1, {"_id": "p3", "title": " ", "text": ""}, P2))
    (folder / "queries.jsonl").write_text(_lines(Q1, Q2, {"_id": "q3", "text": ""}))
    (folder / "qrels/test.tsv").write_text(HEADER + "q1\tp1\t1\nq1\tp3\t1\nq3\tp1\t1\n")
    empty = EmptyRows()

    dataset = read_dataset(folder, empty)

    assert (list(dataset.corpus), list(dataset.queries)) == (["p1", "p2"], ["q1", "q2"])
    assert dataset.qrels["test"] == {"q1": {"p1": 1}}
    assert empty == EmptyRows({"p3": 2}, {"q3": 3}, 2)


def test_content_is_title_and_text() -> None:
    assert Passage("p", "HT-25 > Brakes", "Bleed them.").content == "HT-25 > Brakes Bleed them."
    assert Passage("p", "", "Bleed them.").content == "Bleed them."


def test_judged_leaves_out_questions_without_a_relevant_passage() -> None:
    dataset = Dataset({}, {q: Query(q, "?") for q in "abc"}, {"test": {"b": {"p": 1}, "a": {"p": 0}}})

    assert list(dataset.judged("test")) == ["b"]
    assert dataset.judged("train") == {}


def test_other_keys_are_kept(tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_text(_lines({**P1, "domain": "forklift", "type": "procedure", "page": 7}))

    assert read_corpus(tmp_path / "corpus.jsonl")["p1"] == Passage(
        "p1", "Brakes", "Bleed them.", "forklift", "procedure", {"page": 7}
    )


def test_blank_lines_and_windows_line_ends_do_no_harm(folder: Path) -> None:
    expected = read_dataset(folder)
    for path in folder.rglob("*.*"):
        path.write_bytes(b"".join(line + b"\r\n\r\n" for line in path.read_bytes().split(b"\n") if line))

    assert read_dataset(folder) == expected


WRONG: list[tuple[str, str, str, str]] = [
    ("corpus.jsonl", _lines(P1, '{"_id": "p2",'), ":2: not valid JSON: ", "(one JSON object a line, UTF-8)"),
    ("corpus.jsonl", _lines(P1, "", '["p2"]'), ":3: expected a JSON object, found list", ""),
    ("corpus.jsonl", _lines(P1, P2, P1), ":3: duplicate _id 'p1', first on line 1", ""),
    ("corpus.jsonl", _lines({"text": "a"}), ":1: '_id' must be a string, found null", ""),
    ("corpus.jsonl", _lines({"_id": 7.0, "text": "a"}), ":1: '_id' must be a string, found 7.0", ""),
    ("corpus.jsonl", _lines({"_id": True, "text": "a"}), ":1: '_id' must be a string, found true", ""),
    ("corpus.jsonl", _lines({"_id": "7", "text": "a"}, {"_id": 7, "text": "a"}), ":2: duplicate _id '7'", ""),
    ("corpus.jsonl", _lines({"_id": " ", "text": "a"}), ":1: '_id' is empty", ""),
    ("corpus.jsonl", _lines({"_id": "a\tb", "text": "a"}), ":1: _id 'a\\tb' holds a tab or a line break", ""),
    ("corpus.jsonl", _lines({"_id": "a\nb", "text": "a"}), ":1: _id 'a\\nb' holds a tab or a line break", ""),
    ("corpus.jsonl", _lines(P1, {"_id": "p2", "text": 5}), ":2: 'text' must be a string, found 5", ""),
    ("corpus.jsonl", _lines(P1, {"_id": "p2"}), ":2: passage 'p2' has neither title nor text", "(remove the row)"),
    ("corpus.jsonl", _lines(P1, {"_id": "p2", "text": "\ud800"}), ":2: half a surrogate pair", "(remove it)"),
    ("corpus.jsonl", "", ": no passage in it", ""),
    ("queries.jsonl", _lines(Q1, {"_id": "q2"}), ":2: 'text' must be a string, found null", ""),
    ("queries.jsonl", _lines(Q1, {"_id": "q2", "text": " "}), ":2: 'text' is empty", ""),
    ("queries.jsonl", _lines(Q1, Q2, Q2), ":3: duplicate _id 'q2', first on line 2", ""),
    ("qrels/test.tsv", HEADER + "q1\tp1\t1\nq9\tp1\t1\n", ":3: query id 'q9' is not in queries.jsonl", ""),
    ("qrels/test.tsv", HEADER + "q1\tp9\t1\n", ":2: passage id 'p9' is not in corpus.jsonl", "remove the judgement"),
    ("qrels/test.tsv", HEADER + "q1\tp1\thigh\n", ":2: score 'high' is not an integer", ""),
    ("qrels/test.tsv", HEADER + "q1\tp1\t0.5\n", ":2: score '0.5' is not an integer", "1 and above relevant"),
    ("qrels/test.tsv", HEADER + "q1\tp1\tnan\n", ":2: score 'nan' is not an integer", ""),
    ("qrels/test.tsv", HEADER + f"q1\tp1\t{'9' * 5000}\n", ":2: score '999", "is not an integer"),
    ("qrels/test.tsv", HEADER + "q1\tp1\t1\nq1\tp1\t2\n", ":3: query 'q1' judges passage 'p1' twice", ""),
    ("qrels/test.tsv", HEADER + "q1 p1 1\n", ":2: 1 columns, expected 3", "(separate them by tabs)"),
    ("qrels/test.tsv", HEADER + "q1\t0\tp1\t1\n", ":2: 4 columns, expected 3", ""),
    ("qrels/test.tsv", "q1\tp1\thigh\n", ":1: the header is 'q1\\tp1\\thigh'", "(query-id<tab>corpus-id<tab>score)"),
    ("qrels/test.tsv", "q1 0 p1 1\nq1 p2 1\n", ":2: 3 columns, expected 4", "(query, iteration, passage, score)"),
    ("qrels/test.tsv", "", ":1: the header is ''", "(query-id<tab>corpus-id<tab>score)"),
    ("qrels/test.tsv", HEADER + "q2\tp1\t1\n", ": query 'q2' is in dev.tsv as well", "keep each query in one split"),
]


@pytest.mark.parametrize(("file", "content", "problem", "remedy"), WRONG)
def test_a_wrong_line_is_named(folder: Path, file: str, content: str, problem: str, remedy: str) -> None:
    (folder / file).write_bytes(content.encode("utf-8", "surrogatepass"))

    with pytest.raises(DataError) as error:
        read_dataset(folder)

    assert f"{folder / file}{problem}" in str(error.value)
    assert remedy in str(error.value)


@pytest.mark.parametrize("file", ["corpus.jsonl", "queries.jsonl"])
def test_a_missing_file_is_named(folder: Path, file: str) -> None:
    (folder / file).unlink()

    with pytest.raises(DataError, match=f"{file}: file not found"):
        read_dataset(folder)


def test_missing_judgements_are_named(folder: Path) -> None:
    with pytest.raises(DataError, match=r"train\.tsv: file not found"):
        read_qrels(folder / "qrels/train.tsv", {}, {})


@pytest.mark.parametrize("file", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_line_that_is_not_utf_8_is_named(folder: Path, file: str) -> None:
    with (folder / file).open("ab") as out:
        out.write(b"\xff\xfe\n")

    with pytest.raises(DataError, match=f"{file}:{3}: not valid "):
        read_dataset(folder)


_SAFE = st.characters(exclude_categories=["Cs"])
_TEXT = st.text(_SAFE)
_ID = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t\r\n"), min_size=1).filter(str.strip)
_EXTRA = st.dictionaries(
    st.text(_SAFE).map(lambda name: f"x_{name}"),
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | _TEXT | st.lists(_TEXT),
)


@st.composite
def _datasets(draw: Callable[..., Any]) -> Dataset:
    ids = draw(st.lists(_ID, min_size=1, max_size=4, unique=True))
    corpus = {
        i: Passage(i, draw(_TEXT), draw(_TEXT.filter(str.strip)), draw(_TEXT), draw(_TEXT), draw(_EXTRA)) for i in ids
    }
    asked = draw(st.lists(_ID, min_size=1, max_size=4, unique=True))
    queries = {
        i: Query(i, draw(_TEXT.filter(str.strip)), draw(_TEXT), draw(_TEXT), draw(_TEXT), draw(_EXTRA)) for i in asked
    }
    grades = st.dictionaries(st.sampled_from(ids), st.integers(-1, 3), min_size=1)
    return Dataset(corpus, queries, {"train": {}, "test": {i: draw(grades) for i in asked}})


@given(_datasets())
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, dataset: Dataset) -> None:
    folder = tmp_path_factory.mktemp("beir")

    write_dataset(folder, dataset)

    assert read_dataset(folder) == dataset


_PIECES = st.sampled_from(
    [b"{", b"}", b'"_id"', b":", b'"p1"', b"1", b"\n", b"\t", b"q1", b"\xff", b"\xef\xbb\xbf", b" 0 ", b"\r"]
)


@given(st.sampled_from(["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"]), st.lists(_PIECES).map(b"".join))
@settings(max_examples=150, deadline=None)
def test_whatever_a_file_holds_is_read_or_named(
    tmp_path_factory: pytest.TempPathFactory, file: str, content: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp() / "fuzzed"
    write_dataset(
        folder, Dataset({"p1": Passage("p1", "", "a")}, {"q1": Query("q1", "b")}, {"test": {"q1": {"p1": 1}}})
    )
    (folder / file).write_bytes(content)

    said = file
    try:
        read_dataset(folder, EmptyRows())
    except DataError as error:
        said = str(error)
    assert file in said


def test_json_has_sorted_keys_and_a_final_newline(tmp_path: Path) -> None:
    write_json(tmp_path / "new" / "a.json", {"b": "é", "a": [1]})

    assert (tmp_path / "new/a.json").read_text(encoding="utf-8") == '{\n "a": [\n  1\n ],\n "b": "é"\n}\n'


def test_lines_are_numbered_from_1(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n\n{"a": 2}')

    assert list(read_jsonl(tmp_path / "a.jsonl")) == [(1, {"a": 1}), (3, {"a": 2})]
