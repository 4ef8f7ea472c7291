"""Any BEIR folder, with any subset of splits.

corpus.jsonl         _id, title, text; optionally domain, type, aliases; further keys are kept
queries.jsonl        _id, text; optionally domain, category, difficulty, written_by; further keys are kept
qrels/<split>.tsv    train, dev (or val, valid, validation), test
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from domain_embeddings.core.beir_files import EmptyRows, read_corpus, read_queries, read_splits, split_files
from domain_embeddings.core.dataset import (
    OWN_PASSAGE,
    WRITTEN_BY,
    Author,
    Dataset,
    Ingested,
    Passage,
    Qrels,
    Query,
    Reject,
)
from domain_embeddings.core.errors import DataError
from domain_embeddings.core.text import words
from domain_embeddings.ingest.inside import required, within
from domain_embeddings.ingest.kinds.rows import PASSAGE_KEYS, excess, freed, renamings
from domain_embeddings.ingest.walk import not_taken, walk
from domain_embeddings.params.ingest import IngestParams

CORPUS, QUERIES = "corpus.jsonl", "queries.jsonl"
_NOT_READ = f"not read: {CORPUS}, {QUERIES} and qrels/{{train,dev,test}}.tsv are"
_QUERY_KEYS = ("source", "form", "type", "passage", "names", "expected_topics", "temporal_limit", OWN_PASSAGE)
"""Keys of a query's `extra` by which later stages go, and which in a collection of others mean something else."""
_SAME = 0.8
"""Share of a question's words that a passage of the same id must hold to be the question itself."""


def _check_aliases(path: Path, passage: Passage) -> None:
    said = passage.extra.get("aliases")
    if said is not None and not (isinstance(said, list) and all(isinstance(name, str) for name in said)):
        problem = f"the 'aliases' of passage {passage.id!r} must be a list of strings, found {str(said)[:80]!r}"
        raise DataError(path, problem, remedy='"aliases": ["another name", …]')


def _own_passage(query: Query, grades: Mapping[str, int], corpus: Mapping[str, Passage]) -> dict[str, str]:
    """The passage that is the question itself, as where questions are asked of each other or arguments countered.

    BEIR gives both one id and leaves the passage out of its own ranking (`ignore_identical_ids`; Thakur et al., 2021).
    Ids alone may be alike by chance, so the words must be too; and who judges the passage an answer means it as one.
    """
    own = corpus.get(query.id)
    if own is None or grades.get(own.id, 0) > 0:
        return {}
    asked, held = set(words(query.text)), set(words(own.content))
    return {OWN_PASSAGE: own.id} if asked and len(asked & held) >= _SAME * len(asked) else {}


def _queries(dataset: Dataset, qrels: Mapping[str, Qrels], renamed: Counter[str]) -> dict[str, Query]:
    """The judged questions, with who wrote them, the domain of what answers them and the passage that each is."""
    queries: dict[str, Query] = {}
    for judged in qrels.values():
        for query_id, grades in judged.items():
            best = max(grades, key=lambda passage: grades[passage])
            query = dataset.queries[query_id]
            author = {WRITTEN_BY: query.extra.get(WRITTEN_BY) or Author.UNKNOWN}
            extra = {**freed(query.extra, _QUERY_KEYS, renamed), **author}
            extra |= _own_passage(query, grades, dataset.corpus)
            queries[query_id] = replace(query, domain=query.domain or dataset.corpus[best].domain, extra=extra)
    return queries


def _read(folder: Path, empty: EmptyRows) -> tuple[Dataset, list[str]]:
    """The collection in a folder, and the names of its files, without what links lead out to."""
    corpus = read_corpus(required(folder, CORPUS), empty)
    queries = read_queries(required(folder, QUERIES), empty)
    files = {split: path for split, path in split_files(folder).items() if within(folder, f"qrels/{path.name}")}
    names = [CORPUS, QUERIES, *(f"qrels/{path.name}" for path in files.values())]
    return Dataset(corpus, queries, read_splits(files, queries, corpus, empty)), names


def _left_out(empty: EmptyRows, renamed: Mapping[str, Counter[str]]) -> list[Reject]:
    rejects = [
        Reject(f"{CORPUS}:{line}", f"{name!r} has neither title nor text") for name, line in empty.passages.items()
    ]
    rejects += [Reject(f"{QUERIES}:{line}", f"{name!r} has no text") for name, line in empty.queries.items()]
    if empty.judgements:
        rejects.append(Reject("qrels", f"{empty.judgements} judgements of these rows"))
    for file, keys in renamed.items():
        rejects += renamings(file, keys)
    return rejects


def read(folder: Path, params: IngestParams) -> Ingested:
    """Read and check a BEIR folder; keep the questions of the wanted splits, with the domain of what answers them.

    Who wrote a question is unknown unless it says so. A malformed line, a dangling id or a duplicate is a DataError
    that names file and line. Aliases that are no list of names are one that names the passage. Rows without a word,
    files that are not read and keys that had to be renamed are rejects.
    """
    walked = walk(folder)
    empty = EmptyRows()
    dataset, taken = _read(folder, empty)
    renamed: dict[str, Counter[str]] = {CORPUS: Counter(), QUERIES: Counter()}
    corpus = {}
    for passage in dataset.corpus.values():
        _check_aliases(folder / CORPUS, passage)
        if problem := excess(passage.content, params):
            raise DataError(folder / CORPUS, f"passage {passage.id!r}: {problem}", remedy="cut it into several")
        passage = replace(passage, extra=freed(passage.extra, PASSAGE_KEYS, renamed[CORPUS]))
        corpus[passage.id] = passage if passage.text.strip() else replace(passage, title="", text=passage.title)
    qrels = {split: judged for split, judged in dataset.qrels.items() if split in params.splits}
    queries = _queries(dataset, qrels, renamed[QUERIES])
    counts = {"passages": len(corpus), **{f"queries.{split}": len(judged) for split, judged in qrels.items()}}
    counts["queries.unused"] = len(dataset.queries) - len(queries)
    if own := sum(OWN_PASSAGE in query.extra for query in queries.values()):
        counts["queries.in_corpus"] = own
    if rows := len(empty.passages) + len(empty.queries):
        counts["rows.empty"] = rows
    rejects = [*_left_out(empty, renamed), *not_taken(walked, taken, _NOT_READ)]
    problems = [] if qrels.get("test") else ["no question is judged in qrels/test.tsv, so nothing can be evaluated"]
    return Ingested(Dataset(corpus, queries, qrels), rejects, counts, problems)
