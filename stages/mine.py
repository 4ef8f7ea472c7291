"""Find hard negatives for every training pair.

Reads data/ingest/<corpus>/, data/synthesize/<corpus>/ and models/base/; writes data/mine/<corpus>/:
triplets.jsonl (ids) and audit.json (what was dropped and why, the most suspicious pairs kept). Where mine.candidates
hold qdrant, asks that collection too; DVC does not see when it changes: `dvc repro -s -f mine@manuals`.

    python -m stages.mine manuals
"""

from collections.abc import Collection
from dataclasses import asdict, replace

from tqdm.auto import tqdm

from domain_embeddings.commands.workspace import BASE_MODEL, section, stage_folder
from domain_embeddings.core.beir_files import read_corpus, read_qrels, read_queries, write_json, write_jsonl
from domain_embeddings.core.dataset import Passage, Qrels
from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding.encoder import encode, load
from domain_embeddings.encoding.roles import Role
from domain_embeddings.params.mine import MineParams
from domain_embeddings.training.negatives import Miner
from stages.stage import asks_synthetic, corpus_argument, run_stage

SUSPICIOUS = 50


def found_today(params: MineParams, vectors: Scores, known: Collection[str]) -> tuple[list[list[str]], int]:
    """The rankings of the collection in use for the queries' vectors, and how many points it has that are no passages.

    Nothing where it is no source of candidates.
    """
    if params.qdrant is None or "qdrant" not in params.candidates:
        return [], 0
    from domain_embeddings.training.qdrant_candidates import search  # only here: who has no collection needs no client

    found = search(params.qdrant, vectors, params.depth, known)
    return found.rankings, found.unknown


def with_answers_held_out(corpus: dict[str, Passage], dev_qrels: Qrels) -> dict[str, Passage]:
    """The corpus, in which what dev questions ask for is marked `held_out`, as ingest marks what it holds out."""
    answers = {i for grades in dev_qrels.values() for i, grade in grades.items() if grade > 0}
    return corpus | {i: replace(corpus[i], extra={**corpus[i].extra, "held_out": True}) for i in answers}


def main() -> None:
    """Encode passages and queries with the base model, mine, write."""
    name = corpus_argument()
    params = section("mine", MineParams)
    corpus = read_corpus(stage_folder("ingest", name) / "corpus.jsonl")
    synthesized = stage_folder("synthesize", name)
    queries = read_queries(synthesized / "queries.jsonl")
    qrels = read_qrels(synthesized / "qrels" / "train.tsv", queries, corpus)
    if asks_synthetic(name):
        corpus = with_answers_held_out(corpus, read_qrels(synthesized / "qrels" / "dev.tsv", queries, corpus))
    model = load(BASE_MODEL)
    asked = [queries[query_id] for query_id in qrels]
    vectors = encode(model, [query.text for query in asked], Role.QUERY, progress=True, exact=False)
    rankings, unknown = found_today(params, vectors, corpus)
    passages = encode(model, [p.content for p in corpus.values()], Role.PASSAGE, progress=True, exact=False)
    miner = Miner(corpus, passages, params)
    if "qdrant" in params.candidates:
        miner.audit.dropped["not in the corpus"] = unknown
    triplets = list(tqdm(miner.mine(asked, vectors, qrels, rankings), desc="mine", unit="pair"))
    folder = stage_folder("mine", name)
    write_jsonl(folder / "triplets.jsonl", (asdict(triplet) for triplet in triplets))
    write_json(folder / "audit.json", miner.audit.summary(SUSPICIOUS))


if __name__ == "__main__":
    run_stage(main)
