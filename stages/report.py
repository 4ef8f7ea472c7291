"""Turn per-query results into the figures that are kept in Git: tables, slices, verdict, plot data.

Reads data/ingest/<corpus>/, data/train/<corpus>/history.json and
data/evaluate/<corpus>/per_query.jsonl; writes metrics/<corpus>/. Cheap: it encodes nothing.

    python -m stages.report manuals
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from domain_embeddings import topics, verdict
from domain_embeddings.dataset import Dataset, Query, read_dataset, read_jsonl, write_json
from domain_embeddings.metrics import METRICS
from domain_embeddings.params.report import ReportParams
from domain_embeddings.significance import paired
from stages.workspace import corpus_argument, metrics_folder, section, stage_folder

SLICES = ("domain", "type", "difficulty", "category", "names")
DIGITS = 6


def load_results(path: Path, dataset: Dataset) -> pd.DataFrame:
    """Per-query results with what is known of each question, `names` from its `extra`, and its best passage's type."""
    results = pd.DataFrame([row for _, row in read_jsonl(path)])
    asked = [dataset.queries[query_id] for query_id in results["query_id"]]
    for name in ("domain", "difficulty", "category"):
        results[name] = [getattr(query, name) for query in asked]
    results["names"] = [query.extra.get("names") for query in asked]
    grades = dataset.qrels["test"]
    best = {
        query_id: max(grades[query_id], key=lambda passage: grades[query_id][passage])
        for query_id in set(results["query_id"])
    }
    results["type"] = [dataset.corpus[best[query_id]].type for query_id in results["query_id"]]
    return results


def arm_table(results: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Arm → mean of every metric, and the number of questions."""
    table: dict[str, dict[str, Any]] = {}
    for arm, rows in results.groupby("arm", sort=False):
        means = {metric: round(float(rows[metric].mean()), DIGITS) for metric in METRICS}
        table[str(arm)] = {**means, "n_queries": len(rows)}
    return table


def slice_tables(results: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Slice → value → the arms' table, for every slice that tells questions apart."""
    return {
        name: {str(value): arm_table(rows) for value, rows in results.groupby(name) if value}
        for name in SLICES
        if results[name].nunique() > 1
    }


def topic_table(results: pd.DataFrame, dataset: Dataset) -> dict[str, dict[str, Any]]:
    """Arm → how much of the topics that questions expect is in the first five passages; empty where none do."""
    found = results[[bool(_expected(dataset.queries[query_id])) for query_id in results["query_id"]]]
    return {str(arm): _topic_scores(rows, dataset) for arm, rows in found.groupby("arm", sort=False)}


def _expected(query: Query) -> list[str]:
    return list(query.extra.get("expected_topics") or ())


def _topic_scores(rows: pd.DataFrame, dataset: Dataset) -> dict[str, Any]:
    """Means of topics.topic_coverage, rubric and spoilers over one arm's questions."""
    covered, spoiled = [], []
    for query_id, found in zip(rows["query_id"], rows["found"], strict=True):
        query, passages = dataset.queries[query_id], [dataset.corpus[passage_id] for passage_id in found]
        limit = query.extra.get("temporal_limit")
        covered.append(topics.topic_coverage(passages, _expected(query), limit))
        spoiled.append(topics.spoilers(passages, limit))
    return {
        "topic_coverage@5": round(float(np.mean(covered)), DIGITS),
        "rubric": round(float(np.mean([topics.rubric(share) for share in covered])), DIGITS),
        "spoilers@5": round(float(np.mean(spoiled)), DIGITS),
        "n_queries": len(rows),
    }


def judge(results: pd.DataFrame, params: ReportParams) -> dict[str, Any]:
    """The verdict on tuned against base."""
    wide = results.pivot(index="query_id", columns="arm", values=verdict.METRIC)
    ours, theirs = (wide[arm].to_numpy(dtype=np.float64) for arm in ("tuned", "base"))
    return verdict.verdict(paired(ours, theirs, params.resamples, params.seed), params)


def write_plots(folder: Path, table: dict[str, dict[str, Any]], history: dict[str, Any]) -> None:
    """Plot data: loss and dev curves by step, arms by metric."""
    pd.DataFrame(history["loss"]).to_csv(folder / "loss.csv", index=False, lineterminator="\n")
    pd.DataFrame(history["dev"]).round(DIGITS).to_csv(folder / "dev.csv", index=False, lineterminator="\n")
    bars = [{"arm": arm, **{metric: row[metric] for metric in METRICS}} for arm, row in table.items()]
    pd.DataFrame(bars).to_csv(folder / "arms.csv", index=False, lineterminator="\n")


def main() -> None:
    """Aggregate, judge, write."""
    name = corpus_argument()
    params = section("report", ReportParams)
    dataset = read_dataset(stage_folder("ingest", name))
    results = load_results(stage_folder("evaluate", name) / "per_query.jsonl", dataset)
    history = json.loads((stage_folder("train", name) / "history.json").read_text(encoding="utf-8"))
    folder = metrics_folder(name)
    table = arm_table(results)
    write_json(folder / "evaluate.json", table)
    by_topic = topic_table(results, dataset)
    write_json(folder / "slices.json", {**slice_tables(results), **({"topics": by_topic} if by_topic else {})})
    write_json(folder / "verdict.json", judge(results, params))
    write_plots(folder, table, history)


if __name__ == "__main__":
    main()
