"""Passages held out of training for synthetic dev questions: how many, in whole groups, and what is asked of them."""

from collections import Counter
from dataclasses import replace

import pytest

from domain_embeddings.core.dataset import Passage
from domain_embeddings.synthesis.synthetic_dev import synthetic_dev
from domain_embeddings.text_matching.near_equal_queries import NearEqualQueries

FIRST = ("bra", "kel", "tor", "vin", "sul", "mor", "pel", "gan", "dor", "lin", "fus", "rek")
LAST = ("dex", "lum", "tik", "rop", "zan", "vok", "mip", "gal", "hes", "nub", "cor", "wit")


def many(count: int) -> dict[str, Passage]:
    """Sections of two passages; four passages in a row speak of the same two things."""
    words = [f"{first}{last}" for first in FIRST for last in LAST]
    return {
        f"p{n:04}": Passage(
            f"p{n:04}",
            f"Manual > heading {n // 2}",
            f"The {words[n // 4 % 144]} holds the {words[(n // 4 * 7 + n // 576 + 1) % 144]} of sample {n}.",
        )
        for n in range(count)
    }


@pytest.mark.parametrize(
    ("count", "share", "passages", "questions"),
    [
        (60, 0.1, (29, 30), (20, 30)),  # half of them, which gives too few questions
        (400, 0.05, (100, 120), (100, 101)),  # more than the share
        (400, 0.4, (160, 161), (130, 161)),  # the share
        (1200, 0.4, (300, 400), (300, 301)),  # less than the share
    ],
)
def test_how_many_are_held_out(count: int, share: float, passages: tuple[int, int], questions: tuple[int, int]) -> None:
    found = synthetic_dev(many(count), share, {}, 0)

    assert passages[0] <= len(found.passages) <= passages[1]
    assert questions[0] <= len(found.queries) <= questions[1]


def test_sections_and_near_copies_stay_together() -> None:
    corpus = many(80)
    text = (
        f"{corpus['p0000'].text} Nothing else is known of it, neither who made it nor what it was meant to be good for."
    )
    corpus["p0000"] = replace(corpus["p0000"], text=text)
    corpus["copy"] = Passage("copy", "Another title", text)
    for seed in range(5):
        chosen = synthetic_dev(corpus, 0.3, {}, seed).passages
        assert all((f"p{n:04}" in chosen) == (f"p{n + 1:04}" in chosen) for n in range(0, 80, 2))
        assert ("copy" in chosen) == ("p0000" in chosen)


def test_chunks_of_one_document_are_asked_about_where_all_have_its_title() -> None:
    corpus = {i: replace(passage, title="Handbook") for i, passage in many(60).items()}

    found = synthetic_dev(corpus, 0.1, {}, 0)

    assert 20 <= len(found.queries) <= 30
    assert len(found.passages) <= 30


def test_the_order_of_the_corpus_does_not_matter() -> None:
    corpus = many(120)

    assert synthetic_dev(corpus, 0.2, {}, 3) == synthetic_dev(dict(reversed(corpus.items())), 0.2, {}, 3)


def test_every_question_asks_for_a_passage_that_is_held_out_and_no_barred_one() -> None:
    corpus = many(200)
    barred = [f"p{n:04}" for n in range(0, 200, 3)]

    found = synthetic_dev(corpus, 0.3, {}, 0, barred)

    assert list(found.queries) == list(found.qrels) == [f"dev-{n}" for n in range(1, len(found.queries) + 1)]
    assert {passage for grades in found.qrels.values() for passage in grades} <= found.passages
    assert found.passages.isdisjoint(barred)
    assert len(found.passages) <= (200 - len(barred)) // 2
    assert max(Counter(query.extra["passage"] for query in found.queries.values()).values()) <= 2


def test_no_question_is_near_equal_to_a_held_out_one_or_to_another() -> None:
    corpus = many(200)
    taken = {query.text: query.text for query in synthetic_dev(corpus, 0.3, {}, 0).queries.values()}

    again = [query.text for query in synthetic_dev(corpus, 0.3, taken, 0).queries.values()]

    near = NearEqualQueries(taken)
    assert again
    for text in again:
        assert near.find(text) is None
        near.add(text, text)


def test_where_words_lead_to_no_other_passage_questions_are_asked_all_the_same() -> None:
    words = [f"{first}{last}" for first in FIRST for last in LAST]
    corpus = {f"p{n}": Passage(f"p{n}", f"{n}", f"The {words[2 * n]} holds the {words[2 * n + 1]}.") for n in range(40)}

    assert len(synthetic_dev(corpus, 0.1, {}, 0).queries) == 20


def test_passages_without_questions_are_left_to_training() -> None:
    corpus = {**many(40), **{f"empty{n}": Passage(f"empty{n}", f"Empty {n}", "It is so.") for n in range(200)}}

    found = synthetic_dev(corpus, 0.4, {}, 0)

    assert len(found.queries) > 20
    assert not any(passage.startswith("empty") for passage in found.passages)
