"""Tables, curves, comparisons and cases from per-query rows."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from domain_embeddings.core.dataset import Dataset, Passage, Query
from domain_embeddings.core.metrics import METRICS
from domain_embeddings.evaluation import result_tables
from domain_embeddings.evaluation.report_model import SeedGain
from domain_embeddings.params.report import ReportParams
from tests.knobs import knobs

PARAMS = knobs("report", ReportParams, resamples=200)
DATASET = Dataset(
    {"p": Passage("p", "A", "a", "hvac", "procedure"), "r": Passage("r", "B", "b", "radar", "reference")},
    {"q1": Query("q1", "?", "hvac", "", "hard"), "q2": Query("q2", "??", "radar", "", "hard")},
    {"test": {"q1": {"p": 1, "r": 2}, "q2": {"p": 1}}},
)


def _row(arm: str, query_id: str, value: float, ranks: tuple[int, ...] = (), relevant: int = 1) -> dict[str, Any]:
    found = {**dict.fromkeys(METRICS, value), "found": ["r", "p"], "ranks": ranks, "relevant": relevant}
    return {"arm": arm, "query_id": query_id, "group": query_id, **found}


@pytest.fixture
def rows() -> pd.DataFrame:
    found = [
        _row("base", "q1", 0.25, (3, 12), 2), _row("base", "q2", 0.5, (2,)),
        _row("tuned", "q1", 1 / 3, (1, 4), 2), _row("tuned", "q2", 0.25, (5,)),
    ]  # fmt: skip
    return result_tables.with_slices(pd.DataFrame(found), DATASET)


def test_rows_know_their_questions(rows: pd.DataFrame) -> None:
    assert list(rows["domain"]) == ["hvac", "radar"] * 2
    assert list(rows["type"]) == ["reference", "procedure"] * 2  # of the passage with the highest grade


def test_an_arm_has_the_means(rows: pd.DataFrame) -> None:
    assert result_tables.arm_table(rows) == {
        "base": {**dict.fromkeys(METRICS, 0.375), "n_queries": 2},
        "tuned": {**dict.fromkeys(METRICS, 0.291667), "n_queries": 2},
    }


def test_slices_are_those_that_tell_questions_apart(rows: pd.DataFrame) -> None:
    slices = result_tables.slice_tables(rows)

    assert set(slices) == {"domain", "type"}  # all hard, all without a category
    assert slices["domain"]["radar"]["tuned"] == {**dict.fromkeys(METRICS, 0.25), "n_queries": 1}


def test_the_recall_curve_by_hand(rows: pd.DataFrame) -> None:
    curve = result_tables.recall_curve(rows, depth=10)

    # base: of q1's two passages ranks 3 and 12, of q2's one rank 2
    assert curve["base"] == {1: 0.0, 2: 0.5, 3: 0.75, 5: 0.75, 10: 0.75}
    assert curve["tuned"] == {1: 0.25, 2: 0.25, 3: 0.25, 5: 1.0, 10: 1.0}


def test_a_comparison_has_a_row_for_each_slice(rows: pd.DataFrame) -> None:
    overall, found = result_tables.compare(rows, "tuned", "base", PARAMS, noise=0.0)

    assert overall.delta == pytest.approx(((1 / 3 - 0.25) - 0.25) / 2)
    assert (found.name, found.overall.n, found.overall.groups) == ("tuned − base", 2, 2)
    assert [(row.slice, row.value) for row in found.slices] == [
        ("domain", "hvac"), ("domain", "radar"), ("type", "procedure"), ("type", "reference"),
    ]  # fmt: skip
    assert found.slices[1].delta == -0.25


def _many(gains: dict[str, float], n: int) -> pd.DataFrame:
    """`n` questions a domain on which tuned gains as given on average."""
    generator = np.random.default_rng(1)
    found = []
    for domain, gain in gains.items():
        noise = generator.normal(0, 0.1, n)
        for i, residual in enumerate(noise - noise.mean()):
            base = generator.random()
            tuned = base + gain + residual
            found += [{"arm": arm, "query_id": f"{domain}{i}", "group": f"{domain}{i}", "ndcg@10": value,
                       "domain": domain} for arm, value in (("base", base), ("tuned", tuned))]  # fmt: skip
    return pd.DataFrame(found).assign(type="", difficulty="", category="", names=None)


def test_a_slice_needs_a_p_value_that_bears_the_number_of_slices() -> None:
    gains = {"large": 0.2, **{f"none{i}": 0.0 for i in range(8)}, "slight": 0.03}

    params = knobs("report", ReportParams, resamples=2000)  # fewer draws know no p-value small enough
    _, found = result_tables.compare(_many(gains, 60), "tuned", "base", params, noise=0.0)

    rows = {row.value: row for row in found.slices}
    assert rows["large"].word == "improved"
    assert rows["slight"].p < 0.05 <= rows["slight"].p_holm
    assert rows["slight"].word == "unchanged"


def test_questions_of_a_group_count_as_one_witness() -> None:
    """Twelve gains of three groups of four: as many questions, and no evidence."""
    alone = _many({"large": 0.2}, 12)
    together = alone.assign(group=[f"g{int(i.removeprefix('large')) % 3}" for i in alone["query_id"]])

    one, other = (result_tables.difference(rows, "tuned", "base", PARAMS) for rows in (alone, together))

    assert (one.delta, one.n, one.groups) == (pytest.approx(other.delta), other.n, 12)
    assert other.groups == 3
    assert one.p < 0.01 < 0.2 < other.p
    assert result_tables.compare(together, "tuned", "base", PARAMS, 0.0)[1].overall.word == "underpowered"


def test_the_interval_of_an_arm_goes_by_groups() -> None:
    """Eight questions of two groups, 1 in one and 0 in the other: the mean could be anything."""
    rows = pd.DataFrame(
        {"arm": "base", "query_id": f"q{i}", "group": f"g{i // 4}", **dict.fromkeys(METRICS, float(i < 4))}
        for i in range(8)
    )

    by_group = result_tables.intervals(rows, PARAMS)["base"]["ndcg@10"]
    by_question = result_tables.intervals(rows.assign(group=rows["query_id"]), PARAMS)["base"]["ndcg@10"]

    assert by_group == (0.0, 1.0)
    assert 0 < by_question[0] < by_question[1] < 1


def test_seeds_are_compared_with_the_base() -> None:
    rows = pd.DataFrame(
        [{"arm": arm, "ndcg@10": value} for arm, value in (("base", 0.5), ("tuned", 0.6), ("tuned_seed7", 0.56))]
    )

    gains = result_tables.seed_gains(rows, [42, 7])

    assert gains == [SeedGain(42, 0.1), SeedGain(7, 0.06)]
    assert result_tables.seed_spread(gains) == pytest.approx(0.028284)  # 0.04 / √2
    assert result_tables.seed_gains(rows, [42]) == []
    assert result_tables.seed_spread([]) is None


def test_wins_and_losses_show_what_was_found(rows: pd.DataFrame) -> None:
    wins, losses = result_tables.cases(rows, DATASET, 5)

    assert [(case.query_id, case.ours, case.theirs) for case in wins] == [("q1", 0.333333, 0.25)]
    assert [case.query_id for case in losses] == ["q2"]
    assert [hit.id for hit in wins[0].relevant] == ["r", "p"]  # the higher grade first
    assert [(hit.id, hit.relevant) for hit in losses[0].ours_found] == [("r", False), ("p", True)]
