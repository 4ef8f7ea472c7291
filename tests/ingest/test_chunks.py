"""Dumps of LangChain and LlamaIndex: their forms, and what title, domain and questions are made of."""

import json
from pathlib import Path
from typing import Any

import pytest

from domain_embeddings.core.beir_files import read_dataset, write_dataset
from domain_embeddings.core.dataset import Passage, Reject
from domain_embeddings.core.errors import DataError
from domain_embeddings.ingest.kinds.chunks import read
from domain_embeddings.ingest.stopped import StoppedError
from domain_embeddings.params.ingest import IngestParams
from tests.knobs import knobs

PARAMS = knobs("ingest", IngestParams)
OIL: dict[str, Any] = {"page_content": "Drain the oil every month.", "metadata": {"source": "docs/pump/p_7.md"}}
SEAL: dict[str, Any] = {"page_content": "Grease the lip of the seal.", "metadata": {"source": "docs/valve/v1.md"}}


def _folder(root: Path, **dumps: list[dict[str, Any]]) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for name, rows in dumps.items():
        (root / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return root


def _corpus(root: Path, *rows: dict[str, Any]) -> list[Passage]:
    return list(read(_folder(root, dump=list(rows)), PARAMS).dataset.corpus.values())


def test_a_chunk_becomes_a_passage(tmp_path: Path) -> None:
    metadata = {"source": "docs/pump/p_7.md", "Header 1": "Care", "Header 2": "Oil", "page": 3, "author": "Ann"}

    first, second = _corpus(tmp_path, {"page_content": "Drain it.", "metadata": metadata, "id": "a-1"}, SEAL)

    kept = {"Header 1": "Care", "Header 2": "Oil", "page": 3, "author": "Ann", "source": "docs/pump/p_7.md"}
    extra = {"file": "docs/pump/p_7.md", **kept, "headings": ["Oil"]}
    assert first == Passage("a-1", "p 7 > Care > Oil", "Drain it.", "pump", "other", extra)
    assert (second.id, second.title, second.domain) == ("dump.jsonl:2", "v1", "valve")


META = {"file_name": "p7.pdf"}
LLAMA = {
    "id_": "n1",
    "embedding": [0.5],
    "metadata": META,
    "relationships": {},
    "text": "Drain it.",
    "class_name": "TextNode",
}


@pytest.mark.parametrize(
    "row",
    [
        {"page_content": "Drain it.", "metadata": META, "id": "n1", "type": "Document"},
        {
            "lc": 1,
            "type": "constructor",
            "id": ["langchain", "schema", "document", "Document"],
            "kwargs": {"page_content": "Drain it.", "metadata": META, "id": "n1", "type": "Document"},
        },
        LLAMA,
        {"__data__": LLAMA, "__type__": "1"},
        {"node": LLAMA, "score": 0.5},
        {"id_": "n1", "metadata": META, "text_resource": {"text": "Drain it.", "mimetype": None}},
        {"doc_id": "n1", "extra_info": META, "text": "Drain it."},
    ],
    ids=["LangChain", "LangChain dumps", "LlamaIndex", "docstore", "with a score", "text_resource", "old LlamaIndex"],
)
def test_every_form_is_the_same_passage(tmp_path: Path, row: dict[str, Any]) -> None:
    extra = {"file": "p7.pdf", "file_name": "p7.pdf", "headings": ["p7"]}

    assert _corpus(tmp_path, row, SEAL)[0] == Passage("n1", "p7", "Drain it.", "", "other", extra)


def test_lists_and_docstores_in_json_are_read_and_other_json_is_named(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (folder / "list.json").write_text(json.dumps([OIL, {"kwargs": SEAL}]))
    (folder / "docstore.json").write_text(json.dumps({"docstore/data": {"n1": {"__data__": LLAMA}}}))
    (folder / "index_store.json").write_text(json.dumps({"index_store/data": {}}))
    (folder / "notes.txt").write_text("a")

    ingested = read(folder, PARAMS)

    assert list(ingested.dataset.corpus) == ["n1", "list.json row 1", "list.json row 2"]
    assert [reject.place for reject in ingested.rejects] == ["index_store.json", "notes.txt"]
    assert (ingested.counts["files.read"], ingested.counts["passages"]) == (2, 3)


@pytest.mark.parametrize(
    ("metadata", "title"),
    [
        ({"title": " Pump  care ", "source": "a/b.md"}, "Pump care"),
        ({"file_name": "pump_care.v2.pdf"}, "pump care.v2"),
        ({"source": "https://docs.example.com/pump/oil_change.html?x=1#top"}, "oil change"),
        ({"source": "C:\\\\docs\\pump.docx"}, "pump"),
        ({"source": "a/b.md", "header_path": "/Care/Oil change/"}, "b > Care > Oil change"),
        ({"title": "Pump", "headings": ["Pump", "Care"]}, "Pump > Care"),
        ({"title": "Pump", "Header_2": "Oil", "Header_1": "Care"}, "Pump > Care > Oil"),
        ({"title": 7, "h1": "Care", "h2": None}, "dump > Care"),
        (None, "dump"),
    ],
)
def test_the_title_is_the_documents_with_its_headings(tmp_path: Path, metadata: Any, title: str) -> None:
    assert _corpus(tmp_path, {"text": "Drain it.", "metadata": metadata}, SEAL)[0].title == title


@pytest.mark.parametrize(
    ("sources", "domains"),
    [
        (["/home/ann/docs/pump/a.md", "/home/ann/docs/valve/sub/b.md"], ["pump", "valve"]),
        (["https://x.com/docs/pump/a", "https://x.com/docs/valve/b"], ["pump", "valve"]),
        (["https://a.com/x", "https://b.com/y"], ["a.com", "b.com"]),
        (["docs/a.md", "docs/b.md"], ["", ""]),
        (["docs/pump/a.md", "docs/b.md"], ["pump", ""]),
        (["..\\docs\\pump\\a.md", "../docs/valve/b.md"], ["pump", "valve"]),
        (["docs/pump\u202e\n/a.md", "docs/valve/b.md"], ["pump\\u202e", "valve"]),
    ],
)
def test_the_domain_is_the_first_folder_in_which_sources_differ(
    tmp_path: Path, sources: list[str], domains: list[str]
) -> None:
    rows = [{"text": f"text {i}", "metadata": {"source": source}} for i, source in enumerate(sources)]

    assert [passage.domain for passage in _corpus(tmp_path, *rows)] == domains


def test_a_domain_in_the_metadata_and_the_dumps_own_folder_count_too(tmp_path: Path) -> None:
    folder = _folder(tmp_path, dump=[{**OIL, "metadata": {**OIL["metadata"], "domain": "care"}}, SEAL])
    _folder(folder / "hvac", chunks=[{"text": "Vent the radiator."}])

    corpus = read(folder, PARAMS).dataset.corpus

    assert [(passage.domain, passage.title) for passage in corpus.values()] == [
        ("care", "p 7"), ("valve", "v1"), ("hvac", "chunks"),
    ]  # fmt: skip


def test_keys_of_our_own_are_renamed_and_read_back(tmp_path: Path) -> None:
    odd = {"source": "a.md", "_id": 1, "text": "no", "type": ["b"], "held_out": True, "entity": {}, "aliases": "c"}
    ingested = read(_folder(tmp_path / "in", dump=[{"text": "Drain it.", "metadata": odd}, SEAL]), PARAMS)

    write_dataset(tmp_path / "out", ingested.dataset)
    passage = read_dataset(tmp_path / "out").corpus["dump.jsonl:1"]

    assert (passage.text, passage.type) == ("Drain it.", "other")
    assert passage.extra == {
        "file": "a.md", "source": "a.md", "x__id": 1, "x_text": "no", "x_type": ["b"], "x_held_out": True,
        "x_entity": {}, "x_aliases": "c", "headings": ["a"],
    }  # fmt: skip
    assert len(ingested.rejects) == 6


def test_chunks_without_a_text_and_copies_are_left_out(tmp_path: Path) -> None:
    ingested = read(_folder(tmp_path, dump=[OIL, {"text": " ", "metadata": {}}, SEAL, OIL]), PARAMS)

    assert list(ingested.dataset.corpus) == ["dump.jsonl:1", "dump.jsonl:3"]
    assert ingested.rejects == [Reject("dump.jsonl:2", "no text")]
    assert (ingested.counts["rows.empty"], ingested.counts["exact_copies"]) == (1, 1)


def test_a_chunk_has_the_type_that_heading_and_text_say(tmp_path: Path) -> None:
    steps = {
        "page_content": "1. Open the drain plug.\n2. Let the oil run out.",
        "metadata": {"Header 1": "Changing the oil"},
    }

    assert [passage.type for passage in _corpus(tmp_path, steps, SEAL)] == ["procedure", "other"]


def test_questions_name_chunks_by_id_or_by_file_and_heading(tmp_path: Path) -> None:
    care = {"source": "docs/pump/p7.md", "Header 1": "Care"}
    rows = [
        {**OIL, "id": "a"},
        {"page_content": "Look at the seal.", "metadata": care},
        {"page_content": "Wipe the lip with a rag.", "metadata": care},
        {**OIL, "id": "copy"},
    ]
    asked = {"split": "test", "text": "how"}
    questions = [
        {**asked, "_id": "q1", "relevant": [{"id": "a", "grade": 2}]},
        {**asked, "_id": "q2", "relevant": [{"file": "docs/pump/p7.md", "heading": "care"}]},
        {**asked, "_id": "q3", "relevant": [{"id": "copy"}]},
    ]

    dataset = read(_folder(tmp_path, dump=rows, questions=questions), PARAMS).dataset

    assert dataset.qrels == {"test": {"q1": {"a": 2}, "q2": {"dump.jsonl:2": 1, "dump.jsonl:3": 1}, "q3": {"a": 1}}}


@pytest.mark.parametrize(
    ("relevant", "message"),
    [
        ({"id": "dump.jsonl:9"}, r"questions\.jsonl:1: no passage 'dump\.jsonl:9' \(closest: dump\.jsonl:"),
        (
            {"id": "a", "heading": "b"},
            r"questions\.jsonl:1: relevant\.0: Value error, it needs file and heading, or id",
        ),
        ({"file": "a"}, r"relevant\.0: Value error, it needs file and heading, or id"),
    ],
)
def test_a_wrong_label_is_an_error_that_keeps_the_report(tmp_path: Path, relevant: Any, message: str) -> None:
    question = {"_id": "q", "split": "test", "text": "how", "relevant": [relevant]}

    with pytest.raises(StoppedError, match=message) as stop:
        read(_folder(tmp_path, dump=[OIL, SEAL], questions=[question]), PARAMS)

    assert stop.value.done.counts["passages"] == 2


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"metadata": {}}, r"dump\.jsonl:2: page_content: Field required.*\(a chunk is \{\"page_content\""),
        ({"text": 7}, r"dump\.jsonl:2: text: Input should be a valid string, found '7'"),
        ({"text": "a", "metadata": []}, r"dump\.jsonl:2: metadata: Input should be a valid dictionary"),
        ({"text": "a", "id_": "b\tc"}, r"dump\.jsonl:2: id_"),
        ({"text": "a", "id_": "dump.jsonl:1"}, r"dump\.jsonl:2: duplicate id 'dump\.jsonl:1', first in dump\.jsonl:1"),
        ({"text": "a", "metadata": {"x": float("nan")}}, r"dump\.jsonl:2: NaN is no JSON \(write null\)"),
    ],
)
def test_a_wrong_chunk_is_an_error_with_its_line(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        _corpus(tmp_path, OIL, row)


def test_a_folder_without_a_chunk_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no chunk in it"):
        read(_folder(tmp_path, dump=[]), PARAMS)
