"""The adapter for encyclopedias: passages, mentions, judgements, splits, and every error."""

import json
from pathlib import Path
from typing import Any

import pytest

from domain_embeddings.core.beir_files import read_dataset, write_dataset
from domain_embeddings.core.dataset import Ingested, Reject
from domain_embeddings.core.errors import DataError
from domain_embeddings.ingest.kinds.encyclopedia import read
from domain_embeddings.ingest.kinds.entity_index import Entity, Index, title_of
from domain_embeddings.params.ingest import IngestParams
from tests.knobs import knobs

INDEXES: dict[str, Any] = {
    "device": {
        "Ossel comb": {"name": "Ossel comb", "filename": "Ossel_comb.txt", "aliases": ["the grey nun", "long-tooth"]},
        "kellock": {"primary_name": "kellock", "filename": "kellock.txt"},
    },
    "place": {"Thessam Hall": {"page_name": "Thessam Hall", "filename": "Hall.txt", "aliases": ["the Wool Palace"]}},
}
DESCRIPTION = {
    "id": "comb-1",
    "filename": "Ossel_comb.txt",
    "title": "Ossel comb: description",
    "text": "The grey nun has forty teeth of brennick.",
    "device_mentions": ["Ossel comb"],
    "temporal_order": 1,
}
UPKEEP = {
    "id": "comb-2",
    "filename": "Ossel_comb.txt",
    "text": "Every comb is handed in at the Hall, and its teeth bend inward.",
    "device_mentions": ["Ossel comb"],
    "place_mentions": ["Thessam Hall"],
    "temporal_order": 4,
}
VALVE = {"filename": "kellock.txt", "text": "A sprung valve with teeth that bend inward.", "wiki_type": "thing"}
HALL = {"filename": "Hall.txt", "text": "The seat of the carders."}
CHUNKS: dict[str, list[Any]] = {"device": [DESCRIPTION, UPKEEP, VALVE], "place": [HALL]}


def _write(
    folder: Path, indexes: Any = INDEXES, chunks: Any = CHUNKS, questions: list[Any] | None = None, **file: Any
) -> Path:
    for name in ("indexes", "chunks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for kind, entries in indexes.items():
        (folder / "indexes" / f"{kind}_index.json").write_text(json.dumps(entries), encoding="utf-8")
    for kind, rows in chunks.items():
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "chunks" / f"{kind}.jsonl").write_text(lines, encoding="utf-8")
    if questions is not None:
        (folder / "questions.json").write_text(json.dumps({**file, "questions": questions}), encoding="utf-8")
    return folder


def _params(**encyclopedia: Any) -> IngestParams:
    kept = {"min_topic_coverage": 0.5, "positives_per_query": 5, "unknown_mentions": "warn"}
    return knobs("ingest", IngestParams, encyclopedia={**kept, "unreachable_questions": "warn", **encyclopedia}, seed=1)


def _question(number: int, text: str, *topics: str, **changes: Any) -> dict[str, Any]:
    asked = {"question_id": number, "question": text, "category": "device", "difficulty": "easy"}
    return {**asked, "temporal_limit": None, "expected_topics": list(topics), "split": "test", **changes}


def _ask(folder: Path, *questions: Any, **encyclopedia: Any) -> Ingested:
    return read(_write(folder, questions=list(questions)), _params(**encyclopedia))


def _judged(folder: Path, *topics: str, **changes: Any) -> dict[str, int]:
    """The judgements of one question about the comb."""
    return _ask(folder, _question(1, "How is the grey nun kept?", *topics, **changes)).dataset.qrels["test"]["1"]


