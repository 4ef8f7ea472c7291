"""Plots of what changed between two revisions, as PNG: a comment on GitHub shows no other kind of picture reliably.

The same values give the same bytes with the same version of matplotlib.
"""

import io
from collections.abc import Mapping, Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from domain_embeddings.evaluation.regression_gate import Change

Values = Mapping[str, Mapping[str, float]]
"""Corpus → arm → value in 0..1."""

_BEFORE, _AFTER, _FELL, _GRID = "#8a8a8a", "#1f6feb", "#cf222e", "#e3e3e3"
_WIDTH, _ROW, _DPI = 7.5, 0.34, 160


def arms(before: Values, after: Values, metric: str, base: str) -> bytes:
    """A panel a corpus of `after`, a row an arm: a ring where `base` stood, a dot where this stands."""
    rows = [len(found) for found in after.values()]
    figure = Figure(figsize=(_WIDTH, _ROW * sum(rows) + 0.35 * len(rows) + 0.7), layout="constrained")
    panels = figure.subplots(len(rows), 1, squeeze=False, sharex=True, gridspec_kw={"height_ratios": rows})
    for axes, (corpus, found) in zip(panels[:, 0], after.items(), strict=True):
        old = before.get(corpus, {})
        _rows(axes, list(found), corpus)
        for row, (arm, value) in enumerate(found.items()):
            if arm in old:
                axes.plot([old[arm], value], [row, row], color=_BEFORE, linewidth=1)
                axes.plot(old[arm], row, "o", color=_BEFORE, fillstyle="none", markersize=10, label=base)
            axes.plot(value, row, "o", color=_AFTER, label="this")
            axes.text(1.01, row, f"{value:.3f}", transform=axes.get_yaxis_transform(), va="center")
    panels[-1, 0].set_xlabel(metric)
    _legend(figure)
    return _png(figure)


def changes(found: Sequence[Change]) -> bytes:
    """A row a metric of an arm: the difference with its 95% interval, and a tick at the fall that is tolerated."""
    figure = Figure(figsize=(_WIDTH, _ROW * len(found) + 1.1), layout="constrained")
    axes = figure.subplots()
    _rows(axes, [f"{change.corpus} {change.arm} {change.metric}" for change in found], "this − before, 95% interval")
    axes.axvline(0, color="black", linewidth=0.8)
    for row, change in enumerate(found):
        colour, difference = _FELL if change.fell else _AFTER, change.difference
        axes.plot([difference.low, difference.high], [row, row], color=colour, linewidth=2)
        axes.plot(difference.delta, row, "o", color=colour)
        axes.plot(-change.tolerance, row, "|", color="black", markersize=12, label="tolerated fall")
    _legend(figure)
    return _png(figure)


def _rows(axes: Axes, names: Sequence[str], title: str) -> None:
    """Named rows, the first on top."""
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x", color=_GRID)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _legend(figure: Figure) -> None:
    """Each label once, above the panels."""
    marks: dict[str, Artist] = {}
    for axes in figure.axes:
        handles, labels = axes.get_legend_handles_labels()
        marks.update(zip(labels, handles, strict=True))
    figure.legend(marks.values(), marks, loc="outside upper right", ncols=len(marks), frameon=False)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()
