"""What detectors find on test queries: figures for programs, for `dvc metrics`, and plot data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from domain_embeddings.anomaly import anomaly_sets, detection_metrics
from domain_embeddings.anomaly.anomaly_detector import Settings
from domain_embeddings.anomaly.anomaly_sets import Example
from domain_embeddings.anomaly.fitting import TEST, Fitted, is_normal
from domain_embeddings.core.ranking import Scores

DIGITS = 6
BINS = 20
INJECTIONS = "adversarial/prompt_injection"
BARS = ("set", "kind", "threshold", "score", "share")
CURVES = ("set", "false_positives", "detected")
"""Columns of the plot data."""


def share(flags: Sequence[bool]) -> dict[str, Any]:
    """How many are flagged: rate, interval and n."""
    interval = detection_metrics.share_interval(sum(flags), len(flags))
    figures: dict[str, Any] = rounded({"rate": sum(flags) / len(flags), "ci95": interval, "n": len(flags)})
    return figures


def rounded(value: Any) -> Any:
    """A nested value with its floats cut to `DIGITS`."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    return round(value, DIGITS) if isinstance(value, float) else value


def measured(scores: Scores, examples: Sequence[Example], limit: float) -> dict[str, Any]:
    """False positives of each normal kind, and the figures of each anomalous kind against the test questions."""
    flagged = scores > limit
    normal = scores[[e.set == TEST for e in examples]]
    found: dict[str, Any] = {"false_positives": {}, "sets": {}}
    for kind, positions in anomaly_sets.kinds(examples).items():
        if is_normal(examples[positions[0]]):
            found["false_positives"][kind] = share([bool(flagged[i]) for i in positions])
        else:
            found["sets"][kind] = rounded(asdict(detection_metrics.measure(normal, scores[positions], limit)))
    return found


def compared(scores: Mapping[str, Scores], limits: Mapping[str, float], examples: Sequence[Example]) -> dict[str, Any]:
    """Detector → AUROC and share flagged of each set as a whole, and false positives."""
    table: dict[str, Any] = {}
    for name, found in scores.items():
        figures = measured(found, examples, limits[name])
        sets = {kind: row for kind, row in figures["sets"].items() if "/" not in kind}
        table[name] = {
            "false_positives": {k: row["rate"] for k, row in figures["false_positives"].items() if "/" not in k},
            "auroc": {kind: row["auroc"] for kind, row in sets.items()},
            "flagged": {kind: row["flagged"] for kind, row in sets.items()},
        }
    return table


def headlines(report: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """The few figures that `dvc metrics` shows and compares: of whole sets, and of prompt injections."""
    kinds = [kind for kind in report["sets"] if "/" not in kind or kind == INJECTIONS]
    normal = {kind: row["rate"] for kind, row in report["false_positives"].items() if "/" not in kind}
    flagged, auroc = ({kind: report["sets"][kind][key] for kind in kinds} for key in ("flagged", "auroc"))
    return {"false_positives": normal, "flagged": flagged, "auroc": auroc}


def write_plots(folder: Path, scores: Scores, examples: Sequence[Example], limit: float) -> None:
    """Distributions of scores with the threshold, and ROC curves against the test questions, by set; or none."""
    if not examples:
        _csv(folder / "anomaly_scores.csv", [], BARS)
        _csv(folder / "anomaly_roc.csv", [], CURVES)
        return
    edges = np.linspace(scores.min(), scores.max(), BINS + 1)
    normal = scores[[e.set == TEST for e in examples]]
    bars, curves = [], []
    for name, positions in anomaly_sets.kinds(examples).items():
        if "/" in name:
            continue
        shares = np.histogram(scores[positions], edges)[0] / len(positions)
        kind = "not to be flagged" if is_normal(examples[positions[0]]) else "to be flagged"
        same = {"set": name, "kind": kind, "threshold": limit}
        bars += [{**same, "score": left, "share": one} for left, one in zip(edges, [*shares, 0], strict=True)]
        if not is_normal(examples[positions[0]]):
            points = zip(*detection_metrics.roc(normal, scores[positions]), strict=True)
            curves += [{"set": name, "false_positives": x, "detected": y} for x, y in points]
    _csv(folder / "anomaly_scores.csv", bars, BARS)
    _csv(folder / "anomaly_roc.csv", curves, CURVES)


def _csv(path: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    pd.DataFrame(rows, columns=list(columns)).round(DIGITS).to_csv(path, index=False, lineterminator="\n")


def report_of(fitted: Fitted, settings: Settings, tested: Sequence[Example]) -> dict[str, Any]:
    """The content of anomaly.json: the detector that was chosen, its figures, and those of the others."""
    others = [value for name, value in fitted.separations.items() if name != fitted.name]
    chosen = {
        **{key: value for key, value in vars(settings).items() if key not in ("model", "weights_sha256")},
        "auroc_on_dev": fitted.separations,
        "lead_on_dev": fitted.separations[fitted.name] - max(others) if others else None,
    }
    figures = measured(fitted.scores[fitted.name], tested, settings.threshold)
    detectors = compared(fitted.scores, fitted.limits, tested)
    report: dict[str, Any] = rounded({"chosen": chosen, **figures, "detectors": detectors})
    return report


def scored(scores: Scores, tested: Sequence[Example], limit: float) -> Iterator[dict[str, Any]]:
    """A row for each test query."""
    for example, score in zip(tested, scores, strict=True):
        about = {"set": example.set, "category": example.category, "text": example.text}
        yield {**about, "score": round(float(score), DIGITS), "flagged": bool(score > limit)}
