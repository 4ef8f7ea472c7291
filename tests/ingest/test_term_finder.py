"""What counts as a word of a term, and that finding many terms takes one step a word."""

import pytest

from domain_embeddings.ingest.term_finder import TermFinder, key_of


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("The  Brake-Fluid, please", ("the", "brake-fluid", "please")),
        ("Pell’s rope", ("pell", "rope")),
        ("STRASSE straße", ("strasse", "strasse")),
        ("cafe\u0301 \ufb01lter non\u2010slip Brems\u00adbelag", ("café", "filter", "non-slip", "bremsbelag")),
        ("5W-30, P0301", ("5w-30", "p0301")),
        ("C, C++, C# and C++11", ("c", "c++", "c#", "and", "c", "11")),
        ("20 °C ℃ 50%", ("20", "°", "c", "°", "c", "50", "%")),
        (" _-!? ", ()),
    ],
)
def test_words_in_one_form(text: str, key: tuple[str, ...]) -> None:
    assert key_of(text) == key


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("the brake fluid level", {"brake", "brake fluid", "fluid level"}),
        ("brakes and brake-fluid", set()),
        ("a b a b c", {"a b", "b", "b a b c"}),
        ("a b a b", {"a b", "b"}),
        ("", set()),
    ],
)
def test_terms_are_found_as_whole_words_and_within_one_another(text: str, found: set[str]) -> None:
    terms = ["brake", "brake fluid", "fluid level", "fluid level sensor", "a b", "b", "b a b c", ""]

    assert TermFinder(map(key_of, terms)).find(key_of(text)) == set(map(key_of, found))


class _Counted(str):
    """A word that counts how often a table is asked for it."""

    asked = 0

    def __hash__(self) -> int:
        _Counted.asked += 1
        return super().__hash__()


@pytest.mark.parametrize("last", ["a", "b"])
@pytest.mark.parametrize("words", [1000, 2000])
def test_a_word_takes_a_few_steps_however_many_terms_it_may_belong_to(words: int, last: str) -> None:
    finder = TermFinder((*["a"] * length, last) for length in range(200))
    _Counted.asked = 0

    finder.find(_Counted("a") for _ in range(words))

    assert words <= _Counted.asked <= 4 * words
