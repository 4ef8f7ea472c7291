"""The report stage: tables, verdict, promotion, plot data and pages, in the forms that other programs read."""

import csv
import json

import pandas as pd
import pytest

from domain_embeddings.core.metrics import METRICS
from domain_embeddings.params.search import SearchParams
from domain_embeddings.systems.system import family
from tests.stages.conftest import Pipeline

SYSTEMS = [system.name for system in family(aliases=False, params=SearchParams())]
ARMS = {*SYSTEMS, "shipped"}


def test_evaluate_json_has_the_fixed_form(pipeline: Pipeline) -> None:
    table = pipeline.json("metrics/tiny/evaluate.json")

    assert table.keys() >= ARMS
    for arm in table.values():
        assert arm.keys() == {"recall@1", "recall@5", "recall@10", "mrr@10", "ndcg@10", "n_queries"}
        assert arm["n_queries"] == 23
        assert all(0 <= arm[metric] <= 1 for metric in METRICS)
        assert arm["recall@1"] <= arm["recall@5"] <= arm["recall@10"]
    assert table["base"]["recall@10"] > 0.5  # the figure of a ranking, not of an empty file


def test_verdict_json_has_the_fixed_form(pipeline: Pipeline) -> None:
    found = pipeline.json("metrics/tiny/verdict.json")
    table = pipeline.json("metrics/tiny/evaluate.json")

    assert found.keys() == {
        "verdict", "metric", "delta", "ci95", "p", "promoted", "shipped", "shipped_delta", "shipped_ci95",
    }  # fmt: skip
    assert (found["verdict"], found["metric"], found["promoted"]) == ("underpowered", "ndcg@10", "base")
    for arm, name in (("tuned", ""), (found["shipped"], "shipped_")):
        delta, (low, high) = found[f"{name}delta"], found[f"{name}ci95"]
        assert delta == pytest.approx(table[arm]["ndcg@10"] - table["base"]["ndcg@10"], abs=2e-6)
        assert low <= delta <= high
    assert 0 <= found["p"] <= 1


def test_what_is_shipped_is_an_arm_of_its_own(pipeline: Pipeline) -> None:
    shipped = pipeline.json("metrics/tiny/verdict.json")["shipped"]
    table, statistics = (pipeline.json(f"metrics/tiny/{name}.json") for name in ("evaluate", "significance"))

    assert set(table) == ARMS
    assert table["shipped"] == table[shipped]
    assert statistics["intervals"]["shipped"] == statistics["intervals"][shipped]
    assert [found["name"] for found in statistics["comparisons"]] == [
        "shipped − base", "shipped − bm25", "tuned − base", "hybrid_tuned − hybrid_base",
    ]  # fmt: skip


def test_slices_add_up_to_the_whole(pipeline: Pipeline) -> None:
    slices = pipeline.json("metrics/tiny/slices.json")
    whole = pipeline.json("metrics/tiny/evaluate.json")["tuned"]["mrr@10"] * 23

    parts = [value["tuned"] for value in slices["domain"].values()]

    assert sum(part["n_queries"] for part in parts) == 23
    assert sum(part["mrr@10"] * part["n_queries"] for part in parts) == pytest.approx(whole, abs=1e-4)


def test_dvc_shows_metrics_and_plots(pipeline: Pipeline) -> None:
    shown = json.loads(pipeline.dvc("metrics", "show", "--json"))[""]["data"]
    with (pipeline.root / "metrics/tiny/loss.csv").open() as file:
        steps = [int(row["step"]) for row in csv.DictReader(file)]

    assert shown["metrics/tiny/verdict.json"]["data"]["verdict"] == "underpowered"
    assert steps == sorted(set(steps))
    assert steps


def test_the_tables_are_those_of_the_per_query_rows(pipeline: Pipeline) -> None:
    rows = pd.read_json(pipeline.root / "data/evaluate/tiny/per_query.jsonl", lines=True)
    table = pipeline.json("metrics/tiny/evaluate.json")

    for arm, metric in (("bm25", "recall@1"), ("hybrid_tuned", "ndcg@10"), ("tuned", "mrr@10")):
        assert table[arm][metric] == pytest.approx(rows[rows["arm"] == arm][metric].mean(), abs=1e-6)
    written = (pipeline.root / "metrics/tiny/report.md").read_text(encoding="utf-8")
    page = (pipeline.root / "data/report/tiny/report.html").read_text(encoding="utf-8")
    for arm in ARMS:
        assert f"{table[arm]['ndcg@10']:.3f}" in written
        assert f"{table[arm]['ndcg@10']:.3f}" in page


def test_recall_of_the_curve_is_recall_of_the_table(pipeline: Pipeline) -> None:
    table = pipeline.json("metrics/tiny/evaluate.json")
    curve = pd.read_csv(pipeline.root / "metrics/tiny/recall.csv").set_index(["arm", "k"])["recall"]

    for arm in ARMS:
        assert curve[arm, 5] == pytest.approx(table[arm]["recall@5"], abs=1e-6)
    assert max(k for _, k in curve.index) == 20  # search.depth


def test_the_spread_of_seeds_is_reported(pipeline: Pipeline) -> None:
    found = pipeline.json("metrics/tiny/significance.json")
    rows = pd.read_json(pipeline.root / "data/evaluate/tiny/per_query.jsonl", lines=True)
    means = rows.groupby("arm")["ndcg@10"].mean()

    assert [gain["seed"] for gain in found["seeds"]] == [42, 7]
    assert found["seeds"][1]["delta"] == pytest.approx(means["tuned_seed7"] - means["base"], abs=1e-6)
    assert found["seed_spread"] >= 0
    assert set(pipeline.json("metrics/tiny/evaluate.json")) == ARMS  # a seed is no arm to choose


def test_every_plot_draws_its_columns(pipeline: Pipeline) -> None:
    shown = json.loads(pipeline.dvc("plots", "show", "--json"))["data"]

    columns = {"arms": {"panel", "arm", "value", "low", "high"}, "recall": {"arm", "k", "recall"}}
    for name, expected in columns.items():
        (plot,) = shown[f"metrics/tiny/{name}.csv"]
        assert expected <= plot["content"]["data"]["values"][0].keys()


def test_the_promotion_says_why(pipeline: Pipeline) -> None:
    found, verdict = (pipeline.json(f"metrics/tiny/{name}.json") for name in ("promotion", "verdict"))
    (system,) = [
        each for each in pipeline.json("data/evaluate/tiny/systems.json")
        if each["system"]["name"] == verdict["shipped"]
    ]  # fmt: skip

    assert (found["promoted"], found["shipped"]["arm"]) == (verdict["promoted"], verdict["shipped"])
    assert (found["shipped"]["system"], found["shipped"]["kb"]) == (system["system"], round(system["bytes"] / 1000, 1))
    assert found["promoted"] == system["system"]["model"]
    assert found["reason"] == found["shipped"]["reason"]
    assert "late_hybrid_base is the default" in found["reason"]
    assert not found["dev"]["synthetic"]
    assert [(row["corpus"], row["n"]) for row in found["guard"]] == [("all together", 10), ("pumps", 10)]


def test_the_systems_of_the_report_are_what_search_answers_with(pipeline: Pipeline) -> None:
    promotion = pipeline.json("metrics/tiny/promotion.json")
    (folder,) = pipeline.root.glob("models/tiny-embeddings-v*")

    assert json.loads((folder / "search.json").read_text(encoding="utf-8")) == promotion["shipped"]["system"]
