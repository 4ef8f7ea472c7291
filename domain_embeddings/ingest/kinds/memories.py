"""Adapter for an assistant's memories: `suite.json`, memories with the queries that must find them.

    {"test_cases": [{"memory_id": 7, "content": "…", "category": "DEBUGGING", "context": "…", "severity": 5,
                     "feedback_type": "…", "generated_queries": [{"query": "…", "category": "question",
                                                                  "difficulty": "hard", "expected_rank": 5}]}]}

Who wrote the queries is said by `written_by`, beside `test_cases` for all of them or in a query for it alone.
Memories that repeat one another become one passage. The splits are drawn here, for a suite declares none.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from domain_embeddings.core.dataset import SPLITS, WRITTEN_BY, Author, Dataset, Ingested, Passage, Query, Reject
from domain_embeddings.core.errors import DataError
from domain_embeddings.core.json_files import parse, read_text
from domain_embeddings.ingest.inside import required
from domain_embeddings.ingest.kinds.rows import QuestionFile, WrittenBy, checked, excess
from domain_embeddings.ingest.splits import near_equals_across, split_groups
from domain_embeddings.ingest.walk import not_taken, walk
from domain_embeddings.params.ingest import IngestParams, MemoriesParams
from domain_embeddings.text_matching.near_duplicates import Likeness, compare

SUITE = "suite.json"
_DIFFICULTIES = ("easy", "medium", "hard")
_QUERY_FORM = '{"query", "category", "difficulty": easy|medium|hard, "expected_rank", "written_by"}'
_CASE_FORM = '{"memory_id", "content", "category", "generated_queries": [{"query", …}]}'
_SUITE_FORM = f'a suite is {{"written_by", "test_cases": [{_CASE_FORM}, …]}}'


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class _Query(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    text: str = Field(validation_alias=AliasChoices("query", "text"), pattern=r"\S")
    category: str = ""
    difficulty: Annotated[Literal["", "easy", "medium", "hard"], BeforeValidator(_lower)] = ""
    expected_rank: int | None = None
    written_by: WrittenBy = None


class _Case(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    memory_id: int | Annotated[str, Field(pattern=r"^[^\t\r\n]*\S[^\t\r\n]*$")]
    content: str = Field(pattern=r"\S")
    category: str = ""
    context: Any = None
    severity: Any = None
    feedback_type: Any = None
    queries: list[Any] = Field([], validation_alias=AliasChoices("generated_queries", "queries"))
    original_queries: list[Any] = []


@dataclass(frozen=True)
class _Memory:
    """A test case with its queries, and who wrote those that do not say so themselves."""

    id: str
    case: _Case
    queries: list[_Query]
    author: Author


@dataclass
class _Suite:
    """What has been made of the memories so far; `homes` are the passages that a query is for."""

    passages: dict[str, Passage]
    group: dict[str, str]
    queries: dict[str, Query] = field(default_factory=dict)
    homes: dict[str, list[str]] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def _test_cases(path: Path, suite: Any) -> list[Any]:
    """The suite's list of test cases, which may be all of it, or a `DataError` when it holds none."""
    found = suite.get("test_cases") if isinstance(suite, dict) else suite
    if not isinstance(found, list) or not found:
        raise DataError(path, "no list 'test_cases' in it, or an empty one", remedy=_SUITE_FORM)
    return found


def _read_suite(path: Path, params: IngestParams) -> dict[str, _Memory]:
    suite = parse(read_text(path, _SUITE_FORM), path, remedy=_SUITE_FORM)
    said = suite if isinstance(suite, dict) else {}
    author = checked(QuestionFile, said, path, remedy=_SUITE_FORM).written_by or Author.UNKNOWN
    memories: dict[str, _Memory] = {}
    first: dict[str, int] = {}
    for number, row in enumerate(_test_cases(path, suite), start=1):
        place = f"test case {number}"
        case = checked(_Case, row, path, place=place, remedy=_CASE_FORM)
        if problem := excess(case.content, params):
            raise DataError(path, f"{place}: {problem}", remedy="cut it into several")
        memory_id = str(case.memory_id)
        if memory_id in first:
            problem = f"{place}: duplicate memory_id {memory_id!r}, first in test case {first[memory_id]}"
            raise DataError(path, problem, remedy="give it an id of its own, or move its queries to the first")
        queries = [
            checked(_Query, query, path, place=f"{place}, query {n}", remedy=_QUERY_FORM)
            for n, query in enumerate(case.queries, start=1)
        ]
        memories[memory_id], first[memory_id] = _Memory(memory_id, case, queries, author), number
    return memories


