"""Reading and writing BEIR folders and JSON.

The one format between stages is BEIR's (Thakur et al., 2021, arXiv:2104.08663): `corpus.jsonl`,
`queries.jsonl` and `qrels/<split>.tsv`. Whatever is read here is checked here: a malformed line, a
duplicate id or a judgement of something that does not exist is a `DataError` naming file and line.

Collections of others are read in the forms that they have: ids may be integers, scores written as 1.0, judgements
without a header or in TREC's four columns, and the dev split may be called validation.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from domain_embeddings.core.dataset import WRITTEN_BY, Author, Dataset, Passage, Qrels, Query
from domain_embeddings.core.errors import DataError
from domain_embeddings.core.json_files import numbered_lines, parse_object

T = TypeVar("T")

_HEADER = ["query-id", "corpus-id", "score"]
_HEADER_FORM = "query-id<tab>corpus-id<tab>score"
_DANGLING = "add the row, or remove the judgement"
_GRADE = re.compile(r"[+-]?[0-9]{1,9}(\.0*)?")
_FILES_OF = {"train": ("train",), "dev": ("dev", "val", "valid", "validation"), "test": ("test",)}
"""Split → what its file of judgements may be called; of several the first counts."""


@dataclass
class EmptyRows:
    """Rows without a word, which collections of others have: they are left out, as is what was judged of them."""

    passages: dict[str, int] = field(default_factory=dict)
    """Id → line."""
    queries: dict[str, int] = field(default_factory=dict)
    """Id → line."""
    judgements: int = 0


def read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) for every non-blank line; a line that is no JSON object is a `DataError`."""
    for number, line in numbered_lines(path):
        if text := line.removeprefix("\ufeff").strip():  # a mark stands where files were joined
            yield number, parse_object(text, path, line=number, remedy="one JSON object a line, UTF-8")


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one object a line, keys in the given order, UTF-8, so that the same rows give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON with sorted keys and a final newline."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _text_field(path: Path, line: int, row: dict[str, Any], name: str, *, required: bool) -> str:
    value = row.pop(name, None)
    if value is None and not required:
        return ""
    if not isinstance(value, str):
        raise DataError(path, f"'{name}' must be a string, found {json.dumps(value)}", line=line)
    if required and not value.strip():
        raise DataError(path, f"'{name}' is empty", line=line)
    return value


def _row_id(path: Path, line: int, row: dict[str, Any]) -> str:
    """The id of a row; an integer counts as what it is written as, as it does in qrels."""
    if type(row.get("_id")) is int:
        return str(row.pop("_id"))
    row_id = _text_field(path, line, row, "_id", required=True)
    if any(character in row_id for character in "\t\r\n"):
        raise DataError(path, f"_id {row_id!r} holds a tab or a line break, which qrels cannot carry", line=line)
    return row_id


def _read_rows(path: Path, make: Callable[[int, str, dict[str, Any]], T | None]) -> dict[str, T]:
    """Id → what `make` makes of a row's line, id and other keys; nothing where it returns None."""
    rows: dict[str, T] = {}
    first_line: dict[str, int] = {}
    for line, row in read_jsonl(path):
        row_id = _row_id(path, line, row)
        if row_id in first_line:
            raise DataError(path, f"duplicate _id {row_id!r}, first on line {first_line[row_id]}", line=line)
        first_line[row_id] = line
        if (made := make(line, row_id, row)) is not None:
            rows[row_id] = made
    return rows


def read_corpus(path: Path, empty: EmptyRows | None = None) -> dict[str, Passage]:
    """Read BEIR's `corpus.jsonl`. A row needs `_id` and a `title` or `text`; other keys are kept in `extra`.

    A row with neither is a `DataError`, or is put down in `empty`.
    """

    def make(line: int, passage_id: str, row: dict[str, Any]) -> Passage | None:
        title, text, domain, kind = (
            _text_field(path, line, row, name, required=False) for name in ("title", "text", "domain", "type")
        )
        if f"{title}{text}".strip():
            return Passage(passage_id, title, text, domain, kind, row)
        if empty is None:
            problem = f"passage {passage_id!r} has neither title nor text"
            raise DataError(path, problem, line=line, remedy="remove the row")
        empty.passages[passage_id] = line
        return None

    passages = _read_rows(path, make)
    if not passages:
        raise DataError(path, "no passage in it")
    return passages


def _check_author(path: Path, line: int, row: Mapping[str, Any]) -> None:
    said = row.get(WRITTEN_BY)
    if said is not None and said not in list(Author):
        remedy = f"one of {', '.join(Author)}"
        raise DataError(path, f"'{WRITTEN_BY}' is {json.dumps(said)}", line=line, remedy=remedy)


def read_queries(path: Path, empty: EmptyRows | None = None) -> dict[str, Query]:
    """Read BEIR's `queries.jsonl`. A row needs `_id` and `text`; other keys are kept in `extra`.

    Of these `written_by` must name an `Author`. A row without text is a `DataError`, or is put down in `empty`.
    """

    def make(line: int, query_id: str, row: dict[str, Any]) -> Query | None:
        if empty is not None and isinstance(row.get("text", ""), str) and not row.get("text", "").strip():
            empty.queries[query_id] = line
            return None
        text = _text_field(path, line, row, "text", required=True)
        domain, category, difficulty = (
            _text_field(path, line, row, name, required=False) for name in ("domain", "category", "difficulty")
        )
        _check_author(path, line, row)
        return Query(query_id, text, domain, category, difficulty, row)

    return _read_rows(path, make)


