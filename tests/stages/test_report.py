"""The report stage: tables, slices, verdict and plot data, in the forms that other programs read."""

import csv
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from domain_embeddings.dataset import Dataset, Passage, Query, write_jsonl
from domain_embeddings.metrics import METRICS
from domain_embeddings.params.report import ReportParams
from stages.report import arm_table, judge, load_results, slice_tables, write_plots
from tests.knobs import knobs
from tests.stages.conftest import Pipeline

ARMS = {"bm25", "base", "tuned", "hybrid_base", "hybrid_tuned"}
DATASET = Dataset(
    {"p": Passage("p", "A", "a", "hvac", "procedure"), "r": Passage("r", "B", "b", "radar", "reference")},
    {"q1": Query("q1", "?", "hvac", "", "hard"), "q2": Query("q2", "?", "radar", "", "hard")},
    {"test": {"q1": {"p": 1, "r": 2}, "q2": {"p": 1}}},
)


def _row(arm: str, query_id: str, value: float) -> dict[str, Any]:
    return {"arm": arm, "query_id": query_id, **dict.fromkeys(METRICS, value), "found": []}


@pytest.fixture
def results(tmp_path: Path) -> pd.DataFrame:
    rows = [_row("base", "q1", 0.25), _row("base", "q2", 0.5), _row("tuned", "q1", 1 / 3), _row("tuned", "q2", 1.0)]
    write_jsonl(tmp_path / "per_query.jsonl", rows)
    return load_results(tmp_path / "per_query.jsonl", DATASET)


def test_results_know_their_questions(results: pd.DataFrame) -> None:
    assert list(results["domain"]) == ["hvac", "radar"] * 2
    assert list(results["type"]) == ["reference", "procedure"] * 2  # of the passage with the highest grade


def test_an_arm_has_the_means(results: pd.DataFrame) -> None:
    assert arm_table(results) == {
        "base": {**dict.fromkeys(METRICS, 0.375), "n_queries": 2},
        "tuned": {**dict.fromkeys(METRICS, 0.666667), "n_queries": 2},
    }


def test_slices_are_those_that_tell_questions_apart(results: pd.DataFrame) -> None:
    slices = slice_tables(results)

    assert {"domain", "type"} <= slices.keys()
    assert not {"difficulty", "category"} & slices.keys()  # all hard, all without a category
    assert slices["domain"]["radar"]["tuned"] == {**dict.fromkeys(METRICS, 1.0), "n_queries": 1}
    assert slices["type"]["reference"]["base"] == {**dict.fromkeys(METRICS, 0.25), "n_queries": 1}


def test_the_verdict_is_tuned_against_base(results: pd.DataFrame) -> None:
    found = judge(results, knobs("report", ReportParams, resamples=100))

    assert found["delta"] == pytest.approx(((1 / 3 - 0.25) + 0.5) / 2, abs=1e-6)
    assert (found["verdict"], found["promoted"]) == ("underpowered", "base")  # two questions


def test_plot_data(results: pd.DataFrame, tmp_path: Path) -> None:
    history = {"loss": [{"step": 2, "loss": 0.5}], "dev": [{"step": 2, "dev_ndcg@10": 1 / 3}]}

    write_plots(tmp_path, arm_table(results), history)

    assert (tmp_path / "loss.csv").read_text() == "step,loss\n2,0.5\n"
    assert (tmp_path / "dev.csv").read_text() == "step,dev_ndcg@10\n2,0.333333\n"
    assert (tmp_path / "arms.csv").read_text().splitlines()[0] == "arm," + ",".join(METRICS)
    assert pd.read_csv(tmp_path / "arms.csv").set_index("arm").loc["base", "recall@1"] == 0.375


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

    assert {"verdict", "metric", "delta", "ci95", "p", "promoted"} <= found.keys()
    assert (found["verdict"], found["metric"], found["promoted"]) == ("underpowered", "ndcg@10", "base")
    assert found["delta"] == pytest.approx(table["tuned"]["ndcg@10"] - table["base"]["ndcg@10"], abs=2e-6)
    assert found["ci95"][0] <= found["delta"] <= found["ci95"][1]
    assert 0 <= found["p"] <= 1


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
