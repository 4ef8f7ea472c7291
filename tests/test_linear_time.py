"""Nothing runs away: the time of a regular expression or function grows with its input, not with the square of it.

The one place where tests look at time: at a ratio of CPU times, the best of several, counted above a floor alone.
"""

import re

import pytest

from tests.pumping import Used, patterns, pumps, steps, superlinear

pytestmark = pytest.mark.slow

CAPPED = frozenset({"ingest.formats.blocks._PAGE_MARK"})
"""Patterns that see no text of more than a hundred characters."""
LARGEST = 16384
"""Characters of a pumped string."""


def slow(used: Used) -> str:
    """What a pattern is slow on, and how slow; empty where there is nothing."""
    for pump in pumps(used.pattern):
        growth = superlinear(used.run, pump.of, steps(LARGEST // len(pump.again)))
        if growth:
            return f"{used.place}: {pump}: x {growth.ratio:.1f} from n = {growth.size} to 2n"
    return ""


def test_no_pattern_runs_away() -> None:
    found = patterns()
    assert len(found) > 150
    assert not [told for used in found if used.place not in CAPPED and (told := slow(used))]


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?:\s*\([^()]*\)|[\s:.,;–—-])+$",
        r"^(?:\w+\s?)*$",
        r"(a|aa)+$",
        r"\s+-",
        r"\s*,?\s*;",
        r"<!--.*?-->",
        r"<[^>]+>",
        r"(?<!\w)_+|_+(?!\w)",
        r"x(?:step\s+\d+\s*[:.]?\s*)+$",
        r"\b\d[\d/.]*\"",
    ],
)
def test_a_slow_pattern_is_found(pattern: str) -> None:
    assert slow(Used("here", re.compile(pattern, re.DOTALL), frozenset({"sub"})))


@pytest.mark.parametrize("pattern", [r"(?<!\s)\s++-", r"<[^<>]+>", r"^\s*+,?+\s*+;", r"(?<=\w\w\w)\.[a-z]{2,4}\b"])
def test_a_linear_pattern_is_not(pattern: str) -> None:
    assert not slow(Used("here", re.compile(pattern), frozenset({"sub"})))


def test_a_pattern_counts_by_what_is_done_with_it() -> None:
    spaces = re.compile(r"\s+-")
    assert not slow(Used("here", spaces, frozenset({"match"})))
    assert slow(Used("here", spaces, frozenset({"match", "search"})))
