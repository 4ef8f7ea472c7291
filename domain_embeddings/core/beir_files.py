"""Reading and writing BEIR folders and JSON.

The one format between stages is BEIR's (Thakur et al., 2021, arXiv:2104.08663): `corpus.jsonl`,
`queries.jsonl` and `qrels/<split>.tsv`. Whatever is read here is checked here: a malformed line, a
duplicate id or a judgement of something that does not exist is a `DataError` naming file and line.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from domain_embeddings.core.authors import WRITTEN_BY, Author
from domain_embeddings.core.dataset import SPLITS, Dataset, Passage, Qrels, Query
from domain_embeddings.core.errors import DataError

T = TypeVar("T")


def _numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Line number from 1 and content. Only a line feed ends a line: Unicode's other line breaks may stand in an id."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(path, "file not found") from error
    yield from enumerate(content.split(b"\n"), start=1)


def read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) for every non-blank line; a line that is no JSON object is a `DataError`."""
    for number, raw in _numbered_lines(path):
        if not raw.strip():
            continue
        try:
            row = json.loads(raw.decode("utf-8"))
            if b"\\u" in raw:  # half a surrogate pair can be escaped in JSON, but never be written
                json.dumps(row, ensure_ascii=False).encode("utf-8")
        except (UnicodeError, json.JSONDecodeError) as error:
            raise DataError(
                path, f"not valid JSON: {error}", line=number, remedy="one JSON object a line, UTF-8"
            ) from error
        if not isinstance(row, dict):
            raise DataError(path, f"expected a JSON object, found {type(row).__name__}", line=number)
        yield number, row


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


def _read_rows(path: Path, make: Callable[[int, str, dict[str, Any]], T]) -> dict[str, T]:
    rows: dict[str, T] = {}
    first_line: dict[str, int] = {}
    for line, row in read_jsonl(path):
        row_id = _text_field(path, line, row, "_id", required=True)
        if any(character in row_id for character in "\t\r\n"):
            raise DataError(path, f"_id {row_id!r} holds a tab or a line break, which qrels cannot carry", line=line)
        if row_id in rows:
            raise DataError(path, f"duplicate _id {row_id!r}, first on line {first_line[row_id]}", line=line)
        rows[row_id] = make(line, row_id, row)
        first_line[row_id] = line
    return rows


def read_corpus(path: Path) -> dict[str, Passage]:
    """Read BEIR's `corpus.jsonl`. A row needs `_id` and a `title` or `text`; other keys are kept in `extra`."""

    def make(line: int, passage_id: str, row: dict[str, Any]) -> Passage:
        title, text, domain, kind = (
            _text_field(path, line, row, name, required=False) for name in ("title", "text", "domain", "type")
        )
        if not f"{title}{text}".strip():
            raise DataError(
                path, f"passage {passage_id!r} has neither title nor text", line=line, remedy="remove the row"
            )
        return Passage(passage_id, title, text, domain, kind, row)

    passages = _read_rows(path, make)
    if not passages:
        raise DataError(path, "no passage in it")
    return passages


def _check_author(path: Path, line: int, row: Mapping[str, Any]) -> None:
    said = row.get(WRITTEN_BY)
    if said is not None and said not in list(Author):
        remedy = f"one of {', '.join(Author)}"
        raise DataError(path, f"'{WRITTEN_BY}' is {json.dumps(said)}", line=line, remedy=remedy)


def read_queries(path: Path) -> dict[str, Query]:
    """Read BEIR's `queries.jsonl`. A row needs `_id` and `text`; other keys are kept in `extra`.

    Of these `written_by` must name an `Author`.
    """

    def make(line: int, query_id: str, row: dict[str, Any]) -> Query:
        text = _text_field(path, line, row, "text", required=True)
        domain, category, difficulty = (
            _text_field(path, line, row, name, required=False) for name in ("domain", "category", "difficulty")
        )
        _check_author(path, line, row)
        return Query(query_id, text, domain, category, difficulty, row)

    return _read_rows(path, make)


def _read_cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, three cells) for every non-blank line below the header of a qrels file."""
    for number, raw in _numbered_lines(path):
        try:
            line = raw.decode("utf-8").rstrip("\r")
        except UnicodeDecodeError as error:
            raise DataError(path, f"not valid UTF-8: {error}", line=number) from error
        cells = line.split("\t")
        if number == 1:
            if cells != ["query-id", "corpus-id", "score"]:
                raise DataError(path, f"the header is {line!r}", line=1, remedy="query-id<tab>corpus-id<tab>score")
        elif line.strip():
            if len(cells) != 3:
                raise DataError(path, f"{len(cells)} columns, expected 3", line=number, remedy="separate them by tabs")
            yield number, cells


def read_qrels(path: Path, queries: Mapping[str, Query], corpus: Mapping[str, Passage]) -> Qrels:
    """Read `query-id <tab> corpus-id <tab> score` lines below a header; ids must exist, scores be integers."""
    qrels: Qrels = {}
    for number, (query_id, passage_id, score) in _read_cells(path):
        if query_id not in queries:
            raise DataError(path, f"query id {query_id!r} is not in queries.jsonl", line=number)
        if passage_id not in corpus:
            raise DataError(path, f"passage id {passage_id!r} is not in corpus.jsonl", line=number)
        if passage_id in qrels.get(query_id, {}):
            raise DataError(path, f"query {query_id!r} judges passage {passage_id!r} twice", line=number)
        try:
            qrels.setdefault(query_id, {})[passage_id] = int(score)
        except ValueError as error:
            raise DataError(path, f"score {score!r} is not an integer", line=number) from error
    return qrels


def read_splits(folder: Path, queries: Mapping[str, Query], corpus: Mapping[str, Passage]) -> dict[str, Qrels]:
    """Read whichever of `qrels/{train,dev,test}.tsv` there are; a query in two of them is a `DataError`."""
    splits = {
        split: read_qrels(path, queries, corpus)
        for split in SPLITS
        if (path := folder / "qrels" / f"{split}.tsv").exists()
    }
    owner: dict[str, str] = {}
    for split, qrels in splits.items():
        for query_id in qrels:
            if query_id in owner:
                raise DataError(
                    folder / "qrels" / f"{split}.tsv",
                    f"query {query_id!r} is in {owner[query_id]}.tsv as well",
                    remedy="keep each query in one split, or what is tested was trained on",
                )
            owner[query_id] = split
    return splits


def read_dataset(folder: Path) -> Dataset:
    """Read a BEIR folder with any subset of splits."""
    corpus = read_corpus(folder / "corpus.jsonl")
    queries = read_queries(folder / "queries.jsonl")
    return Dataset(corpus, queries, read_splits(folder, queries, corpus))


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
