"""The data of DVC's plots: loss and dev curves, arms, recall@k, gains by slice."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from domain_embeddings.core.metrics import METRICS
from domain_embeddings.evaluation.report_model import Row, Summary


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
