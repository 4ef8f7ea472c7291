"""A log's questions: which are taken, which are rejected and why, and what is wrong with a line."""

from pathlib import Path
from typing import Any

import pytest

from domain_embeddings.core.beir_files import write_jsonl
from domain_embeddings.core.dataset import Dataset, Ingested, Passage, Query, Reject
from domain_embeddings.core.errors import DataError
from domain_embeddings.ingest.dev_log import read_log, usable

CORPUS = {"p": Passage("p", "Brakes", "Bleed the brakes.")}
LABELLED = {"q1": Query("q1", "How do I bleed the brakes of the truck?")}


def _log(folder: Path, *rows: dict[str, Any]) -> Path:
    write_jsonl(folder / "dev_log.jsonl", rows)
    return folder


def _ingested() -> Ingested:
    return Ingested(Dataset(CORPUS, LABELLED, {"test": {"q1": {"p": 1}}}), [], {"passages": 1})


def test_new_questions_are_taken_and_those_of_test_are_not(tmp_path: Path) -> None:
    folder = _log(
        tmp_path,
        {"text": "how do i bleed the truck's brakes"},
        {"text": " fuse 7 blows again ", "user": "x"},
        {"text": "Fuse 7 blows again?"},
        {"text": "fuse 8 blows again", "written_by": "model"},
    )

    log, ingested = usable(folder, _ingested())

    assert log == [
        Query("dev_log.jsonl:2", "fuse 7 blows again", extra={"written_by": "people"}),
        Query("dev_log.jsonl:4", "fuse 8 blows again", extra={"written_by": "model"}),
    ]
    assert ingested.rejects == [
        Reject("dev_log.jsonl:1", "near-equal to test question q1"),
        Reject("dev_log.jsonl:3", "near-equal to dev_log.jsonl:2"),
    ]
    assert ingested.counts == {"dev_log.near_equal": 2, "dev_log.questions": 2, "passages": 1}


def test_without_a_log_nothing_changes(tmp_path: Path) -> None:
    assert usable(tmp_path, _ingested()) == ([], _ingested())


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"query": "fuse"}, "'text' is null, not a question"),
        ({"text": "  "}, "not a question"),
        ({"text": 7}, "'text' is 7"),
        ({"text": "fuse", "written_by": "me"}, "'written_by' is 'me'"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, row: dict[str, Any], said: str) -> None:
    folder = _log(tmp_path, {"text": "fine"}, row)

    with pytest.raises(DataError, match=r"dev_log\.jsonl.*2") as error:
        list(read_log(folder))

    assert said in str(error.value)
