"""The adapter for manuals: what is read, rejected, counted, and which passages a labelled question names."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from domain_embeddings.core.beir_files import read_dataset, write_dataset
from domain_embeddings.core.dataset import Ingested, Reject
from domain_embeddings.core.errors import DataError
from domain_embeddings.ingest.kinds.manuals import read
from domain_embeddings.ingest.stopped import StoppedError
from domain_embeddings.params.ingest import IngestParams
from tests.ingest import documents
from tests.knobs import knobs

PARAMS = knobs("ingest", IngestParams, min_chars=10, max_chars=400, near_copy=0.8)

TRUCK = """# HT-25 Manual

## Brakes

### 1.2 Service Brake Bleeding

1. Fill the reservoir.
2. Open the nipple half a turn.

### Parking Brake

Set the lever effort to 200 N.

## Axle

### Lubrication

Grease the four kingpin nipples every 250 hours.
"""
BOILER = """CB-90 BOILER

WATER QUALITY

Fill water hardness must not exceed 8 degrees.

FLUE

Inspect it once a year.
"""


def _folder(root: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def _question(number: int, file: str, *headings: str, **changes: Any) -> dict[str, Any]:
    relevant = [{"file": file, "heading": heading} for heading in headings]
    row = {"_id": f"q{number}", "split": "test", "text": f"What about {number}?", "difficulty": "hard"}
    return {**row, "category": "how-to", "relevant": relevant, **changes}


def _labelled(root: Path, *questions: dict[str, Any]) -> Path:
    lines = "".join(json.dumps(question) + "\n" for question in questions)
    return _folder(root, {"forklift/ht25.md": TRUCK, "hvac/cb90.txt": BOILER, "questions.jsonl": lines})


def _ids(ingested: Ingested) -> list[str]:
    return list(ingested.dataset.corpus)


# Passages


def test_passages_of_two_domains(tmp_path: Path) -> None:
    ingested = read(_folder(tmp_path, {"forklift/sub/ht25.md": TRUCK, "hvac/cb90.txt": BOILER}), PARAMS)
    passages = ingested.dataset.corpus
    assert _ids(ingested) == [
        "forklift/sub/ht25.md#1",
        "forklift/sub/ht25.md#2",
        "forklift/sub/ht25.md#3",
        "hvac/cb90.txt#1",
        "hvac/cb90.txt#2",
    ]
    bleeding = passages["forklift/sub/ht25.md#1"]
    assert bleeding.title == "HT-25 Manual > Brakes > 1.2 Service Brake Bleeding"
    assert bleeding.text == "1. Fill the reservoir.\n2. Open the nipple half a turn."
    assert (bleeding.domain, bleeding.type) == ("forklift", "procedure")
    assert bleeding.extra == {
        "file": "forklift/sub/ht25.md",
        "headings": ["1.2 Service Brake Bleeding"],
        "page": None,
        "start": TRUCK.index("1. Fill"),
        "end": TRUCK.index("### Parking"),
    }
    assert passages["hvac/cb90.txt#2"].title == "CB-90 BOILER > FLUE"
    assert ingested.dataset.queries == {}
    assert ingested.dataset.qrels == {}
    assert ingested.rejects == []


def test_counts(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "forklift/ht25.md": TRUCK,
        "forklift/LICENSE.txt": "all rights reserved",
        "forklift/.hidden.md": TRUCK,
        "forklift/empty.pdf": b"",
        "hvac/cb90.txt": BOILER,
        "hvac/short.md": "# A\n\nb\n",
    }
    ingested = read(_folder(tmp_path, files), PARAMS)
    assert ingested.counts == {
        "dropped_short": 0,
        "exact_copies": 0,
        "files.read": 2,
        "files.rejected": 2,
        "files.skipped": 2,
        "merged": 0,
        "near_copies": 0,
        "passages.forklift": 3,
        "passages.hvac": 2,
        "rejected.empty file": 1,
        "rejected.no section of the least length": 1,
        "sections": 5,
        "split": 0,
        "type.other": 3,
        "type.procedure": 2,
    }
    assert ingested.rejects == [
        Reject("forklift/.hidden.md", "hidden: its name begins with a dot"),
        Reject("forklift/LICENSE.txt", "says where other files come from, by its name"),
        Reject("forklift/empty.pdf", "empty file"),
        Reject("hvac/short.md", "no section of the least length"),
    ]


def test_unreadable_files_are_rejects_and_others_are_read(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "forklift/a_scan.pdf": documents.scanned_pdf(),
        "forklift/b.docx": b"PK\x03\x04 rubbish",
        "forklift/ht25.md": TRUCK,
        "stray.md": TRUCK,
    }
    ingested = read(_folder(tmp_path, files), PARAMS)
    assert ingested.rejects == [
        Reject("forklift/a_scan.pdf", "scanned: pages without text"),
        Reject("forklift/b.docx", "corrupt DOCX"),
        Reject("stray.md", "not inside a domain folder"),
    ]
    assert len(_ids(ingested)) == 3


def test_a_domain_of_which_nothing_is_left_is_a_problem_with_its_reasons(tmp_path: Path) -> None:
    files = {"radar/scan.pdf": documents.scanned_pdf(), **{f"radar/{n}.xls": b"x" for n in range(6)}}
    folder = _folder(tmp_path, {"forklift/ht25.md": TRUCK, "copied/a.md": TRUCK, "legal/LICENSE": b"x", **files})
    ingested = read(folder, PARAMS)
    assert ingested.problems == [
        "nothing left of domain 'forklift': all are copies",
        "nothing left of domain 'radar': "
        + "; ".join(f"radar/{n}.xls: unsupported format .xls" for n in range(5))
        + "; 2 more",
    ]
    assert {passage.domain for passage in ingested.dataset.corpus.values()} == {"copied"}


def test_a_folder_of_which_nothing_is_left_is_an_error_that_keeps_the_report(tmp_path: Path) -> None:
    folder = _folder(tmp_path, {"radar/scan.pdf": documents.scanned_pdf(), "a.md": TRUCK})
    with pytest.raises(
        StoppedError, match=r"no manual in it; nothing left of domain 'radar': radar/scan.pdf: scanned"
    ) as stop:
        read(folder, PARAMS)
    assert stop.value.done.rejects == [
        Reject("a.md", "not inside a domain folder"),
        Reject("radar/scan.pdf", "scanned: pages without text"),
    ]
    with pytest.raises(DataError, match="no manual in it"):
        read(_folder(tmp_path / "empty", {"a/b/.keep": b""}), PARAMS)
    with pytest.raises(DataError, match="folder not found"):
        read(tmp_path / "nowhere", PARAMS)


def test_a_wrong_question_keeps_the_report_of_the_files(tmp_path: Path) -> None:
    folder = _labelled(tmp_path, _question(1, "forklift/scan.pdf", "Flue"))
    _folder(folder, {"forklift/scan.pdf": documents.scanned_pdf()})
    with pytest.raises(StoppedError, match=r"questions\.jsonl:1: no passage of file 'forklift/scan\.pdf'") as stop:
        read(folder, PARAMS)
    assert stop.value.done.rejects == [Reject("forklift/scan.pdf", "scanned: pages without text")]
    assert stop.value.done.counts["files.read"] == 2


def test_what_is_no_file_of_the_folder_is_a_reject(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "in", {"m/a.md": TRUCK, "dev_log.jsonl": b"{}"})
    (tmp_path / "secret.txt").write_text(BOILER)
    (folder / "m/secret.txt").symlink_to(tmp_path / "secret.txt")
    os.mkfifo(folder / "m/pipe.txt")
    ingested = read(folder, PARAMS)
    assert ingested.rejects == [
        Reject("m/pipe.txt", "a pipe"),
        Reject("m/secret.txt", "a link that leads out of the folder"),
    ]
    assert ingested.counts["rejected.a pipe"] == 1


def test_copies_are_dropped_and_counted(tmp_path: Path) -> None:
    words = "Drain the oil while it is warm and let it run for ten minutes into a pan of the size given below"
    text = f"# A\n\n## Oil\n\n{words}.\n"
    files = {"m/a.md": text, "m/b.md": text.replace("# A", "# B"), "m/c.md": text.replace("given below", "given here")}
    ingested = read(_folder(tmp_path, files), PARAMS)
    assert _ids(ingested) == ["m/a.md#1"]
    assert (ingested.counts["exact_copies"], ingested.counts["near_copies"]) == (1, 1)


def test_a_pdf_has_pages(tmp_path: Path) -> None:
    story = [
        documents.heading("HT-25", 0),
        documents.page_break(),
        documents.heading("Brakes", 1),
        documents.prose("Use DOT 3 fluid only."),
    ]
    ingested = read(_folder(tmp_path, {"forklift/ht25.pdf": documents.flowing_pdf(story)}), PARAMS)
    passage = ingested.dataset.corpus["forklift/ht25.pdf#1"]
    assert (passage.title, passage.extra["page"]) == ("HT-25 > Brakes", 2)


def test_reading_twice_and_writing_give_the_same(tmp_path: Path) -> None:
    folder = _labelled(tmp_path / "in", _question(1, "hvac/cb90.txt", "FLUE"))
    first, second = read(folder, PARAMS), read(folder, PARAMS)
    assert first == second
    write_dataset(tmp_path / "out", first.dataset)
    assert read_dataset(tmp_path / "out") == first.dataset


def test_files_on_origin_are_named_and_manuals_of_like_names_read(tmp_path: Path) -> None:
    skipped = ("Copying.txt", "LICENSE", "NOTICE", "SOURCE.txt", "license.md")
    read_as_any = ("LICENSE-docs.txt", "NOTICE to operators.md", "SOURCES.txt", "Source voltage.md")
    texts = {name: TRUCK.replace("HT-25", f"HT-{i}") for i, name in enumerate((*skipped, *read_as_any))}
    ingested = read(_folder(tmp_path, {f"m/{name}": text for name, text in texts.items()}), PARAMS)
    assert [reject.place for reject in ingested.rejects] == [f"m/{name}" for name in skipped]
    assert (ingested.counts["files.skipped"], ingested.counts["files.read"]) == (5, 4)


# Questions


def test_questions_name_passages_by_file_and_heading(tmp_path: Path) -> None:
    folder = _labelled(
        tmp_path,
        _question(1, "forklift/ht25.md", "1.2 service  brake: BLEEDING", "Parking Brake"),
        _question(2, "hvac/cb90.txt", "Flue", split="dev"),
        _question(
            3,
            "forklift/ht25.md",
            "Axle > Lubrication",
            split="train",
            relevant=[{"file": "forklift/ht25.md", "heading": "Axle > Lubrication", "grade": 2}],
        ),
    )
    dataset = read(folder, PARAMS).dataset
    assert dataset.qrels == {
        "train": {"q3": {"forklift/ht25.md#3": 2}},
        "dev": {"q2": {"hvac/cb90.txt#2": 1}},
        "test": {"q1": {"forklift/ht25.md#1": 1, "forklift/ht25.md#2": 1}},
    }
    query = dataset.queries["q1"]
    assert (query.text, query.domain, query.category, query.difficulty) == (
        "What about 1?",
        "forklift",
        "how-to",
        "hard",
    )


def test_a_question_says_who_wrote_it(tmp_path: Path) -> None:
    folder = _labelled(
        tmp_path, _question(1, "hvac/cb90.txt", "Flue", written_by="model"), _question(2, "hvac/cb90.txt", "Flue")
    )
    queries = read(folder, PARAMS).dataset.queries
    assert [queries[i].extra for i in ("q1", "q2")] == [{"written_by": "model"}, {"written_by": "unknown"}]


def test_a_heading_may_be_named_without_its_number(tmp_path: Path) -> None:
    dataset = read(_labelled(tmp_path, _question(1, "forklift/ht25.md", "Service Brake Bleeding")), PARAMS).dataset
    assert dataset.qrels == {"test": {"q1": {"forklift/ht25.md#1": 1}}}


def test_only_the_splits_of_the_params_are_kept(tmp_path: Path) -> None:
    folder = _labelled(
        tmp_path, _question(1, "forklift/ht25.md", "Parking Brake"), _question(2, "hvac/cb90.txt", "Flue", split="dev")
    )
    dataset = read(folder, PARAMS.model_copy(update={"splits": ["test"]})).dataset
    assert list(dataset.qrels) == ["test"]
    assert list(dataset.queries) == ["q1"]


def test_all_pieces_of_a_split_section_are_relevant(tmp_path: Path) -> None:
    steps = "\n".join(f"{n}. Turn the screw number {n} out by hand and keep it for the assembly." for n in range(1, 10))
    folder = _folder(
        tmp_path,
        {
            "m/a.md": f"# A\n\n## Screws\n\n{steps}\n",
            "questions.jsonl": json.dumps(_question(1, "m/a.md", "Screws")),
        },
    )
    assert read(folder, PARAMS).dataset.qrels == {"test": {"q1": {"m/a.md#1": 1, "m/a.md#2": 1}}}


def test_a_dropped_copy_stands_for_what_was_kept(tmp_path: Path) -> None:
    text = "# A\n\n## Oil\n\nDrain the oil while it is warm.\n"
    folder = _folder(
        tmp_path,
        {
            "m/a.md": text,
            "m/b.md": text.replace("# A", "# B"),
            "questions.jsonl": json.dumps(_question(1, "m/b.md", "Oil")),
        },
    )
    assert read(folder, PARAMS).dataset.qrels == {"test": {"q1": {"m/a.md#1": 1}}}


def test_a_merged_heading_names_its_passage(tmp_path: Path) -> None:
    text = "# A\n\n## Tools\n\n- pan\n\n## Oil\n\nDrain the oil while it is warm.\n"
    folder = _folder(tmp_path, {"m/a.md": text, "questions.jsonl": json.dumps(_question(1, "m/a.md", "Tools"))})
    assert read(folder, PARAMS).dataset.qrels == {"test": {"q1": {"m/a.md#1": 1}}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split": "valid"}, r"questions.jsonl:1: split: .*'valid'"),
        ({"text": " "}, r"questions.jsonl:1: text: "),
        ({"text": 3}, r"questions.jsonl:1: text: .*'3'"),
        (
            {"written_by": "llm"},
            r"questions.jsonl:1: written_by: .*'people', 'rules', 'model' or 'unknown', found 'llm' \(\{\"_id\", ",
        ),
        ({"tags": []}, r"questions.jsonl:1: tags: Extra inputs"),
        ({"relevant": []}, r"questions.jsonl:1: relevant: "),
        ({"relevant": [{"file": "hvac/cb90.txt", "heading": "Flue", "grade": 0}]}, r"relevant.0.grade: "),
        (
            {"relevant": [{"file": "hvac/cb9.txt", "heading": "Flue"}]},
            r"no passage of file 'hvac/cb9.txt' \(closest files: hvac/cb90.txt",
        ),
        (
            {"relevant": [{"file": "hvac/cb90.txt", "heading": "Flues"}]},
            r"no heading 'Flues' in hvac/cb90.txt \(closest: FLUE",
        ),
    ],
)
def test_a_wrong_question_is_an_error_with_its_line(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(_labelled(tmp_path, _question(1, "hvac/cb90.txt", "Flue", **changes)), PARAMS)


def test_a_duplicate_id_is_an_error(tmp_path: Path) -> None:
    question = _question(1, "hvac/cb90.txt", "Flue")
    with pytest.raises(DataError, match=r"questions.jsonl:2: duplicate _id 'q1', first on line 1"):
        read(_labelled(tmp_path, question, question), PARAMS)


@pytest.mark.parametrize("split", ["dev", "train"])
def test_a_passage_of_test_and_another_split_is_an_error(tmp_path: Path, split: str) -> None:
    questions = _question(1, "hvac/cb90.txt", "Flue"), _question(2, "hvac/cb90.txt", "Flue", split=split)
    with pytest.raises(
        DataError, match=rf"questions.jsonl:2: 'q2' \({split}\) and 'q1' \(test, line 1\) share passage"
    ):
        read(_labelled(tmp_path, *questions), PARAMS)


def test_an_ambiguous_heading_is_an_error_until_its_chapter_is_named(tmp_path: Path) -> None:
    text = "# A\n\n## Front\n\n### Pads\n\nThe front pads are thick.\n\n## Rear\n\n### Pads\n\nRear pads are thin.\n"
    files = {"m/a.md": text, "questions.jsonl": json.dumps(_question(1, "m/a.md", "Pads"))}
    with pytest.raises(DataError, match=r"heading 'Pads' names 2 sections of m/a.md"):
        read(_folder(tmp_path, files), PARAMS)
    folder = _folder(tmp_path, {"questions.jsonl": json.dumps(_question(1, "m/a.md", "Rear > Pads"))})
    assert read(folder, PARAMS).dataset.qrels == {"test": {"q1": {"m/a.md#2": 1}}}
