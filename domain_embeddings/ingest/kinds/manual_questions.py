"""Labelled questions: `questions.jsonl` names what answers them by file and heading, or by a passage's id."""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain_embeddings.core.beir_files import read_jsonl
from domain_embeddings.core.dataset import SPLITS, WRITTEN_BY, Author, Passage, Qrels, Query
from domain_embeddings.core.errors import DataError
from domain_embeddings.ingest.kinds.rows import WrittenBy, checked

QUESTIONS = "questions.jsonl"


class _Relevant(BaseModel):
    """A section by its file and heading, or a passage by its id."""

    model_config = ConfigDict(extra="forbid", strict=True)
    file: str = ""
    heading: str = ""
    id: str = ""
    grade: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _names_one(self) -> "_Relevant":
        if bool(self.id) == bool(self.file and self.heading) or (self.id and self.file + self.heading):
            raise ValueError("it needs file and heading, or id")
        return self


class _Question(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    id: str = Field(alias="_id", pattern=r"^[^\t\r\n]*\S[^\t\r\n]*$")
    split: Literal["train", "dev", "test"]
    text: str = Field(pattern=r"\S")
    difficulty: str = ""
    category: str = ""
    written_by: WrittenBy = None
    relevant: list[_Relevant] = Field(min_length=1)


_LINE = (
    '{"_id", "split", "text", "difficulty", "category", "written_by", "relevant": [{"file", "heading", "grade"}]}; '
    '{"id", "grade"} names a passage'
)


@dataclass(frozen=True)
class Labels:
    """Queries by id and the judgements of each split."""

    queries: dict[str, Query]
    qrels: dict[str, Qrels]


def heading_key(heading: str) -> str:
    """A heading without case, punctuation and white space, for comparison; numbers in it count."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", heading).casefold().replace("_", " ")))


_LEADING = re.compile(r"^(?:(?:section|chapter|para|appendix|part)\s)?(?:[\divx]+\s)+(?=\S*[^\W\d])", re.IGNORECASE)


def _bare_key(heading: str) -> str:
    return _LEADING.sub("", heading_key(heading))


class Places:
    """Finds the passages that a file and a heading name."""

    def __init__(self, passages: Mapping[str, Passage], sections: Mapping[str, int], copies: Mapping[str, str]) -> None:
        """Take all passages, copies too; their section's number in its file; and copy → kept passage."""
        self._passages, self._sections, self._copies = passages, sections, copies
        self._files: dict[str, list[Passage]] = {}
        for passage in passages.values():
            self._files.setdefault(str(passage.extra["file"]), []).append(passage)

    def named(self, passage_id: str) -> str | None:
        """The passage of an id, or what was kept of it; None where there is none."""
        return self._copies.get(passage_id, passage_id) if passage_id in self._passages else None

    def ids(self) -> list[str]:
        """Of all passages."""
        return list(self._passages)

    def domain(self, passage_id: str) -> str:
        """The domain of a passage."""
        return self._passages[passage_id].domain

    def headings(self, file: str) -> list[str]:
        """All headings of a file's passages."""
        return list(dict.fromkeys(h for p in self._files.get(file, []) for h in p.extra["headings"]))

    def files(self) -> list[str]:
        """All files that have passages."""
        return list(self._files)

    def find(self, file: str, heading: str) -> list[list[str]]:
        """The sections that the heading names, each as its passages' ids; copies are replaced by what was kept.

        Headings compare without case and punctuation, and, if that finds nothing, without their leading
        numbers. "A > B" means the heading B whose path ends in A and B.
        """
        for key in (heading_key, _bare_key):
            parts = [key(part) for part in heading.split(" > ")]
            found = [p for p in self._files.get(file, []) if self._names(p, parts, key)]
            if not found and len(parts) > 1:
                whole = key(heading)
                found = [p for p in self._files.get(file, []) if self._names(p, [whole], key)]
            if found:
                groups: dict[int, list[str]] = {}
                for p in found:
                    groups.setdefault(self._sections[p.id], []).append(self._copies.get(p.id, p.id))
                return list(groups.values())
        return []

    @staticmethod
    def _names(passage: Passage, parts: list[str], key: Callable[[str], str]) -> bool:
        if parts[-1] not in [key(h) for h in passage.extra["headings"]]:
            return False
        path = [key(part) for part in passage.title.split(" > ")]
        above = path[:-1] if path[-1] == parts[-1] else path
        return len(parts) == 1 or above[-len(parts[:-1]) :] == parts[:-1] or path[:-1][-len(parts[:-1]) :] == parts[:-1]


def _closest(name: str, names: Sequence[str]) -> list[str]:
    """Up to three of the names that are most like `name`, case aside."""
    keys = {other.casefold(): other for other in names}
    return [keys[key] for key in get_close_matches(name.casefold(), keys, 3, 0.3)]


def _resolve(path: Path, line: int, label: _Relevant, places: Places) -> list[str]:
    if not label.id:
        return _section(path, line, label, places)
    passage = places.named(label.id)
    if passage is None:
        near = ", ".join(_closest(label.id, places.ids()))
        raise DataError(path, f"no passage {label.id!r}", line=line, remedy=f"closest: {near}" if near else "")
    return [passage]


def _section(path: Path, line: int, label: _Relevant, places: Places) -> list[str]:
    found = places.find(label.file, label.heading)
    if len(found) > 1:
        raise DataError(
            path,
            f"heading {label.heading!r} names {len(found)} sections of {label.file}",
            line=line,
            remedy='tell them apart as "Chapter > Heading"',
        )
    if found:
        return found[0]
    headings = places.headings(label.file)
    if not headings:
        near = ", ".join(_closest(label.file, places.files()))
        raise DataError(
            path, f"no passage of file {label.file!r}", line=line, remedy=f"closest files: {near}" if near else ""
        )
    near = "; ".join(_closest(label.heading, headings) or headings[:3])
    raise DataError(path, f"no heading {label.heading!r} in {label.file}", line=line, remedy=f"closest: {near}")


def _grades(path: Path, line: int, question: _Question, places: Places) -> dict[str, int]:
    grades: dict[str, int] = {}
    for label in question.relevant:
        for passage_id in _resolve(path, line, label, places):
            grades[passage_id] = max(label.grade, grades.get(passage_id, 0))
    return grades


def _check_splits(path: Path, lines: Mapping[str, int], qrels: Mapping[str, Qrels]) -> None:
    """Raise a `DataError` when a passage is relevant to a test question and to one of train or dev."""
    owners = {pid: qid for qid, grades in qrels.get("test", {}).items() for pid in grades}
    for split in ("train", "dev"):
        for query_id, grades in qrels.get(split, {}).items():
            shared = next((pid for pid in grades if pid in owners), None)
            if shared:
                other = owners[shared]
                raise DataError(
                    path,
                    f"{query_id!r} ({split}) and {other!r} (test, line {lines[other]}) share passage {shared!r}",
                    line=lines[query_id],
                    remedy="put questions about one section into one split",
                )


def read_questions(path: Path, places: Places, splits: Collection[str]) -> Labels:
    """Read the questions of `splits`; every line is checked, whichever split it is of."""
    lines: dict[str, int] = {}
    queries: dict[str, Query] = {}
    qrels: dict[str, Qrels] = {}
    for line, row in read_jsonl(path):
        question = checked(_Question, row, path, line=line, remedy=_LINE)
        if question.id in lines:
            raise DataError(path, f"duplicate _id {question.id!r}, first on line {lines[question.id]}", line=line)
        lines[question.id] = line
        grades = _grades(path, line, question, places)
        domain = places.domain(next(iter(grades)))
        extra = {WRITTEN_BY: question.written_by or Author.UNKNOWN}
        queries[question.id] = Query(question.id, question.text, domain, question.category, question.difficulty, extra)
        qrels.setdefault(question.split, {})[question.id] = grades
    _check_splits(path, lines, qrels)
    kept: dict[str, Qrels] = {split: qrels[split] for split in SPLITS if split in splits and split in qrels}
    return Labels({qid: q for qid, q in queries.items() if any(qid in grades for grades in kept.values())}, kept)