def test_a_chunk_becomes_a_passage(tmp_path: Path) -> None:
    corpus = read(_write(tmp_path), _params()).dataset.corpus
    assert list(corpus) == ["comb-1", "comb-2", "thing/kellock.txt#1", "place/Hall.txt#1"]
    upkeep = corpus["comb-2"]
    assert (upkeep.title, upkeep.domain, upkeep.type) == ("Ossel comb", "device", "other")
    assert upkeep.text == UPKEEP["text"]
    assert upkeep.extra == {
        "entity": "Ossel comb",
        "aliases": ["the grey nun", "long-tooth"],
        "mentions": ["Ossel comb", "Thessam Hall"],
        "mention_aliases": ["long-tooth", "the Wool Palace", "the grey nun"],
        "entity_kind": "device",
        "temporal_order": 4,
    }
    assert corpus["comb-1"].title == "Ossel comb: description"
    assert corpus["thing/kellock.txt#1"].domain == "thing"
    assert corpus["thing/kellock.txt#1"].extra["entity_kind"] == "device"  # what the index says it is


def test_chunks_without_id_are_numbered_within_their_file(tmp_path: Path) -> None:
    found = read(_write(tmp_path, chunks={"place": [HALL, HALL, {**HALL, "filename": "b.txt"}]}), _params())
    assert list(found.dataset.corpus) == ["place/Hall.txt#1", "place/Hall.txt#2", "place/b.txt#1"]
    assert found.dataset.corpus["place/b.txt#1"].extra["entity"] is None
    assert found.counts["chunk_without_entry"] == 1


def test_what_is_read_is_beir(tmp_path: Path) -> None:
    found = _ask(tmp_path / "in", _question(1, "What bends?", "bend inward")).dataset
    write_dataset(tmp_path / "out", found)
    assert read_dataset(tmp_path / "out") == found


def test_a_mention_may_be_an_alias(tmp_path: Path) -> None:
    found = read(_write(tmp_path, chunks={"place": [{**HALL, "device_mentions": ["The Grey Nun"]}]}), _params())
    assert found.dataset.corpus["place/Hall.txt#1"].extra["mentions"] == ["Ossel comb"]


def test_unknown_mentions_are_counted_or_an_error(tmp_path: Path) -> None:
    _write(tmp_path, chunks={"place": [HALL, {**HALL, "device_mentions": ["drum", "kellock", "drum"]}]})
    found = read(tmp_path, _params())
    assert found.counts["unknown_mentions"] == 2
    assert Reject("mention 'drum'", "no index knows it (2 times)") in found.rejects
    with pytest.raises(DataError, match=r"place\.jsonl:2: 'device_mentions' holds 'drum', which no index knows"):
        read(tmp_path, _params(unknown_mentions="error"))


def test_entries_without_a_chunk_are_counted(tmp_path: Path) -> None:
    found = read(_write(tmp_path, chunks={"place": [HALL]}), _params())
    assert found.counts["entry_without_chunk"] == 2
    assert found.rejects == [Reject("indexes/device_index.json", "2 entries without a chunk: Ossel comb, kellock")]


def test_a_shared_file_is_of_the_entry_that_it_is_named_after(tmp_path: Path) -> None:
    shared = {
        "hill": {"Last Dry Foot": {"name": "Last Dry Foot", "filename": "Ebbrin_Landing.txt"}},
        "place": {"Ebbrin Landing": {"name": "Ebbrin Landing", "filename": "Ebbrin_Landing.txt"}},
    }
    found = read(_write(tmp_path, shared, {"x": [{"filename": "Ebbrin_Landing.txt", "text": "A jetty."}]}), _params())
    assert found.dataset.corpus["x/Ebbrin_Landing.txt#1"].extra["entity"] == "Ebbrin Landing"
    assert found.counts["entities.sharing_a_file"] == 1
    assert found.rejects == [
        Reject("Ebbrin_Landing.txt", "several entries share this file; its chunks are about 'Ebbrin Landing'")
    ]


@pytest.mark.parametrize(
    ("topics", "expected"),
    [
        (("teeth", "bend inward", "comb"), {"comb-2": 3, "comb-1": 1, "thing/kellock.txt#1": 1}),
        (("teeth", "bend inward"), {"comb-2": 3, "thing/kellock.txt#1": 3, "comb-1": 1}),
        (("teeth", "bend inward", "Hall", "gold"), {"comb-2": 2, "thing/kellock.txt#1": 1}),
        (("the wool palace", "gold"), {"comb-2": 1, "place/Hall.txt#1": 1}),
    ],
)
def test_passages_are_graded_by_topic_coverage(
    tmp_path: Path, topics: tuple[str, ...], expected: dict[str, int]
) -> None:
    judged = _judged(tmp_path, *topics)
    assert judged == expected
    assert list(judged) == list(expected)  # best first, of equals the question's own entity


