"""From per-query rows to a summary: what is shipped has an arm of its own, the guard speaks as a whole."""

from typing import Any

import pandas as pd
import pytest

from domain_embeddings.core.dataset import Dataset, Passage, Query
from domain_embeddings.core.metrics import METRICS
from domain_embeddings.evaluation.result_tables import with_slices
from domain_embeddings.evaluation.summarizing import ALL, Results, guards, summarize, tables, with_shipped
from domain_embeddings.params.report import ReportParams
from domain_embeddings.params.search import SearchParams
from domain_embeddings.systems.system import family
from tests.knobs import knobs

PARAMS = knobs("report", ReportParams, resamples=200, min_delta=0.005, max_loss=0.02, min_groups=12)
SYSTEMS = family(aliases=False, params=SearchParams())
ARMS = [system.name for system in SYSTEMS]
QUESTIONS = [f"q{i:02}" for i in range(60)]
DATASET = Dataset(
    {"p": Passage("p", "A", "a"), "r": Passage("r", "B", "b")},
    {i: Query(i, "?", extra={"written_by": "people"}) for i in QUESTIONS},
    {"test": {i: {"p": 1} for i in QUESTIONS}},
)
STORED = {arm: 6_660 if arm.startswith("late") else 1_536 for arm in ARMS} | {"bm25": 0}


def _rows(scores: dict[str, float], **columns: Any) -> pd.DataFrame:
    """Every arm's rows, each question of a score a little of its own and in a group of its own."""
    return pd.DataFrame(
        {
            "arm": arm,
            "query_id": query_id,
            "group": query_id,
            **dict.fromkeys(METRICS, score + (0.001 * (i % 5) if arm != "base" else 0.0)),
            "found": ["p", "r"],
            "ranks": [1],
            "relevant": 1,
            **columns,
        }
        for arm, score in scores.items()
        for i, query_id in enumerate(QUESTIONS)
    )


def _results(dev: dict[str, float], guard: pd.DataFrame, **changes: Any) -> Results:
    test = {**dict.fromkeys(ARMS, 0.5), "tuned": 0.6, "late_hybrid": 0.7, "tuned_seed7": 0.55}
    values: dict[str, Any] = {
        "corpus": "docs",
        "kind": "beir",
        "dataset": DATASET,
        "ingested": {},
        "test": with_slices(_rows(test), DATASET),
        "dev": _rows({**dict.fromkeys(ARMS, 0.5), **dev}),
        "synthetic_dev": False,
        "dev_asked_by": "people",
        "log": pd.DataFrame(),
        "guard": guard,
        "history": {"loss": [], "dev": [], "best_share": 0.5},
        "seeds": [42],
        "depth": 10,
        "systems": SYSTEMS,
        "stored": STORED,
        "budget_kb": None,
        "skipped": {},
    }
    return Results(**{**values, **changes})


def _guard(**losses: float) -> pd.DataFrame:
    """Collections, each with sixty questions that the tuned model answers so much worse."""
    found = []
    for name, loss in losses.items():
        rows = _rows({"base": 0.5, "tuned": 0.5 - loss}, corpus=name)
        names = f"{name}/" + rows["query_id"]
        found.append(rows.assign(query_id=names, group=names))
    return pd.concat(found)


def test_the_guard_speaks_as_a_whole_first() -> None:
    found = guards(_guard(lore=0.05, pumps=-0.05), PARAMS)

    assert [(one.corpus, one.n, one.holds) for one in found] == [
        (ALL, 120, True), ("lore", 60, False), ("pumps", 60, True),
    ]  # fmt: skip
    assert guards(pd.DataFrame(), PARAMS) == []


def test_what_is_shipped_has_the_rows_of_its_arm() -> None:
    rows = _rows({"base": 0.5, "late_hybrid": 0.7})

    found = with_shipped(rows, "late_hybrid")

    assert len(found) == 3 * len(QUESTIONS)
    for arm in ("late_hybrid", "shipped"):
        assert list(found.loc[found["arm"] == arm, "ndcg@10"]) == list(
            rows.loc[rows["arm"] == "late_hybrid", "ndcg@10"]
        )