def _passages(memories: Mapping[str, _Memory], likeness: Likeness, suite: _Suite) -> None:
    """Add a passage for each memory that repeats no other; copies are listed as rejects."""
    for memory in memories.values():
        if memory.id in likeness.merged:
            kept = likeness.merged[memory.id]
            suite.rejects.append(Reject(f"memory {memory.id}", f"the same as memory {kept}, which keeps its queries"))
            continue
        extra = {
            "context": memory.case.context,
            "severity": memory.case.severity,
            "feedback_type": memory.case.feedback_type,
            "merged": [copy for copy, kept in likeness.merged.items() if kept == memory.id],
        }
        text = memory.case.content.strip()
        suite.passages[memory.id] = Passage(memory.id, "", text, memory.case.category.lower(), "other", extra)


def _skip_reason(query: _Query, memory: _Memory, params: MemoriesParams) -> str:
    """Why the params leave a query out, or an empty string."""
    if query.difficulty in _DIFFICULTIES[: _DIFFICULTIES.index(params.min_difficulty)]:
        return "queries.below_min_difficulty"
    skipped = {category.casefold() for category in params.skip_categories}
    return "queries.skipped_category" if skipped & {query.category.casefold(), memory.case.category.casefold()} else ""


def _asked(text: str) -> str:
    """A query's text without case, white space and closing punctuation: two with the same are one query."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).rstrip(" ?!.") or text


def _add_queries(memories: Iterable[_Memory], merged: Mapping[str, str], params: MemoriesParams, suite: _Suite) -> None:
    """Add the memories' queries; one that occurs again is one query, for all memories that it occurs at."""
    first: dict[str, str] = {}
    for memory in memories:
        home = merged.get(memory.id, memory.id)
        for number, found in enumerate(memory.queries, start=1):
            if reason := _skip_reason(found, memory, params):
                suite.counts[reason] += 1
                continue
            query_id = first.setdefault(_asked(found.text), f"{memory.id}-{number}")
            if query_id not in suite.queries:
                extra = {"expected_rank": found.expected_rank, WRITTEN_BY: found.written_by or memory.author}
                domain = suite.passages[home].domain
                text = " ".join(found.text.split())
                suite.queries[query_id] = Query(query_id, text, domain, found.category, found.difficulty, extra)
                suite.homes[query_id] = [home]
            elif home in suite.homes[query_id]:
                suite.counts["queries.repeated"] += 1
            else:
                suite.homes[query_id].append(home)
                suite.counts["queries.merged_across_memories"] += 1


def _splits(suite: _Suite, params: IngestParams) -> dict[str, str]:
    """The split of each query, drawn by group of memories or by query."""
    shares = params.split.model_dump()
    strata = {query.id: query.domain for query in suite.queries.values()}
    if params.memories.split_by == "query":
        return split_groups({query_id: query_id for query_id in strata}, strata, shares, params.seed)
    asked = [(query_id, home) for query_id, homes in suite.homes.items() for home in homes]
    split_of = split_groups(
        {f"{query_id}\t{home}": suite.group[home] for query_id, home in asked},
        {f"{query_id}\t{home}": suite.passages[home].domain for query_id, home in asked},
        shares,
        params.seed,
    )
    return _of_one_split({home: split_of[f"{query_id}\t{home}"] for query_id, home in asked}, suite)


def _of_one_split(split_of_home: Mapping[str, str], suite: _Suite) -> dict[str, str]:
    """The split of each query; one whose memories lie in several splits has none and is listed as a reject."""
    split_of: dict[str, str] = {}
    for query_id, homes in suite.homes.items():
        splits = {split_of_home[home] for home in homes}
        if len(splits) == 1:
            split_of[query_id] = splits.pop()
            continue
        where = ", ".join(f"{home} ({split_of_home[home]})" for home in homes)
        text = suite.queries[query_id].text
        suite.rejects.append(Reject(f"query {query_id}", f"{text!r} is for memories of several splits: {where}"))
        suite.counts["queries.across_splits"] += 1
    return split_of


