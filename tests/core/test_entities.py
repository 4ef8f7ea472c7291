"""How passages are related by entities, and what mining makes of it."""

from typing import Any

import numpy as np
import pytest

from domain_embeddings.core.dataset import Passage, Query
from domain_embeddings.core.entities import MOST_PIECES, Relation, articles, relation, sections
from domain_embeddings.params.mine import MineParams
from domain_embeddings.training.negatives import Miner
from tests.knobs import knobs


def _passage(passage_id: str, entity: str | None, kind: str | None = None, *mentions: str, **extra: Any) -> Passage:
    about = {"entity": entity, "entity_kind": kind, "mentions": list(mentions), **extra}
    return Passage(passage_id, f"{passage_id} title", f"{passage_id} stands by itself", kind or "", "other", about)


COMB = _passage("comb-1", "Ossel comb", "device", "Ossel comb", "vaum")


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (_passage("comb-2", "Ossel comb", "device"), "same"),
        (_passage("osk", "oskering", "event", "Ossel comb"), "related"),
        (_passage("vaum", "vaum", "material"), "related"),
        (_passage("drum", "Tavrin drum", "device", "vaum"), "overlap"),
        (_passage("bell", "Oldersk bell", "device", "tin"), "same_kind"),
        (_passage("hall", "Thessam Hall", "place", "masters"), "none"),
        (_passage("loose", None, None, "vaum"), "overlap"),
        (_passage("stray", None, None), "none"),
    ],
)
def test_the_closest_relation_holds_both_ways(other: Passage, expected: Relation) -> None:
    assert relation(COMB, other) == expected
    assert relation(other, COMB) == expected


def test_passages_without_an_article_are_unrelated() -> None:
    assert relation(Passage("a", "", "a"), Passage("b", "", "b")) == "none"


def test_articles_have_their_passages_and_every_alias() -> None:
    parts = [
        _passage("t2", "tiss", "material", aliases=["beggar's silk"]),
        COMB,
        _passage("t1", "tiss", "material", aliases=["beggar's silk", "grey thread"]),
        _passage("loose", None),
    ]
    found = articles(parts)
    assert [(a.entity, a.aliases, [p.id for p in a.passages]) for a in found] == [
        ("Ossel comb", (), ["comb-1"]),
        ("tiss", ("beggar's silk", "grey thread"), ["t2", "t1"]),
    ]


CORPUS = [
    COMB,
    _passage("comb-2", "Ossel comb", "device"),
    _passage("osk", "oskering", "event", "Ossel comb"),
    _passage("drum", "Tavrin drum", "device", "vaum"),
    _passage("bell", "Oldersk bell", "device"),
    _passage("hall", "Thessam Hall", "place"),
    _passage("stair", "Aumrey Stair", "place"),
]
SCORES = [0.9, 0.8, 0.3, 0.4, 0.5, 0.6, 0.7]
"""Of the query with each passage; by score alone the places come first."""


def _mine(**relations: float) -> tuple[tuple[str, ...], Miner]:
    vectors = np.array([[score, np.sqrt(1 - score**2)] for score in SCORES], dtype=np.float32)
    miner = Miner({p.id: p for p in CORPUS}, vectors, knobs("mine", MineParams, negatives=2, relations=relations))
    query = np.array([[1.0, 0.0]], dtype=np.float32)
    (triplet,) = miner.mine([Query("q", "zzz")], query, {"q": {"comb-1": 1}})
    return triplet.negatives, miner


@pytest.mark.parametrize(
    ("relations", "expected"),
    [
        ({"hard": 0.5, "medium": 0.5, "easy": 0.0}, ("bell", "drum")),
        ({"hard": 1.0, "medium": 0.0, "easy": 0.0}, ("drum", "osk")),
        ({"hard": 0.5, "medium": 0.0, "easy": 0.5}, ("stair", "drum")),
        ({"hard": 0.0, "medium": 0.0, "easy": 1.0}, ("stair", "hall")),
    ],
)
def test_relations_choose_the_negatives(relations: dict[str, float], expected: tuple[str, ...]) -> None:
    assert _mine(**relations)[0] == expected


def test_a_passage_about_the_same_entity_is_no_negative() -> None:
    negatives, miner = _mine(hard=0.0, medium=1.0, easy=0.0)
    assert negatives == ("stair", "bell")  # one of the kind, and the best of the rest
    assert miner.audit.dropped["same entity"] == 1
    assert miner.audit.kept == {"easy": 1, "medium": 1}


def test_relation_shares_must_add_up() -> None:
    with pytest.raises(ValueError, match=r"hard \+ medium \+ easy must be 1, is 0\.9"):
        knobs("mine", MineParams, relations={"hard": 0.5, "medium": 0.2, "easy": 0.2})


def test_pieces_of_a_section_share_domain_file_and_title() -> None:
    pieces = [
        Passage("a1", "Oil", "drain", "car", extra={"file": "a.md"}),
        Passage("a2", "Oil", "fill", "car", extra={"file": "a.md"}),
        Passage("b1", "Oil", "drain", "car", extra={"file": "b.md"}),
        Passage("c1", "Oil", "drain", "boat", extra={"file": "a.md"}),
        Passage("d1", "", "drain", "car"),
        Passage("d2", "", "fill", "car"),
    ]

    assert sections(pieces) == {"a1": "a1", "a2": "a1", "b1": "b1", "c1": "c1", "d1": "d1", "d2": "d2"}


def test_a_title_of_many_passages_is_a_documents_name() -> None:
    chunks = [Passage(f"c{i}", "Handbook", f"step {i}") for i in range(MOST_PIECES + 1)]

    assert set(sections(chunks[:-1]).values()) == {"c0"}
    assert sections(chunks) == {chunk.id: chunk.id for chunk in chunks}
