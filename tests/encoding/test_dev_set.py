"""Dev questions and the pool that they are ranked against."""

import pytest

from domain_embeddings.core.dataset import Passage, Query
from domain_embeddings.encoding.dev_set import Dev, per_query
from domain_embeddings.encoding.encoder import Model


def _corpus(size: int) -> dict[str, Passage]:
    return {f"p{i}": Passage(f"p{i}", "", f"word{i} filler text number {i}") for i in range(size)}


def test_a_small_dev_corpus_is_kept_whole() -> None:
    dev = Dev.sample(_corpus(100), {"q": Query("q", "word3")}, {"q": {"p3": 1}}, 100, seed=1)

    assert list(dev.passages) == list(_corpus(100))


def test_a_large_dev_corpus_keeps_the_judged_and_the_likely() -> None:
    queries = {"q": Query("q", "word3 word150")}
    qrels = {"q": {"p190": 1, "p191": 0}}

    dev = Dev.sample(_corpus(200), queries, qrels, 100, seed=1)

    assert len(dev.passages) == 100
    assert {"p190", "p191", "p3", "p150"} <= dev.passages.keys()
    assert list(dev.passages) == [i for i in _corpus(200) if i in dev.passages]
    assert Dev.sample(_corpus(200), queries, qrels, 100, seed=1) == dev
    assert Dev.sample(_corpus(200), queries, qrels, 100, seed=2) != dev


def test_every_question_has_its_scores(base: Model) -> None:
    texts = {"a": "bleeding the brakes", "b": "radar antenna gain"}
    queries = {"x": Query("x", "how to bleed brakes"), "y": Query("y", "how to bleed brakes")}

    found = per_query(base, Dev(texts, queries, {"x": {"a": 1}, "y": {"b": 1}}))

    assert found["x"]["recall@1"] == 1.0
    assert (found["y"]["recall@1"], found["y"]["mrr@10"]) == (0.0, pytest.approx(1 / 2))