def test_only_the_best_positives_are_kept(tmp_path: Path) -> None:
    question = _question(1, "How is the grey nun kept?", "teeth", "bend inward")
    found = _ask(tmp_path, question, positives_per_query=1)
    assert found.dataset.qrels["test"]["1"] == {"comb-2": 3}


def test_nothing_past_the_temporal_limit_is_relevant(tmp_path: Path) -> None:
    assert _judged(tmp_path, "teeth", "bend inward", temporal_limit=3) == {"thing/kellock.txt#1": 3, "comb-1": 1}


def test_answers_named_by_hand_are_the_judgements(tmp_path: Path) -> None:
    by_hand = _question(
        1, "How is the grey nun kept?", "teeth", "bend inward", answer_chunks=["comb-2", "place/Hall.txt#1"]
    )
    found = _ask(tmp_path, by_hand)
    assert found.dataset.qrels["test"] == {"1": {"comb-2": 2, "place/Hall.txt#1": 2}}
    checked = {key: count for key, count in found.counts.items() if key.startswith(("answers", "judged"))}
    assert checked == {
        "answers": 2,
        "answers.met_by_topics": 1,
        "answers.others_met_by_topics": 2,
        "answers.past_the_temporal_limit": 0,
        "answers.questions_met_by_topics": 1,
        "judged.by_hand": 1,
    }


def test_an_answer_past_the_limit_does_not_count(tmp_path: Path) -> None:
    asked = _question(1, "How?", "teeth", answer_chunks=["comb-1", "comb-2"], temporal_limit=2)
    found = _ask(tmp_path, asked)
    assert found.dataset.qrels["test"] == {"1": {"comb-1": 2}}
    assert found.counts["answers.past_the_temporal_limit"] == 1


def test_an_unreachable_question_is_left_out_or_an_error(tmp_path: Path) -> None:
    asked = _question(7, "Where is gold?", "gold", "silver", temporal_limit=2)
    found = _ask(tmp_path, asked)
    assert found.dataset.queries == {}
    assert found.counts["questions.unreachable"] == 1
    assert found.rejects == [
        Reject("questions.json question 7", "no passage known by 2 meets 0.5 of ['gold', 'silver']")
    ]
    with pytest.raises(DataError, match=r"questions\.json: question 7: no passage known by 2 meets 0\.5"):
        _ask(tmp_path, asked, unreachable_questions="error")


def test_a_question_knows_what_it_names(tmp_path: Path) -> None:
    asked = [
        _question(1, "Why does The Grey Nun bend?", "teeth"),
        _question(2, "Is the grey nun kept at Thessam Hall?", "teeth", category="cross"),
        _question(3, "What bends?", "teeth", category="cross"),
        _question(4, "Do kellocks bend?", "teeth", names="alias"),
        _question(5, "Who is tired?", "teeth", main_entity="the Wool Palace"),
    ]
    queries = _ask(tmp_path, *asked).dataset.queries
    assert {i: (query.domain, query.extra["names"]) for i, query in queries.items()} == {
        "1": ("device", "alias"),
        "2": ("device", "entity"),
        "3": ("cross", None),
        "4": ("device", "alias"),
        "5": ("place", None),
    }
    assert queries["1"].extra == {
        "names": "alias", "expected_topics": ["teeth"], "temporal_limit": None, "written_by": "unknown",
    }  # fmt: skip
    assert (queries["2"].category, queries["2"].difficulty) == ("cross", "easy")


