"""Any BEIR folder, with any subset of splits."""

from dataclasses import replace
from pathlib import Path

from domain_embeddings.core.authors import WRITTEN_BY, Author
from domain_embeddings.core.beir_files import read_dataset
from domain_embeddings.core.dataset import Dataset, Ingested, Passage, Query
from domain_embeddings.core.errors import DataError
from domain_embeddings.params.ingest import IngestParams


def _check_aliases(path: Path, passage: Passage) -> None:
    said = passage.extra.get("aliases")
    if said is not None and not (isinstance(said, list) and all(isinstance(name, str) for name in said)):
        problem = f"the 'aliases' of passage {passage.id!r} must be a list of strings, found {str(said)[:80]!r}"
        raise DataError(path, problem, remedy='"aliases": ["another name", …]')


def read(folder: Path, params: IngestParams) -> Ingested:
    """Read and check a BEIR folder; keep the questions of the wanted splits, with the domain of what answers them.

    Who wrote a question is unknown unless it says so. A malformed line, a dangling id or a duplicate is a DataError
    that names file and line. Aliases that are no list of names are one that names the passage.
    """
    dataset = read_dataset(folder)
    for passage in dataset.corpus.values():
        _check_aliases(folder / "corpus.jsonl", passage)
    qrels = {split: judged for split, judged in dataset.qrels.items() if split in params.splits}
    queries: dict[str, Query] = {}
    for judged in qrels.values():
        for query_id, grades in judged.items():
            best = max(grades, key=lambda passage: grades[passage])
            query = dataset.queries[query_id]
            extra = {**query.extra, WRITTEN_BY: query.extra.get(WRITTEN_BY) or Author.UNKNOWN}
            queries[query_id] = replace(query, domain=query.domain or dataset.corpus[best].domain, extra=extra)
    counts = {"passages": len(dataset.corpus), **{f"queries.{split}": len(judged) for split, judged in qrels.items()}}
    counts["queries.unused"] = len(dataset.queries) - len(queries)
    return Ingested(Dataset(dataset.corpus, queries, qrels), [], counts)
