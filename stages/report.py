"""Turn per-query results into the figures that are kept in Git, and into a page to read.

Reads data/ingest/<corpus>/, data/synthesize/<corpus>/statistics.json, data/train/<corpus>/history.json,
data/evaluate/<corpus>/ and data/guard/<corpus>/; writes metrics/<corpus>/ (tables, verdict, promotion, plot data,
report.md) and data/report/<corpus>/report.html. Cheap: it encodes nothing.

    python -m stages.report manuals
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from domain_embeddings import markdown_report, page, results, topics, verdict
from domain_embeddings.dataset import Dataset, Query, read_dataset, read_jsonl, write_json
from domain_embeddings.metrics import METRICS
from domain_embeddings.params.evaluate import SEED_ARM
from domain_embeddings.params.report import ReportParams
from domain_embeddings.summary import (
    DevPoint,
    Guard,
    LossPoint,
    Row,
    Summary,
    Training,
)
from stages.start import run_stage
from stages.workspace import asks_synthetic, corpus_argument, load_params, metrics_folder, section, stage_folder

CASES = 10
SPLITS = {
    "manuals": "Split as questions.jsonl declares.",
    "encyclopedia": "Split as the questions declare; where they declare nothing, drawn by the entity asked for.",
    "beir": "The splits of the collection.",
}


def load_rows(path: Path) -> pd.DataFrame:
    """Per-query rows."""
    return pd.DataFrame([row for _, row in read_jsonl(path)])


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
        "topic_coverage@5": round(float(np.mean(covered)), verdict.DIGITS),
        "rubric": round(float(np.mean([topics.rubric(share) for share in covered])), verdict.DIGITS),
        "spoilers@5": round(float(np.mean(spoiled)), verdict.DIGITS),
        "n_queries": len(rows),
    }


def how_split(corpus: str, kind: str) -> str:
    """A sentence on how the questions were split."""
    counts = json.loads((stage_folder("ingest", corpus) / "report.json").read_text(encoding="utf-8"))["counts"]
    if kind == "memories":
        return (
            "Split by memory: no memory asked for in dev or test, nor a near-copy, is in training."
            if "split_by.memory" in counts
            else "Split by query, the weaker way: test asks in new words for memories that training has seen."
        )
    return SPLITS[kind]


def guards(corpus: str, params: ReportParams) -> list[Guard]:
    """What the dev questions of every other corpus say of the tuned model."""
    rows = load_rows(stage_folder("guard", corpus) / "per_query.jsonl")
    if rows.empty:
        return []
    return [
        verdict.guard(
            str(name), results.difference(found, "tuned", "base", params), bool(found["synthetic"].iloc[0]), params
        )
        for name, found in rows.groupby("corpus")
    ]


def write_plots(folder: Path, summary: Summary, learning_rates: Sequence[Mapping[str, float]]) -> None:
    """Plot data: loss and dev curves by step, arms by metric, recall@k, gains by slice."""
    _csv(folder / "loss.csv", learning_rates)
    _csv(folder / "dev.csv", [asdict(point) for point in summary.training.dev])
    bars = [_bar(arm, metric, summary) for metric in METRICS for arm in summary.arms]
    _csv(folder / "arms.csv", bars)
    points = [(arm, k, value) for arm, row in summary.recall_curve.items() for k, value in row.items()]
    _csv(folder / "recall.csv", [dict(zip(("arm", "k", "recall"), point, strict=True)) for point in points])
    _csv(folder / "gains.csv", [_gain(found.name, row) for found in summary.comparisons for row in found.slices])


def _bar(arm: str, metric: str, summary: Summary) -> dict[str, Any]:
    low, high = summary.intervals[arm][metric]
    return {"panel": metric, "arm": arm, "value": summary.arms[arm][metric], "low": low, "high": high}


def _gain(comparison: str, row: Row) -> dict[str, Any]:
    figures = {name: getattr(row, name) for name in ("delta", "low", "high", "p_holm", "n", "word")}
    return {"panel": comparison, "slice": f"{row.slice}: {row.value}", **figures}


def _csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    pd.DataFrame(rows).to_csv(path, index=False, lineterminator="\n")


def training(history: Mapping[str, Any]) -> Training:
    """The curves of a training."""
    loss = [LossPoint(row["step"], row["loss"]) for row in history["loss"]]
    dev = [DevPoint(row["step"], round(row[f"dev_{verdict.METRIC}"], verdict.DIGITS)) for row in history["dev"]]
    return Training(loss, dev)


def evaluated(corpus: str, name: str) -> Any:
    """A JSON file of the evaluate stage."""
    return json.loads((stage_folder("evaluate", corpus) / name).read_text(encoding="utf-8"))


def summarize(corpus: str, dataset: Dataset, rows: pd.DataFrame, history: Mapping[str, Any]) -> Summary:
    """Everything that is reported of a corpus, computed once."""
    params = section("report", ReportParams)
    gains = results.seed_gains(rows, load_params()["train"]["seeds"])
    spread = results.seed_spread(gains)
    noise = 2 * (spread or 0.0)
    rows = rows[~rows["arm"].str.startswith(SEED_ARM)]
    overall, tuned = results.compare(rows, "tuned", "base", params, noise)
    _, hybrid = results.compare(rows, "hybrid_tuned", "hybrid_base", params, noise)
    dev_rows = load_rows(stage_folder("evaluate", corpus) / "dev.jsonl")
    dev = verdict.dev_result(results.difference(dev_rows, "tuned", "base", params), asks_synthetic(corpus), params)
    promotion = verdict.promote(dev, guards(corpus, params), tuned.overall.word, history["best_share"])
    table = results.arm_table(rows)
    wins, losses = results.cases(rows, dataset, CASES)
    kind = load_params()["corpora"][corpus]["kind"]
    return Summary(
        corpus=corpus,
        kind=kind,
        split=how_split(corpus, kind),
        n_queries=overall.n,
        arms={arm: {metric: row[metric] for metric in METRICS} for arm, row in table.items()},
        intervals=results.intervals(rows, params),
        recall_curve=results.recall_curve(rows, load_params()["evaluate"]["depth"]),
        comparisons=[tuned, hybrid],
        verdict=verdict.verdict(overall, tuned.overall.word, promotion.promoted),
        promotion=promotion,
        wins=wins,
        losses=losses,
        seeds=gains,
        seed_spread=spread,
        training=training(history),
        late_hybrid=evaluated(corpus, "late_hybrid.json"),
        skipped=evaluated(corpus, "skipped.json"),
    )


def write_metrics(folder: Path, summary: Summary, rows: pd.DataFrame, dataset: Dataset) -> None:
    """The JSON files of metrics/<corpus>/."""
    table = results.arm_table(rows[rows["arm"].isin(list(summary.arms))])
    write_json(folder / "evaluate.json", table)
    by_topic = topic_table(rows, dataset)
    write_json(folder / "slices.json", {**results.slice_tables(rows), **({"topics": by_topic} if by_topic else {})})
    write_json(folder / "verdict.json", asdict(summary.verdict))
    write_json(folder / "promotion.json", asdict(summary.promotion))
    kept = ("intervals", "comparisons", "late_hybrid", "seeds", "seed_spread", "skipped", "split")
    statistics = {name: asdict(summary)[name] for name in kept}
    write_json(folder / "significance.json", finite(statistics))


def finite(value: Any) -> Any:
    """The same with null for what is unknown (inf), which JSON has no word for."""
    if isinstance(value, dict):
        return {key: finite(found) for key, found in value.items()}
    if isinstance(value, list):
        return [finite(found) for found in value]
    return None if value == math.inf else value


def main() -> None:
    """Aggregate, judge, write."""
    name = corpus_argument()
    dataset = read_dataset(stage_folder("ingest", name))
    rows = results.with_slices(load_rows(stage_folder("evaluate", name) / "per_query.jsonl"), dataset)
    history = json.loads((stage_folder("train", name) / "history.json").read_text(encoding="utf-8"))
    summary = summarize(name, dataset, rows, history)
    folder = metrics_folder(name)
    write_metrics(folder, summary, rows, dataset)
    write_plots(folder, summary, history["loss"])
    (folder / "report.md").write_text(markdown_report.markdown(summary), encoding="utf-8")
    html = stage_folder("report", name) / "report.html"
    html.parent.mkdir(parents=True, exist_ok=True)
    html.write_text(page.html(summary), encoding="utf-8")


if __name__ == "__main__":
    run_stage(main)
