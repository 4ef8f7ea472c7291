"""Near-equal questions: the same in another writing, or but for one word, and never with another number."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain_embeddings.text_matching.near_equal_queries import NearEqualQueries

QUESTION = "how do I bleed the rear brake circuit"  # content: bleed, rear, brake, circuit


@pytest.mark.parametrize(
    "other",
    [
        "how do I bleed the rear brake circuit",  # the same
        "How Do I BLEED The Rear Brake Circuit?",  # case and punctuation
        "rear brake circuit: how do you bleed it",  # order and function words
        "bleeding of rear brakes' circuits",  # endings
        "how do I bleed the front brake circuit",  # one word replaced
        "how do I bleed the rear brake",  # one word less
        "how do I bleed the rear drum brake circuit",  # one word more
    ],
)
def test_near_equal_questions_are_found(other: str) -> None:
    assert NearEqualQueries({"test question 7": QUESTION}).find(other) == "test question 7"
    assert NearEqualQueries({"other": other}).find(QUESTION) == "other"


@pytest.mark.parametrize(
    "other",
    [
        "how do I bleed the front clutch circuit",  # two words replaced
        "how do I fill the rear brake reservoir",
        "bleed the brake",  # two words less
        "where is the fuse box",
        "",
    ],
)
def test_other_questions_are_not_found(other: str) -> None:
    assert NearEqualQueries({"test question 7": QUESTION}).find(other) is None
    assert NearEqualQueries({"other": other}).find(QUESTION) is None


def test_short_questions_must_have_the_same_words() -> None:
    near = NearEqualQueries({"a": "brake fluid type"})

    assert near.find("type of brake fluid") == "a"
    assert near.find("brake fluid colour") is None  # three words, one replaced: another question


def test_long_texts_must_have_the_same_words() -> None:
    words = [f"{letter}{other}pump" for letter in "bcdfghjklmn" for other in "aeiouyrlst"]  # 110
    for count, found in ((99, "a"), (101, None)):
        near = NearEqualQueries({"a": " ".join(words[:count])})
        assert near.find(" ".join(reversed(words[:count]))) == "a"
        assert near.find(" ".join([*words[: count - 1], "valve"])) == found


def test_the_first_of_equal_texts_is_the_owner() -> None:
    near = NearEqualQueries()
    near.add("first", QUESTION)
    near.add("second", QUESTION.upper())

    assert near.find(QUESTION) == "first"


def near(one: str, other: str) -> bool:
    """Whether one text is found by the other, which must not depend on who asks."""
    found = NearEqualQueries({"one": one}).find(other) is not None
    assert found == (NearEqualQueries({"other": other}).find(one) is not None)
    return found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("after 10,000 km", "after 10000km"),
        ("soak 45 min", "soak 45-minute"),
        ("5W-30 oil", "oil 5w30"),
        ("the driver’s seat", "driver's seat"),
        ("seat of drivers", "drivers' seat"),
        ("power-on sequence", "power on sequence"),
        ("lamp colour", "color of the lamp"),
        ("brаkе fluid", "brake fluid"),  # Cyrillic letters
        ("bra\u200bke\u00ad fluid", "brake fluid"),
        ("HT-25 mast", "ht 25 mast"),
        ("seal AB12CD34", "seal ab12-cd34"),
        ("bleed the brakes in two minutes", "bleed brakes: 2 min"),
    ],
)
def test_another_writing_is_the_same_question(one: str, other: str) -> None:
    assert near(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("wheel nut torque front axle 45", "wheel nut torque front axle 60"),
        ("wheel nut torque front axle 45", "wheel nut torque front axle"),
        ("soak blue lane gate 45 min", "soak blue lane gate 45 h"),
        ("engine fault code P0301 cylinder misfire", "engine fault code B0301 cylinder misfire"),
        ("engine fault code P0301 cylinder misfire", "engine fault code P0302 cylinder misfire"),
        ("winter engine oil grade 5W-10", "winter engine oil grade 10W-5"),
        ("where is part SQB 118c of the pump housing", "where is part SQC 118c of the pump housing"),
        ("where is part SQB-118c of the pump housing", "where is part SQB-118d of the pump housing"),
        ("seal AB12CD34", "seal AB34-CD12"),
        ("log rotation of the server on 2024-01-02", "log rotation of the server on 2024-02-01"),
        ("start the diesel engine at -20 °C", "start the diesel engine at 20 °C"),
        ("how many storehouses burned in Drayhythe: forty-one", "how many storehouses burned in Drayhythe: forty-two"),
        ("extinguisher for class B fires in the engine bay", "extinguisher for class C fires in the engine bay"),
        ("power-on", "power-off"),
        ("🔧", "🚗"),
    ],
)
def test_another_number_code_or_unit_is_another_question(one: str, other: str) -> None:
    assert not near(one, other)


def test_beside_a_number_one_of_three_words_may_differ() -> None:
    assert near("front wheel torque 45 Nm", "rear wheel torque 45 Nm")
    assert not near("wheel torque 45 Nm", "wheel play 45 Nm")


WORDS = st.sampled_from(
    ["brake", "fluid", "torque", "mast", "chain", "filter", "valve", "engine", "pump", "driver", "colour", "metre"]
)
UNITS = st.sampled_from(["min", "Nm", "km/h", "V", "litres", "bar", "°C", "%", "kg"])
NUMBERS = st.integers(0, 10**7)


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[str], int, str]:
    """Words, a number and its unit."""
    return draw(st.lists(WORDS, min_size=1, max_size=6)), draw(NUMBERS), draw(UNITS)


def written(words: list[str], number: object, unit: str) -> str:
    """A question of the parts."""
    return f"what is the {' '.join(words)} after {number} {unit} of the driver's cab"


FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
MECHANICAL = {
    "case": lambda words, number, unit: written(words, number, unit).upper(),
    "invisible": lambda words, number, unit: "\u200b".join(written(words, number, unit)),
    "full width": lambda words, number, unit: written(words, str(number).translate(FULL_WIDTH), unit),
    "Cyrillic": lambda words, number, unit: written(words, number, unit).replace("e", "е").replace("a", "а"),
    "quotes": lambda words, number, unit: written(words, number, unit).replace("'", "’"),
    "possessive": lambda words, number, unit: written(words, number, unit).replace("driver's", "drivers'"),
    "separators": lambda words, number, unit: written(words, f"{number:,}", unit),
    "narrow blanks": lambda words, number, unit: written(words, f"{number:,}".replace(",", "\u202f"), unit),
    "unit joined": lambda words, number, unit: written(words, number, unit).replace(f" {unit}", unit),
    "unit hyphened": lambda words, number, unit: written(words, f"{number}-{unit}", ""),
    "hyphens": lambda words, number, unit: written(["-".join(words)], number, unit),
    "slashes": lambda words, number, unit: written(["/".join(words)], number, unit),
    "American": lambda words, number, unit: (
        written(words, number, unit).replace("colour", "color").replace("metre", "meter").replace("litre", "liter")
    ),
    "order": lambda words, number, unit: written(words[::-1], number, unit),
}


@pytest.mark.parametrize("change", MECHANICAL)
@settings(deadline=None)
@given(questions())
def test_a_mechanical_change_keeps_the_question(change: str, question: tuple[list[str], int, str]) -> None:
    assert near(written(*question), MECHANICAL[change](*question))


@settings(deadline=None)
@given(questions(), NUMBERS, st.sampled_from(sorted(MECHANICAL)))
def test_with_another_number_no_writing_is_near(question: tuple[list[str], int, str], number: int, change: str) -> None:
    words, asked, unit = question
    assert near(written(words, number, unit), MECHANICAL[change](words, asked, unit)) == (number == asked)


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_is_near_itself_and_nearness_is_mutual(one: str, other: str) -> None:
    assert near(one, one)
    near(one, other)
