"""The mine stage: a hard negative for every training pair, and an audit."""

from domain_embeddings.dataset import read_corpus, read_jsonl, read_qrels, read_queries
from tests.stages.conftest import Pipeline


def test_every_pair_has_a_triplet_with_sound_negatives(pipeline: Pipeline) -> None:
    corpus = read_corpus(pipeline.root / "data/ingest/tiny/corpus.jsonl")
    synthesized = pipeline.root / "data/synthesize/tiny"
    queries = read_queries(synthesized / "queries.jsonl")
    qrels = read_qrels(synthesized / "qrels/train.tsv", queries, corpus)

    triplets = [row for _, row in read_jsonl(pipeline.root / "data/mine/tiny/triplets.jsonl")]

    pairs = [(query_id, passage) for query_id, grades in qrels.items() for passage in grades]
    assert [(row["query_id"], row["positive"]) for row in triplets] == pairs
    for row in triplets:
        assert row["query"] == queries[row["query_id"]].text
        assert len(row["negatives"]) == 1
        assert not qrels[row["query_id"]].keys() & set(row["negatives"])
        assert corpus[row["negatives"][0]].title != corpus[row["positive"]].title


def test_the_audit_adds_up(pipeline: Pipeline) -> None:
    audit = pipeline.json("data/mine/tiny/audit.json")
    triplets = list(read_jsonl(pipeline.root / "data/mine/tiny/triplets.jsonl"))

    assert audit["kept"]["same domain"] + audit["kept"]["cross domain"] == len(triplets)
    assert audit["dropped"]["judged for this query"] > 0
    shares = [row["share"] for row in audit["suspicious"]]
    assert len(shares) == 50
    assert shares == sorted(shares, reverse=True)
