"""Adapter for technical manuals: a folder a domain, files in any format that has a reader (`formats.readers`).

Beside the domain folders there may be `questions.jsonl`, labelled questions a line, and the lists that every kind may
have.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tqdm import tqdm

from domain_embeddings.core.dataset import Dataset, Ingested, Passage, Reject
from domain_embeddings.core.errors import DataError
from domain_embeddings.ingest.formats.blocks import UnreadableError
from domain_embeddings.ingest.inside import within
from domain_embeddings.ingest.kinds.copies import copies_of
from domain_embeddings.ingest.kinds.manual_questions import QUESTIONS, Labels, Places, read_questions
from domain_embeddings.ingest.reading.file_reader import file_reader
from domain_embeddings.ingest.sections import Piece
from domain_embeddings.ingest.stopped import StoppedError
from domain_embeddings.ingest.walk import HIDDEN, LISTS, walk
from domain_embeddings.params.ingest import IngestParams

_ORIGIN = re.compile(r"(licen[cs]e|copying|notice|source)(\.txt|\.md)?", re.IGNORECASE)
_OF_ORIGIN = "says where other files come from, by its name"
_SKIPPED = (HIDDEN, _OF_ORIGIN)
_REASONS = 5


@dataclass
class _Corpus:
    """What has been read so far: passages, the section each is of, what was left out."""

    passages: dict[str, Passage] = field(default_factory=dict)
    sections: dict[str, int] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def reject(self, reject: Reject) -> None:
        """List a file and count it by its reason, or as skipped where that is meant."""
        self.rejects.append(reject)
        if reject.reason in _SKIPPED:
            self.counts["files.skipped"] += 1
        else:
            self.counts.update(("files.rejected", f"rejected.{reject.reason}"))


def _passage(piece: Piece, file: str, number: int) -> Passage:
    extra = {"file": file, "headings": list(piece.headings), "page": piece.page, "start": piece.start, "end": piece.end}
    return Passage(f"{file}#{number}", piece.title, piece.text, file.split("/")[0], str(piece.type), extra)


def _read_file(path: Path, file: str, params: IngestParams, corpus: _Corpus, bar: tqdm) -> None:
    """Add a file's passages to the corpus, or the file to its rejects; the bar names one that takes long."""
    try:
        if "/" not in file:
            raise UnreadableError("not inside a domain folder")
        bar.set_postfix_str(file, refresh=False)
        found, counts = file_reader().pieces(path, params, bar.refresh)
        if not found:
            raise UnreadableError("no section of the least length")
    except UnreadableError as reason:
        corpus.reject(Reject(file, str(reason)))
        return
    corpus.counts["files.read"] += 1
    corpus.counts.update(counts)
    for number, piece in enumerate(found, start=1):
        passage = _passage(piece, file, number)
        corpus.passages[passage.id] = passage
        corpus.sections[passage.id] = piece.section


def _emptied(corpus: _Corpus, kept: Mapping[str, Passage]) -> list[str]:
    """A line for each domain folder of which nothing was kept, and why."""
    left = {passage.domain for passage in kept.values()}
    reasons: dict[str, list[str]] = {passage.domain: [] for passage in corpus.passages.values()}
    for reject in corpus.rejects:
        if "/" in reject.place and reject.reason not in _SKIPPED:
            reasons.setdefault(reject.place.split("/")[0], []).append(f"{reject.place}: {reject.reason}")
    return [
        f"nothing left of domain {domain!r}: {_listed(why) or 'all are copies'}"
        for domain, why in sorted(reasons.items())
        if domain not in left
    ]


def _listed(reasons: Sequence[str]) -> str:
    more = len(reasons) - _REASONS
    return "; ".join(reasons[:_REASONS]) + (f"; {more} more" if more > 0 else "")


def _read_files(folder: Path, params: IngestParams) -> _Corpus:
    corpus = _Corpus(counts=Counter({"files.read": 0, "files.rejected": 0, "files.skipped": 0}))
    walked = walk(folder)
    for reject in walked.rejects:
        corpus.reject(reject)
    bar = tqdm(walked.files.items(), desc="reading", unit="file", leave=False, disable=None)
    for file, path in bar:
        if file in (QUESTIONS, *LISTS):
            continue
        if _ORIGIN.fullmatch(path.name):
            corpus.reject(Reject(file, _OF_ORIGIN))
        else:
            _read_file(path, file, params, corpus, bar)
    corpus.rejects.sort(key=lambda reject: reject.place)
    return corpus


def read(folder: Path, params: IngestParams) -> Ingested:
    """Read a folder of manuals and the questions in it.

    A file that cannot be read is a `Reject`, a domain of which nothing is left a problem; a folder of which nothing is
    left, or a wrong line in `questions.jsonl`, a `StoppedError`.
    """
    corpus = _read_files(folder, params)
    copies = copies_of(corpus.passages, params.near_copy, corpus.counts)
    kept = {key: passage for key, passage in corpus.passages.items() if key not in copies}
    corpus.counts.update(f"type.{passage.type}" for passage in kept.values())
    corpus.counts.update(f"passages.{passage.domain}" for passage in kept.values())
    done = Ingested(Dataset(kept, {}, {}), corpus.rejects, dict(sorted(corpus.counts.items())), _emptied(corpus, kept))
    if not kept:
        remedy = "put the files of each domain into a folder of its own"
        raise StoppedError(DataError(folder, "; ".join(["no manual in it", *done.problems]), remedy=remedy), done)
    path = within(folder, QUESTIONS)
    try:
        places = Places(corpus.passages, corpus.sections, copies)
        labels = read_questions(path, places, params.splits) if path else Labels({}, {})
    except DataError as error:
        raise StoppedError(error, done) from error
    return replace(done, dataset=Dataset(kept, labels.queries, labels.qrels))
