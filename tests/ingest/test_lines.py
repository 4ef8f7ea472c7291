"""Lines and words of every format: page marks, leaders, hyphens, headings by their form."""

import pytest

from domain_embeddings.ingest.formats.blocks import has_leaders, page_mark
from domain_embeddings.ingest.formats.heading_form import (
    chapter_title,
    is_all_caps,
    is_label,
    numbered,
    step_number,
    title_like,
)
from domain_embeddings.ingest.formats.line_joining import Vocabulary, join_lines


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("--- PAGE 12 ---", 12),
        ("Page 7", 7),
        ("[Page 3]", 3),
        ("- 7 -", 7),
        ("7 of 40", 7),
        ("Page 7 of 40", 7),
        ("7", None),
        ("See page 7", None),
        ("-7", None),
        ("", None),
    ],
)
def test_page_mark(text: str, number: int | None) -> None:
    assert page_mark(text) == number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Brakes ........ 12", True),
        ("Brakes . . . . . 4-1", True),
        ("Wait ... then go", False),
        ("Brakes ........", False),
    ],
)
def test_leaders_need_a_page_number(text: str, expected: bool) -> None:
    assert has_leaders(text) is expected


@pytest.mark.parametrize(
    ("lines", "document", "expected"),
    [
        (["hydrau-", "lic oil"], [], "hydraulic oil"),
        (["three-", "way valve"], [], "three-way valve"),
        (["brake-", "line"], ["the brake-line is steel"], "brake-line"),
        (["brake-", "line"], ["the brake", "a line"], "brake-line"),
        (["over-", "heat"], ["over the heat"], "overheat"),
        (["by-", "pass"], ["a bypass valve", "by pass"], "bypass"),
        (["truck HT-", "25 is"], [], "truck HT-25 is"),
        (["oil 5W-", "30 only"], [], "oil 5W-30 only"),
        (["inlet -", "outlet"], [], "inlet - outlet"),
        (["front- ", "and rear"], [], "front- and rear"),
        (["hydrau\u00ad", "lic"], [], "hydraulic"),
        (["hydrau\u2010", "lic"], [], "hydraulic"),
        (["well\u2010", "known"], ["a well", "known"], "well\u2010known"),
        (["a  b", "", "c"], [], "a b c"),
    ],
)
def test_join_lines_decides_hyphens_by_the_document(lines: list[str], document: list[str], expected: str) -> None:
    assert join_lines(lines, Vocabulary(document)) == expected


@pytest.mark.parametrize("text", ["SERVICE BRAKE BLEEDING", "DC BUS DISCHARGE AND ELECTRIC SHOCK", "FAULT CODES"])
def test_capitals_are_a_title(text: str) -> None:
    assert is_all_caps(text)


@pytest.mark.parametrize(
    "text", ["HT-2231-A", "12 V", "Brakes", "WARNING", "DANGER: HIGH VOLTAGE", "TOOLS:", "STOP NOW.", "P0301 P0302"]
)
def test_capitals_that_are_no_title(text: str) -> None:
    assert not is_all_caps(text)


def test_headings_by_form() -> None:
    assert chapter_title("SECTION 4: BRAKES") == "BRAKES"
    assert chapter_title("Chapter 2") == ""
    assert chapter_title("Section 4 describes the brakes") is None
    assert numbered("3.2 Hydraulic Oil") == "3.2"
    assert numbered("3.2 mm of play") is None
    assert numbered("4-1. Test") == "4-1"
    assert numbered("1. Remove the nut.") is None
    assert title_like("Clutch Pressure Test")
    assert not title_like("of the clutch")
    assert not title_like("Table 1-1: Pressures")
    assert is_label("⚠ CAUTION: HOT")
    assert not is_label("WARNING LIGHTS")
    assert step_number("Step 3") == 3
    assert step_number("Step 3: Bleed") is None
