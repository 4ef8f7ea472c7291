"""Per-query results as tables: every figure of a report is computed here, from the same rows.

`results` is a table with a row for each arm and question: `arm`, `query_id`, `group` (of questions that share a
relevant passage), a column for each metric, `found` (ids, best first), `ranks` (of the relevant passages found, from
1), `relevant` (how many exist), and one for each slice.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from domain_embeddings.core.dataset import Dataset, Passage
from domain_embeddings.core.metrics import METRICS
from domain_embeddings.evaluation import promotion, significance
from domain_embeddings.evaluation.report_model import Case, Comparison, Hit, Row, SeedGain
from domain_embeddings.evaluation.significance import Difference, Values
from domain_embeddings.params.evaluate import SEED_ARM
from domain_embeddings.params.report import ReportParams

SLICES = ("domain", "type", "difficulty", "category", "names")
CUTOFFS = (1, 2, 3, 5, 10, 20, 50, 100)
_SHOWN = 3


def with_slices(results: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Add what is known of each question: its slices, `names` from its `extra`, and its best passage's type."""
    asked = [dataset.queries[query_id] for query_id in results["query_id"]]
    columns = {name: [getattr(query, name) for query in asked] for name in ("domain", "difficulty", "category")}
    columns["names"] = [query.extra.get("names") for query in asked]
    columns["type"] = [_best(dataset, query.id).type for query in asked]
    return results.assign(**columns)


def _best(dataset: Dataset, query_id: str) -> Passage:
    """The passage with the highest grade, the first of several."""
    grades = dataset.qrels["test"][query_id]
    return dataset.corpus[max(grades, key=lambda passage: grades[passage])]


