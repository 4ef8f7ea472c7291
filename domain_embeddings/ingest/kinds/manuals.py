"""Adapter for technical manuals: a folder a domain, files in PDF, DOCX, HTML, Markdown or plain text.

Beside the domain folders there may be `questions.jsonl`, labelled questions a line, and the lists of names that every
kind may have.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from domain_embeddings.core.dataset import Dataset, Ingested, Passage, Reject
from domain_embeddings.core.errors import DataError
from domain_embeddings.ingest.alias_lists import ALIASES, SYNONYMS
from domain_embeddings.ingest.formats.blocks import UnreadableError
from domain_embeddings.ingest.formats.readers import read_document
from domain_embeddings.ingest.kinds.manual_questions import Labels, Places, read_questions
from domain_embeddings.ingest.sections import Piece, pieces_of
from domain_embeddings.params.ingest import IngestParams
from domain_embeddings.text_matching.near_duplicates import near_copies

QUESTIONS = "questions.jsonl"
_NO_CONTENT = ("LICENSE", "LICENCE", "SOURCE", "NOTICE", "COPYING")


@dataclass
class _Corpus:
    """What has been read so far: passages, the section each is of, what was left out."""

    passages: dict[str, Passage] = field(default_factory=dict)
    sections: dict[str, int] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def _is_skipped(path: Path, folder: Path) -> bool:
    """Whether a file is hidden or says only where the others come from: "LICENSE-docs.txt", "license.md"."""
    parts = path.relative_to(folder).parts
    return (
        any(p.startswith(".") for p in parts) or path.name.startswith(_NO_CONTENT) or path.stem.upper() in _NO_CONTENT
    )


def _passage(piece: Piece, file: str, number: int) -> Passage:
    extra = {"file": file, "headings": list(piece.headings), "page": piece.page, "start": piece.start, "end": piece.end}
    return Passage(f"{file}#{number}", piece.title, piece.text, file.split("/")[0], str(piece.type), extra)


def _read_file(path: Path, file: str, params: IngestParams, corpus: _Corpus) -> None:
    """Add a file's passages to the corpus, or the file to its rejects."""
    try:
        if "/" not in file:
            raise UnreadableError("not inside a domain folder")
        if not file.isprintable():
            raise UnreadableError("control characters in the file name")
        found, counts = pieces_of(read_document(path), params.min_chars, params.max_chars)
        if not found:
            raise UnreadableError("no section of the least length")
    except UnreadableError as reason:
        corpus.rejects.append(Reject(file, str(reason)))
        corpus.counts["files.rejected"] += 1
        corpus.counts[f"rejected.{reason}"] += 1
        return
    corpus.counts["files.read"] += 1
    corpus.counts.update(counts)
    for number, piece in enumerate(found, start=1):
        passage = _passage(piece, file, number)
        corpus.passages[passage.id] = passage
        corpus.sections[passage.id] = piece.section


def _copies(passages: dict[str, Passage], threshold: float, counts: Counter[str]) -> dict[str, str]:
    """Passage → the earlier one it is a copy or near-copy of, by text; both are counted."""
    first: dict[str, str] = {}
    for passage in passages.values():
        first.setdefault(" ".join(passage.text.split()), passage.id)
    exact = {p.id: kept for p in passages.values() if (kept := first[" ".join(p.text.split())]) != p.id}
    near = near_copies({p.id: p.text for p in passages.values() if p.id not in exact}, threshold)
    counts["exact_copies"], counts["near_copies"] = len(exact), len(near)
    return near | {copy: near.get(kept, kept) for copy, kept in exact.items()}


def _check_domains(folder: Path, corpus: _Corpus) -> None:
    """Raise a `DataError` naming the first domain folder of which nothing was kept, and why."""
    kept = {passage.domain for passage in corpus.passages.values()}
    domains = sorted({reject.place.split("/")[0] for reject in corpus.rejects if "/" in reject.place} | kept)
    if not domains:
        raise DataError(folder, "no manual in it", remedy="put the files of each domain into a folder of its own")
    for domain in domains:
        if domain not in kept:
            why = "; ".join(f"{r.place}: {r.reason}" for r in corpus.rejects if r.place.split("/")[0] == domain)
            raise DataError(
                folder / domain,
                f"nothing left of domain {domain!r}: {why or 'all are copies'}",
                remedy="add a readable file or remove the folder",
            )


def _read_files(folder: Path, params: IngestParams) -> _Corpus:
    corpus = _Corpus(counts=Counter({"files.read": 0, "files.rejected": 0, "files.skipped": 0}))
    for path in sorted((p for p in folder.rglob("*") if p.is_file()), key=lambda p: p.relative_to(folder).as_posix()):
        file = path.relative_to(folder).as_posix()
        if file in (QUESTIONS, ALIASES, SYNONYMS):
            continue
        if _is_skipped(path, folder):
            corpus.counts["files.skipped"] += 1
        else:
            _read_file(path, file, params, corpus)
    return corpus


def read(folder: Path, params: IngestParams) -> Ingested:
    """Read a folder of manuals and the questions in it.

    A file that cannot be read is a `Reject`; a domain of which nothing is left, or a wrong line in
    `questions.jsonl`, a `DataError`.
    """
    if not folder.is_dir():
        raise DataError(folder, "folder not found")
    corpus = _read_files(folder, params)
    _check_domains(folder, corpus)
    copies = _copies(corpus.passages, params.near_copy, corpus.counts)
    places = Places(corpus.passages, corpus.sections, copies)
    kept = {key: passage for key, passage in corpus.passages.items() if key not in copies}
    corpus.counts.update(f"type.{passage.type}" for passage in kept.values())
    corpus.counts.update(f"passages.{passage.domain}" for passage in kept.values())
    path = folder / QUESTIONS
    labels = read_questions(path, places, params.splits) if path.exists() else Labels({}, {})
    return Ingested(Dataset(kept, labels.queries, labels.qrels), corpus.rejects, dict(sorted(corpus.counts.items())))
