"""Chunks that LangChain or LlamaIndex has cut: dumps of documents with their metadata, one a line or in a list.

    *.jsonl, *.json    {"page_content", "metadata", "id"}            LangChain; or the same under "kwargs"
                       {"text", "metadata", "id_"}                   LlamaIndex; or the same under "__data__" or "node"
                       {"docstore/data": {id: {"__data__": {…}}}}    LlamaIndex's docstore.json
    questions.jsonl    labelled questions a line, as for manuals, or with the ids of chunks

Chunks are taken as they are, whatever their length. A chunk's title is its document's (`title`, else the name of its
source) and the headings that the metadata names; its domain is the folder or the part of the site that its source
lies in. All other metadata is kept.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field

from domain_embeddings.core.beir_files import read_jsonl
from domain_embeddings.core.dataset import Dataset, Ingested, Passage, Reject
from domain_embeddings.core.errors import DataError
from domain_embeddings.core.json_files import parse, read_text
from domain_embeddings.core.text import without_repeats
from domain_embeddings.ingest.inside import within
from domain_embeddings.ingest.kinds.copies import copies_of
from domain_embeddings.ingest.kinds.manual_questions import QUESTIONS, Labels, Places, read_questions
from domain_embeddings.ingest.kinds.rows import PASSAGE_KEYS, checked, excess, freed, renamings
from domain_embeddings.ingest.section_types import section_type
from domain_embeddings.ingest.stopped import StoppedError
from domain_embeddings.ingest.walk import LISTS, not_taken, shown, walk
from domain_embeddings.params.ingest import IngestParams

_DOCSTORE = "docstore/data"
_WRAPPED = ("__data__", "kwargs", "node")
_SOURCES = ("source", "file_path", "file", "filename", "file_name", "url")
_HEADER = re.compile(r"(?:header|heading|h)[ _]?([1-6])", re.IGNORECASE)
_FORM = 'a chunk is {"page_content", "metadata", "id"} (LangChain) or {"text", "metadata", "id_"} (LlamaIndex)'
_NOT_READ = f"not read: dumps of chunks, *.jsonl and *.json, and {QUESTIONS} are"
_OWN_KEYS = (*PASSAGE_KEYS, "_id", "title", "text", "domain", "type", "headings")
_MOST_SIGNS = 100
_Id = int | Annotated[str, Field(pattern=r"^[^\t\r\n]*\S[^\t\r\n]*$")]


class _Chunk(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    text: str = Field(validation_alias=AliasChoices("page_content", "text", AliasPath("text_resource", "text")))
    metadata: dict[str, Any] | None = Field(None, validation_alias=AliasChoices("metadata", "extra_info"))
    id: _Id | None = Field(None, validation_alias=AliasChoices("id_", "doc_id", "_id", "id"))


@dataclass(frozen=True)
class _Read:
    """A chunk, the dump that it stands in and its row there."""

    dump: str
    place: str
    chunk: _Chunk

    @property
    def metadata(self) -> Mapping[str, Any]:
        return self.chunk.metadata or {}

    @property
    def source(self) -> str:
        """Where the text comes from, as the metadata says; the dump where it says nothing."""
        return _first(self.metadata, _SOURCES) or self.dump


def _rows(path: Path, file: str) -> Iterator[tuple[str, int | None, Any]]:
    """Place, line and value of every row of a dump; none of a JSON file that is none."""
    if path.suffix == ".jsonl":
        yield from ((f"{file}:{line}", line, row) for line, row in read_jsonl(path))
        return
    whole = parse(read_text(path), path)
    stored = whole.get(_DOCSTORE) if isinstance(whole, dict) else whole
    rows = stored.values() if isinstance(stored, dict) else stored if isinstance(stored, list) else ()
    yield from ((f"{file} row {number}", None, row) for number, row in enumerate(rows, start=1))


def _unwrapped(row: Any) -> Any:
    """What a serialized object holds."""
    while isinstance(row, dict) and (inner := [row[key] for key in _WRAPPED if isinstance(row.get(key), dict)]):
        row = inner[0]
    return row


def _first(metadata: Mapping[str, Any], keys: Sequence[str]) -> str:
    """The first text that one of the keys has, without blanks around it."""
    return next((said.strip() for key in keys if isinstance(said := metadata.get(key), str) and said.strip()), "")


def _read_dump(path: Path, file: str) -> Iterator[_Read]:
    for place, line, row in _rows(path, file):
        chunk = checked(_Chunk, _unwrapped(row), path, line=line, place="" if line else place, remedy=_FORM)
        yield _Read(file, place, chunk)


def _parts(source: str) -> tuple[str, ...]:
    """The folders and the name of a path, or host and path of an address."""
    _, address, rest = source.replace("\\", "/").rpartition("://")
    path = re.split(r"[?#]", rest, maxsplit=1)[0] if address else rest
    return tuple(part for part in path.split("/") if part not in ("", ".", ".."))


def _headings(metadata: Mapping[str, Any]) -> list[str]:
    """The headings above a chunk, outermost first, in the forms of the splitters of both libraries and of Docling."""
    numbered = {found[1]: said for key, said in metadata.items() if (found := _HEADER.fullmatch(key))}
    path, listed = metadata.get("header_path"), metadata.get("headings")
    headings = [numbered[level] for level in sorted(numbered)]
    headings = headings or (path.split("/") if isinstance(path, str) else listed if isinstance(listed, list) else [])
    return [" ".join(each.split()) for each in headings if isinstance(each, str) and each.strip()]


def _title(read: _Read) -> list[str]:
    """The name of a chunk's document and the headings above the chunk."""
    parts = _parts(read.source)
    name = PurePosixPath(parts[-1]).stem.replace("_", " ") if parts else ""
    document = " ".join((_first(read.metadata, ["title"]) or name).split())
    return without_repeats(part for part in (document, *_headings(read.metadata)) if part)


