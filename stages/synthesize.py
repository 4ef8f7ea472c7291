"""Make training queries for a corpus, and dev queries where no person has labelled any.

Reads data/ingest/<corpus>/; writes data/synthesize/<corpus>/: queries.jsonl, qrels/train.tsv, qrels/dev.tsv and
statistics.json (counts by domain, type and source, what was dropped, examples to read). Where passages belong to the
articles of entities, their names and aliases give queries too.

    python -m stages.synthesize manuals
"""

from domain_embeddings.commands.workspace import section, stage_folder
from domain_embeddings.core.beir_files import read_dataset, write_json, write_queries
from domain_embeddings.core.dataset import Dataset, Passage, Qrels, Query
from domain_embeddings.core.entities import entity_of
from domain_embeddings.core.errors import DataError
from domain_embeddings.params.synthesize import SynthesizeParams
from domain_embeddings.synthesis.entity_queries import alias_queries
from domain_embeddings.synthesis.queries import Synthesis, labelled_leaks, synthesize
from domain_embeddings.synthesis.synthetic_dev import synthetic_dev
from domain_embeddings.text_matching.near_duplicates import TOGETHER, compare
from stages.stage import corpus_argument, run_stage


def held_out_questions(dataset: Dataset) -> dict[str, str]:
    """Place → text of every dev and test question."""
    return {
        f"{split} question {query_id}": dataset.queries[query_id].text
        for split in ("dev", "test")
        for query_id in dataset.qrels.get(split, {})
    }


def passage_leaks(dataset: Dataset, questions: dict[str, Query]) -> list[tuple[str, str]]:
    """The pairs (training question, passage marked `held_out`) where the question asks for it or one alike."""
    held_out = [passage.id for passage in dataset.corpus.values() if passage.extra.get("held_out")]
    if not held_out:
        return []
    group = compare({passage.id: passage.content for passage in dataset.corpus.values()}, TOGETHER).group
    owner = {group[passage_id]: passage_id for passage_id in held_out}
    return [
        (f"train question {query_id}", f"held-out passage {owner[group[passage_id]]}")
        for query_id in questions
        for passage_id, grade in dataset.qrels["train"][query_id].items()
        if grade > 0 and group[passage_id] in owner
    ]


def labelled(
    dataset: Dataset, held_out: dict[str, str], on_leak: str
) -> tuple[dict[str, Query], list[tuple[str, str]]]:
    """The labelled training questions, without those near what is held out, or a DataError naming both."""
    questions = dataset.judged("train")
    texts = {f"train question {i}": query.text for i, query in questions.items()}
    leaks = [*labelled_leaks(texts, held_out), *passage_leaks(dataset, questions)]
    if leaks and on_leak == "fail":
        texts |= held_out | {f"held-out passage {i}": passage.text for i, passage in dataset.corpus.items()}
        pairs = "; ".join(f"{a} {texts[a]!r} ~ {b} {texts[b]!r}" for a, b in leaks[:5])
        raise DataError(
            "qrels/train.tsv",
            f"{len(leaks)} training questions are near-equal to held-out ones: {pairs}",
            remedy="remove them, or set synthesize.labelled_leaks to drop",
        )
    leaked = {place.removeprefix("train question ") for place, _ in leaks}
    return {i: query for i, query in questions.items() if i not in leaked}, leaks


def synthetic(
    corpus: dict[str, Passage], params: SynthesizeParams, held_out: dict[str, str], excluded: set[str]
) -> Synthesis:
    """Queries from the passages' texts and, where passages are about entities, from these entities' names."""
    texts = synthesize(corpus, params, held_out, excluded)
    if not any(entity_of(passage) for passage in corpus.values()):
        return texts
    names = alias_queries(corpus, params, held_out, excluded, texts.queries)
    train = {**texts.qrels["train"], **names.qrels["train"]}
    statistics = {**texts.statistics, "entities": names.statistics}
    return Synthesis([*texts.queries, *names.queries], {"train": train}, statistics)


def main() -> None:
    """Synthesize, add the labelled questions, make sure of dev questions, write."""
    name = corpus_argument()
    params = section("synthesize", SynthesizeParams)
    dataset = read_dataset(stage_folder("ingest", name))
    held_out = held_out_questions(dataset)
    train, leaks = labelled(dataset, held_out, params.labelled_leaks)
    dev, dev_qrels = dataset.judged("dev"), dataset.qrels.get("dev", {})
    asked_for = {passage.id for passage in dataset.corpus.values() if passage.extra.get("held_out")}
    origin = "labelled" if dev else "synthetic"
    excluded: set[str] = set()
    if origin == "synthetic":
        excluded, dev, dev_qrels = synthetic_dev(
            dataset.corpus, params.dev_passages, held_out, params.seed, barred=asked_for
        )
    if not dev:
        raise DataError(
            stage_folder("ingest", name) / "corpus.jsonl",
            "no dev question can be made from its passages, so no checkpoint could be chosen",
            remedy="label some dev questions (docs/corpus.md): questions are made from sentences in English",
        )
    synthesis = synthetic(dataset.corpus, params, held_out, excluded | asked_for)
    train_qrels: Qrels = {**synthesis.qrels["train"], **{i: dataset.qrels["train"][i] for i in train}}
    if not train_qrels:
        raise DataError(
            stage_folder("ingest", name) / "corpus.jsonl",
            "no training query can be made from its passages",
            remedy="label some training questions (docs/corpus.md): queries are made from sentences in English",
        )
    statistics = {
        **synthesis.statistics,
        "passages_held_out": len(asked_for),
        "labelled": {"train": len(train), "leaks_dropped": [list(pair) for pair in leaks]},
        "dev": {"origin": origin, "queries": len(dev), "passages_held_out": len(excluded)},
    }
    folder = stage_folder("synthesize", name)
    queries = {**{query.id: query for query in synthesis.queries}, **train, **dev}
    write_queries(folder, queries, {"train": train_qrels, "dev": {i: dev_qrels[i] for i in dev}})
    write_json(folder / "statistics.json", statistics)


if __name__ == "__main__":
    run_stage(main)
