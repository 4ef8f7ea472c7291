"""A corpus's results as one HTML page that needs no network, no script and no other file.

What a reviewer asks first stands first: is it better, by how much, what is kept and why. The layout is in
html_report.html.jinja and html_report.css beside this module.
"""

from markupsafe import Markup

from domain_embeddings.core.rendering import render
from domain_embeddings.evaluation.report_model import Comparison, Row, Summary
from domain_embeddings.reporting import charts, phrases

_TUNED = charts.arm_styles(["tuned"])["tuned"]


def html(summary: Summary) -> str:
    """The whole page; every text of the corpus is escaped."""
    return render(
        __package__,
        "html_report.html.jinja",
        s=summary,
        w=phrases,
        clip=clip,
        metrics=_metrics(summary),
        panels={metric: Markup(_panel(summary, metric)) for metric in _metrics(summary)},
        forests=[_forest(comparison) for comparison in summary.comparisons],
        recall=_recall(summary),
        training=_training(summary),
    )


def clip(text: str, most: int) -> str:
    """At most `most` characters, cut at a space, with an ellipsis where something was cut."""
    if len(text) <= most:
        return text
    head = text[:most]
    return (head[: head.rfind(" ")] if " " in head else head).rstrip() + " …"


def _metrics(summary: Summary) -> list[str]:
    """The metrics in the arms' order, the verdict's first."""
    return sorted(next(iter(summary.arms.values())), key=lambda metric: metric != summary.verdict.metric)


def _panel(summary: Summary, metric: str) -> str:
    values = {arm: row[metric] for arm, row in summary.arms.items()}
    intervals = {arm: row[metric] for arm, row in summary.intervals.items() if metric in row}
    return charts.bars(f"{phrases.metric_name(metric)} of every arm", values, intervals)


def _forest(comparison: Comparison) -> dict[str, object]:
    """What the template needs to draw a comparison: an axis, and groups of rows with their charts."""
    scale = charts.forest_scale(comparison.overall, comparison.slices)

    def drawn(row: Row) -> tuple[Row, Markup]:
        said = f"{phrases.gain(row.delta, row.low, row.high)}, {row.word}"
        return row, Markup(charts.forest_row(comparison.name, row, scale, said))

    groups: dict[str, list[tuple[Row, Markup]]] = {}
    for row in comparison.slices:
        groups.setdefault(row.slice, []).append(drawn(row))
    axis = Markup(charts.forest_axis(scale))
    return {"comparison": comparison, "axis": axis, "overall": drawn(comparison.overall), "groups": groups}


def _recall(summary: Summary) -> dict[str, object]:
    """The recall curves, their legend, and the ks of the table."""
    styles = charts.arm_styles(list(summary.arms))
    lines = [charts.Curve(arm, list(curve.items()), styles[arm]) for arm, curve in summary.recall_curve.items()]
    ks = sorted({k for curve in summary.recall_curve.values() for k in curve})
    chart = charts.curves("Recall@k of every arm", lines, "k, passages looked at", x_ticks=ks, top=1) if lines else ""
    legend = [(line.name, Markup(charts.swatch(line.style))) for line in lines]
    return {"chart": Markup(chart), "legend": legend, "ks": ks}


def _training(summary: Summary) -> dict[str, Markup]:
    """The charts of training by caption, without those that have no points."""
    found = {}
    if loss := [(point.step, point.loss) for point in summary.training.loss]:
        found[f"Training loss: from {loss[0][1]:.2f} to {loss[-1][1]:.2f}"] = (loss, 0.1)
    if dev := [(point.step, point.value) for point in summary.training.dev]:
        step, best = max(dev, key=lambda point: point[1])
        asked = "synthetic dev queries" if summary.promotion.dev.synthetic else "dev questions"
        name = phrases.metric_name(summary.verdict.metric)
        found[f"{name} on {asked}: best {best:.3f}, at step {step}"] = (dev, 0.02)
    return {name: Markup(_training_chart(name, points, least)) for name, (points, least) in found.items()}


def _training_chart(name: str, points: list[tuple[int, float]], least: float) -> str:
    return charts.curves(name, [charts.Curve(name, points, _TUNED)], "training step", least=least)
