"""The adapter for memories: what is merged, left out and counted, and that no memory stands on both sides."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain_embeddings.core.beir_files import read_dataset, write_dataset
from domain_embeddings.core.dataset import Ingested, Passage, Query, Reject
from domain_embeddings.core.errors import DataError
from domain_embeddings.ingest.kinds.memories import read
from domain_embeddings.params.ingest import IngestParams
from domain_embeddings.text_matching.near_equal_queries import NearEqualQueries
from tests.knobs import knobs

DRAIN = "The Heron needs ninety seconds to drain its queue before the deploy script may stop the old process."
LABELS = "The label printer in the workshop wants ZPL at 203 dpi, and PDF prints come out half size."
FRIDAY = "Marit sails on Friday afternoons, so Ines is on call from four until Saturday noon."
BACKUP = "Dunlin, the backup server in the cellar, is switched off during office hours because of its noise."


def _query(text: str, difficulty: str = "easy", **changes: Any) -> dict[str, Any]:
    return {"query": text, "category": "question", "difficulty": difficulty, "expected_rank": 1, **changes}


def _memory(memory_id: int | str, content: str, *queries: str | dict[str, Any], **changes: Any) -> dict[str, Any]:
    found = [_query(query) if isinstance(query, str) else query for query in queries]
    row = {"memory_id": memory_id, "content": content, "category": "OPS", "context": "ops/x", "severity": 3}
    return {**row, "feedback_type": "FACT", "generated_queries": found, **changes}


def _params(**memories: Any) -> IngestParams:
    kept = {"min_difficulty": "easy", "skip_categories": [], "split_by": "memory", **memories}
    shares = {"train": 0.4, "dev": 0.25, "test": 0.35}
    return knobs("ingest", IngestParams, near_copy=0.9, split=shares, seed=1, memories=kept)


def _read(folder: Path, *memories: Any, params: IngestParams | None = None) -> Ingested:
    folder.mkdir(exist_ok=True)
    (folder / "suite.json").write_text(json.dumps({"metadata": {}, "test_cases": memories}), encoding="utf-8")
    return read(folder, params or _params())


def _test_only(folder: Path, *memories: Any, **changes: Any) -> Ingested:
    """Every query in test, or nearly: what is asked for, without the draw."""
    params = _params(**changes).model_dump() | {"split": {"train": 1e-6, "dev": 1e-6, "test": 1 - 2e-6}}
    return _read(folder, *memories, params=IngestParams.model_validate(params))


def _split_of(found: Ingested) -> dict[str, str]:
    return {query_id: split for split, qrels in found.dataset.qrels.items() for query_id in qrels}


def test_a_memory_becomes_a_passage_and_its_queries_questions(tmp_path: Path) -> None:
    found = _test_only(
        tmp_path,
        _memory(
            7, DRAIN, _query("how long does it drain", "hard", expected_rank=5), _query("heron drain"), mood="good"
        ),
        _memory("p-8", LABELS, "what does the printer want"),
    )

    extra = {"context": "ops/x", "severity": 3, "feedback_type": "FACT", "merged": [], "held_out": True}
    assert found.dataset.corpus == {
        "7": Passage("7", "", DRAIN, "ops", "other", extra),
        "p-8": Passage("p-8", "", LABELS, "ops", "other", extra),
    }
    hard = Query(
        "7-1", "how long does it drain", "ops", "question", "hard", {"expected_rank": 5, "written_by": "unknown"}
    )
    assert found.dataset.queries["7-1"] == hard
    assert found.dataset.qrels == {"test": {"7-1": {"7": 1}, "7-2": {"7": 1}, "p-8-1": {"p-8": 1}}}
    assert found.rejects == []
    assert found.counts == {
        "memories": 2,
        "memories.held_out": 2,
        "memories.without_query": 0,
        "merged": 0,
        "original_queries": 0,
        "passages": 2,
        "passages.ops": 2,
        "queries": 3,
        "queries.several_relevant": 0,
        "queries.test": 3,
        "split_by.memory": 1,
    }


def test_a_query_says_who_wrote_it_or_the_suite_does_for_all(tmp_path: Path) -> None:
    memories = [_memory(7, DRAIN, "heron drain", _query("how long", written_by="people")), _memory(8, LABELS, "print")]
    suite = {"written_by": "model", "test_cases": memories}
    (tmp_path / "suite.json").write_text(json.dumps(suite), encoding="utf-8")

    found = read(tmp_path, _params(split_by="query")).dataset.queries

    authors = {query_id: query.extra["written_by"] for query_id, query in found.items()}
    assert authors == {"7-1": "model", "7-2": "people", "8-1": "model"}


def test_what_is_read_is_written_and_read_back_unchanged(tmp_path: Path) -> None:
    found = _test_only(tmp_path / "in", _memory(7, DRAIN, "how long does it drain"), _memory(8, LABELS))

    write_dataset(tmp_path / "out", found.dataset)

    assert read_dataset(tmp_path / "out") == found.dataset


def test_a_suite_may_be_its_list_of_test_cases_and_begin_with_a_mark(tmp_path: Path) -> None:
    memories = [_memory(7, DRAIN, _query("how long", "Hard")), _memory(8, LABELS, "print")]
    expected = _read(tmp_path / "a", *memories, params=_params(split_by="query"))
    (tmp_path / "b").mkdir()
    (tmp_path / "b/suite.json").write_text("\ufeff" + json.dumps(memories), encoding="utf-8")

    found = read(tmp_path / "b", _params(split_by="query"))

    assert found == expected
    assert found.dataset.queries["7-1"].difficulty == "hard"


def test_near_copies_become_one_passage_with_the_queries_of_all(tmp_path: Path) -> None:
    copy = DRAIN.replace("may stop", "can stop")

    found = _test_only(
        tmp_path,
        _memory(7, DRAIN, "how long does it drain", "heron drain"),
        _memory(9, copy, "How long does it drain?", "when may the old process die"),
    )

    assert list(found.dataset.corpus) == ["7"]
    assert found.dataset.corpus["7"].extra["merged"] == ["9"]
    assert found.dataset.qrels == {"test": {"7-1": {"7": 1}, "7-2": {"7": 1}, "9-2": {"7": 1}}}
    assert found.rejects == [Reject("memory 9", "the same as memory 7, which keeps its queries")]
    assert (found.counts["memories"], found.counts["merged"], found.counts["queries.repeated"]) == (2, 1, 1)


def test_a_query_of_several_memories_is_one_query_with_several_answers(tmp_path: Path) -> None:
    found = _test_only(
        tmp_path,
        _memory(7, DRAIN, "what about deploys?"),
        _memory(8, LABELS, "print"),
        _memory(9, FRIDAY, "What about  deploys"),
    )

    assert found.dataset.qrels == {"test": {"7-1": {"7": 1, "9": 1}, "8-1": {"8": 1}}}
    assert found.dataset.queries["7-1"].text == "what about deploys?"
    assert found.counts["queries.merged_across_memories"] == 1
    assert found.counts["queries.several_relevant"] == 1


def test_queries_are_left_out_by_difficulty_and_category(tmp_path: Path) -> None:
    found = _test_only(
        tmp_path,
        _memory(
            7, DRAIN, _query("a1 drain"), _query("a2 heron", "medium"), _query("a3 queue", "hard", category="Typo")
        ),
        _memory(8, LABELS, _query("b1 label", "hard"), _query("b2 printer", ""), category="Hardware"),
        _memory(9, FRIDAY, _query("c1 sails", "hard"), category="PEOPLE"),
        min_difficulty="medium",
        skip_categories=["typo", "people"],
    )

    assert list(found.dataset.queries) == ["7-2", "8-1", "8-2"]
    assert found.counts["queries.below_min_difficulty"] == 1
    assert found.counts["queries.skipped_category"] == 2
    assert found.counts["memories.without_query"] == 1
    assert list(found.dataset.corpus) == ["7", "8", "9"]
    assert "held_out" not in found.dataset.corpus["9"].extra


def test_queries_may_be_called_queries_and_the_original_ones_are_only_counted(tmp_path: Path) -> None:
    memory = {"memory_id": 7, "content": DRAIN, "queries": [{"text": "heron drain"}], "original_queries": ["a", "b"]}

    found = _test_only(tmp_path, memory)

    extra = {"expected_rank": None, "written_by": "unknown"}
    assert found.dataset.queries == {"7-1": Query("7-1", "heron drain", "", "", "", extra)}
    assert found.counts["original_queries"] == 2


def test_a_query_for_memories_of_several_splits_is_left_out_and_listed(tmp_path: Path) -> None:
    contents = {7: DRAIN, 8: LABELS, 9: FRIDAY, 10: BACKUP}
    memories = [_memory(i, text, f"what of {text.split()[1]} {i}", "best practices") for i, text in contents.items()]

    found = _read(tmp_path, *memories)

    split = {query_id.split("-")[0]: split for query_id, split in _split_of(found).items()}
    where = ", ".join(f"{i} ({split[str(i)]})" for i in contents)
    assert set(split.values()) == {"train", "dev", "test"}
    assert found.rejects == [Reject("query 7-2", f"'best practices' is for memories of several splits: {where}")]
    assert found.counts["queries.across_splits"] == 1
    assert len(found.dataset.queries) == 4


def test_a_query_near_equal_to_one_of_a_stricter_split_is_left_out_and_listed(tmp_path: Path) -> None:
    contents = {7: DRAIN, 8: LABELS, 9: FRIDAY, 10: BACKUP}
    nouns = {7: "process", 8: "printer", 9: "people", 10: "backup"}
    memories = [
        _memory(i, text, f"{nouns[i]} {i}?", f"good advice concerning {nouns[i]} management")
        for i, text in contents.items()
    ]

    found = _read(tmp_path, *memories)

    split = {query_id.split("-")[0]: split for query_id, split in _split_of(found).items()}
    kept = [i for i in contents if f"{i}-2" in found.dataset.queries]
    assert kept == [i for i in contents if split[str(i)] == "test"]
    assert len(found.rejects) == 4 - len(kept)
    for reject in found.rejects:
        number = int(reject.place.removeprefix("query ").removesuffix("-2"))
        text = f"'good advice concerning {nouns[number]} management'"
        assert reject.reason.startswith(f"near-equal to a held-out query: {text} ({split[str(number)]}) ~ query ")
        assert reject.reason.endswith("management' (test)")
    dropped = [split[str(i)] for i in contents if i not in kept]
    for name in ("train", "dev"):
        assert found.counts.get(f"queries.near_equal.{name}", 0) == dropped.count(name) > 0


def test_only_the_wanted_splits_are_kept(tmp_path: Path) -> None:
    memories = [_memory(i, text, f"{text.split()[1]} {i}") for i, text in enumerate((DRAIN, LABELS, FRIDAY, BACKUP))]
    whole = _read(tmp_path, *memories)

    params = IngestParams.model_validate(_params().model_dump() | {"splits": ["test"]})
    found = _read(tmp_path, *memories, params=params)

    assert found.dataset.qrels == {"test": whole.dataset.qrels["test"]}
    held_out = {passage.id for passage in found.dataset.corpus.values() if passage.extra.get("held_out")}
    assert held_out == {home for grades in whole.dataset.qrels["test"].values() for home in grades}


SUBJECTS = [f"{a}{b}" for a in "bcdfghjklm" for b in ("arnel", "ostik", "unvar", "eldim", "ipsol")]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.tuples(st.integers(1, 9), st.sampled_from("ABC")), min_size=8, max_size=40),
    train=st.floats(0.2, 0.6),
    seed=st.integers(0, 99),
)
def test_splits_share_no_memory_and_keep_their_shares(
    tmp_path: Path, sizes: list[tuple[int, str]], train: float, seed: int
) -> None:
    memories = [
        _memory(
            i,
            f"{SUBJECTS[i]} needs {SUBJECTS[i]}son",
            *(f"{SUBJECTS[i]} {n}" for n in range(count)),
            category=category,
        )
        for i, (count, category) in enumerate(sizes)
    ]
    shares = {"train": train, "dev": 0.15, "test": 0.85 - train}
    params = IngestParams.model_validate(_params().model_dump() | {"split": shares, "seed": seed})

    found = _read(tmp_path, *memories, params=params)

    of_memory: dict[str, set[str]] = {}
    for query_id, split in _split_of(found).items():
        of_memory.setdefault(query_id.split("-")[0], set()).add(split)
    assert all(len(splits) == 1 for splits in of_memory.values())
    total = sum(count for count, _ in sizes)
    assert len(found.dataset.queries) == total
    for split, share in shares.items():
        assert abs(found.counts.get(f"queries.{split}", 0) - share * total) <= max(count for count, _ in sizes)
    marked = {passage.id for passage in found.dataset.corpus.values() if passage.extra.get("held_out")}
    assert marked == {memory for memory, splits in of_memory.items() if splits & {"dev", "test"}}


def test_the_draw_depends_on_the_seed_and_not_on_the_order_of_the_file(tmp_path: Path) -> None:
    memories = [_memory(i, f"{SUBJECTS[i]} needs {SUBJECTS[i]}son", f"{SUBJECTS[i]} {i}") for i in range(20)]
    other = IngestParams.model_validate(_params().model_dump() | {"seed": 2})

    first = _split_of(_read(tmp_path, *memories))

    assert _split_of(_read(tmp_path, *memories[::-1])) == first
    assert _split_of(_read(tmp_path, *memories, params=other)) != first


def test_split_by_query_marks_no_memory_and_says_so(tmp_path: Path) -> None:
    queries = [f"{subject} {n}" for n, subject in enumerate(SUBJECTS[:20])]

    found = _read(tmp_path, _memory(7, DRAIN, *queries), params=_params(split_by="query"))

    assert {split: len(qrels) for split, qrels in found.dataset.qrels.items()} == {"train": 8, "dev": 5, "test": 7}
    assert found.counts["split_by.query"] == 1
    assert "split_by.memory" not in found.counts
    assert found.counts["memories.held_out"] == 0
    assert "held_out" not in found.dataset.corpus["7"].extra


@pytest.mark.parametrize(
    ("memories", "said"),
    [
        (
            [_memory(7, DRAIN, "a"), _memory("7", LABELS)],
            "test case 2: duplicate memory_id '7', first in test case 1 (give",
        ),
        ([_memory(7, DRAIN, "a"), _memory(8, "  ")], "test case 2: content: String should match pattern"),
        ([{"memory_id": 7}], "test case 1: content: Field required"),
        ([{"content": DRAIN}], "test case 1: memory_id: Field required"),
        ([_memory("a\tb", DRAIN)], "test case 1: memory_id."),
        ([_memory(True, DRAIN)], "test case 1: memory_id."),
        ([_memory(7, DRAIN, "a", _query(" "))], "test case 1, query 2: query: String should match pattern"),
        ([_memory(7, DRAIN, {"category": "x"})], "test case 1, query 1: query: Field required"),
        (
            [_memory(7, DRAIN, _query("a", "brutal"))],
            "query 1: difficulty: Input should be '', 'easy', 'medium' or 'hard', found 'brutal'",
        ),
        (
            [_memory(7, DRAIN, _query("a", written_by="llm"))],
            "query 1: written_by: Input should be 'people', 'rules', 'model' or 'unknown', found 'llm'",
        ),
        ([_memory(7, DRAIN, generated_queries="a")], "test case 1: generated_queries: Input should be a valid list"),
        (["a memory"], "test case 1: the row: Input should be"),
        ([], "no list 'test_cases' in it, or an empty one (a suite is {"),
        ([_memory(7, DRAIN)], "no query is left to test with (add memories with queries, or skip fewer)"),
    ],
)
def test_a_wrong_suite_is_an_error_that_names_file_and_test_case(
    tmp_path: Path, memories: list[Any], said: str
) -> None:
    with pytest.raises(DataError) as error:
        _test_only(tmp_path, *memories)

    assert str(error.value).startswith(f"{tmp_path / 'suite.json'}: ")
    assert said in str(error.value)
    assert str(error.value).endswith(")")  # a remedy


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "suite.json: file not found (a suite is {"),
        (b"[1]", "suite.json: test case 1: the row: "),
        (b"7", "suite.json: no list 'test_cases' in it"),
        (b'{"test_cases": [{"memory_id": 1,\n"severity": NaN}]}', "suite.json:2: NaN is no JSON (write null)"),
        (b"{}", "suite.json: no list 'test_cases' in it"),
        (b'{\n"test_cases": [,]}', "suite.json:2: not valid JSON"),
        (b'{"test_cases": [], "written_by": 1}', "suite.json: written_by: Input should be 'people', 'rules', "),
        (b'{"test_cases": "\xff"}', "suite.json:1: not valid UTF-8"),
    ],
)
def test_a_file_that_is_no_suite_is_an_error(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "suite.json").write_bytes(content)

    with pytest.raises(DataError) as error:
        read(tmp_path, _params())

    assert said in str(error.value)


def test_the_sample_is_split_without_a_leak() -> None:
    found = read(Path(__file__).parents[2] / "data/raw/memories", knobs("ingest", IngestParams))

    merged = {
        passage.id: passage.extra["merged"] for passage in found.dataset.corpus.values() if passage.extra["merged"]
    }
    assert merged == {"1001": ["2001"], "1042": ["2002"], "1077": ["2003"]}
    owner = {
        home: split for split, qrels in found.dataset.qrels.items() for grades in qrels.values() for home in grades
    }
    assert all(owner[home] == split for split, q in found.dataset.qrels.items() for g in q.values() for home in g)
    text = {query.id: query.text for query in found.dataset.queries.values()}
    held_out = NearEqualQueries({i: text[i] for split in ("dev", "test") for i in found.dataset.qrels[split]})
    assert [i for i in found.dataset.qrels["train"] if held_out.find(text[i])] == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"split": {"train": 0.5, "dev": 0.2, "test": 0.35}}, "train + dev + test must be 1, is 1.05"),
        ({"split": {"train": 0.5, "dev": 0.0, "test": 0.5}}, "greater than 0"),
        ({"memories": {"min_difficulty": "easy", "skip_categories": [], "split_by": "pair"}}, "'memory' or 'query'"),
        ({"memories": {"min_difficulty": "any", "skip_categories": [], "split_by": "query"}}, "'medium' or 'hard'"),
    ],
)
def test_wrong_params_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        IngestParams.model_validate(_params().model_dump() | changes)
