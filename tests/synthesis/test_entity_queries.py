"""Training queries from the names and aliases of entities."""

from collections import Counter
from typing import Any

import pytest

from domain_embeddings.core.dataset import Passage, Query
from domain_embeddings.core.entities import articles
from domain_embeddings.params.synthesize import SynthesizeParams
from domain_embeddings.synthesis.entity_queries import alias_queries, names_of
from domain_embeddings.synthesis.queries import Synthesis
from stages.synthesize import synthetic
from tests.knobs import knobs

COMB_1 = (
    "The Ossel comb is the wide hand comb with which raw fog is drawn apart. Forty teeth of grey brennick stand in an "
    "oaken back. Nothing but an Ossel comb parts fog so well."
)
COMB_2 = (
    "An Ossel comb loses its temper after four hundred draws. The teeth take up salt from the strands. It needs a bath "
    "in warm whey at the turn of the season."
)
PELL = "Jorrim Pell measured the shaft with a knotted rope. He took off his coat four hundred fathoms down."


def _passage(passage_id: str, entity: str, title: str, text: str, *aliases: str) -> Passage:
    return Passage(passage_id, title, text, "device", "other", {"entity": entity, "aliases": list(aliases)})


CORPUS = {
    passage.id: passage
    for passage in (
        _passage("comb-1", "Ossel comb", "Ossel comb: description", COMB_1, "the grey nun"),
        _passage("comb-2", "Ossel comb", "Ossel comb: upkeep", COMB_2, "the grey nun"),
        _passage("pell", "Jorrim Pell", "Jorrim Pell: life", PELL, "Half-a-Rope"),
    )
}


def _params(factor: int = 50, **changes: Any) -> SynthesizeParams:
    return knobs("synthesize", SynthesizeParams, **{"seed": 1, "synthetic_expansion_factor": factor, **changes})


def _make(factor: int = 50, held_out: dict[str, str] | None = None, **changes: Any) -> Synthesis:
    return alias_queries(CORPUS, _params(factor, **changes), held_out or {})


def test_a_name_alone_leads_to_all_passages_about_it() -> None:
    found = _make()
    general = [query for query in found.queries if query.extra["form"] == "general"]
    combs = [query for query in general if "Ossel comb" in query.text or "grey nun" in query.text]
    assert all(found.qrels["train"][query.id] == {"comb-1": 1, "comb-2": 1} for query in combs)
    assert all(found.qrels["train"][query.id] == {"pell": 1} for query in general if query not in combs)
    assert 0 < len(combs) < len(general)


def test_a_person_is_asked_for_as_a_person_and_only_an_alias_for_another_name() -> None:
    texts = {query.text for query in _make().queries}
    assert {"another name for the grey nun", "another name for Half-a-Rope", "Half-a-Rope biography"} <= texts
    assert {"the grey nun meaning", "history of the Ossel comb"} <= texts
    assert not {"the grey nun biography", "Half-a-Rope meaning", "another name for Jorrim Pell"} & texts


@pytest.mark.parametrize(
    ("end", "expected", "passage"),
    [
        ("temper after four hundred draws", "does {} lose its temper after four hundred draws", "comb-2"),
        ("at the turn of the season", "does {} need a bath in warm whey at the turn of the season", "comb-2"),
        ("parts fog so well", "nothing but {} parts fog so well", "comb-1"),
    ],
)
def test_a_sentence_or_its_question_takes_any_of_the_names(end: str, expected: str, passage: str) -> None:
    found = _make()
    made = [query for query in found.queries if query.text.endswith(end) and query.extra["form"] == "sentence"]
    texts = {query.text.removeprefix("why ").removeprefix("how ").removeprefix("when ") for query in made}
    assert texts == {expected.format("the grey nun"), expected.format("the Ossel comb")}
    assert all(found.qrels["train"][query.id] == {passage: 1} for query in made)


def test_a_person_takes_the_place_of_he() -> None:
    texts = " ".join(query.text for query in _make().queries)
    assert "did Half-a-Rope take off his coat four hundred fathoms down" in texts
    assert "did Half-a-Rope measure the shaft with a knotted rope" in texts


def test_what_a_thing_is_gives_no_question_why() -> None:
    assert not any("is the grey nun the wide" in query.text for query in _make().queries)


def test_an_aspect_is_of_its_passage_alone() -> None:
    found = _make()
    aspects = {query.text: found.qrels["train"][query.id] for query in found.queries if query.extra["form"] == "aspect"}
    upkeep = {text: grades for text, grades in aspects.items() if "upkeep" in text}
    assert len(upkeep) == 2  # one for the name, one for the alias
    assert all(grades == {"comb-2": 1} for grades in upkeep.values())
    assert all("grey nun" in text or "Ossel comb" in text for text in upkeep)


