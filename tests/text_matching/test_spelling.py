"""One spelling for British and American words and for numbers in words."""

import pytest

from domain_embeddings.text_matching.spelling import one_spelling, spelled_stem


def stems(text: str) -> set[str]:
    """The stems of a text in one spelling."""
    return {spelled_stem(word) for word in one_spelling(text).split()}


@pytest.mark.parametrize(
    ("british", "american"),
    [
        ("colour colours coloured discolouring", "color colors colored discoloring"),
        ("neighbouring odour vapour", "neighboring odor vapor"),
        ("centre centres centred centring", "center centers centered centering"),
        ("metre millimetre litres fibre fibreglass theatre", "meter millimeter liters fiber fiberglass theater"),
        ("organise organised organisation realising", "organize organized organization realizing"),
        ("analyse analysed analyser", "analyze analyzed analyzer"),
        ("travelled traveller labelling fulfil instal", "traveled traveler labeling fulfill install"),
        ("programme programmes catalogued dialogue", "program programs cataloged dialog"),
        ("tyre tyres aluminium grey licence licensing", "tire tires aluminum gray license licensing"),
        ("mould moulding ploughed kerb discs", "mold molding plowed curb disks"),
    ],
)
def test_both_sides_of_the_ocean_spell_one_word(british: str, american: str) -> None:
    assert len(british.split()) == len(american.split())
    pairs = zip(british.split(), american.split(), strict=True)
    assert [pair for pair in pairs if stems(pair[0]) != stems(pair[1])] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [("film", "fill"), ("fill", "file"), ("hour", "her"), ("size", "sis"), ("prize", "price"), ("meter", "metric")],
)
def test_other_words_stay_apart(one: str, other: str) -> None:
    assert stems(one) != stems(other)


@pytest.mark.parametrize(
    "family", ["precise precisely", "advertise advertisement", "resize resized", "control controlled"]
)
def test_a_family_of_words_stays_together(family: str) -> None:
    assert len(stems(family)) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("two", "2"),
        ("forty-one storehouses", "41 storehouses"),
        ("twenty four hours, ninety", "24 hours, 90"),
        ("nineteen", "19"),
        ("which one", "which one"),  # a pronoun
        ("often", "often"),
    ],
)
def test_numbers_in_words(text: str, expected: str) -> None:
    assert one_spelling(text) == expected
