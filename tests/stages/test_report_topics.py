"""The report stage on questions that say what they expect: topics, rubric, spoilers, and the slice of names."""

from typing import Any

import pandas as pd

from domain_embeddings.core.dataset import Dataset, Passage, Query
from domain_embeddings.core.metrics import METRICS
from domain_embeddings.evaluation.result_tables import slice_tables, with_slices
from domain_embeddings.evaluation.summarizing import topic_table

PASSAGES = {
    "a": Passage("a", "", "teeth and salt", extra={"temporal_order": 2}),
    "b": Passage("b", "", "whey and brass", extra={"temporal_order": 6}),
}


def _query(query_id: str, *topics: str, **extra: Any) -> Query:
    return Query(query_id, "?", extra={"expected_topics": list(topics), **extra})


DATASET = Dataset(
    PASSAGES,
    {
        "q1": _query("q1", "teeth", "salt", "whey", "gold", names="alias", temporal_limit=5),
        "q2": _query("q2", "brass", names="entity", temporal_limit=None),
        "q3": Query("q3", "no topics"),
    },
    {"test": {"q1": {"a": 1}, "q2": {"b": 1}, "q3": {"a": 1}}},
)


def _row(arm: str, query_id: str, *found: str, value: float = 0.5) -> dict[str, Any]:
    return {"arm": arm, "query_id": query_id, **dict.fromkeys(METRICS, value), "found": list(found)}


def _results(*rows: dict[str, Any]) -> pd.DataFrame:
    return with_slices(pd.DataFrame(rows), DATASET)


def test_every_arm_has_its_topic_scores() -> None:
    rows = [_row("base", "q1", "b", "a"), _row("base", "q2", "a"), _row("tuned", "q1", "a"), _row("tuned", "q2", "b")]
    results = _results(*rows, _row("base", "q3", "a"), _row("tuned", "q3", "a"))
    assert topic_table(results, DATASET) == {
        "base": {"topic_coverage@5": 0.25, "rubric": 2.0, "spoilers@5": 0.5, "n_queries": 2},
        "tuned": {"topic_coverage@5": 0.75, "rubric": 4.0, "spoilers@5": 0.0, "n_queries": 2},
    }


def test_questions_without_topics_have_no_table() -> None:
    assert topic_table(_results(_row("base", "q3", "a")), DATASET) == {}


def test_names_are_a_slice() -> None:
    rows = [_row("base", "q1", "a", value=0.25), _row("base", "q2", "b", value=1.0), _row("base", "q3", "a")]
    slices = slice_tables(_results(*rows))
    assert slices["names"].keys() == {"alias", "entity"}
    assert slices["names"]["alias"]["base"] == {**dict.fromkeys(METRICS, 0.25), "n_queries": 1}
