"""What people say in place of a text's words."""

import pytest

from domain_embeddings.core.text import content_words
from domain_embeddings.english.other_words import NOUNS, VERBS, other_gerund, other_noun


@pytest.mark.parametrize(
    ("verb", "other"), [("remove", "taking off"), ("removes", "taking off"), ("prevent", "avoiding"), ("zap", "")]
)
def test_verbs_in_their_ing_form(verb: str, other: str) -> None:
    assert other_gerund(verb) == other


@pytest.mark.parametrize(
    ("noun", "other"), [("engine", "motor"), ("Engines", "motors"), ("children", "kids"), ("gearbox", "")]
)
def test_nouns_keep_their_number(noun: str, other: str) -> None:
    assert other_noun(noun) == other


@pytest.mark.parametrize("table", [VERBS, NOUNS])
def test_no_word_has_a_stem_of_what_is_said_for_it(table: dict[str, str]) -> None:
    assert not [word for word, other in table.items() if set(content_words(word)) & set(content_words(other))]