def _read_cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, query, passage and score) for every non-blank line of a qrels file below its header, if any.

    A first line of three cells and a number is no header. One of four words, the last a number, makes the file TREC's:
    query, iteration, passage and score between blanks.
    """
    lines = ((number, line.rstrip("\r")) for number, line in numbered_lines(path))
    number, first = next(lines)
    cells, words = first.split("\t"), first.split()
    trec = len(words) == 4 and bool(_GRADE.fullmatch(words[-1]))
    if trec or (len(cells) == 3 and _GRADE.fullmatch(cells[2])):
        yield number, [words[0], *words[2:]] if trec else cells
    elif [cell.replace("_", "-").casefold() for cell in cells] != _HEADER:
        raise DataError(path, f"the header is {first!r}", line=1, remedy=_HEADER_FORM)
    wanted, remedy = (4, "query, iteration, passage, score") if trec else (3, "separate them by tabs")
    for number, line in lines:
        cells = line.split() if trec else line.split("\t")
        if line.strip() and len(cells) != wanted:
            raise DataError(path, f"{len(cells)} columns, expected {wanted}", line=number, remedy=remedy)
        if line.strip():
            yield number, [cells[0], *cells[-2:]]


def read_qrels(
    path: Path, queries: Mapping[str, Query], corpus: Mapping[str, Passage], empty: EmptyRows | None = None
) -> Qrels:
    """Read `query-id <tab> corpus-id <tab> score` lines; ids must exist, scores be whole numbers.

    What judges an `empty` row is left out and counted there.
    """
    empty = empty or EmptyRows()
    qrels: Qrels = {}
    for number, (query_id, passage_id, score) in _read_cells(path):
        if query_id in empty.queries or passage_id in empty.passages:
            empty.judgements += 1
            continue
        if query_id not in queries:
            raise DataError(path, f"query id {query_id!r} is not in queries.jsonl", line=number, remedy=_DANGLING)
        if passage_id not in corpus:
            raise DataError(path, f"passage id {passage_id!r} is not in corpus.jsonl", line=number, remedy=_DANGLING)
        if passage_id in qrels.get(query_id, {}):
            raise DataError(path, f"query {query_id!r} judges passage {passage_id!r} twice", line=number)
        if not _GRADE.fullmatch(score):
            remedy = "0 is judged irrelevant, 1 and above relevant"
            raise DataError(path, f"score {score!r} is not an integer", line=number, remedy=remedy)
        qrels.setdefault(query_id, {})[passage_id] = int(score.partition(".")[0])
    return qrels


def split_files(folder: Path) -> dict[str, Path]:
    """The files of judgements that a folder has, by split."""
    found = {split: [folder / "qrels" / f"{name}.tsv" for name in names] for split, names in _FILES_OF.items()}
    return {split: path for split, paths in found.items() for path in [p for p in paths if p.exists()][:1]}


def read_splits(
    files: Mapping[str, Path],
    queries: Mapping[str, Query],
    corpus: Mapping[str, Passage],
    empty: EmptyRows | None = None,
) -> dict[str, Qrels]:
    """Read the splits' files of judgements; a query in two of them is a `DataError`."""
    splits = {split: read_qrels(path, queries, corpus, empty) for split, path in files.items()}
    owner: dict[str, str] = {}
    for split, qrels in splits.items():
        for query_id in qrels:
            if query_id in owner:
                raise DataError(
                    files[split],
                    f"query {query_id!r} is in {files[owner[query_id]].name} as well",
                    remedy="keep each query in one split, or what is tested was trained on",
                )
            owner[query_id] = split
    return splits


def read_dataset(folder: Path, empty: EmptyRows | None = None) -> Dataset:
    """Read a BEIR folder with any subset of splits; a row without a word is a `DataError`, or put down in `empty`."""
    corpus = read_corpus(folder / "corpus.jsonl", empty)
    queries = read_queries(folder / "queries.jsonl", empty)
    return Dataset(corpus, queries, read_splits(split_files(folder), queries, corpus, empty))


def write_corpus(path: Path, corpus: Mapping[str, Passage]) -> None:
    """Write `corpus.jsonl`."""
    write_jsonl(
        path,
        (
            {"_id": p.id, "title": p.title, "text": p.text, "domain": p.domain, "type": p.type, **p.extra}
            for p in corpus.values()
        ),
    )


def write_queries(folder: Path, queries: Mapping[str, Query], splits: Mapping[str, Qrels]) -> None:
    """Write `queries.jsonl` and `qrels/<split>.tsv`."""
    write_jsonl(
        folder / "queries.jsonl",
        (
            {
                "_id": q.id,
                "text": q.text,
                "domain": q.domain,
                "category": q.category,
                "difficulty": q.difficulty,
                **q.extra,
            }
            for q in queries.values()
        ),
    )
    for split, qrels in splits.items():
        lines = [f"{qid}\t{pid}\t{grade}\n" for qid, grades in qrels.items() for pid, grade in grades.items()]
        path = folder / "qrels" / f"{split}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("query-id\tcorpus-id\tscore\n" + "".join(lines), encoding="utf-8")


def write_dataset(folder: Path, dataset: Dataset) -> None:
    """Write a BEIR folder that `read_dataset` reads back as the same value."""
    write_corpus(folder / "corpus.jsonl", dataset.corpus)
    write_queries(folder, dataset.queries, dataset.qrels)
