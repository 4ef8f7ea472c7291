"""Who asked the questions: what a question says, what its making says, and the phrase for many."""

import pytest

from domain_embeddings.core.dataset import Author, Query, asked_by, author_of


def _asked(number: int, **extra: object) -> list[Query]:
    return [Query(str(i), "?", extra=extra) for i in range(number)]


@pytest.mark.parametrize(
    ("extra", "author"),
    [
        ({"written_by": "people"}, Author.PEOPLE),
        ({"written_by": "model", "names": "alias"}, Author.MODEL),
        ({"written_by": "rules"}, Author.RULES),
        ({"written_by": "unknown", "source": "a forum"}, Author.UNKNOWN),
        ({"source": "dev", "type": "procedure"}, Author.RULES),
        ({"written_by": None}, Author.UNKNOWN),
        ({}, Author.UNKNOWN),
    ],
)
def test_the_author_of_a_question(extra: dict[str, object], author: Author) -> None:
    assert author_of(Query("q", "?", extra=extra)) is author


def test_an_author_outside_the_set_is_an_error() -> None:
    with pytest.raises(ValueError, match="'ann' is not a valid Author"):
        author_of(Query("q", "?", extra={"written_by": "ann"}))


def test_one_kind_of_author_needs_no_number() -> None:
    said = {author: asked_by(_asked(2, written_by=author)) for author in Author}

    assert said == {"people": "people", "rules": "rules", "model": "a language model", "unknown": "unknown authors"}


def test_several_are_named_with_their_numbers_largest_first() -> None:
    people, model, rules = _asked(2, written_by="people"), _asked(1200, written_by="model"), _asked(3, source="dev")

    assert asked_by([*people, *_asked(1)]) == "people (2) and unknown authors (1)"
    assert asked_by([*people, *model, *rules]) == "a language model (1,200), rules (3) and people (2)"


def test_equal_numbers_stand_in_the_order_of_the_authors() -> None:
    assert asked_by([*_asked(1), *_asked(1, written_by="people")]) == "people (1) and unknown authors (1)"


def test_no_question_is_asked_by_nobody() -> None:
    assert asked_by([]) == "nobody"
