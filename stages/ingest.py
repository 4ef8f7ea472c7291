"""Turn a folder of documents into a BEIR test collection.

Reads the corpus's folder; writes data/ingest/<corpus>/: corpus.jsonl, queries.jsonl, qrels/ and report.json
(what was counted and what was left out, with the reason); and log/queries.jsonl where the folder has a log.

    python -m stages.ingest manuals
"""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from domain_embeddings.commands.workspace import PARAMS, load_params, section, stage_folder
from domain_embeddings.core.beir_files import write_dataset, write_json, write_queries
from domain_embeddings.core.dataset import Ingested
from domain_embeddings.ingest.alias_lists import with_listed_names
from domain_embeddings.ingest.dev_log import usable
from domain_embeddings.ingest.kinds import beir, encyclopedia, manuals, memories
from domain_embeddings.params.corpora import Corpus
from domain_embeddings.params.ingest import IngestParams
from domain_embeddings.params.strict import validate
from stages.stage import corpus_argument, run_stage

ADAPTERS: dict[str, Callable[[Path, IngestParams], Ingested]] = {
    "manuals": manuals.read,
    "memories": memories.read,
    "encyclopedia": encyclopedia.read,
    "beir": beir.read,
}


def main() -> None:
    """Read with the adapter of the corpus's kind, add the listed names, write the collection and the report."""
    name = corpus_argument()
    corpus = validate(Corpus, load_params()["corpora"][name], PARAMS, f"corpora.{name}")
    source = Path(corpus.path)
    ingested = with_listed_names(source, ADAPTERS[corpus.kind](source, section("ingest", IngestParams)))
    log, ingested = usable(source, ingested)
    folder = stage_folder("ingest", name)
    write_dataset(folder, ingested.dataset)
    if log:
        write_queries(folder / "log", {query.id: query for query in log}, {})
    rejects = [asdict(reject) for reject in ingested.rejects]
    write_json(folder / "report.json", {"counts": ingested.counts, "rejects": rejects})
    for reject in ingested.rejects:
        print(f"left out {reject.place}: {reject.reason}")


if __name__ == "__main__":
    run_stage(main)