def arm_table(results: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Arm → mean of every metric, and the number of questions."""
    table: dict[str, dict[str, Any]] = {}
    for arm, rows in results.groupby("arm", sort=False):
        means = {metric: round(float(rows[metric].mean()), promotion.DIGITS) for metric in METRICS}
        table[str(arm)] = {**means, "n_queries": len(rows)}
    return table


def slice_tables(results: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Slice → value → the arms' table, for every slice that tells questions apart."""
    return {
        name: {str(value): arm_table(rows) for value, rows in results.groupby(name) if value}
        for name in SLICES
        if results[name].nunique() > 1
    }


def intervals(results: pd.DataFrame, params: ReportParams) -> dict[str, dict[str, tuple[float, float]]]:
    """Arm → metric → 95% interval of the mean."""
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for arm, rows in results.groupby("arm", sort=False):
        groups = list(rows["group"])
        found[str(arm)] = {metric: _rounded(rows[metric].to_numpy(np.float64), groups, params) for metric in METRICS}
    return found


def _rounded(values: Values, groups: Sequence[str], params: ReportParams) -> tuple[float, float]:
    low, high = significance.interval(values, params.resamples, params.seed, groups)
    return round(max(low, 0.0), promotion.DIGITS), round(min(high, 1.0), promotion.DIGITS)  # every metric's range


def recall_curve(results: pd.DataFrame, depth: int) -> dict[str, dict[int, float]]:
    """Arm → k → mean recall@k, for the cutoffs within the depth of the rankings."""
    curves: dict[str, dict[int, float]] = {}
    for arm, rows in results.groupby("arm", sort=False):
        found = list(zip(rows["ranks"], rows["relevant"], strict=True))
        curves[str(arm)] = {k: _recall(found, k) for k in CUTOFFS if k <= depth}
    return curves


def _recall(found: Sequence[tuple[Sequence[int], int]], k: int) -> float:
    shares = [sum(rank <= k for rank in ranks) / total for ranks, total in found]
    return round(sum(shares) / len(shares), promotion.DIGITS)


def difference(results: pd.DataFrame, ours: str, theirs: str, params: ReportParams) -> Difference:
    """`ours` − `theirs` in the verdict's metric, paired by question."""
    wide = results.pivot(index=["query_id", "group"], columns="arm", values=promotion.METRIC)
    one, other = (wide[arm].to_numpy(dtype=np.float64) for arm in (ours, theirs))
    groups = list(wide.index.get_level_values("group"))
    return significance.paired(one, other, params.resamples, params.seed, groups)


def compare(
    results: pd.DataFrame, ours: str, theirs: str, params: ReportParams, noise: float
) -> tuple[Difference, Comparison]:
    """The difference overall, and by slice with p-values adjusted for all of them."""
    overall = difference(results, ours, theirs, params)
    parts = [
        (name, str(value), difference(rows, ours, theirs, params))
        for name in SLICES
        if results[name].nunique() > 1
        for value, rows in results.groupby(name)
        if value
    ]
    adjusted = significance.holm([found.p for _, _, found in parts])
    rows = [_row(*part, p_holm, params, noise) for part, p_holm in zip(parts, adjusted, strict=True)]
    return overall, Comparison(f"{ours} − {theirs}", _row("", "", overall, overall.p, params, noise), rows)


def _row(name: str, value: str, found: Difference, p_holm: float, params: ReportParams, noise: float) -> Row:
    """A slice's word needs its adjusted p-value as well: of twenty slices one stands out by luck."""
    said = promotion.word(found, params, noise)
    if said in ("improved", "regressed") and p_holm >= significance.LEVEL:
        said = "unchanged"
    delta, low, high, p, adjusted, least = (
        round(figure, promotion.DIGITS)
        for figure in (found.delta, found.low, found.high, found.p, p_holm, found.detectable)
    )
    return Row(name, value, found.n, found.groups, delta, low, high, p, adjusted, least, said)


def seed_gains(results: pd.DataFrame, seeds: Sequence[int]) -> list[SeedGain]:
    """tuned − base for every training seed, the first one's from the arm `tuned`; empty for a single seed."""
    means = results.groupby("arm")[promotion.METRIC].mean()
    arms = {seed: f"{SEED_ARM}{seed}" if i else "tuned" for i, seed in enumerate(seeds)}
    gains = [SeedGain(seed, round(float(means[arm] - means["base"]), promotion.DIGITS)) for seed, arm in arms.items()]
    return gains if len(gains) > 1 else []


def seed_spread(gains: Sequence[SeedGain]) -> float | None:
    """Standard deviation of the seeds' gains, None for fewer than two."""
    return round(float(np.std([gain.delta for gain in gains], ddof=1)), promotion.DIGITS) if len(gains) > 1 else None


def cases(results: pd.DataFrame, dataset: Dataset, count: int) -> tuple[list[Case], list[Case]]:
    """The questions with the largest gains and losses of tuned over base; ties in the order of their ids."""
    wide = results.pivot(index="query_id", columns="arm", values=promotion.METRIC)
    gain = (wide["tuned"] - wide["base"]).sort_index()
    found: dict[tuple[str, str], list[str]] = dict(
        zip(zip(results["arm"], results["query_id"], strict=True), results["found"], strict=True)
    )
    wins = gain[gain > 0].sort_values(ascending=False, kind="stable").index[:count]
    losses = gain[gain < 0].sort_values(kind="stable").index[:count]
    tables = [[_case(str(i), wide, found, dataset) for i in chosen] for chosen in (wins, losses)]
    return tables[0], tables[1]


def _case(query_id: str, wide: pd.DataFrame, found: Mapping[tuple[str, str], list[str]], dataset: Dataset) -> Case:
    query, grades = dataset.queries[query_id], dataset.qrels["test"][query_id]

    def hits(ids: Sequence[str]) -> list[Hit]:
        passages = [dataset.corpus[i] for i in ids[:_SHOWN]]
        return [Hit(p.id, p.title, p.text, grades.get(p.id, 0) > 0) for p in passages]

    return Case(
        query=query.text,
        query_id=query_id,
        ours=round(float(wide["tuned"][query_id]), promotion.DIGITS),
        theirs=round(float(wide["base"][query_id]), promotion.DIGITS),
        relevant=hits(sorted((i for i in grades if grades[i] > 0), key=lambda i: -grades[i])),
        ours_found=hits(found["tuned", query_id]),
        theirs_found=hits(found["base", query_id]),
        domain=query.domain,
        category=query.category,
        difficulty=query.difficulty,
    )
