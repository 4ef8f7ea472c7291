"""Charts as inline SVG: nothing to load, colours from the page's CSS variables, so that dark mode works.

Every chart is drawn about as wide as a phone and at most a little enlarged, so that its text is never tiny. Colour
is never alone: bars and rows have names, curves have their own dash and marker.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from domain_embeddings.evaluation.report_model import SHIPPED, Row, Span
from domain_embeddings.params.search import SearchParams
from domain_embeddings.systems.system import family

_ARMS = [SHIPPED, *(system.name for system in family(aliases=True, params=SearchParams()))]
_COLOURS = 8
_MARKERS = {
    "circle": "M-3.6 0a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0 -7.2 0z",
    "square": "M-3.2 -3.2h6.4v6.4h-6.4z",
    "triangle": "M0 -4.4L4.2 3.2H-4.2z",
    "diamond": "M0 -4.6L4.6 0L0 4.6L-4.6 0z",
    "wedge": "M0 4.4L4.2 -3.2H-4.2z",
}
_DASHES = ("1 4", "6 3", "", "9 3 2 3", "14 3")
_MOST_MARKERS = 16
_SIGNS = {"improved": "triangle", "unchanged": "circle", "regressed": "wedge", "underpowered": "diamond"}

_PANEL, _BAR_START, _BAR_END = 330, 164, 282
_STRIP, _STRIP_HEIGHT, _STRIP_MARGIN = 300, 28, 22
_PLOT, _PLOT_HEIGHT = 330, 264
_PLOT_LEFT, _PLOT_RIGHT, _PLOT_TOP, _PLOT_BOTTOM = 46, 316, 12, 220
_LABEL_CHARS = 24


@dataclass(frozen=True)
class Scale:
    """A map from values to places: `low` to `start`, `high` to `end`, straight or by logarithm."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The place of a value; values outside go to the nearer end."""
        low, high, inside = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            low, high, inside = math.log(low), math.log(high), math.log(inside)
        return self.start + (inside - low) / (high - low) * (self.end - self.start)


@dataclass(frozen=True)
class Curve:
    """A named line; `style` numbers its colour, dash and marker."""

    name: str
    points: Sequence[tuple[float, float]]
    style: int


def arm_styles(arms: Sequence[str]) -> dict[str, int]:
    """A style for every arm: the pipeline's own always have the same, others the next free ones."""
    others = [arm for arm in arms if arm not in _ARMS]
    return {arm: _ARMS.index(arm) if arm in _ARMS else len(_ARMS) + others.index(arm) for arm in arms}


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) from at or below `low` to at or above `high`.

    At most `most` steps between them. Raises ValueError unless low < high.
    """
    if not low < high:
        raise ValueError(f"an axis needs low < high, not {low} and {high}")
    power = 10 ** math.floor(math.log10((high - low) / most))
    for step in (power * times for times in (1, 2, 5, 10, 20)):
        first, last = math.floor(round(low / step, 9)), math.ceil(round(high / step, 9))
        if last - first <= most:
            break
    return [round(i * step, 9) for i in range(first, last + 1)]


def bars(title: str, values: Mapping[str, float], intervals: Mapping[str, Span]) -> str:
    """A panel of named horizontal bars on 0..1 with interval whiskers, the best value in bold."""
    said = "; ".join(f"{arm} {value:.3f}" for arm, value in values.items())
    height = 26 * len(values) + 22
    svg = _chart(_PANEL, height, title, said)
    scale = Scale(0, 1, _BAR_START, _BAR_END)
    _vertical_axis_lines(svg, scale, [0, 0.5, 1], height - 20)
    styles, best = arm_styles(list(values)), max(values.values())
    for i, (arm, value) in enumerate(values.items()):
        middle = 26 * i + 13
        _text(svg, _BAR_START - 8, middle, _short(arm), "end")
        place = {"x": _BAR_START, "y": middle - 7, "width": scale(value) - _BAR_START, "height": 14}
        _add(svg, "rect", f"fill c{styles[arm] % _COLOURS}", **place)
        if arm in intervals:
            _whisker(svg, scale, intervals[arm], middle)
        _text(svg, _PANEL, middle, f"{value:.3f}", "end", "strong" if value == best else "")
    return _string(svg)


def forest_scale(overall: Row, rows: Sequence[Row]) -> Scale:
    """One axis for a comparison. Wide intervals of underpowered slices do not stretch it beyond twice the others'."""
    trusted = [overall, *(row for row in rows if row.word != "underpowered")]
    limit = 2 * max(0.05, *(max(abs(row.low), abs(row.high)) for row in trusted))
    low = max(-limit, min(0.0, *(row.low for row in (overall, *rows))))
    high = min(limit, max(0.0, *(row.high for row in (overall, *rows))))
    places = ticks(min(low, -0.02), max(high, 0.02), 6)
    return Scale(places[0], places[-1], _STRIP_MARGIN, _STRIP - _STRIP_MARGIN)