def _without_leaks(split_of: Mapping[str, str], suite: _Suite) -> dict[str, str]:
    """The queries' splits without those near-equal to a query of a stricter split, which are listed as rejects."""
    texts = {query_id: suite.queries[query_id].text for query_id in split_of}
    found = dict(near_equals_across(split_of, texts))
    for query_id, other in found.items():
        near = f"{texts[query_id]!r} ({split_of[query_id]}) ~ query {other} {texts[other]!r} ({split_of[other]})"
        suite.rejects.append(Reject(f"query {query_id}", f"near-equal to a held-out query: {near}"))
        suite.counts[f"queries.near_equal.{split_of[query_id]}"] += 1
    return {query_id: split for query_id, split in split_of.items() if query_id not in found}


def _dataset(split_of: Mapping[str, str], suite: _Suite, split_by: str) -> Dataset:
    """The collection; split by memory, what dev and test ask for is marked `held_out`, with all alike."""
    qrels = {
        split: {
            query_id: dict.fromkeys(suite.homes[query_id], 1) for query_id in split_of if split_of[query_id] == split
        }
        for split in SPLITS
        if split in split_of.values()
    }
    asked_for = {
        suite.group[home] for query_id in split_of if split_of[query_id] != "train" for home in suite.homes[query_id]
    }
    held_out = asked_for if split_by == "memory" else set()
    passages = {
        passage.id: replace(passage, extra={**passage.extra, "held_out": True})
        if suite.group[passage.id] in held_out
        else passage
        for passage in suite.passages.values()
    }
    return Dataset(passages, {query_id: suite.queries[query_id] for query_id in split_of}, qrels)


def _counts(dataset: Dataset, suite: _Suite, memories: Mapping[str, _Memory], split_by: str) -> dict[str, int]:
    asked_for = {home for judged in dataset.qrels.values() for grades in judged.values() for home in grades}
    counts = suite.counts.copy()
    counts.update(
        {
            "memories": len(memories),
            "memories.held_out": sum("held_out" in passage.extra for passage in dataset.corpus.values()),
            "memories.without_query": len(dataset.corpus.keys() - asked_for),
            "merged": len(memories) - len(dataset.corpus),
            "original_queries": sum(len(memory.case.original_queries) for memory in memories.values()),
            "passages": len(dataset.corpus),
            "queries": len(dataset.queries),
            "queries.several_relevant": sum(len(suite.homes[query_id]) > 1 for query_id in dataset.queries),
            f"split_by.{split_by}": 1,
        }
    )
    counts.update(f"passages.{passage.domain}" for passage in dataset.corpus.values())
    counts.update({f"queries.{split}": len(judged) for split, judged in dataset.qrels.items()})
    return dict(sorted(counts.items()))


def read(folder: Path, params: IngestParams) -> Ingested:
    """Read `suite.json` of a folder.

    What is wrong with a test case is a `DataError` with its number; a merged memory, a query for memories of
    several splits and a query near-equal to one of a stricter split are a `Reject`.
    """
    walked, path = walk(folder), required(folder, SUITE)
    memories = _read_suite(path, params)
    likeness = compare({memory.id: memory.case.content for memory in memories.values()}, params.near_copy)
    suite = _Suite({}, likeness.group)
    _passages(memories, likeness, suite)
    _add_queries(memories.values(), likeness.merged, params.memories, suite)
    drawn = _splits(suite, params)
    wanted = {query_id: split for query_id, split in drawn.items() if split in params.splits}
    split_of = _without_leaks(wanted, suite)
    if "test" not in split_of.values():
        raise DataError(path, "no query is left to test with", remedy="add memories with queries, or skip fewer")
    dataset = _dataset(split_of, suite, params.memories.split_by)
    rejects = [*suite.rejects, *not_taken(walked, [SUITE], f"not read: {SUITE} is")]
    return Ingested(dataset, rejects, _counts(dataset, suite, memories, params.memories.split_by))