def _shared(found: Sequence[_Read]) -> int:
    """How many folders, from the first, all sources that the metadata name have in common."""
    folders = [_parts(read.source)[:-1] for read in found if read.source != read.dump]
    return sum(1 for _ in takewhile(lambda names: len(set(names)) == 1, zip(*folders, strict=False)))


def _domain(read: _Read, shared: int) -> str:
    """What the metadata says, else the folder that the source lies in, below those that all sources share."""
    parts, above = _parts(read.source), shared if read.source != read.dump else 0
    said = _first(read.metadata, ["domain"]) or (parts[above] if len(parts) > above + 1 else "")
    return shown(" ".join(said.split()))[:_MOST_SIGNS]


def _passage(read: _Read, shared: int, renamed: Counter[str]) -> Passage:
    title = _title(read)
    used = {key for key in ("title", "domain", "headings") if key in read.metadata and _is_used(read.metadata, key)}
    extra = freed({key: said for key, said in read.metadata.items() if key not in used}, _OWN_KEYS, renamed)
    aliases = extra.get("aliases")
    if aliases is not None and not (isinstance(aliases, list) and all(isinstance(name, str) for name in aliases)):
        extra = freed(extra, ("aliases",), renamed)
    passage_id = read.place if read.chunk.id is None else str(read.chunk.id)
    extra = {"file": read.source, **extra, "headings": title[-1:]}
    kind = section_type(" ".join(title[-1:]), read.chunk.text)
    return Passage(passage_id, " > ".join(title), read.chunk.text, _domain(read, shared), str(kind), extra)


def _is_used(metadata: Mapping[str, Any], key: str) -> bool:
    """Whether a key's value stands in title or domain, so that it need not be kept."""
    return bool(_headings({key: metadata[key]})) if key == "headings" else bool(_first(metadata, [key]))


def _passages(
    folder: Path, found: Sequence[_Read], params: IngestParams, rejects: list[Reject], counts: Counter[str]
) -> dict[str, Passage]:
    """A passage for each chunk that has a text; the others are rejects, as are keys that had to be renamed."""
    shared = _shared(found)
    passages: dict[str, Passage] = {}
    places: dict[str, str] = {}
    renamed: Counter[str] = Counter()
    for read in found:
        if not read.chunk.text.strip():
            rejects.append(Reject(read.place, "no text"))
            counts["rows.empty"] += 1
            continue
        if problem := excess(read.chunk.text, params):
            rejects.append(Reject(read.place, problem))
            counts["rows.too_large"] += 1
            continue
        passage = _passage(read, shared, renamed)
        if passage.id in places:
            problem = f"{read.place}: duplicate id {passage.id!r}, first in {places[passage.id]}"
            raise DataError(folder, problem, remedy="give each chunk an id of its own, or none")
        passages[passage.id], places[passage.id] = passage, read.place
    rejects += renamings("metadata", renamed)
    return passages


def _section_numbers(passages: Mapping[str, Passage]) -> dict[str, int]:
    """Passage → a number that all chunks of its document under its headings have."""
    numbers: dict[tuple[str, str], int] = {}
    return {
        i: numbers.setdefault((str(passage.extra["file"]), passage.title), len(numbers))
        for i, passage in passages.items()
    }


def read(folder: Path, params: IngestParams) -> Ingested:
    """Read all dumps of chunks in a folder, and the questions beside them.

    A row that is no chunk, an id that occurs twice or a wrong question is a `DataError` that names it; a chunk without
    a text, a copy, and a file that is no dump are left out and named or counted.
    """
    walked = walk(folder)
    dumps = {
        file: path
        for file, path in walked.files.items()
        if file not in (QUESTIONS, *LISTS) and path.suffix in (".jsonl", ".json")
    }
    found = {file: list(_read_dump(path, file)) for file, path in dumps.items()}
    taken = [QUESTIONS, *(file for file, chunks in found.items() if chunks)]
    rejects, counts = not_taken(walked, taken, _NOT_READ), Counter[str]()
    passages = _passages(folder, [each for chunks in found.values() for each in chunks], params, rejects, counts)
    if not passages:
        raise DataError(folder, "no chunk in it", remedy=_FORM)
    copies = copies_of(passages, params.near_copy, counts)
    kept = {i: passage for i, passage in passages.items() if i not in copies}
    counts.update({"passages": len(kept), "files.read": len(taken) - 1})
    for passage in kept.values():
        counts.update((f"passages.{passage.domain}", f"type.{passage.type}"))
    done = Ingested(Dataset(kept, {}, {}), rejects, dict(sorted(counts.items())))
    path = within(folder, QUESTIONS)
    try:
        places = Places(passages, _section_numbers(passages), copies)
        labels = read_questions(path, places, params.splits) if path else Labels({}, {})
    except DataError as error:
        raise StoppedError(error, done) from error
    return replace(done, dataset=Dataset(kept, labels.queries, labels.qrels))