def forest_axis(scale: Scale) -> str:
    """The tick labels above a forest plot's rows; hidden from screen readers, who have the numbers."""
    svg = ET.Element("svg", {"viewBox": f"0 0 {_STRIP} 20", "aria-hidden": "true"})
    for value in ticks(scale.low, scale.high, 6):
        _text(svg, scale(value), 10, _tick_label(value, sign=True), "middle")
    return _string(svg)


def forest_row(name: str, row: Row, scale: Scale, said: str) -> str:
    """Dot and interval of one row; where it is underpowered also the differences too small for it to show."""
    svg = _chart(_STRIP, _STRIP_HEIGHT, f"{name}, {row.value or 'all questions'}", said)
    _vertical_axis_lines(svg, scale, ticks(scale.low, scale.high, 6), _STRIP_HEIGHT, labels=False)
    if row.word == "underpowered" and math.isfinite(row.detectable):
        left, right = scale(-row.detectable), scale(row.detectable)
        _add(svg, "rect", "blind", x=left, y=5, width=right - left, height=_STRIP_HEIGHT - 10)
        for x in (left, right):
            _add(svg, "line", "blind-end", x1=x, x2=x, y1=5, y2=_STRIP_HEIGHT - 5)
    middle = _STRIP_HEIGHT / 2
    mark = _add(svg, "g", f"mark {row.word}")
    _add(mark, "line", "", x1=scale(row.low), x2=scale(row.high), y1=middle, y2=middle)
    _interval_end(mark, scale(row.low), middle, -1 if row.low < scale.low else 0)
    _interval_end(mark, scale(row.high), middle, 1 if row.high > scale.high else 0)
    if scale.low <= row.delta <= scale.high:
        _marker(mark, _SIGNS[row.word], scale(row.delta), middle)
    return _string(svg)


def curves(
    title: str, lines: Sequence[Curve], x_label: str, *, x_ticks: Sequence[float] = (), least: float = 0, top: float = 0
) -> str:
    """Lines over steps, or, with `x_ticks`, over a logarithmic axis with these ticks.

    The y axis spans the values, at least `least` of it, and reaches no higher than `top` where that is given.
    """
    svg = _chart(_PLOT, _PLOT_HEIGHT, title, "; ".join(_said(line) for line in lines))
    xs = [x for line in lines for x, _ in line.points]
    x_places = list(x_ticks) or ticks(0, max(xs), 5)
    x_scale = Scale(x_places[0], x_places[-1], _PLOT_LEFT, _PLOT_RIGHT, log=bool(x_ticks))
    y_places = _y_ticks([y for line in lines for _, y in line.points], least, top)
    y_scale = Scale(y_places[0], y_places[-1], _PLOT_BOTTOM, _PLOT_TOP)
    for value in y_places:
        _add(svg, "line", "grid", x1=_PLOT_LEFT, x2=_PLOT_RIGHT, y1=y_scale(value), y2=y_scale(value))
        _text(svg, _PLOT_LEFT - 8, y_scale(value), _tick_label(value, step=y_places[1] - y_places[0]), "end")
    for value in x_places:
        _add(svg, "line", "axis", x1=x_scale(value), x2=x_scale(value), y1=_PLOT_BOTTOM, y2=_PLOT_BOTTOM + 5)
        _text(svg, x_scale(value), _PLOT_BOTTOM + 16, f"{value:g}", "middle")
    _text(svg, (_PLOT_LEFT + _PLOT_RIGHT) / 2, _PLOT_HEIGHT - 9, x_label, "middle")
    for line in lines:
        _curve(svg, line, x_scale, y_scale)
    return _string(svg)


def swatch(style: int) -> str:
    """A curve's line and marker for the legend."""
    svg = ET.Element("svg", {"viewBox": "0 0 36 12", "width": "36", "height": "12", "aria-hidden": "true"})
    _curve(svg, Curve("", [(0, 0), (0.5, 0), (1, 0)], style), Scale(0, 1, 3, 33), Scale(0, 1, 6, 0), marked=(1,))
    return _string(svg)