def test_a_question_says_who_wrote_it_or_the_file_does_for_all(tmp_path: Path) -> None:
    asked = [_question(1, "What bends?", "teeth"), _question(2, "Who bends?", "teeth", written_by="people")]
    found = read(_write(tmp_path, questions=asked, written_by="model"), _params()).dataset.queries
    assert {i: query.extra["written_by"] for i, query in found.items()} == {"1": "model", "2": "people"}


def test_only_the_wanted_splits_are_kept(tmp_path: Path) -> None:
    asked = [_question(1, "What bends?", "teeth", split="dev"), _question(2, "Who bends?", "teeth")]
    folder = _write(tmp_path, questions=asked)
    found = read(folder, _params().model_copy(update={"splits": ["test"]})).dataset
    assert found.qrels.keys() == {"test"}
    assert found.queries.keys() == {"2"}


def test_without_declared_splits_questions_about_one_entity_stay_together(tmp_path: Path) -> None:
    names = ("long-tooth", "the kellock", "the Wool Palace")
    words = ("why salt", "how frost", "when wool", "where glass", "who paid", "which rope")
    asked = [
        _question(10 * i + j, f"{name} {word}", "teeth", split=None)
        for i, name in enumerate(names)
        for j, word in enumerate(words)
    ]
    qrels = _ask(tmp_path, *asked).dataset.qrels
    groups = {split: {int(query_id) // 10 for query_id in judged} for split, judged in qrels.items()}
    assert sorted(group for found in groups.values() for group in found) == [0, 1, 2]
    assert sum(map(len, qrels.values())) == 18


def test_near_equal_questions_of_two_splits_are_dropped_from_training(tmp_path: Path) -> None:
    asked = [
        _question(1, "Why does the grey nun bend in winter?", "teeth", split="train"),
        _question(2, "the grey nun bends in winter: why", "teeth"),
    ]
    found = _ask(tmp_path, *asked)
    assert found.dataset.qrels.keys() == {"test"}
    assert found.rejects == [Reject("questions.json question 1", "train question near-equal to question 2")]
    assert found.counts["questions.near_equal_across_splits"] == 1


def _broken(folder: Path, message: str, **changes: Any) -> None:
    _write(folder, **changes)
    with pytest.raises(DataError, match=message):
        read(folder, _params())


def test_a_wrong_chunk_is_an_error_with_its_line(tmp_path: Path) -> None:
    for number, (row, message) in enumerate(
        (
            ({**HALL, "text": " "}, r"place\.jsonl:2: text: String should match pattern"),
            ({"text": "x"}, r"place\.jsonl:2: filename: Field required"),
            ({**HALL, "temporal_order": "4"}, r"place\.jsonl:2: temporal_order: .*integer, found '4'"),
            ({**HALL, "x_mentions": "drum"}, r"place\.jsonl:2: 'x_mentions' must be a list of names, found 'drum'"),
            ({**HALL, "id": "a\tb"}, r"place\.jsonl:2: id: String should match pattern"),
            ({**HALL, "id": "hall"}, r"place\.jsonl:2: duplicate chunk id 'hall', first in place\.jsonl:1"),
        )
    ):
        _broken(tmp_path / str(number), message, chunks={"place": [{**HALL, "id": "hall"}, row]})


def test_a_wrong_index_is_an_error_with_its_entry(tmp_path: Path) -> None:
    nameless = {"place": {"Hall": {"filename": "Hall.txt"}}}
    _broken(tmp_path / "a", r"place_index\.json: entry 'Hall': name: Field required", indexes=nameless)
    _broken(tmp_path / "b", r"place_index\.json:1: expected a JSON object, found list", indexes={"place": []})
    _broken(tmp_path / "c", r"indexes: no index in it", indexes={})


def test_files_that_are_not_read_are_named(tmp_path: Path) -> None:
    folder = _write(tmp_path / "in", questions=[_question(1, "What bends?", "teeth")])
    (folder / "test_questions.json").write_text("{}")
    (folder / "chunks/notes.txt").write_text("a")
    (tmp_path / "secret.jsonl").write_text("{}")
    (folder / "chunks/secret.jsonl").symlink_to(tmp_path / "secret.jsonl")
    reason = "not read: chunks/*.jsonl, indexes/*_index.json and one of questions.json, test_questions.json are"

    assert read(folder, _params()).rejects[-3:] == [
        Reject("chunks/notes.txt", reason),
        Reject("chunks/secret.jsonl", "a link that leads out of the folder"),
        Reject("test_questions.json", reason),
    ]


def test_a_wrong_question_is_an_error_with_its_number(tmp_path: Path) -> None:
    good = _question(1, "What bends?", "teeth")
    for number, (question, message) in enumerate(
        (
            ({**good, "question": ""}, r"questions\.json: question 2: question: String should match"),
            (good, r"questions\.json: question 2: duplicate question_id '1'"),
            (_question(2, "Who?", "teeth", split="final"), r"question 2: split: .*'train', 'dev' or 'test'"),
            (
                _question(2, "Who?", "teeth", written_by="llm"),
                r"question 2: written_by: .*'people', 'rules', 'model' or 'unknown', found 'llm'",
            ),
            (_question(2, "Who?", "teeth", split=None), r"question 2 has no split, others have one"),
            (_question(2, "Who?", answer_chunks=["x"]), r"question 2: no chunk has the id 'x' of its answer_chunks"),
            (
                _question(2, "Who?", "teeth", main_entity="Osel comb"),
                r"no index knows main_entity 'Osel comb' \(closest: Ossel comb",
            ),
        )
    ):
        _broken(tmp_path / str(number), message, questions=[good, question])
    in_file = r"questions\.json: written_by: .*'people', 'rules', 'model' or 'unknown', found 'llm'"
    _broken(tmp_path / "file", in_file, questions=[good], written_by="llm")


def test_a_folder_that_is_no_encyclopedia_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone: folder not found"):
        read(tmp_path / "gone", _params())
    _broken(tmp_path / "a", r"chunks: no chunk in it", chunks={})
    (_write(tmp_path / "b") / "questions.json").write_text('{"items": []}', encoding="utf-8")
    with pytest.raises(DataError, match=r"questions\.json: no list 'questions' in it"):
        read(tmp_path / "b", _params())
    (tmp_path / "b" / "questions.json").write_text('{\n"questions": [', encoding="utf-8")
    with pytest.raises(DataError, match=r"questions\.json:2: not valid JSON"):
        read(tmp_path / "b", _params())


def test_questions_may_have_the_earlier_name_or_be_missing(tmp_path: Path) -> None:
    folder = _write(tmp_path, questions=[_question(1, "What bends?", "teeth")])
    (folder / "questions.json").rename(folder / "test_questions.json")
    assert read(folder, _params()).dataset.queries.keys() == {"1"}
    (folder / "test_questions.json").unlink()
    assert read(folder, _params()).dataset.queries == {}


INDEX = Index(
    [
        Entity("Ossel comb", "device", "a.txt", ("the grey nun", "Ossel")),
        Entity("Dorrec Ossel", "person", "b.txt", ("Ossel", "Seven-Fingers")),
        Entity("Thessam Hall", "place", "c.txt", ("the",)),
    ]
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Did Dorrec Ossel bring the grey nun to Thessam Hall?", ["Dorrec Ossel", "Ossel comb", "Thessam Hall"]),
        ("Ossel combs?", ["Ossel comb"]),
        ("seven-fingers' nun", ["Dorrec Ossel"]),
        ("the grey cat", []),
    ],
)
def test_the_longest_names_in_a_text_are_found(text: str, expected: list[str]) -> None:
    assert [entity.name for entity, _ in INDEX.named_in(text)] == expected


def test_a_shared_alias_names_nobody_for_sure() -> None:
    assert INDEX.named("Ossel") is None
    found = INDEX.named("seven-fingers")
    assert found is not None
    assert found.name == "Dorrec Ossel"


def test_a_title_comes_from_the_file_name() -> None:
    assert title_of("Mt._Hesk_(peak).txt") == "Mt. Hesk (peak)"
