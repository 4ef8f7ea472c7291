"""What a search system is, and the family that a choice is made from."""

from typing import Any

import pytest
from pydantic import ValidationError

from domain_embeddings.core.dataset import Passage
from domain_embeddings.params.search import LateStorage, SearchParams, Server
from domain_embeddings.systems.system import DEFAULT_SYSTEM, System, aliases_of, default_of, family

NAMES = [
    "bm25", "base", "tuned", "hybrid_base", "hybrid_tuned", "late_base", "late_tuned", "late_hybrid_base",
    "late_hybrid",
]  # fmt: skip
COMB = Passage("c", "Ossel comb", "Its teeth bend inward.", extra={"aliases": ["the grey nun", "Ossel"]})
PARAMS = SearchParams()


def _named(name: str) -> System:
    return next(system for system in family(aliases=True, params=PARAMS) if system.name == name)


def test_the_family_is_fixed_and_with_aliases_there_is_each_once_more() -> None:
    plain, whole = (family(aliases, PARAMS) for aliases in (False, True))

    assert [system.name for system in plain] == NAMES
    assert [system.name for system in whole] == [*NAMES, *(f"{name}_aliases" for name in NAMES)]
    assert [system.aliases for system in whole] == [False] * 9 + [True] * 9
    assert whole[9:] == [each.model_copy(update={"name": f"{each.name}_aliases", "aliases": True}) for each in plain]


def test_a_system_of_words_alone_is_the_bases() -> None:
    assert [system.name for system in family(False, PARAMS) if system.model == "tuned"] == [
        "tuned", "hybrid_tuned", "late_tuned", "late_hybrid",
    ]  # fmt: skip


def test_depth_and_storage_are_the_params() -> None:
    params = SearchParams(depth=20, late=LateStorage(bits=4, factor=1, candidates=30))

    found = family(True, params)

    assert {(system.depth, system.storage) for system in found} == {(20, params.late)}


def test_no_other_knob_of_the_search_changes_the_family() -> None:
    """`dvc.yaml` has the evaluation run again for these two alone."""
    other = SearchParams(budget_kb=1, max_query_chars=300, batch_size=2, hnsw_m=8, server=Server(url="http://a:1"))

    assert family(True, other) == family(True, PARAMS)


def test_names_are_the_aliases_then_the_listed_synonyms() -> None:
    passage = Passage("c", "Comb", "teeth", extra={"aliases": ["the grey nun"], "listed_synonyms": ["prongs"]})

    assert aliases_of(passage) == ("the grey nun", "prongs")
    assert _named("base_aliases").text(passage) == "Comb (the grey nun, prongs) teeth"


def test_the_default_is_of_the_family_and_has_aliases_where_there_are_any() -> None:
    assert default_of(family(False, PARAMS)) == DEFAULT_SYSTEM
    assert default_of(family(True, PARAMS)).name == "late_hybrid_base_aliases"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, "one of the weights must be above 0"),
        ({"late": 1, "fusion": "ranks"}, "late interaction is fused by scores"),
        ({"dense": -1.0, "bm25": 2.0}, "greater than or equal to 0"),
        ({"dense": 1, "model": "theirs"}, "'base' or 'tuned'"),
        ({"dense": 1, "weights": 1}, "weights"),
        ({"dense": 1, "depth": 5}, "greater than or equal to 10"),
    ],
)
def test_a_system_that_cannot_be_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        System.model_validate({"name": "x", "model": "base", **wrong})


@pytest.mark.parametrize("name", NAMES)
def test_what_is_packaged_reads_as_it_was(name: str) -> None:
    system = _named(name)

    assert System.model_validate_json(system.model_dump_json()) == system


def test_the_simplest_have_the_fewest_parts_then_the_untrained_model() -> None:
    ordered = sorted(family(False, PARAMS), key=lambda system: system.simplicity)

    assert [(system.name, system.parts) for system in ordered] == [
        ("bm25", 1), ("base", 1), ("tuned", 1), ("hybrid_base", 2), ("hybrid_tuned", 2),
        ("late_base", 3), ("late_hybrid_base", 3), ("late_tuned", 3), ("late_hybrid", 3),
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "vectors"), [("late_hybrid", "tuned"), ("hybrid_base", "base"), ("bm25", "base")])
def test_by_meaning_alone_is_the_single_vectors_of_the_same_model_and_texts(name: str, vectors: str) -> None:
    with_aliases = _named(f"{name}_aliases").by_meaning()

    assert _named(name).by_meaning() == _named(vectors)
    assert with_aliases == _named(f"{vectors}_aliases").model_copy(update={"name": vectors})


def test_aliases_are_indexed_by_their_system_alone() -> None:
    assert _named("base").text(COMB) == "Ossel comb Its teeth bend inward." == COMB.content
    assert _named("base_aliases").text(COMB) == "Ossel comb (the grey nun, Ossel) Its teeth bend inward."


@pytest.mark.parametrize("extra", [{}, {"aliases": []}, {"aliases": None}])
def test_a_passage_without_aliases_is_indexed_as_it_is(extra: dict[str, Any]) -> None:
    passage = Passage("p", "", "Salt is raked.", extra=extra)

    assert aliases_of(passage) == ()
    assert _named("base_aliases").text(passage) == "Salt is raked."


def test_aliases_of_a_passage_without_a_title() -> None:
    passage = Passage("p", "", "Salt is raked.", extra={"aliases": ["brine"]})

    assert _named("base_aliases").text(passage) == "(brine) Salt is raked."
