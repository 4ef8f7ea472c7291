"""The evaluate stage: every arm's ranking of every test question, scored."""

import pytest

from domain_embeddings.dataset import Query, read_dataset, read_jsonl
from domain_embeddings.encoder import encode, load
from domain_embeddings.params.evaluate import EvaluateParams
from stages.evaluate import rankings, rows
from tests.knobs import knobs
from tests.stages.conftest import Pipeline

ARMS = ["bm25", "base", "tuned", "hybrid_base", "hybrid_tuned"]


def test_a_row_has_the_metrics_and_ten_passages() -> None:
    run = {"q": {f"p{i}": 1.0 / i for i in range(1, 15)}}

    (row,) = rows({"bm25": run}, {"q": {"p2": 1, "p12": 1}})

    ideal = 1 + 0.6309297535714575  # 1/log2(2) + 1/log2(3)
    assert row == {
        "arm": "bm25", "query_id": "q", "recall@1": 0.0, "recall@5": 0.5, "recall@10": 0.5, "mrr@10": 0.5,
        "ndcg@10": pytest.approx(0.6309297535714575 / ideal), "found": [f"p{i}" for i in range(1, 11)],
    }  # fmt: skip


def test_every_arm_ranks_and_the_fused_ones_fuse(pipeline: Pipeline) -> None:
    passages = {"brakes": "Bleed the brakes.", "mast": "Grease the mast chains.", "fuse": "The fuse box is here."}
    queries = {"q": Query("q", "stop the vehicle: brakes")}
    model = load(pipeline.root / "models/base", 256)

    found = rankings(passages, queries, {"base": model}, knobs("evaluate", EvaluateParams, rrf_k=60))

    assert list(found) == ["bm25", "base", "hybrid_base"]
    assert list(found["bm25"]["q"]) == ["brakes"]  # the others share no word with it
    cosines = dict(
        zip(passages, encode(model, list(passages.values())) @ encode(model, [queries["q"].text])[0], strict=True)
    )
    assert list(found["base"]["q"]) == sorted(passages, key=lambda name: -cosines[name])
    assert next(iter(found["base"]["q"])) == "brakes"
    assert found["hybrid_base"]["q"]["brakes"] == pytest.approx(1 / (60 + 1) + 1 / (60 + 1))


def test_the_stage_writes_a_row_for_each_arm_and_question(pipeline: Pipeline) -> None:
    dataset = read_dataset(pipeline.root / "data/ingest/tiny")
    written = [row for _, row in read_jsonl(pipeline.root / "data/evaluate/tiny/per_query.jsonl")]

    expected = [(arm, query_id) for arm in ARMS for query_id in dataset.qrels["test"]]
    assert [(row["arm"], row["query_id"]) for row in written if row["arm"] in ARMS] == expected
    for row in written:
        relevant = {p for p, grade in dataset.qrels["test"][row["query_id"]].items() if grade > 0}
        assert row["recall@10"] == len(relevant & set(row["found"])) / len(relevant)
        assert len(row["found"]) == len(set(row["found"])) <= 10
