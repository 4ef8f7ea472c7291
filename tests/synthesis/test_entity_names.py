"""Names in running text."""

import pytest

from domain_embeddings.core.dataset import Passage
from domain_embeddings.core.entities import Article
from domain_embeddings.synthesis.entity_names import bare, is_person, names_in, renamed, resolved, spoken

COMB = ("Ossel comb", "the grey nun")


def _article(*texts: str) -> Article:
    return Article("X", (), tuple(Passage(str(n), "", text) for n, text in enumerate(texts)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("An Ossel comb loses its temper", "long-tooth loses its temper"),
        ("the teeth of the grey nun", "the teeth of long-tooth"),
        ("The Grey Nun's teeth", "long-tooth's teeth"),
        ("Ossel combs and an Ossel comb-case", "Ossel combs and an Ossel comb-case"),
    ],
)
def test_one_name_stands_for_another_with_its_article(text: str, expected: str) -> None:
    assert renamed(text, COMB, "long-tooth") == expected


def test_a_name_with_signs_is_no_pattern() -> None:
    assert renamed("Osan'gar (Aginor) fell", ["Osan'gar (Aginor)"], r"\1") == r"\1 fell"


def test_the_longest_name_wins() -> None:
    assert renamed("the Drayhythe Council met", ["Drayhythe", "Drayhythe Council"], "it") == "it met"


def test_names_are_whole_words() -> None:
    assert names_in("A grey nun.", COMB)
    assert not names_in("Grey nuns", COMB)


def test_a_name_without_its_article() -> None:
    assert [bare(name) for name in ("the grey nun", "An Ossel", "Theodor")] == ["grey nun", "Ossel", "Theodor"]


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("A kellock is a valve. In the kellock, kellock and all.", "kellock", "the kellock"),
        ("Tiss is thread. The tiss is soft. Wear tiss.", "tiss", "tiss"),
        ("Carders call it the grey nun.", "the grey nun", "the grey nun"),
        ("Not named here.", "Iron Skirts", "Iron Skirts"),
    ],
)
def test_a_name_is_spoken_as_in_its_article(text: str, name: str, expected: str) -> None:
    assert spoken(name, _article(text)) == expected


@pytest.mark.parametrize(
    ("texts", "person"),
    [
        (("She came up as a girl.", "It was her stair."), True),
        (("It is found in nodules.", "He saw them with his lamp, he said."), False),
        (("A valve.",), False),
    ],
)
def test_a_person_is_he_or_she_from_the_first_passage_on(texts: tuple[str, ...], person: bool) -> None:
    assert is_person(_article(*texts)) is person


@pytest.mark.parametrize(
    ("sentence", "person", "expected"),
    [
        ("She taught until 221", True, "X taught until 221"),
        ("It melts", False, "X melts"),
        ("She taught", False, "She taught"),
        ("It melts", True, "It melts"),
        ("It was shown that windows shrink", False, "It was shown that windows shrink"),
        ("Then she taught", True, "Then she taught"),
    ],
)
def test_an_opening_pronoun_is_the_entity(sentence: str, person: bool, expected: str) -> None:
    assert resolved(sentence, "X", person=person) == expected
