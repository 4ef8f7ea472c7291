"""What anomaly.json says, for people: which detector is shipped and why, what it flags by mistake, what it finds."""

from collections.abc import Mapping, Sequence
from typing import Any

from domain_embeddings.anomaly.detectors.detector_choice import TIE
from domain_embeddings.core.markup import escape, table

_FOUND = ["set", "flagged [95% interval]", "AUROC [95% interval]", "AUPR", "found at 5%", "false at 95%", "n"]


def markdown(corpus: str, report: Mapping[str, Any]) -> str:
    """The whole report; names of sets and categories are escaped."""
    chosen = report["chosen"]
    parts = [
        f"# {escape(corpus)}: queries unlike its own",
        f"**Shipped: `{chosen['detector']}`.** {_why(chosen)}",
        f"Its threshold flags at most {chosen['false_positive_rate']:.0%} of new normal queries, if these are like the "
        f"{chosen['n_calibration']} {escape(chosen['calibrated_on'])} that it was calibrated on. All figures below are "
        "of test queries, which chose nothing.",
        "## Normal queries flagged by mistake",
        table(["queries", "flagged [95% interval]", "n"], map(_normal, report["false_positives"].items())),
        "## Anomalies",
        "Flagged: above the shipped threshold. The rest is against the test questions. *Found at 5%*: with the "
        "threshold that 5% of those are above. *False at 95%*: their share above the threshold that finds 95% of the "
        "set.",
        table(_FOUND, map(_anomalous, report["sets"].items())),
        "## All detectors",
        "On dev: mean AUROC over kinds of normal and of anomalous queries, which chooses (the isolation forest is only "
        "compared). Each cell of a set: share flagged, and AUROC.",
        _detectors(report),
    ]
    return "\n\n".join(parts) + "\n"


def without_detector(corpus: str, reason: str) -> str:
    """The report where none could be fitted."""
    return f"# {escape(corpus)}: queries unlike its own\n\n**No detector:** {escape(reason)}.\n"


def _why(chosen: Mapping[str, Any]) -> str:
    """How the shipped detector compares with the next best on dev."""
    own, lead = chosen["detector"], chosen["lead_on_dev"]
    if lead is None:
        return "There were no anomalous dev queries to choose by: it is the first in docs/anomaly.md, or asked for."
    others = {name: value for name, value in chosen["auroc_on_dev"].items() if name != own}
    said = f"Mean AUROC on dev {chosen['auroc_on_dev'][own]:.3f}, "
    best = max(others, key=lambda name: others[name])
    if lead >= 0:
        return f"{said}{lead:.3f} above the next, `{best}`."
    reason = f"within {TIE} the order in docs/anomaly.md decides" if lead >= -TIE else "params.yaml asks for it"
    return f"{said}{-lead:.3f} below the best, `{best}`: {reason}."


def _share(value: float, interval: Sequence[float]) -> str:
    return f"{value:.1%} [{interval[0]:.1%}, {interval[1]:.1%}]"


def _name(kind: str) -> str:
    """`adversarial/unsafe_request` as `adversarial: unsafe request`, `test_questions` as `test questions`."""
    return escape(kind.replace("/", ": ").replace("_", " "))


def _normal(item: tuple[str, Mapping[str, Any]]) -> list[str]:
    kind, row = item
    return [_name(kind), _share(row["rate"], row["ci95"]), str(row["n"])]


def _anomalous(item: tuple[str, Mapping[str, Any]]) -> list[str]:
    kind, row = item
    low, high = row["auroc_ci95"]
    return [
        _name(kind),
        _share(row["flagged"], row["flagged_ci95"]),
        f"{row['auroc']:.3f} [{low:.3f}, {high:.3f}]",
        f"{row['aupr']:.3f}",
        f"{row['detection_at_5']:.1%}",
        f"{row['fpr_at_95']:.1%}",
        str(row["n"]),
    ]


def _detectors(report: Mapping[str, Any]) -> str:
    """A row for every detector, the best on dev first."""
    on_dev, rows = report["chosen"]["auroc_on_dev"], report["detectors"]
    normal = [kind for kind in report["false_positives"] if "/" not in kind]
    sets = [kind for kind in report["sets"] if "/" not in kind]
    header = ["detector", "on dev", *(f"{_name(kind)}, by mistake" for kind in normal), *map(_name, sets)]
    cells = (
        [
            f"`{name}`",
            f"{on_dev[name]:.3f}" if name in on_dev else "–",
            *(f"{rows[name]['false_positives'][kind]:.1%}" for kind in normal),
            *(f"{rows[name]['flagged'][kind]:.1%}, {rows[name]['auroc'][kind]:.3f}" for kind in sets),
        ]
        for name in sorted(rows, key=lambda one: -on_dev.get(one, 0))
    )
    return table(header, cells)