def test_every_name_gets_as_many_queries_as_asked_for() -> None:
    found = _make(factor=3)
    assert Counter(query.extra["name"] for query in found.queries) == {
        "the grey nun": 3,
        "the Ossel comb": 3,
        "Half-a-Rope": 3,
        "Jorrim Pell": 3,
    }
    assert Counter(str(query.extra["form"]) for query in found.queries) == {"general": 4, "sentence": 4, "aspect": 4}
    assert found.statistics["sources"] == {"alias": 6, "entity": 6}
    assert [query.id for query in found.queries if query.extra["source"] == "alias"] == [
        f"alias-{n}" for n in range(1, 7)
    ]


def test_a_factor_of_zero_switches_it_off() -> None:
    assert _make(factor=0).queries == []


def test_the_result_depends_on_the_seed_and_not_on_the_order() -> None:
    backwards = dict(reversed(CORPUS.items()))
    assert alias_queries(backwards, _params(3), {}) == _make(factor=3)
    assert {q.text for q in _make(factor=3, seed=2).queries} != {q.text for q in _make(factor=3).queries}


def test_nothing_near_a_held_out_question_is_made() -> None:
    held_out = {
        "test question 9": "Tell me more about that grey nun, will you?",
        "dev question 1": "What is the nun, grey?",
    }
    found = _make(held_out=held_out)
    assert "what is the grey nun" not in {query.text for query in found.queries}
    assert found.statistics["dropped"]["near a held-out question"] == len(found.statistics["held_out"]) > 0
    assert {
        "query": "what is the grey nun",
        "place": "dev question 1",
        "question": "What is the nun, grey?",
        "passage": "comb-1",
    } in found.statistics["held_out"]


def test_nothing_fits_a_held_out_passage() -> None:
    found = alias_queries(CORPUS, _params(), {}, exclude={"comb-2"})
    judged = {passage for grades in found.qrels["train"].values() for passage in grades}
    assert judged == {"comb-1", "pell"}
    assert found.statistics["dropped"]["fits a held-out passage"] > 0


def test_no_query_is_made_twice() -> None:
    others = [Query("x", "Tell me about the Grey Nun!")]
    found = alias_queries(CORPUS, _params(), {}, others=others)
    texts = [query.text.casefold() for query in found.queries]
    assert "tell me about the grey nun" not in texts
    assert len(texts) == len(set(texts))


def test_a_domain_has_its_limit() -> None:
    found = _make(pairs_per_domain=6)
    assert len(found.queries) == 6
    assert set(Counter(query.extra["name"] for query in found.queries).values()) <= {1, 2}
    assert found.statistics["dropped"]["over pairs_per_domain"] > 0


def test_a_name_of_two_entities_leads_to_both() -> None:
    shared = [_passage("a", "Hesk", "", "A plain.", "the Table"), _passage("b", "Lull", "", "A sea.", "The table")]
    found = {name.text: name for name in names_of(articles(shared))}
    assert found["the Table"].passages == ["a", "b"]
    assert found["Hesk"].passages == ["a"]
    assert [found[name].is_alias for name in ("the Table", "Hesk", "Lull")] == [True, False, False]


def test_an_alias_that_is_another_entitys_name_is_no_mere_alias() -> None:
    shared = [_passage("a", "Hesk", "", "A plain.", "Lull"), _passage("b", "Lull", "", "A sea.")]
    found = {name.text: name for name in names_of(articles(shared))}
    assert found["Lull"].passages == ["a", "b"]
    assert not found["Lull"].is_alias


def test_a_list_page_has_items_not_aliases() -> None:
    years = [_passage("years", "Timeline", "", "All years.", *(f"{year} NE" for year in range(9)))]
    assert [name.text for name in names_of(articles(years))] == ["Timeline"]


def test_a_long_article_has_its_first_passages_relevant() -> None:
    long = [_passage(f"p{n}", "Hesk", "", "A plain.") for n in range(7)]
    (name,) = names_of(articles(long))
    assert name.passages == ["p0", "p1", "p2", "p3", "p4"]


def test_the_stage_adds_them_to_the_other_queries() -> None:
    found = synthetic(CORPUS, _params(2), {}, set())
    sources = Counter(str(query.extra["source"]) for query in found.queries)
    assert (sources["alias"], sources["entity"]) == (4, 4)
    assert sources["sentence"] > 0
    assert found.qrels["train"].keys() == {query.id for query in found.queries}
    assert found.statistics["entities"]["queries"] == 8


def test_a_corpus_without_entities_gets_none() -> None:
    plain = {"p": Passage("p", "Mast Chain Adjustment", COMB_2)}
    assert "entities" not in synthetic(plain, _params(2), {}, set()).statistics
