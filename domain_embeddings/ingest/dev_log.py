"""Questions that people asked and nobody has labelled: the log of a search, in `dev_log.jsonl` of a corpus's folder.

Each line is an object with `text`. Rankings of both models give such questions silver labels, by which `report` may
take the tuned model where no dev questions are labelled.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from domain_embeddings.core.beir_files import read_jsonl
from domain_embeddings.core.dataset import WRITTEN_BY, Author, Dataset, Ingested, Query, Reject
from domain_embeddings.core.errors import DataError
from domain_embeddings.ingest.inside import within
from domain_embeddings.text_matching.near_equal_queries import NearEqualQueries

DEV_LOG = "dev_log.jsonl"


def read_log(folder: Path) -> Iterator[Query]:
    """The questions of a folder's log, if it has one, with their lines as ids; a DataError for a line without a text.

    People have written them, unless a line's `written_by` says otherwise.
    """
    path = within(folder, DEV_LOG)
    if path is None:
        return
    for line, row in read_jsonl(path):
        text, author = row.get("text"), row.get(WRITTEN_BY, Author.PEOPLE)
        if not isinstance(text, str) or not text.strip():
            said = json.dumps(text, ensure_ascii=False)
            raise DataError(path, f"'text' is {said}, not a question", line=line, remedy='a line is {"text": "…"}')
        if author not in list(Author):
            raise DataError(path, f"'{WRITTEN_BY}' is {author!r}", line=line, remedy=f"one of {', '.join(Author)}")
        yield Query(f"{DEV_LOG}:{line}", text.strip(), extra={WRITTEN_BY: author})


def usable(folder: Path, ingested: Ingested) -> tuple[list[Query], Ingested]:
    """A log's questions that are new, and what was ingested with the others counted and rejected.

    None is near-equal to a labelled question, of which test's must choose nothing, nor to one before it.
    """
    read = list(read_log(folder))
    if not read:
        return [], ingested
    seen, kept, rejects = NearEqualQueries(_labelled(ingested.dataset)), list[Query](), list[Reject]()
    for query in read:
        other = seen.find(query.text)
        if other is None:
            seen.add(query.id, query.text)
            kept.append(query)
        else:
            rejects.append(Reject(query.id, f"near-equal to {other}"))
    counts = {**ingested.counts, "dev_log.questions": len(kept), "dev_log.near_equal": len(rejects)}
    return kept, replace(ingested, rejects=[*ingested.rejects, *rejects], counts=dict(sorted(counts.items())))


def _labelled(dataset: Dataset) -> dict[str, str]:
    return {
        f"{split} question {query_id}": dataset.queries[query_id].text
        for split, qrels in dataset.qrels.items()
        for query_id in qrels
    }
