"""Turn a folder of documents into a BEIR test collection.

Reads the corpus's folder; writes data/ingest/<corpus>/: corpus.jsonl, queries.jsonl, qrels/ and report.json
(what was counted and what was left out, with the reason; where the folder cannot be ingested, the error too); and
log/queries.jsonl where the folder has a log.

    python -m stages.ingest manuals
"""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from domain_embeddings.commands.workspace import PARAMS, load_params, section, stage_folder
from domain_embeddings.core.beir_files import write_dataset, write_json, write_queries
from domain_embeddings.core.dataset import Dataset, Ingested, Passage, Query
from domain_embeddings.core.errors import DataError
from domain_embeddings.ingest.alias_lists import with_listed_names
from domain_embeddings.ingest.dev_log import usable
from domain_embeddings.ingest.kinds import beir, chunks, encyclopedia, manuals, memories
from domain_embeddings.ingest.stopped import StoppedError
from domain_embeddings.params.corpora import Corpus
from domain_embeddings.params.ingest import IngestParams
from domain_embeddings.params.strict import validate
from stages.stage import corpus_argument, run_stage

ADAPTERS: dict[str, Callable[[Path, IngestParams], Ingested]] = {
    "manuals": manuals.read,
    "memories": memories.read,
    "encyclopedia": encyclopedia.read,
    "chunks": chunks.read,
    "beir": beir.read,
}


MOST_SIGNS = 100
"""Of a domain's name, which stands in tables, charts and file names."""


def check(source: Path, done: Ingested, strict: bool) -> None:
    """Raise a `DataError` for what no later stage can work with, and for problems where they count as errors."""
    corpus = done.dataset.corpus
    if len(corpus) == 1:
        raise DataError(source, "one passage: nothing to search among", remedy="add documents")
    for passage in corpus.values():
        check_domain(source, passage)
    if strict and done.problems:
        raise DataError(source, "; ".join(done.problems), remedy="or set ingest.strict to false")


def check_domain(source: Path, passage: Passage) -> None:
    """Raise a `DataError` for a domain that is no name."""
    if passage.domain.isprintable() and len(passage.domain) <= MOST_SIGNS:
        return
    problem = f"passage {passage.id!r} is of the domain {passage.domain[:MOST_SIGNS]!r}"
    raise DataError(source, problem, remedy=f"a domain is named by up to {MOST_SIGNS} printable signs")


def ingested(kind: str, source: Path, params: IngestParams) -> tuple[list[Query], Ingested]:
    """The usable questions of a folder's log, and what the adapter of its kind makes of it with the listed names.

    A `StoppedError` where that cannot be used.
    """
    done = Ingested(Dataset({}, {}, {}), [], {})
    try:
        done = ADAPTERS[kind](source, params)
        done = with_listed_names(source, done)
        log, done = usable(source, done)
        check(source, done, params.strict)
    except StoppedError:
        raise
    except DataError as error:
        raise StoppedError(error, done) from error
    return log, done


def report(done: Ingested) -> dict[str, Any]:
    """What was counted and left out."""
    problems = {"problems": done.problems} if done.problems else {}
    return {"counts": done.counts, "rejects": [asdict(reject) for reject in done.rejects], **problems}


def main() -> None:
    """Read with the adapter of the corpus's kind, add the listed names, write the collection and the report."""
    name = corpus_argument()
    corpus = validate(Corpus, load_params()["corpora"][name], PARAMS, f"corpora.{name}")
    folder = stage_folder("ingest", name)
    try:
        log, done = ingested(corpus.kind, Path(corpus.path), section("ingest", IngestParams))
    except StoppedError as error:
        write_json(folder / "report.json", {**report(error.done), "error": str(error)})
        raise
    write_dataset(folder, done.dataset)
    if log:
        write_queries(folder / "log", {query.id: query for query in log}, {})
    write_json(folder / "report.json", report(done))
    for reject in done.rejects:
        print(f"left out {reject.place}: {reject.reason}")
    for problem in done.problems:
        print(f"problem: {problem}")


if __name__ == "__main__":
    run_stage(main)