def _chart(width: int, height: float, title: str, desc: str) -> ET.Element:
    svg = ET.Element("svg", {"viewBox": f"0 0 {width} {height:g}", "role": "img"})
    ET.SubElement(svg, "title").text = title
    ET.SubElement(svg, "desc").text = desc
    return svg


def _add(parent: ET.Element, tag: str, style: str, **places: float) -> ET.Element:
    attributes = {name: f"{round(place, 1):g}" for name, place in places.items()}
    return ET.SubElement(parent, tag, {**({"class": style} if style else {}), **attributes})


def _text(parent: ET.Element, x: float, middle: float, text: str, anchor: str, style: str = "") -> None:
    _add(parent, "text", f"{anchor} {style}".strip(), x=x, y=middle + 4).text = text


def _string(svg: ET.Element) -> str:
    return ET.tostring(svg, encoding="unicode")


def _short(name: str) -> str:
    return name if len(name) <= _LABEL_CHARS else name[: _LABEL_CHARS - 1] + "…"


def _tick_label(value: float, *, sign: bool = False, step: float = 0) -> str:
    if step:
        return f"{value:.{max(0, -math.floor(math.log10(step) + 1e-9))}f}"
    return f"{value:{'+' if sign and value else ''}g}".replace("-", "−")


def _vertical_axis_lines(
    svg: ET.Element, scale: Scale, places: Sequence[float], bottom: float, *, labels: bool = True
) -> None:
    for value in places:
        _add(svg, "line", "axis" if value == 0 else "grid", x1=scale(value), x2=scale(value), y1=0, y2=bottom)
        if labels:
            _text(svg, scale(value), bottom + 11, _tick_label(value), "middle")


def _whisker(svg: ET.Element, scale: Scale, interval: Span, middle: float) -> None:
    """An interval over a bar, with a rim in the page's colour so that it is seen on the bar and beside it."""
    left, right = (scale(end) for end in interval)
    for style in ("rim", "whisker"):
        group = _add(svg, "g", style)
        _add(group, "line", "", x1=left, x2=right, y1=middle, y2=middle)
        for x in (left, right):
            _add(group, "line", "", x1=x, x2=x, y1=middle - 4, y2=middle + 4)


def _interval_end(group: ET.Element, x: float, middle: float, outside: int) -> None:
    """A cap, or an arrow to the left (-1) or right (1) where the interval goes on outside of the axis."""
    if outside:
        tip = x + 9 * outside
        arrow = f"M{x:.1f} {middle - 4:g}L{tip:.1f} {middle:g}L{x:.1f} {middle + 4:g}z"
        ET.SubElement(group, "path", {"class": "arrow", "d": arrow})
    else:
        _add(group, "line", "", x1=x, x2=x, y1=middle - 4, y2=middle + 4)


def _marker(group: ET.Element, shape: str, x: float, y: float) -> None:
    place = f"translate({x:.1f} {y:.1f}) scale(1.25)"
    ET.SubElement(group, "path", {"class": "dot", "d": _MARKERS[shape], "transform": place})


def _curve(svg: ET.Element, line: Curve, x_scale: Scale, y_scale: Scale, marked: Sequence[int] = ()) -> None:
    group = _add(svg, "g", f"curve c{line.style % _COLOURS}")
    places = [(x_scale(x), y_scale(y)) for x, y in line.points]
    drawn = ET.SubElement(group, "polyline", {"points": " ".join(f"{x:.1f},{y:.1f}" for x, y in places)})
    if dash := _DASHES[line.style % len(_DASHES)]:
        drawn.set("stroke-dasharray", dash)
    shape = list(_MARKERS)[line.style % len(_MARKERS)]
    for i, (x, y) in enumerate(places):
        if i in marked if marked else len(places) <= _MOST_MARKERS:
            _marker(group, shape, x, y)


def _said(line: Curve) -> str:
    return f"{line.name}: " + ", ".join(f"{y:.3f} at {x:g}" for x, y in line.points)


def _y_ticks(values: Sequence[float], least: float, top: float) -> list[float]:
    """Ticks over the values, widened about their middle to `least`."""
    low, high = min(values), max(values)
    short = max(0.0, least - (high - low)) / 2 or (0.5 if low == high else 0.0)
    places = ticks(low - short, high + short, 7)
    return [place for place in places if not top or place <= top + 1e-9]
