"""The metrics by hand, within their bounds, and as ranx has them."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ranx import Qrels as RanxQrels
from ranx import Run as RanxRun
from ranx import evaluate

from domain_embeddings.core.lexical import BM25
from domain_embeddings.core.metrics import METRICS, ndcg, recall, reciprocal_rank, score
from domain_embeddings.core.ranking import rank
from scripts.dependencies import ROOT

RANKING = ["a", "b", "c", "d", "e"]


def test_recall_is_over_all_relevant_passages() -> None:
    grades = {"a": 1, "d": 2, "x": 1, "b": 0}  # x is not found, b is judged irrelevant

    assert recall(RANKING, grades, 1) == 1 / 3
    assert recall(RANKING, grades, 3) == 1 / 3
    assert recall(RANKING, grades, 4) == 2 / 3
    assert recall(RANKING, grades, 10) == 2 / 3


def test_recall_at_1_stays_below_1_for_two_relevant_passages() -> None:
    assert recall(["a", "b"], {"a": 1, "b": 1}, 1) == 0.5


@pytest.mark.parametrize(
    ("grades", "expected"), [({"a": 1}, 1.0), ({"c": 1, "e": 3}, 1 / 3), ({"a": 0, "b": 1}, 1 / 2), ({"x": 1}, 0.0)]
)
def test_reciprocal_rank(grades: dict[str, int], expected: float) -> None:
    assert reciprocal_rank(RANKING, grades, 10) == expected


def test_reciprocal_rank_is_cut_off() -> None:
    assert reciprocal_rank(RANKING, {"e": 1}, 5) == 1 / 5
    assert reciprocal_rank(RANKING, {"e": 1}, 4) == 0


def test_ndcg_has_the_grade_as_gain() -> None:
    grades = {"b": 1, "c": 3, "x": 2}
    found = 1 / math.log2(3) + 3 / math.log2(4)
    ideal = 3 / math.log2(2) + 2 / math.log2(3) + 1 / math.log2(4)

    assert ndcg(RANKING, grades, 10) == pytest.approx(found / ideal)
    assert ndcg(RANKING, grades, 10) == pytest.approx(0.44749950)  # 2.1309298 / 4.7618595


def test_ndcg_is_cut_off_on_both_sides() -> None:
    grades = {"b": 1, "c": 1, "d": 1}

    assert ndcg(RANKING, grades, 2) == pytest.approx((1 / math.log2(3)) / (1 + 1 / math.log2(3)))


def test_an_empty_ranking_scores_zero() -> None:
    assert score([], {"a": 1}) == dict.fromkeys(METRICS, 0.0)


def test_the_best_ranking_scores_one() -> None:
    assert score(["a", "b", "c"], {"a": 3}) == dict.fromkeys(METRICS, 1.0)


@pytest.mark.parametrize("grades", [{}, {"a": 0}])
def test_a_question_without_a_relevant_passage_measures_nothing(grades: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="recall is undefined"):
        recall(RANKING, grades, 5)
    with pytest.raises(ValueError, match="nDCG is undefined"):
        ndcg(RANKING, grades, 5)


_IDS = [f"p{i}" for i in range(30)]
_RANKINGS = st.permutations(_IDS).flatmap(lambda ids: st.integers(0, 30).map(lambda n: ids[:n]))
_GRADES = st.dictionaries(st.sampled_from(_IDS), st.integers(0, 3), min_size=1).filter(lambda g: any(g.values()))


@given(_RANKINGS, _GRADES)
def test_all_metrics_lie_between_0_and_1(ranking: list[str], grades: dict[str, int]) -> None:
    found = score(ranking, grades)

    assert all(0 <= value <= 1 + 1e-12 for value in found.values())
    assert found["recall@1"] <= found["recall@5"] <= found["recall@10"]
    assert found["recall@1"] <= found["mrr@10"]
    assert (found["recall@10"] > 0) == (found["mrr@10"] > 0) == (found["ndcg@10"] > 0)


@given(_GRADES)
def test_the_order_of_grades_is_ideal(grades: dict[str, int]) -> None:
    assert ndcg(sorted(grades, key=lambda passage: -grades[passage]), grades, 10) == pytest.approx(1)


def _ours(rankings: dict[str, list[str]], qrels: dict[str, dict[str, int]]) -> dict[str, list[float]]:
    rows = [score(rankings[query], qrels[query]) for query in qrels]
    return {metric: [row[metric] for row in rows] for metric in METRICS}


def _theirs(rankings: dict[str, list[str]], qrels: dict[str, dict[str, int]]) -> dict[str, list[float]]:
    """Ranx's values of the same rankings: strictly falling scores, so that it sorts as we did."""
    run = {q: {p: 1.0 / (i + 1) for i, p in enumerate(ranking)} for q, ranking in rankings.items()}
    qrels = {q: {p: grade for p, grade in grades.items() if grade > 0} for q, grades in qrels.items()}
    found = evaluate(RanxQrels(qrels), RanxRun(run), list(METRICS), return_mean=False)
    order = sorted(qrels)  # as ranx does
    return {metric: [float(found[metric][order.index(query)]) for query in qrels] for metric in METRICS}


def test_ranx_agrees_on_random_rankings_and_grades() -> None:
    generator = np.random.default_rng(0)
    rankings, qrels = {}, {}
    for number in range(100):
        ids = [_IDS[i] for i in generator.permutation(30)]
        rankings[f"q{number:03}"] = ids[: generator.integers(1, 30)]
        judged = generator.choice(30, size=generator.integers(1, 15), replace=False)
        qrels[f"q{number:03}"] = {_IDS[i]: int(generator.integers(0, 4)) for i in judged} | {_IDS[judged[0]]: 2}

    ours, theirs = _ours(rankings, qrels), _theirs(rankings, qrels)

    for metric in METRICS:
        assert ours[metric] == pytest.approx(theirs[metric], abs=1e-6)


def test_ranx_agrees_on_bm25_over_manuals_with_ties() -> None:
    lines = (ROOT / "data/raw/manuals/hvac/kestwick_cb90_condensing_boiler.txt").read_text(encoding="utf-8")
    texts = {f"line{i}": line for i, line in enumerate(lines.splitlines()) if line.strip()}
    rows = (ROOT / "data/raw/manuals/questions.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [row["text"] for row in map(json.loads, rows) if row["_id"].startswith("hvac")][:40]
    bm25 = BM25(list(texts.values()))
    run = rank([f"q{i:02}" for i in range(40)], list(texts), lambda part: bm25.scores(asked[part]), 50)
    rankings = {query: list(scores) for query, scores in run.items() if len(scores) > 8}
    # Judged: what stands on ranks 2, 5 and 8, and a line that is not found.
    qrels = {q: {found[1]: 1, found[4]: 3, found[7]: 2, "line0": 1} for q, found in rankings.items()}

    ours, theirs = _ours(rankings, qrels), _theirs(rankings, qrels)

    assert sum(len(set(run[q].values())) < len(run[q]) for q in rankings) > 20  # ties there are
    for metric in METRICS:
        assert ours[metric] == pytest.approx(theirs[metric], abs=1e-6)
