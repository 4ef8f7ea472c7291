"""A text of JSON that is larger than any file of text may be is told before anything is made of it."""

import json
from pathlib import Path

import pytest

from domain_embeddings.core.dataset import Reject
from domain_embeddings.core.errors import DataError
from domain_embeddings.params.ingest import IngestParams, ReadingParams
from stages.ingest import ADAPTERS
from tests.knobs import knobs

PARAMS = knobs("ingest", IngestParams).model_copy(update={"reading": ReadingParams(text_mb=0.0001)})
LARGE, SMALL = "pump " * 21, "oil " * 20
PROBLEM = "a text of more than 0.0001 MB (ingest.reading.text_mb)"


def test_a_large_chunk_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"page_content": text}) + "\n" for text in (LARGE, SMALL)))

    ingested = ADAPTERS["chunks"](tmp_path, PARAMS)

    assert list(ingested.dataset.corpus) == ["a.jsonl:2"]
    assert ingested.rejects == [Reject("a.jsonl:1", PROBLEM)]
    assert ingested.counts["rows.too_large"] == 1


@pytest.mark.parametrize(
    ("kind", "files", "place"),
    [
        (
            "beir",
            {"corpus.jsonl": json.dumps({"_id": "p", "text": LARGE}), "queries.jsonl": ""},
            "corpus.jsonl: passage 'p'",
        ),
        ("memories", {"suite.json": json.dumps([{"memory_id": 1, "content": LARGE}])}, "suite.json: test case 1"),
        (
            "encyclopedia",
            {
                "indexes/a_index.json": json.dumps({"a": {"name": "a", "filename": "a.txt"}}),
                "chunks/a.jsonl": json.dumps({"filename": "a.txt", "text": LARGE}),
            },
            "chunks/a.jsonl:1",
        ),
    ],
)
def test_elsewhere_it_is_an_error_that_names_it(tmp_path: Path, kind: str, files: dict[str, str], place: str) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)

    with pytest.raises(DataError) as error:
        ADAPTERS[kind](tmp_path, PARAMS)

    assert str(error.value) == f"{tmp_path}/{place}: {PROBLEM} (cut it into several)"
