"""Hard negatives of corpora so small that every rule's effect is known by hand."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
from pydantic import ValidationError

from domain_embeddings.core.dataset import Passage, Qrels, Query
from domain_embeddings.core.entities import MOST_PIECES
from domain_embeddings.params.mine import MineParams, SourceName
from domain_embeddings.training.candidate_sources import SOURCES, Asked, Ranker
from domain_embeddings.training.negatives import Miner, Triplet
from tests.knobs import knobs

QUERY = Query("q", "squashy pedal", extra={"own_passage": "itself"})
COPIED = "Open the nipple half a turn and press until the fluid runs free of bubbles then close it and refill"

# Name, cosine to the query, domain, title, text. The limit is 0.95 · 0.8 = 0.76.
ROWS = [
    ("positive", 0.80, "car", "Brakes > Bleeding", f"{COPIED} tank"),
    ("likely", 0.78, "car", "Brakes > Air", "A soft lever means that air is in the pipes"),
    ("car1", 0.70, "car", "Brakes > Pads", "Pads thinner than two millimetres are renewed"),
    ("itself", 0.65, "car", "Brakes > Fluid", "Fluid older than two years is drained"),
    ("car2", 0.60, "car", "Brakes > Discs", "Discs are turned down to the mark"),
    ("boat1", 0.55, "boat", "Rudder", "The rudder cable needs grease in spring"),
    ("piece", 0.50, "car", "Brakes > Bleeding", "Torque the bleed screw with eight newton metres"),
    ("copy", 0.45, "boat", "Trailer", f"{COPIED} can"),
    ("boat2", 0.40, "boat", "Anchor", "The anchor chain is marked every five metres"),
    ("car3", 0.30, "car", "Engine", "Oil is drained while the engine is warm"),
]
QRELS: Qrels = {"q": {"positive": 1}}


def _vectors(cosines: Iterable[float]) -> np.ndarray:
    return np.array([(cosine, math.sqrt(1 - cosine * cosine)) for cosine in cosines], dtype=np.float32)


def _miner(rows: Sequence[tuple[str, float, str, str, str]], held_out: Sequence[str] = (), **changes: Any) -> Miner:
    values = {"negatives": 2, "depth": 10, "max_score_share": 0.95, "near_copy": 0.7, "same_domain": 0.5}
    docs = {"path": "docs", "collection": "docs", "id_field": "id"}
    params = knobs("mine", MineParams, **{**values, "qdrant": docs, **changes})
    corpus = {name: Passage(name, title, text, domain) for name, _, domain, title, text in rows}
    corpus |= {name: replace(corpus[name], extra={"held_out": True}) for name in held_out}
    return Miner(corpus, _vectors(cosine for _, cosine, *_ in rows), params)


def _mine(miner: Miner, qrels: Qrels = QRELS, found: Sequence[Sequence[str]] = ()) -> list[Triplet]:
    queries = [replace(QUERY, id=query_id) for query_id in qrels]
    return list(miner.mine(queries, _vectors([1.0] * len(queries)), qrels, found))


def test_every_rule_drops_what_it_must() -> None:
    miner = _miner(ROWS, negatives=5)

    (triplet,) = _mine(miner)

    assert triplet == Triplet("q", "squashy pedal", "positive", ("car1", "car2", "boat1", "boat2", "car3"))
    assert miner.audit.dropped == {
        "relevant to this query": 1,
        "the query itself": 1,
        "near-copy of a relevant passage": 1,
        "same section as the positive": 1,
        "score too near the positive's": 1,
    }
    assert miner.audit.kept == {"same domain": 3, "cross domain": 2}


@pytest.mark.parametrize(
    ("negatives", "same_domain", "expected"),
    [
        (2, 0.5, ("car1", "boat1")),
        (2, 1.0, ("car1", "car2")),
        (2, 0.0, ("boat1", "boat2")),
        (4, 0.75, ("car1", "car2", "boat1", "car3")),  # three and one
        (4, 0.0, ("car1", "car2", "boat1", "boat2")),  # only two of another domain: the best of the rest
    ],
)
def test_shares_of_domains(negatives: int, same_domain: float, expected: tuple[str, ...]) -> None:
    (triplet,) = _mine(_miner(ROWS, negatives=negatives, same_domain=same_domain))

    assert triplet.negatives == expected


@pytest.mark.parametrize(("share", "first"), [(0.95, "car1"), (0.98, "likely"), (0.85, "boat1")])
def test_the_limit_is_a_share_of_the_positives_score(share: float, first: str) -> None:
    (triplet,) = _mine(_miner(ROWS, max_score_share=share, negatives=1, same_domain=0.0))
    (any_domain,) = _mine(_miner(ROWS, max_score_share=share, negatives=3, same_domain=1.0))

    assert triplet.negatives == ("boat1",)
    assert any_domain.negatives[0] == (first if first != "boat1" else "car2")  # 0.85 · 0.8 = 0.68 bars car1


def test_every_relevant_passage_has_its_triplet_and_none_is_another_ones_negative() -> None:
    triplets = _mine(_miner(ROWS), {"q": {"positive": 1, "car1": 2}})

    assert [triplet.positive for triplet in triplets] == ["positive", "car1"]
    # car1's limit is 0.95 · 0.7 = 0.665; "piece" is a section of its own now.
    assert [triplet.negatives for triplet in triplets] == [("car2", "boat1"), ("car2", "boat1")]


def test_lexical_candidates_count_beside_the_nearest() -> None:
    near = [(f"near{i}", 0.7 - i / 100, "car", f"Near {i}", f"filler number {i}") for i in range(10)]
    far = [("far", 0.01, "car", "Far", "a pedal that is squashy")]

    (triplet,) = _mine(_miner([ROWS[0], *near, *far], same_domain=1.0), QRELS)

    assert triplet.negatives == ("near0", "far")  # the best of either ranking


def test_every_system_gives_its_best_in_turn() -> None:
    near = [(f"near{i}", 0.7 - i / 100, "car", f"Near {i}", f"filler number {i}") for i in range(10)]
    far = [("far", 0.02, "car", "Far", "a pedal that is squashy"), ("seen", 0.01, "car", "Seen", "what search shows")]
    systems: dict[str, Any] = {"candidates": ["qdrant", "base", "bm25"], "negatives": 3, "same_domain": 1.0}

    (triplet,) = _mine(_miner([ROWS[0], *near, *far], **systems), QRELS, [["positive", "near9", "seen"]])

    assert triplet.negatives == ("near0", "near9", "far")  # the positive is the first of the other two


@pytest.mark.parametrize(
    ("system", "expected"),
    [("qdrant", [("car3",), ("car2",)]), ("base", [("car1",), ("car1",)]), ("bm25", [("pads",), ("pads",)])],
)
def test_only_the_named_systems_are_asked(system: str, expected: list[tuple[str, ...]]) -> None:
    rows = [*ROWS, ("pads", 0.2, "car", "Parts > Pedal", "Pads for the pedal")]
    miner = _miner(rows, candidates=[system], negatives=1, same_domain=1.0)

    triplets = _mine(miner, {"q": QRELS["q"], "q2": QRELS["q"]}, [["boat1", "car3"], ["car2"]])

    assert [triplet.negatives for triplet in triplets] == expected


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"candidates": ["qdrant"]}, "candidates hold qdrant, so mine.qdrant must say which collection"),
        ({"candidates": ["base", "base"]}, r"candidates must be different, are \['base', 'base'\]"),
        ({"candidates": []}, "at least 1 item"),
    ],
)
def test_impossible_sources_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        knobs("mine", MineParams, **changes)


def test_every_name_that_params_allow_has_a_source() -> None:
    assert set(SOURCES) == set(get_args(SourceName))


def test_a_source_is_a_function_of_the_passages_and_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    def last_first(passages: Sequence[Passage]) -> Ranker:
        order = list(reversed(range(len(passages))))
        return lambda asked: [order[: asked.depth] for _ in asked.texts]

    monkeypatch.setitem(SOURCES, "base", last_first)

    (triplet,) = _mine(_miner(ROWS, candidates=["base"], negatives=1, same_domain=1.0))

    assert triplet.negatives == ("car3",)


def test_words_find_only_passages_that_share_one() -> None:
    rank = SOURCES["bm25"]([Passage("a", "", "the rudder"), Passage("b", "", "brake pads"), Passage("c", "Pads", "")])
    scores: np.ndarray = np.zeros((2, 3), dtype=np.float32)

    assert rank(Asked(["worn pads", "anchor"], scores, [], depth=3)) == [[2, 1], []]


def test_what_is_held_out_is_nobodys_negative() -> None:
    miner = _miner(ROWS, held_out=["car1", "boat1"], negatives=3)

    (triplet,) = _mine(miner)

    assert triplet.negatives == ("car2", "boat2", "car3")
    assert miner.audit.dropped["held out"] == 2


def test_nor_is_a_near_copy_of_what_is_held_out() -> None:
    twin = ("twin", 0.79, "car", "Brakes > Wear", "Pads thinner than two millimetres are renewed")
    miner = _miner([*ROWS, twin], held_out=["twin"], max_score_share=1.0, same_domain=1.0)

    (triplet,) = _mine(miner)

    assert triplet.negatives == ("likely", "car2")  # car1 has the same words
    assert miner.audit.dropped["held out"] == 2


def test_what_is_held_out_is_not_drawn_at_random_either() -> None:
    (triplet,) = _mine(_miner(_crowd(20, 5), held_out=["far0", "far2", "far4"]), QRELS)

    assert set(triplet.negatives) == {"far1", "far3"}


def test_where_there_are_no_others_held_out_passages_are_taken_and_counted() -> None:
    miner = _miner(_crowd(20, 5), held_out=["far0", "far1", "far2", "far3"])

    (triplet,) = _mine(miner, QRELS)

    assert "far4" in triplet.negatives
    assert miner.audit.kept["held out, for want of others"] == 1


def _crowd(size: int, others: int) -> list[tuple[str, float, str, str, str]]:
    """The positive, many near-copies of it, and a few far passages that share no word with the query."""
    copies = [(f"copy{i}", 0.7, "car", f"Copy {i}", f"{COPIED} {i}") for i in range(size)]
    return [ROWS[0], *copies, *[(f"far{i}", 0.1, "boat", f"Far {i}", f"distant matter {i}") for i in range(others)]]


def test_what_mining_does_not_find_is_drawn_at_random() -> None:
    miner = _miner(_crowd(20, 5))

    (triplet,) = _mine(miner, QRELS)

    assert len(set(triplet.negatives)) == 2
    assert set(triplet.negatives) <= {f"far{i}" for i in range(5)}
    assert miner.audit.kept == {"fallback": 2, "cross domain": 2}
    assert _mine(_miner(_crowd(20, 5)), QRELS) == [triplet]


def test_the_last_possible_negative_is_found() -> None:
    (triplet,) = _mine(_miner(_crowd(1000, 1), negatives=1), QRELS)

    assert triplet.negatives == ("far0",)


def test_a_tiny_corpus_takes_what_scores_too_near() -> None:
    (triplet,) = _mine(_miner(ROWS[:2], negatives=1), QRELS)

    assert triplet.negatives == ("likely",)


def test_too_small_a_corpus_is_an_error() -> None:
    rows = [row for row in ROWS if row[0] in ("positive", "piece", "copy", "itself", "car1")]

    with pytest.raises(
        ValueError, match=r"query 'q' \('squashy pedal'\): only 1 of 2 negatives exist among 5"
    ) as error:
        _mine(_miner(rows))

    assert "lower mine.negatives or add documents" in str(error.value)


def test_what_is_judged_irrelevant_comes_first_whatever_it_is_like() -> None:
    """Beyond the limit, a piece of the section, and farther than others."""
    certified = {"likely": 0, "piece": -1, "car3": 0}

    miner = _miner(ROWS, negatives=5, same_domain=1.0)
    (triplet,) = _mine(miner, {"q": {"positive": 1, **certified}})

    assert {*certified} < {*triplet.negatives}
    assert triplet.negatives[0] == "likely"


def test_a_collection_of_which_every_passage_is_judged_is_mined() -> None:
    qrels = {"q": {name: int(name == "positive") for name, *_ in ROWS if name != "itself"}}

    (triplet,) = _mine(_miner(ROWS, negatives=4, same_domain=1.0), qrels)

    assert triplet.negatives == ("likely", "car1", "car2", "piece")


def test_a_held_out_passage_is_no_negative_even_if_judged_irrelevant() -> None:
    (triplet,) = _mine(_miner(ROWS, held_out=["car1"]), {"q": {"positive": 1, "car1": 0}})

    assert "car1" not in triplet.negatives


def test_chunks_of_one_document_are_each_others_negatives_where_all_have_its_title() -> None:
    rows = [
        (f"c{i}", 0.8 - i / 100, "", "Handbook", f"step {i} turns screw {i} of part {i}")
        for i in range(MOST_PIECES + 1)
    ]

    (triplet,) = _mine(_miner(rows, max_score_share=1.0), {"q": {"c0": 1}})

    assert triplet.negatives == ("c1", "c2")


def test_queries_beyond_one_chunk_are_mined_alike() -> None:
    qrels: Qrels = {f"q{i}": QRELS["q"] for i in range(300)}

    triplets = _mine(_miner(ROWS), qrels)

    assert [triplet.query_id for triplet in triplets] == list(qrels)
    assert {triplet.negatives for triplet in triplets} == {("car1", "boat1")}


def test_the_audit_lists_the_nearest_negatives_first() -> None:
    miner = _miner(ROWS)
    _mine(miner)

    summary = miner.audit.summary(worst=1)

    assert summary["kept"] == {"cross domain": 1, "same domain": 1}
    assert summary["suspicious"] == [
        {
            "share": 0.875,  # 0.70 / 0.80
            "query_id": "q", "query": "squashy pedal", "positive": "positive", "negative": "car1",
            "negative_text": "Brakes > Pads Pads thinner than two millimetres are renewed",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "limit", "kept"),
    [("heading", 2, 0), ("heading", 3, 1), ("heading", None, 1), ("alias", 1, 1), (None, 1, 1)],
)
def test_a_query_that_fits_other_passages_better_is_left_out(source: str | None, limit: int | None, kept: int) -> None:
    before = [
        (f"better{i}", 0.99 - i / 100, "car", f"Better {i}", f"another text of its own number {i}") for i in range(2)
    ]
    miner = _miner([*before, *ROWS], max_positive_rank=limit)
    query = Query("q", QUERY.text, extra={"source": source} if source else {})

    found = list(miner.mine([query], _vectors([1.0]), QRELS))

    assert len(found) == kept
    assert miner.audit.summary(5)["ambiguous"] == ({} if kept else {"heading": 1})


def test_what_was_judged_does_not_stand_before_the_positive() -> None:
    better = ("better", 0.9, "car", "Better", "another text of its own")
    miner = _miner([better, *ROWS], max_positive_rank=1)
    query = Query("q", QUERY.text, extra={"source": "span"})

    assert list(miner.mine([query], _vectors([1.0]), QRELS)) == []
    both = miner.mine([query], _vectors([1.0]), {"q": {"positive": 1, "better": 1}})
    assert {triplet.positive for triplet in both} == {"positive", "better"}
