"""Charts: every mark stands where its value says, and colour is never the only sign."""

import math
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from domain_embeddings.evaluation.report_model import Row
from domain_embeddings.params.search import SearchParams
from domain_embeddings.reporting import charts
from domain_embeddings.reporting.charts import (
    Curve,
    Scale,
    arm_styles,
    bars,
    curves,
    forest_axis,
    forest_row,
    forest_scale,
    ticks,
)
from domain_embeddings.systems.system import family

ROW = Row("domain", "hvac", 60, 12, 0.1, 0.05, 0.2, 0.01, 0.02, 0.08, "improved")
SCALE = Scale(-0.1, 0.3, 0, 400)


def _numbers(element: ET.Element, *names: str) -> list[float]:
    return [float(element.attrib[name]) for name in names]


def _row(row: Row) -> ET.Element:
    return ET.fromstring(forest_row("tuned − base", row, SCALE, "said"))


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (-0.03, 0.12, 6, [-0.05, 0, 0.05, 0.1, 0.15]),
        (0.6503, 0.6505, 2, [0.6503, 0.6504, 0.6505]),
        (0, 52, 5, [0, 20, 40, 60]),
    ],
)
def test_ticks_are_round_and_span_the_values(low: float, high: float, most: int, expected: list[float]) -> None:
    assert ticks(low, high, most) == expected


def test_an_axis_without_length_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"low < high, not 0\.5 and 0\.5"):
        ticks(0.5, 0.5, 5)


def test_scales() -> None:
    assert Scale(0, 2, 100, 200)(0.5) == 125
    assert Scale(0, 2, 100, 200)(7) == 200
    assert Scale(1, 100, 0, 50, log=True)(10) == pytest.approx(25)
    assert Scale(0, 1, 220, 12)(0.25) == 168


def test_bars_are_as_long_as_their_values() -> None:
    svg = ET.fromstring(bars("nDCG@10", {"base": 0.5, "tuned": 1.0}, {"base": (0.25, 0.75)}))

    half, whole = svg.findall("rect")
    assert _numbers(half, "width") == [59]
    assert _numbers(whole, "width") == [118]
    whisker = svg.find("g[@class='whisker']/line")
    assert whisker is not None
    assert _numbers(whisker, "x1", "x2") == [193.5, 252.5]


def test_the_best_bar_is_bold_and_every_bar_is_named() -> None:
    svg = ET.fromstring(bars("nDCG@10", {"base": 0.5, "<tuned> & a name of 27 char": 0.6}, {}))

    texts = [(text.text, "strong" in text.attrib["class"]) for text in svg.findall("text")]
    assert ("base", False) in texts
    assert ("<tuned> & a name of 27 …", False) in texts
    assert ("0.600", True) in texts
    assert ("0.500", False) in texts


def test_a_row_shows_its_difference_and_interval() -> None:
    svg = _row(ROW)

    mark = svg.find("g[@class='mark improved']")
    assert mark is not None
    assert _numbers(mark[0], "x1", "x2") == [150, 300]
    dot = mark.find("path[@class='dot']")
    assert dot is not None
    assert dot.attrib["transform"].startswith("translate(200.0 ")
    zero = svg.find("line[@class='axis']")
    assert zero is not None
    assert _numbers(zero, "x1") == [100]


def test_an_underpowered_row_shows_what_it_cannot_detect() -> None:
    band = _row(replace(ROW, word="underpowered")).find("rect[@class='blind']")

    assert band is not None
    assert _numbers(band, "x", "width") == [20, 160]
    assert _row(ROW).find("rect") is None
    assert _row(replace(ROW, word="underpowered", detectable=math.inf)).find("rect") is None


def test_an_interval_beyond_the_axis_ends_in_an_arrow() -> None:
    svg = _row(replace(ROW, delta=0.4, low=-0.5, high=0.9))

    arrows = [path.attrib["d"] for path in svg.findall(".//path[@class='arrow']")]
    assert arrows == ["M0.0 10L-9.0 14L0.0 18z", "M400.0 10L409.0 14L400.0 18z"]
    assert svg.find(".//path[@class='dot']") is None


def test_every_word_has_a_shape_of_its_own() -> None:
    shapes = set()
    for word in charts._SIGNS:
        dot = _row(replace(ROW, word=word)).find(".//path[@class='dot']")  # type: ignore[arg-type]
        assert dot is not None
        shapes.add(dot.attrib["d"])

    assert len(shapes) == 4


def test_an_underpowered_slice_does_not_stretch_the_axis() -> None:
    wild = replace(ROW, low=-0.9, high=0.9, word="underpowered")

    scale = forest_scale(replace(ROW, low=0.02, high=0.1), [wild])

    assert (scale.low, scale.high) == (-0.2, 0.2)
    assert "−0.1" in forest_axis(scale)


def test_curves_run_through_their_points() -> None:
    base = Curve("base", [(1, 0.2), (10, 0.6), (100, 1.0)], 1)
    svg = ET.fromstring(curves("Recall@k", [base], "k", x_ticks=[1, 10, 100]))

    line = svg.find(".//polyline")
    assert line is not None
    assert line.attrib["points"] == "46.0,220.0 181.0,116.0 316.0,12.0"
    assert [text.text for text in svg.findall("text") if "middle" in text.attrib["class"]] == ["1", "10", "100", "k"]


def test_flat_curves_and_single_points_have_an_axis() -> None:
    svg = ET.fromstring(curves("dev", [Curve("dev", [(20, 0.5)], 2)], "step", least=0.02))

    labels = [text.text for text in svg.findall("text") if "end" in text.attrib["class"]]
    assert labels == ["0.490", "0.495", "0.500", "0.505", "0.510"]


def test_arms_differ_in_more_than_colour() -> None:
    own = ["shipped", *(system.name for system in family(aliases=True, params=SearchParams()))]
    arms = [*own, "nomic"]
    styles = arm_styles(arms)

    assert len({charts.swatch(style) for style in styles.values()}) == len(arms)
    assert arm_styles(["tuned"])["tuned"] == styles["tuned"]
    dashes = [charts._DASHES[style % len(charts._DASHES)] for style in styles.values()]
    assert all(one != next_one for one, next_one in pairwise(dashes))


def test_no_two_arms_of_the_pipeline_have_one_name_in_a_chart() -> None:
    own = [system.name for system in family(aliases=True, params=SearchParams())]

    svg = ET.fromstring(bars("nDCG@10", dict.fromkeys(own, 0.5), {}))

    assert {text.text for text in svg.findall("text")} >= set(own)


def test_charts_say_what_they_show() -> None:
    svg = ET.fromstring(bars("nDCG@10 of <all>", {"base": 0.5}, {}))

    assert svg.attrib["role"] == "img"
    assert [(child.tag, child.text) for child in svg[:2]] == [("title", "nDCG@10 of <all>"), ("desc", "base 0.500")]
