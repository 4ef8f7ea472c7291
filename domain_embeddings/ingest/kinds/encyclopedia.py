"""Adapter for an encyclopedia: chunks of its articles, indexes of its entities, and questions about it.

    chunks/*.jsonl             a chunk a line: filename, text, <kind>_mentions; optionally id, title, temporal_order
    indexes/<kind>_index.json  key → name (or primary_name, page_name), filename, optionally aliases
    questions.json             or test_questions.json: {"questions": [...]}, see encyclopedia_questions

Chunks are taken as they are, whatever their length: who cut the articles has decided what is one answer.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from domain_embeddings.core.beir_files import read_jsonl
from domain_embeddings.core.dataset import Dataset, Ingested, Passage, Reject
from domain_embeddings.core.errors import DataError
from domain_embeddings.ingest.kinds.encyclopedia_questions import Questions, read_questions
from domain_embeddings.ingest.kinds.entity_index import Entity, Index, read_entities, title_of
from domain_embeddings.ingest.kinds.rows import checked, excess
from domain_embeddings.ingest.walk import Walked, not_taken, walk
from domain_embeddings.params.ingest import IngestParams

QUESTIONS = ("questions.json", "test_questions.json")
_NOT_READ = f"not read: chunks/*.jsonl, indexes/*_index.json and one of {', '.join(QUESTIONS)} are"
_EXAMPLES = 5
_MENTIONS = "_mentions"


class _Chunk(BaseModel):
    """A line of a chunk file. Keys that end in `_mentions` are lists of names; other unknown keys are ignored."""

    model_config = ConfigDict(extra="allow", strict=True)
    __pydantic_extra__: dict[str, Any]
    id: str | None = Field(default=None, pattern=r"^[^\t\r\n]*\S[^\t\r\n]*$")
    filename: str = Field(pattern=r"\S")
    title: str | None = None
    text: str = Field(pattern=r"\S")
    wiki_type: str | None = None
    temporal_order: int | None = None

    def mentions(self) -> Iterator[tuple[str, Any]]:
        """(key, value) of every list of mentions."""
        yield from ((key, value) for key, value in self.__pydantic_extra__.items() if key.endswith(_MENTIONS))


class _Chunks:
    """Makes passages of chunks and keeps count of the names in them that no index knows."""

    def __init__(self, index: Index, params: IngestParams) -> None:
        self.passages: dict[str, Passage] = {}
        self.filenames: set[str] = set()
        self.unknown: Counter[str] = Counter()
        self.without_entry = 0
        self._index = index
        self._params = params
        self._numbers: Counter[tuple[str, str]] = Counter()
        self._lines: dict[str, str] = {}

    def add(self, path: Path, line: int, row: Mapping[str, Any]) -> None:
        """Add a chunk, or raise a DataError."""
        remedy = 'a chunk is {"filename", "text", "<kind>_mentions", "id", "title", "temporal_order"}'
        chunk = checked(_Chunk, row, path, line=line, remedy=remedy)
        if problem := excess(chunk.text, self._params):
            raise DataError(path, problem, line=line, remedy="cut it into several")
        kind = chunk.wiki_type or path.stem
        self._numbers[kind, chunk.filename] += 1
        passage_id = chunk.id or f"{kind}/{chunk.filename}#{self._numbers[kind, chunk.filename]}"
        if passage_id in self.passages:
            first = self._lines[passage_id]
            raise DataError(path, f"duplicate chunk id {passage_id!r}, first in {first}", line=line)
        mentioned = list(self._mentioned(chunk, path, line))
        title = chunk.title or title_of(chunk.filename)
        extra = self._extra(chunk, mentioned)
        self.passages[passage_id] = Passage(passage_id, title, chunk.text, kind, "other", extra)
        self._lines[passage_id] = f"{path.name}:{line}"
        self.filenames.add(chunk.filename)

    def _mentioned(self, chunk: _Chunk, path: Path, line: int) -> Iterator[Entity]:
        for key, names in chunk.mentions():
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise DataError(path, f"{key!r} must be a list of names, found {str(names)[:80]!r}", line=line)
            for name in names:
                entity = self._index.named(name)
                if entity is not None:
                    yield entity
                elif self._params.encyclopedia.unknown_mentions == "error":
                    remedy = "add it to an index, or set ingest.encyclopedia.unknown_mentions to warn"
                    raise DataError(path, f"{key!r} holds {name!r}, which no index knows", line=line, remedy=remedy)
                else:
                    self.unknown[name] += 1

    def _extra(self, chunk: _Chunk, mentioned: Iterable[Entity]) -> dict[str, Any]:
        own = self._index.article(chunk.filename)
        self.without_entry += own is None
        others = {entity.name: entity for entity in mentioned}
        return {
            "entity": own.name if own else None,
            "aliases": list(own.aliases) if own else [],
            "mentions": sorted(others),
            "mention_aliases": sorted({alias for entity in others.values() for alias in entity.aliases}),
            "entity_kind": own.kind if own else None,
            "temporal_order": chunk.temporal_order,
        }


def _in(walked: Walked, pattern: str) -> dict[str, Path]:
    """The files whose names, with their folder, are of a pattern."""
    return {name: path for name, path in walked.files.items() if re.fullmatch(pattern, name)}


def _read_chunks(folder: Path, paths: Iterable[Path], index: Index, params: IngestParams) -> _Chunks:
    chunks = _Chunks(index, params)
    for path in paths:
        for line, row in read_jsonl(path):
            chunks.add(path, line, row)
    if not chunks.passages:
        raise DataError(folder, "no chunk in it", remedy="put a chunk a line into chunks/<kind>.jsonl")
    return chunks


def _without_chunk(index: Index, filenames: set[str]) -> dict[str, list[str]]:
    """Index file → names of its entries whose article has no chunk."""
    found: dict[str, list[str]] = {}
    for entity in index.entities:
        if entity.filename not in filenames:
            found.setdefault(entity.file, []).append(entity.name)
    return found


def _rejects(index: Index, chunks: _Chunks, missing: Mapping[str, list[str]]) -> list[Reject]:
    """A line for each index with entries that have no chunk, each unknown mention and each file with two entries."""
    rejects = []
    for file, names in missing.items():
        examples = ", ".join(names[:_EXAMPLES]) + (", …" if len(names) > _EXAMPLES else "")
        rejects.append(Reject(file, f"{len(names)} entries without a chunk: {examples}"))
    for filename, entity in index.shared_files().items():
        rejects.append(Reject(filename, f"several entries share this file; its chunks are about {entity.name!r}"))
    for name, times in sorted(chunks.unknown.items()):
        rejects.append(Reject(f"mention {name!r}", f"no index knows it ({times} times)"))
    return rejects


def _counts(index: Index, chunks: _Chunks, missing: Mapping[str, list[str]]) -> Counter[str]:
    counts = Counter(
        {
            "passages": len(chunks.passages),
            "entities": len(index.entities),
            "entities.with_alias": sum(bool(entity.aliases) for entity in index.entities),
            "entities.sharing_a_file": len(index.shared_files()),
            "entry_without_chunk": sum(map(len, missing.values())),
            "chunk_without_entry": chunks.without_entry,
            "unknown_mentions": chunks.unknown.total(),
        }
    )
    counts.update(f"passages.{passage.domain}" for passage in chunks.passages.values())
    counts.update(f"entities.{entity.kind}" for entity in index.entities)
    return counts


def read(folder: Path, params: IngestParams) -> Ingested:
    """Read an encyclopedia.

    A wrong line or entry is a DataError that names it. What does not hang together (an entry without a chunk, a mention
    that no index knows, a question that no chunk answers) is counted and listed, or a DataError where params say so.
    """
    walked = walk(folder)
    indexes, chunk_files = _in(walked, r"indexes/[^/]+_index\.json"), _in(walked, r"chunks/[^/]+\.jsonl")
    index = Index(read_entities(folder / "indexes", indexes.values()))
    chunks = _read_chunks(folder / "chunks", chunk_files.values(), index, params)
    missing = _without_chunk(index, chunks.filenames)
    asked = [name for name in QUESTIONS if name in walked.files][:1]
    found = [read_questions(folder / name, index, chunks.passages, params) for name in asked]
    questions = found[0] if found else Questions({}, {}, [], Counter())
    counts = _counts(index, chunks, missing)
    counts.update(questions.counts)
    left = not_taken(walked, [*indexes, *chunk_files, *asked], _NOT_READ)
    rejects = [*_rejects(index, chunks, missing), *questions.rejects, *left]
    dataset = Dataset(chunks.passages, questions.queries, questions.qrels)
    return Ingested(dataset, rejects, dict(sorted(counts.items())))
