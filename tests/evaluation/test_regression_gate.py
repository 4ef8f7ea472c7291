"""Two tables of per-query results, compared question by question."""

import pandas as pd
import pytest

from domain_embeddings.core.dataset import Query
from domain_embeddings.evaluation.regression_gate import CannotCompareError, Gate, acceptances, compare, stale
from domain_embeddings.params.gate import GateParams
from tests.knobs import knobs

PARAMS = knobs("gate", GateParams, arms=["tuned"], tolerance={"ndcg@10": 0.1}, min_queries=2, resamples=500)
QUERIES = {f"q{i}": Query(f"q{i}", "where?", domain="pumps" if i < 20 else "fans") for i in range(40)}


def _table(scores: list[float], arm: str = "tuned", first: int = 0) -> pd.DataFrame:
    return pd.DataFrame(
        {"arm": arm, "query_id": f"q{i}", "ndcg@10": score} for i, score in enumerate(scores, start=first)
    )


def _compare(before: list[float], after: list[float], params: GateParams = PARAMS) -> Gate:
    return Gate([compare("docs", _table(before), _table(after), QUERIES, params)], [], [], frozenset(), params.slices)


def test_a_fall_needs_the_tolerance_and_an_interval_without_zero() -> None:
    within = _compare([1.0] * 40, [0.9] * 40)  # exactly the tolerance
    luck = _compare([1.0, 0.0] * 2, [0.0, 0.0, 1.0, 0.0])
    fall = _compare([1.0] * 40, [0.8] * 40)

    assert [found.status for found in (within, luck, fall)] == [0, 0, 1]
    assert fall.fallen == ["docs/tuned/ndcg@10"]
    assert fall.changes[0].difference.delta == pytest.approx(-0.2)


def test_one_group_of_questions_is_one_witness() -> None:
    """Ten questions about one passage lose it: a fall if they were independent, luck as the one of four groups."""
    before, after = _table([1.0] * 40), _table([0.0] * 10 + [1.0] * 30)
    grouped = after.assign(group=[f"g{i // 10}" for i in range(40)])

    alone, together = (compare("docs", before, now, QUERIES, PARAMS).changes[0] for now in (after, grouped))

    assert (alone.fell, alone.difference.groups) == (True, 40)
    assert (together.fell, together.difference.groups) == (False, 4)
    assert alone.difference.delta == together.difference.delta == -0.25


def test_questions_are_paired_by_id_and_only_common_ones_count() -> None:
    before = _table([0.0, 1.0, 0.5, 0.5])
    after = _table([1.0, 0.5, 0.5, 0.0], first=1).iloc[::-1]

    found = compare("docs", before, after, QUERIES, PARAMS)

    assert (found.common, found.added, found.removed) == (3, 1, 1)
    assert found.changes[0].difference.delta == 0
    assert found.changes[0].before == pytest.approx(2 / 3)


def test_a_slice_stops_a_change_only_if_it_is_told_to() -> None:
    before, after = [1.0] * 40, [0.7] * 20 + [1.0] * 5 + [1.3] * 15  # pumps fall, fans rise

    found = _compare(before, after)
    told = _compare(before, after, PARAMS.model_copy(update={"slices": True}))

    assert [(part.slice, part.value, part.fell) for part in found.changes[0].slices] == [
        ("domain", "pumps", True),
        ("domain", "fans", False),
    ]
    assert found.status == 0
    assert told.fallen == ["docs/tuned/ndcg@10/domain=pumps"]


def test_an_accepted_fall_covers_its_slices() -> None:
    params = PARAMS.model_copy(update={"slices": True})
    found = compare("docs", _table([1.0] * 40), _table([0.5] * 40), QUERIES, params)

    assert Gate([found], [], [], frozenset({"docs/tuned/ndcg@10"}), True).status == 0
    assert Gate([found], [], [], frozenset({"docs/tuned/ndcg@10/domain=fans"}), True).fallen == [
        "docs/tuned/ndcg@10",
        "docs/tuned/ndcg@10/domain=pumps",
    ]


def test_a_fall_outweighs_what_could_not_be_compared() -> None:
    fall = _compare([1.0] * 40, [0.8] * 40)

    assert Gate(fall.compared, ["memories: no results"], [], frozenset(), False).status == 1
    assert Gate([], ["memories: no results"], [], frozenset(), False).status == 2


def test_an_arm_may_be_new_but_not_missing() -> None:
    both = pd.concat([_table([1.0] * 4), _table([1.0] * 4, arm="late")])
    params = PARAMS.model_copy(update={"arms": ["tuned", "late"]})

    assert list(compare("docs", _table([1.0] * 4), both, QUERIES, params).new_arms) == ["late"]
    with pytest.raises(CannotCompareError, match="docs: no results of late after the change, there are tuned; run"):
        compare("docs", both, _table([1.0] * 4), QUERIES, params)


def test_a_line_accepts_one_change_and_no_later_one() -> None:
    changes = _compare([1.0] * 40, [0.8] * 40).changes
    line, typo = "docs/tuned/ndcg@10 (smaller model)", "docs/tuned/ndcg@5"

    assert acceptances([line], of_base=[]) == {"docs/tuned/ndcg@10"}
    assert acceptances([line], of_base=[line]) == frozenset()
    assert acceptances([line], of_base=["docs/tuned/ndcg@10 (last year)"]) == {"docs/tuned/ndcg@10"}
    assert stale([line], [], changes) == []
    assert stale([line], [line], changes)[0].endswith("to accept a new fall, change its reason")
    assert stale([typo], [], changes) == ["docs/tuned/ndcg@5: nothing of that name falls: remove the line"]
