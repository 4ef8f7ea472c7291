"""Questions about an encyclopedia, and which chunks answer them.

Where a question names the chunks that answer it (`answer_chunks`), these are the judgements, and nothing is added to
them. On the sample the rule below would have called 27 other passages relevant; read one by one, some five
answered a part of their question, the others shared words with it, and none met all topics about the question's own
entity. Elsewhere a passage is relevant when it meets enough of the `expected_topics`.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain_embeddings.core.dataset import SPLITS, WRITTEN_BY, Author, Passage, Qrels, Query, Reject
from domain_embeddings.core.errors import DataError
from domain_embeddings.core.json_files import parse_object, read_text
from domain_embeddings.evaluation.topics import coverage, is_known
from domain_embeddings.ingest.kinds.entity_index import Entity, Index
from domain_embeddings.ingest.kinds.rows import QuestionFile, WrittenBy, checked
from domain_embeddings.ingest.splits import near_equals_across, split_groups
from domain_embeddings.params.ingest import IngestParams

_BY_HAND = 2
_SLACK = 1e-9
"""Coverages are fractions: 3 of 4 must count as 0.75 whatever the floats say."""


class _Question(BaseModel):
    model_config = ConfigDict(strict=True)
    question_id: int | str
    question: str = Field(pattern=r"\S")
    category: str = ""
    difficulty: str = ""
    temporal_limit: int | None = None
    expected_topics: list[str] = []
    names: Literal["entity", "alias"] | None = None
    main_entity: str | None = None
    answer_chunks: list[str] | None = None
    split: Literal["train", "dev", "test"] | None = None
    written_by: WrittenBy = None

    @property
    def id(self) -> str:
        return str(self.question_id)


@dataclass(frozen=True)
class Questions:
    """Queries by id, the judgements of each split, what was left out, and counts."""

    queries: dict[str, Query]
    qrels: dict[str, Qrels]
    rejects: list[Reject]
    counts: Counter[str]


@dataclass(frozen=True)
class _Asked:
    """A question with who wrote it, the entity that it is about and its judgements."""

    question: _Question
    author: Author
    entity: Entity | None
    grades: dict[str, int] = field(default_factory=dict)


def read_questions(path: Path, index: Index, passages: Mapping[str, Passage], params: IngestParams) -> Questions:
    """Read, judge and split the questions of a file; keep those of the splits that params want."""
    judge = _Judge(path, passages, params)
    found: dict[str, _Asked] = {}
    file = parse_object(read_text(path), path)
    author = checked(QuestionFile, file, path).written_by or Author.UNKNOWN
    for number, row in enumerate(_rows(path, file), start=1):
        question = checked(_Question, row, path, place=f"question {number}")
        if question.id in found:
            raise DataError(path, f"question {number}: duplicate question_id {question.id!r}")
        entity = _main_entity(path, question, index)
        found[question.id] = _Asked(question, question.written_by or author, entity, judge.grades(question, entity))
    rejects = [*judge.rejects]
    answered = {question_id: asked for question_id, asked in found.items() if asked.grades}
    splits = _splits(path, answered, params)
    for dropped, kept in near_equals_across(splits, {i: asked.question.question for i, asked in answered.items()}):
        rejects.append(Reject(_place(path, dropped), f"{splits.pop(dropped)} question near-equal to question {kept}"))
        judge.counts["questions.near_equal_across_splits"] += 1
    kept_splits = {i: split for i, split in splits.items() if split in params.splits}
    queries = {i: _query(answered[i], index) for i in kept_splits}
    qrels = {s: {i: answered[i].grades for i in queries if kept_splits[i] == s} for s in SPLITS if s in params.splits}
    counts = Counter({"questions": len(found), **judge.counts})
    counts.update(f"queries.{split}" for split in kept_splits.values())
    counts.update(f"names.{query.extra['names']}" for query in queries.values() if query.extra["names"])
    return Questions(queries, {split: judged for split, judged in qrels.items() if judged}, rejects, counts)


def _rows(path: Path, file: Mapping[str, Any]) -> list[Any]:
    rows = file.get("questions")
    if not isinstance(rows, list):
        raise DataError(path, "no list 'questions' in it", remedy='{"questions": [{"question_id", "question", …}]}')
    return rows


def _place(path: Path, question_id: str) -> str:
    return f"{path.name} question {question_id}"


def _main_entity(path: Path, question: _Question, index: Index) -> Entity | None:
    """The entity that a question is about: as given, else the first that it names."""
    if question.main_entity is None:
        return next((entity for entity, _ in index.named_in(question.question)), None)
    entity = index.named(question.main_entity)
    if entity is None:
        closest = ", ".join(get_close_matches(question.main_entity, [each.name for each in index.entities]))
        problem = f"question {question.id}: no index knows main_entity {question.main_entity!r}"
        raise DataError(path, problem, remedy=f"closest: {closest}" if closest else "")
    return entity


def _names(question: _Question, index: Index) -> str | None:
    """How the question names things: "entity" by a primary name, "alias" by aliases alone, None if it names none."""
    if question.names is not None:
        return question.names
    found = index.named_in(question.question)
    return ("entity" if any(primary for _, primary in found) else "alias") if found else None


def _query(asked: _Asked, index: Index) -> Query:
    question = asked.question
    extra = {
        "names": _names(question, index),
        "expected_topics": question.expected_topics,
        "temporal_limit": question.temporal_limit,
        WRITTEN_BY: asked.author,
    }
    domain = asked.entity.kind if asked.entity else question.category
    return Query(question.id, question.question, domain, question.category, question.difficulty, extra)


def _splits(path: Path, answered: Mapping[str, _Asked], params: IngestParams) -> dict[str, str]:
    """The split of each question: as declared, by all or by none, else drawn by main entity."""
    declared = {i: asked.question.split for i, asked in answered.items() if asked.question.split is not None}
    if declared and len(declared) < len(answered):
        missing = next(i for i in answered if i not in declared)
        raise DataError(path, f"question {missing} has no split, others have one", remedy="give all a split or none")
    if declared:
        return {i: str(split) for i, split in declared.items()}
    groups = {i: f"entity {asked.entity.name}" if asked.entity else f"question {i}" for i, asked in answered.items()}
    strata = {i: asked.question.category for i, asked in answered.items()}
    return split_groups(groups, strata, params.split.model_dump(), params.seed)


class _Judge:
    """Finds the passages that answer a question."""

    def __init__(self, path: Path, passages: Mapping[str, Passage], params: IngestParams) -> None:
        self.rejects: list[Reject] = []
        self.counts: Counter[str] = Counter()
        self._path = path
        self._passages = passages
        self._params = params.encyclopedia

    def grades(self, question: _Question, entity: Entity | None) -> dict[str, int]:
        """Passage → grade; empty, after a note in `rejects`, if no passage within the temporal limit answers."""
        known = {i: p for i, p in self._passages.items() if is_known(p, question.temporal_limit)}
        by_topics = self._by_topics(question, entity, known)
        grades = by_topics
        if question.answer_chunks is not None:
            grades = self._by_hand(question, question.answer_chunks, known)
            self._compare(grades, by_topics)
        self.counts["judged.by_hand" if question.answer_chunks is not None else "judged.by_topics"] += 1
        if not grades:
            self._unreachable(question)
        return grades

    def _by_topics(self, question: _Question, entity: Entity | None, known: Mapping[str, Passage]) -> dict[str, int]:
        """The best passages by coverage; of equals first those of the main entity's article, then by id."""
        covered = {i: coverage([passage], question.expected_topics) for i, passage in known.items()}
        enough = [i for i, share in covered.items() if share >= self._params.min_topic_coverage - _SLACK]
        name = entity.name if entity else None
        enough.sort(key=lambda i: (-covered[i], name is None or known[i].extra["entity"] != name, i))
        return {i: _grade(covered[i]) for i in enough[: self._params.positives_per_query]}

    def _by_hand(self, question: _Question, answers: list[str], known: Mapping[str, Passage]) -> dict[str, int]:
        for answer in answers:
            if answer not in self._passages:
                raise DataError(
                    self._path, f"question {question.id}: no chunk has the id {answer!r} of its answer_chunks"
                )
        self.counts["answers.past_the_temporal_limit"] += sum(answer not in known for answer in answers)
        return {answer: _BY_HAND for answer in answers if answer in known}

    def _compare(self, by_hand: Mapping[str, int], by_topics: Mapping[str, int]) -> None:
        """Count how far the topic rule would have found what is named by hand."""
        both = by_hand.keys() & by_topics.keys()
        self.counts["answers"] += len(by_hand)
        self.counts["answers.met_by_topics"] += len(both)
        self.counts["answers.questions_met_by_topics"] += bool(both)
        self.counts["answers.others_met_by_topics"] += len(by_topics) - len(both)

    def _unreachable(self, question: _Question) -> None:
        limit = question.temporal_limit
        within = f" known by {limit}" if limit is not None else ""
        reason = f"no passage{within} meets {self._params.min_topic_coverage:g} of {question.expected_topics}"
        if question.answer_chunks is not None:
            reason = f"none of its answer_chunks {question.answer_chunks} is{within or ' given'}"
        if self._params.unreachable_questions == "error":
            remedy = "correct it, or set ingest.encyclopedia.unreachable_questions to warn"
            raise DataError(self._path, f"question {question.id}: {reason}", remedy=remedy)
        self.rejects.append(Reject(_place(self._path, question.id), reason))
        self.counts["questions.unreachable"] += 1


def _grade(covered: float) -> int:
    """3 for (nearly) all topics, 2 for three quarters, else 1."""
    if covered >= 0.99:
        return 3
    return 2 if covered >= 0.75 - _SLACK else 1
