"""The report on a detector for people: its sentences and its cells, by hand."""

from typing import Any

from domain_embeddings.anomaly.anomaly_report import markdown


def _set(flagged: float, auroc: float) -> dict[str, Any]:
    return {
        "flagged": flagged, "flagged_ci95": [0.25, 0.75], "auroc": auroc, "auroc_ci95": [0.8, 1.0], "aupr": 0.7,
        "detection_at_5": 0.6, "fpr_at_95": 0.3, "n": 12,
    }  # fmt: skip


def _report(detector: str = "exposure", lead: float = 0.0625) -> dict[str, Any]:
    row = {"false_positives": {"odd": 0.1}, "auroc": {"far": 0.9}, "flagged": {"far": 0.5}}
    return {
        "chosen": {
            "detector": detector, "auroc_on_dev": {"exposure": 0.95, "knn": 0.8875}, "lead_on_dev": lead,
            "false_positive_rate": 0.05, "n_calibration": 101, "calibrated_on": "labelled dev questions",
        },
        "false_positives": {"odd": {"rate": 0.1, "ci95": [0.02, 0.3], "n": 20}},
        "sets": {"far": _set(0.5, 0.9), "far/a|b_c": _set(0.25, 0.875)},
        "detectors": {"isolation_forest": row, "knn": row, "exposure": row},
    }  # fmt: skip


def test_it_says_what_is_shipped_and_by_how_much() -> None:
    lines = markdown("manuals", _report()).splitlines()

    assert lines[0] == "# manuals: queries unlike its own"
    assert lines[2] == "**Shipped: `exposure`.** Mean AUROC on dev 0.950, 0.062 above the next, `knn`."
    assert "at most 5% of new normal queries, if these are like the 101 labelled dev questions" in lines[4]


def test_it_says_why_another_than_the_best_is_shipped() -> None:
    asked, tied = markdown("m", _report("knn", -0.0625)), markdown("m", _report("knn", -0.005))

    assert "0.062 below the best, `exposure`: params.yaml asks for it." in asked
    assert "0.005 below the best, `exposure`: within 0.01 the order in docs/anomaly.md decides." in tied


def test_its_tables_hold_the_figures() -> None:
    lines = markdown("manuals", _report()).splitlines()

    assert "| odd | 10.0% [2.0%, 30.0%] | 20 |" in lines
    assert "| far | 50.0% [25.0%, 75.0%] | 0.900 [0.800, 1.000] | 0.700 | 60.0% | 30.0% | 12 |" in lines
    assert any(line.startswith("| far: a\\|b c | 25.0% ") for line in lines)
    assert lines[-3:] == [
        "| `exposure` | 0.950 | 10.0% | 50.0%, 0.900 |",
        "| `knn` | 0.887 | 10.0% | 50.0%, 0.900 |",
        "| `isolation_forest` | – | 10.0% | 50.0%, 0.900 |",
    ]
