"""Templates fill only the slots that a heading gives, and never say a word twice."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain_embeddings.english.heading_parser import read_heading
from domain_embeddings.synthesis.templates import TEMPLATES, Slot, fill, slots

TYPES = ["procedure", "diagnostic", "parts", "specification", "safety", "other"]


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_has_at_least_eight_templates(kind: str) -> None:
    frames = [template.frame for template in TEMPLATES[kind]]
    assert len(set(frames)) == len(frames) >= 8
    assert all(frame.count("{}") == 1 for frame in frames)


def test_procedure() -> None:
    found = fill(read_heading("SERVICE BRAKE BLEEDING"), "procedure")
    assert "How do I bleed the service brake?" in found
    assert "steps for bleeding the service brake" in found
    assert "service brake bleeding procedure" in found


def test_casual_verbs_need_a_synonym() -> None:
    assert "need to swap the front brake pads, what's the procedure" in fill(
        read_heading("Front Brake Pads Replacement"), "procedure"
    )
    assert Slot.CASUAL not in slots(read_heading("SERVICE BRAKE BLEEDING"))


def test_a_how_to_heading_is_not_asked_twice() -> None:
    found = fill(read_heading("HOW TO CHECK TIRE PRESSURE"), "procedure")
    assert "How do I check tire pressure?" in found
    assert not any("how to check" in text and text.lower().startswith("how do i") for text in found)


def test_symptoms_are_asked_as_symptoms_whatever_the_type() -> None:
    found = fill(read_heading("Engine overheats"), "other")
    assert found[0] == "What should I do if the engine overheats?"
    assert not any("engine overheats explained" in text for text in found)


@pytest.mark.parametrize(
    ("heading", "kind", "wanted", "unwanted"),
    [
        ("Tire specifications", "specification", "", "spec"),
        ("Special tools list", "parts", "", "list"),
        (
            "Cooling system troubleshooting",
            "diagnostic",
            "How do I find out what is wrong with the cooling system?",
            "xx",
        ),
        ("Wheel nut torque", "specification", "What should the wheel nut torque be?", "xx"),
        ("Brake fluid", "safety", "What are the hazards of brake fluid?", "xx"),
        ("Drive belt", "parts", "What is the part number for the drive belt?", "xx"),
    ],
)
def test_frames_do_not_repeat_the_heading(heading: str, kind: str, wanted: str, unwanted: str) -> None:
    found = fill(read_heading(heading), kind)
    assert not wanted or wanted in found
    assert not any(text.lower().count(unwanted) > 1 for text in found)


@pytest.mark.parametrize("heading", ["Overview", "Step 3", "--- PAGE 12 ---", "", "3.1"])
@pytest.mark.parametrize("kind", TYPES)
def test_nothing_is_asked_about_a_generic_heading(heading: str, kind: str) -> None:
    assert fill(read_heading(heading), kind) == []


def test_an_unknown_type_counts_as_other() -> None:
    heading = read_heading("Screen recorder")
    assert fill(heading, "") == fill(heading, "other") != []


@given(
    st.lists(
        st.sampled_from(
            [
                "brake",
                "pads",
                "replacement",
                "check",
                "the",
                "pump",
                "leaks",
                "no",
                "how",
                "to",
                "torque",
                "specifications",
                "warning",
                "page",
            ]
        ),
        min_size=1,
        max_size=5,
        unique=True,
    ),
    st.sampled_from([*TYPES, ""]),
)
def test_filled_frames_are_whole(words: list[str], kind: str) -> None:
    for text in fill(read_heading(" ".join(words)), kind):
        assert "{" not in text
        assert "  " not in text
        assert text == text.strip()
        assert not re.search(r"\bthe the\b|how do i how|\bto to\b", text.lower())
        assert not text.endswith("?") or text[0].isupper()
