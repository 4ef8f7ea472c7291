"""The search benchmark: made passages, exact neighbours, and which way a ratio goes."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.made_passages import BATCH, Maker
from benchmarks.search import VECTORS, exact_top, rows
from domain_embeddings.core.lexical import words
from domain_embeddings.search.index_protocol import point_id
from tests.searching import PASSAGES


def _unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_a_number_always_makes_the_same_passage() -> None:
    vectors = _unit(np.random.default_rng(0).normal(size=(5, 8)))

    texts, stems, made = Maker(PASSAGES, vectors).batch(3000)
    again = Maker(PASSAGES, vectors).batch(3000)

    assert (texts, stems) == again[:2]
    assert np.array_equal(made, again[2])
    assert np.linalg.norm(made, axis=1) == pytest.approx(np.ones(BATCH), abs=1e-5)
    assert len(set(map(bytes, made))) == BATCH
    assert [len(each) for each in stems[:20]] == pytest.approx([len(each) for each in words(texts[:20])], abs=2)


def test_exact_top_is_a_sort(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    vectors, queries = _unit(random.normal(size=(60_000, 4))), _unit(random.normal(size=(3, 4)))
    vectors.tofile(tmp_path / VECTORS)

    found = exact_top(tmp_path, queries)

    for points, scores in zip(found, queries @ vectors.T, strict=True):
        assert points == {point_id(str(i)) for i in np.argsort(-scores)[:10]}


def test_ratios_above_1_are_better() -> None:
    memory = {"own": 50.0, "mapped": 50.0}
    times = {"p50": 5.0, "p95": 10.0}
    asked = dict.fromkeys(["hybrid", "hybrid, 8 clients", "encoding", "first search"], times)
    search = {**asked, "processor": 4.0, "memory": memory, "recall@10": 0.99}
    build = {"store": 1.5, "graph": 0.5, "disk": 10.0, "memory": memory}
    scan = {"dense": {"p50": 10.0, "p95": 40.0}, "memory": {"own": 300.0, "mapped": 0.0}}

    found = {row["name"]: row for row in rows({"size": 1000, "build": build, "search": search, "scan": scan})}

    p95 = found["1,000 passages: search p95, hybrid; peer: numpy scan, dense alone"]
    assert (p95["ours"], p95["peer"], p95["ratio"]) == (10.0, 40.0, 4.0)
    assert found["1,000 passages: memory with mapped files; peer: numpy scan, vectors alone"]["ratio"] == 3.0
    assert found["1,000 passages: recall@10; peer: exact"]["ratio"] == 0.99
    built = found["1,000 passages: build without encoding; peer: bm25s"]
    assert (built["ours"], built["ratio"]) == (2.0, None)
