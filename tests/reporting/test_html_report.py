"""The page: complete, self-contained, safe with any text, readable in the dark and on a phone."""

import html
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from domain_embeddings.evaluation.report_model import Training
from domain_embeddings.reporting import html_report
from tests.summaries import HOSTILE, MEANS, summary

CSS = (Path(html_report.__file__).parent / "html_report.css").read_text(encoding="utf-8")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Parsed(HTMLParser):
    """Tags with their attributes, and all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def said(self) -> str:
        return " ".join(self.text.split())


@pytest.fixture(scope="module")
def parsed() -> Parsed:
    return Parsed(html_report.html(summary()))


def test_nothing_is_loaded(parsed: Parsed) -> None:
    links = [value for _, found in parsed.tags for name, value in found.items() if name in ("href", "src", "srcset")]

    assert [link for link in links if not str(link).startswith("#")] == []
    assert {tag for tag, _ in parsed.tags} & {"script", "link", "img", "iframe", "object", "embed"} == set()
    assert re.findall(r"@import|url\(", CSS) == []


def test_hostile_text_stays_text(parsed: Parsed) -> None:
    assert parsed.said().count(HOSTILE) >= 5
    assert "<script" not in html_report.html(summary())


def test_a_missing_baseline_is_named(parsed: Parsed) -> None:
    missing = Parsed(html_report.html(replace(summary(), skipped={"nomic": HOSTILE})))

    assert f"Not compared: nomic: {HOSTILE}. Once it can be: dvc repro -sf evaluate@manuals" in missing.said()
    assert "Not compared" not in parsed.said()


def test_the_sections_stand_in_the_order_of_a_reviewers_questions(parsed: Parsed) -> None:
    sections = [found["id"] for tag, found in parsed.tags if tag == "section"]
    links = [str(found["href"]).removeprefix("#") for tag, found in parsed.tags if tag == "a"]

    assert sections == ["arms", "slices", "recall", "questions", "training", "promotion", "reading"]
    assert links == sections


def test_what_is_shipped_comes_first_then_why_then_the_training(parsed: Parsed) -> None:
    parts = (
        "nDCG@10 0.750, +0.150 [+0.110, +0.190] over base and +0.250 [+0.200, +0.300] over bm25, on 346 test questions",
        "late_hybrid_base is the default: the others prove no better.",
        "from 0.600 (base) to 0.650 (tuned): +0.050, 95% interval [+0.020, +0.080]",
        "Every way of searching",
    )

    places = [parsed.said().index(part) for part in parts]

    assert places == sorted(places)
    assert parsed.said().startswith("manuals: late_hybrid_base, nDCG@10 +0.150")
    assert "346 test questions by people" in parsed.said()


def test_the_tables_hold_the_figures_of_the_charts(parsed: Parsed) -> None:
    rows = re.findall(r'<th scope="row">(\w+)</th>((?:<td>.*?</td>)+)', html_report.html(summary()))

    cells = dict(rows[: len(MEANS)])
    assert list(cells) == list(MEANS)
    assert cells["tuned"] == '<td>0.650 <span class="span">± 0.040</span></td>' * 5
    assert dict(rows)["100"] == "<td>0.980</td>" * len(MEANS)
    assert "detects ≥ 0.123" in parsed.said()
    assert "+0.100 [−0.200, +0.400]" in parsed.said()
    assert "n 346 (51)" in parsed.said()


def test_every_chart_has_a_name_or_is_hidden(parsed: Parsed) -> None:
    charts = [found for tag, found in parsed.tags if tag == "svg"]

    named = [found for found in charts if found.get("role") == "img"]
    assert len(named) == 5 + 5 + 1 + 2  # arms, rows, recall, training
    assert all(found in named or found.get("aria-hidden") == "true" for found in charts)
    assert [tag for tag, _ in parsed.tags].count("desc") == len(named)


def test_it_says_who_asked_the_dev_questions() -> None:
    made, asked = (Parsed(html_report.html(summary(synthetic))).said() for synthetic in (True, False))

    assert "150 dev questions in 40 groups, by rules" in made
    assert "nDCG@10 on synthetic dev queries" in made
    assert "150 dev questions in 40 groups, by people" in asked
    assert "nDCG@10 on dev questions" in asked


def test_the_guard_is_shown_as_a_whole_and_by_collection(parsed: Parsed) -> None:
    assert "all together−0.020 [−0.030, −0.010]360 questions in 90 groups✗ guard objects" in parsed.said()
    assert "memories−0.030 [−0.050, −0.010]160 questions in 31 groups✗ guard objects" in parsed.said()


def test_empty_parts_are_said_to_be_empty() -> None:
    full = summary()
    alone = replace(full.promotion, guard=[])
    bare = replace(full, wins=[], losses=[], seeds=[], seed_spread=None, recall_curve={}, promotion=alone)

    said = Parsed(html_report.html(replace(bare, training=Training()))).said()

    assert said.count("None.") == 2
    for words in ("One training seed", "No curve was written.", "No collection of another field was looked at."):
        assert words in said


@pytest.mark.parametrize(
    ("text", "expected"), [("one two", "one two"), ("one two three", "one …"), ("abcdefghij", "abcdefg …")]
)
def test_long_passages_are_clipped_at_a_space(text: str, expected: str) -> None:
    assert html_report.clip(text, 7) == expected


def _luminance(colour: str) -> float:
    """Relative luminance of #rgb or #rrggbb (WCAG 2.2)."""
    digits = colour.removeprefix("#")
    pairs = [digit * 2 for digit in digits] if len(digits) == 3 else [digits[i : i + 2] for i in (0, 2, 4)]
    shares = [int(pair, 16) / 255 for pair in pairs]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast_is_enough_to_read(scheme: int) -> None:
    colours = dict(re.findall(r"--([\w-]+): (#\w+)", re.findall(r":root \{([^}]*)\}", CSS)[scheme]))

    for ground in ("page", "box"):
        for text in ("ink", "muted", "good", "bad"):
            assert _contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        for mark in (name for name in colours if re.fullmatch(r"c\d", name)):
            assert _contrast(colours[mark], colours[ground]) >= 3, (mark, ground)
    for word in ("good", "bad"):
        assert _contrast(colours[word], colours[f"{word}-soft"]) >= 4.5, word


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium to lay the page out")
def test_a_phone_need_not_scroll_sideways(tmp_path: Path) -> None:
    long = replace(summary(), corpus="a" * 90)
    frame = tmp_path / "frame.html"
    measure = "const root = this.contentDocument.documentElement; document.title = root.scrollWidth - root.clientWidth"
    frame.write_text(
        f'<!doctype html><iframe width="375" height="900" frameborder="0" onload="{measure}"'
        f' srcdoc="{html.escape(html_report.html(long))}"></iframe>',
        encoding="utf-8",
    )
    switches = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--dump-dom"]

    dumped = subprocess.run([str(CHROMIUM), *switches, frame.as_uri()], capture_output=True, text=True, check=True)

    assert re.findall(r"<title>(\d+)</title>", dumped.stdout) == ["0"]
