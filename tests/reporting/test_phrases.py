"""Numbers and sentences, as they are read."""

import math
from dataclasses import replace

import pytest

from domain_embeddings.evaluation.report_model import DevPoint, Training
from domain_embeddings.reporting import phrases
from tests.summaries import SMALL, summary


@pytest.mark.parametrize(
    ("value", "expected"), [(0.0654, "+0.065"), (-0.0124, "−0.012"), (-0.0004, "0.000"), (1, "+1.000")]
)
def test_differences_carry_their_sign(value: float, expected: str) -> None:
    assert phrases.signed(value) == expected


def test_p_values_below_what_resamples_can_tell() -> None:
    assert [phrases.p_value(p) for p in (0.0002, 0.001, 0.0416)] == ["<0.001", "0.001", "0.042"]
    small = replace(summary(), verdict=replace(summary().verdict, p=0.0002))
    assert "p < 0.001: improved." in phrases.verdict_sentence(small)


def test_what_an_underpowered_slice_detects() -> None:
    assert phrases.detects(SMALL) == "detects ≥ 0.123"
    assert phrases.detects(replace(SMALL, detectable=math.inf)) == "detects nothing"
    assert phrases.detects(replace(SMALL, word="unchanged")) == ""


def test_half_of_an_interval() -> None:
    assert phrases.half_width((0.6, 0.7)) == pytest.approx(0.05)


def test_the_weights_share() -> None:
    promotion = summary().promotion

    assert phrases.share_sentence(promotion).endswith("a mix: 50% trained, 50% the base's.")
    assert phrases.share_sentence(replace(promotion, share=1)).endswith("the trained ones alone.")


def test_what_search_answers_with() -> None:
    assert phrases.shipped_sentence(summary()) == (
        "Search answers with late_hybrid_base: nDCG@10 0.750, +0.150 [+0.110, +0.190] over base and +0.250 "
        "[+0.200, +0.300] over bm25, on 346 test questions by people. It stores 6.7 KB of vectors for a passage."
    )


def test_why_it_is_shipped_is_a_sentence() -> None:
    promotion = replace(summary().promotion, reason="tuned was chosen, and proved itself.")

    assert phrases.reason(promotion) == "tuned was chosen, and proved itself."


def test_who_asked_how_many() -> None:
    assert phrases.asked(1150, 40, "people") == "1,150 dev questions in 40 groups, by people"


def test_a_training_that_learned_nothing_says_so() -> None:
    points = [DevPoint(0, 0.5), DevPoint(5, 0.4), DevPoint(9, 0.5)]

    said = phrases.learned_sentence(Training(dev=points), "rules")

    expected = "Training learned nothing that dev questions by rules show: none of its checkpoints is above the base."
    assert said == expected
    assert phrases.learned_sentence(Training(dev=[*points, DevPoint(12, 0.501)]), "rules") == ""
    assert phrases.learned_sentence(Training(), "rules") == ""
