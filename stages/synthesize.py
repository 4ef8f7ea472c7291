"""Make training queries for a corpus, and dev queries where no person has labelled any.

Reads data/ingest/<corpus>/; writes data/synthesize/<corpus>/: queries.jsonl, qrels/train.tsv, qrels/dev.tsv and
statistics.json (counts by domain, type and source, what was dropped, examples to read).

    python -m stages.synthesize manuals
"""

from domain_embeddings.holdout import dev_queries, hold_out
from domain_embeddings.dataset import DataError, Dataset, Qrels, Query, read_dataset, write_json, write_queries
from domain_embeddings.params.synthesize import SynthesizeParams
from domain_embeddings.queries import labelled_leaks, synthesize
from stages.workspace import corpus_argument, section, stage_folder


def held_out_questions(dataset: Dataset) -> dict[str, str]:
    """Place → text of every dev and test question."""
    return {
        f"{split} question {query_id}": dataset.queries[query_id].text
        for split in ("dev", "test")
        for query_id in dataset.qrels.get(split, {})
    }


def labelled(
    dataset: Dataset, held_out: dict[str, str], on_leak: str
) -> tuple[dict[str, Query], list[tuple[str, str]]]:
    """The labelled training questions, without those near-equal to a held-out one, or a DataError naming both."""
    questions = dataset.judged("train")
    leaks = labelled_leaks({f"train question {i}": query.text for i, query in questions.items()}, held_out)
    if leaks and on_leak == "fail":
        texts = {f"train question {i}": query.text for i, query in questions.items()}
        pairs = "; ".join(f"{a} {texts[a]!r} ~ {b} {held_out[b]!r}" for a, b in leaks[:5])
        raise DataError(
            "qrels/train.tsv",
            f"{len(leaks)} training questions are near-equal to held-out ones: {pairs}",
            remedy="remove them, or set synthesize.labelled_leaks to drop",
        )
    leaked = {place.removeprefix("train question ") for place, _ in leaks}
    return {i: query for i, query in questions.items() if i not in leaked}, leaks


def main() -> None:
    """Synthesize, add the labelled questions, make sure of dev questions, write."""
    name = corpus_argument()
    params = section("synthesize", SynthesizeParams)
    dataset = read_dataset(stage_folder("ingest", name))
    held_out = held_out_questions(dataset)
    train, leaks = labelled(dataset, held_out, params.labelled_leaks)
    dev, dev_qrels = dataset.judged("dev"), dataset.qrels.get("dev", {})
    excluded: set[str] = set()
    if not dev:
        excluded = hold_out(dataset.corpus, params.dev_passages, params.seed)
        made, dev_qrels = dev_queries(dataset.corpus, excluded, held_out, params.seed)
        dev = {query.id: query for query in made}
    synthesis = synthesize(dataset.corpus, params, held_out, excluded)
    train_qrels: Qrels = {**synthesis.qrels["train"], **{i: dataset.qrels["train"][i] for i in train}}
    statistics = {
        **synthesis.statistics,
        "labelled": {"train": len(train), "leaks_dropped": [list(pair) for pair in leaks]},
        "dev": {
            "origin": "synthetic" if excluded else "labelled",
            "queries": len(dev),
            "passages_held_out": len(excluded),
        },
    }
    folder = stage_folder("synthesize", name)
    queries = {**{query.id: query for query in synthesis.queries}, **train, **dev}
    write_queries(folder, queries, {"train": train_qrels, "dev": {i: dev_qrels[i] for i in dev}})
    write_json(folder / "statistics.json", statistics)


if __name__ == "__main__":
    main()