def test_a_system_of_the_tuned_model_that_proves_itself_is_shipped() -> None:
    results = _results({"late_hybrid": 0.7}, _guard(lore=-0.01))

    summary = summarize(results, PARAMS)

    assert summary.verdict.shipped == summary.promotion.shipped.arm == "late_hybrid"
    assert (summary.promotion.promoted, summary.promotion.share) == ("tuned", 0.5)
    assert (summary.promotion.shipped.kb, summary.promotion.shipped.system["model"]) == (6.7, "tuned")
    assert [found.name for found in summary.comparisons] == [
        "shipped − base", "shipped − bm25", "tuned − base", "hybrid_tuned − hybrid_base",
    ]  # fmt: skip
    assert summary.verdict.shipped_delta == summary.comparisons[0].overall.delta == pytest.approx(0.202)
    assert summary.verdict.delta == summary.comparisons[2].overall.delta == pytest.approx(0.102)
    assert summary.arms["shipped"] == summary.arms["late_hybrid"]
    assert list(summary.arms) == [*ARMS, "shipped"]  # a seed is no arm to choose
    assert (summary.asked_by, summary.promotion.dev.asked_by) == ("people", "people")


@pytest.mark.parametrize(
    ("changes", "shipped"),
    [
        ({"guard": _guard(lore=0.05)}, "late_hybrid_base"),
        ({"budget_kb": 2.0}, "hybrid_base"),
        ({"synthetic_dev": True}, "late_hybrid_base"),
    ],
    ids=["guard", "budget", "made questions"],
)
def test_guard_budget_and_made_questions_leave_it_out(changes: dict[str, Any], shipped: str) -> None:
    dev = {"late_hybrid": 0.8, "late_hybrid_base": 0.7, "hybrid_base": 0.6}
    results = _results(dev, **{"guard": _guard(lore=-0.01), **changes})

    summary = summarize(results, PARAMS)

    assert summary.promotion.promoted == "base"
    assert summary.verdict.shipped == shipped
    assert summary.promotion.reason == summary.promotion.shipped.reason


def test_what_another_seed_changes_is_no_gain() -> None:
    rows = _rows({**dict.fromkeys(ARMS, 0.5), "tuned": 0.6, "tuned_seed7": 0.3})
    dev = {"late_hybrid": 0.7, "tuned": 0.6, "tuned_seed7": 0.3}
    results = _results(dev, _guard(lore=-0.01), seeds=[42, 7], test=with_slices(rows, DATASET))

    summary = summarize(results, PARAMS)

    assert summary.seed_spread == pytest.approx(0.212132)  # 0.3 / √2: twice that is more than the gain of 0.2
    assert summary.promotion.promoted == "base"


@pytest.mark.parametrize(("other_seed", "expected"), [(0.9, "improved"), (0.3, "unchanged")])
def test_what_is_shipped_is_compared_with_the_noise_of_seeds_on_test(other_seed: float, expected: str) -> None:
    rows = _rows({**dict.fromkeys(ARMS, 0.5), "late_hybrid": 0.7, "tuned": 0.9, "tuned_seed7": other_seed})
    dev = {"late_hybrid": 0.7, "tuned": 0.6, "tuned_seed7": 0.6}
    results = _results(dev, _guard(lore=-0.01), seeds=[42, 7], test=with_slices(rows, DATASET))

    summary = summarize(results, PARAMS)

    assert summary.verdict.shipped == "late_hybrid"
    assert {found.name: found.overall.word for found in summary.comparisons}["shipped − base"] == expected


def test_the_tables_have_what_is_shipped_too() -> None:
    results = _results({"late_hybrid": 0.7}, _guard(lore=-0.01))

    found = tables(summarize(results, PARAMS), results)

    assert found["evaluate.json"]["shipped"] == found["evaluate.json"]["late_hybrid"]
    assert "tuned_seed7" not in found["evaluate.json"]
    assert found["verdict.json"]["shipped"] == found["promotion.json"]["shipped"]["arm"] == "late_hybrid"
    assert found["promotion.json"]["guard"][0]["corpus"] == ALL
    assert found["significance.json"]["asked_by"] == "people"
