"""How much of their answers' words questions have."""

import json
from pathlib import Path

import pytest

from benchmarks import dev_overlap
from benchmarks.dev_overlap import Figures, Overlap, measured, overlap, rows
from domain_embeddings.core.beir_files import write_dataset
from domain_embeddings.core.dataset import Dataset, Passage, Query
from domain_embeddings.core.lexical import BM25
from tests.synthesis.test_synthetic_dev import many


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("How do I bleed the brakes?", Overlap(3 / 6, 1.0, 3)),  # bleed the brakes
        ("the brakes bleed", Overlap(1.0, 1.0, 2)),
        ("squashy pedal", Overlap(0.0, 0.0, 0)),
        ("bleeding of pedals", Overlap(1 / 3, 1 / 2, 1)),
    ],
)
def test_overlap_of_one_question(question: str, found: Overlap) -> None:
    assert overlap(question, "Bleeding the brake is done with a hose.") == pytest.approx(found)


def test_the_answer_with_most_of_the_words_counts_and_bm25_ranks_all_passages() -> None:
    texts = {"one": "Bleed the brake.", "two": "Vent it.", "three": "Grease the chain."}
    corpus = {i: Passage(i, "", text) for i, text in texts.items()}
    queries = {"a": Query("a", "bleed brakes"), "b": Query("b", "greasy rope")}
    qrels = {"a": {"one": 1, "two": 1, "three": 0}, "b": {"two": 1}}
    dataset = Dataset(corpus, queries, {"dev": qrels})

    found = measured(dataset, queries, qrels, BM25(list(texts.values())))

    # a finds one of its two answers first: 1 / (1 + 1 / log2(3)) = 0.613; b finds none
    assert found == Figures(2, 0.5, 0.5, 0.5, 0.95, 0.307)


def test_rows_stand_beside_peoples_where_there_are_any() -> None:
    ours, peer = Figures(100, 0.4, 0.5, 1.0, 2.0, 0.6), Figures(50, 0.5, 0.5, 2.0, 4.0, 0.5)

    assert rows("docs", ours, peer)[-1] == {
        "name": "docs: bm25, synthetic dev questions; peer: people's train and dev questions",
        "unit": "ndcg@10",
        "ours": 0.6,
        "peer": 0.5,
        "ratio": 1.2,
    }
    assert {(row["peer"], row["ratio"]) for row in rows("docs", ours, None)} == {(None, None)}


def test_a_small_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    queries = {"q": Query("q", "what holds sample 3")}
    write_dataset(tmp_path / "docs", Dataset(many(80), queries, {"dev": {"q": {"p0003": 1}}}))
    monkeypatch.setattr("sys.argv", ["dev_overlap", str(tmp_path / "docs"), "--json", str(tmp_path / "found.json")])

    dev_overlap.main()

    told = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert [row["unit"] for row in told] == list(dev_overlap.UNITS)
    assert told[0]["peer"] == 1
    assert "| docs | 1 / " in capsys.readouterr().out
