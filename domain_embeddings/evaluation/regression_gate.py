"""Did search get worse between two revisions? Their per-query results, compared question by question."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain_embeddings.core.dataset import Query
from domain_embeddings.core.errors import UserError
from domain_embeddings.evaluation.significance import LEVEL, Difference, holm, paired
from domain_embeddings.params.gate import GateParams, Metric

SLICES = ("domain", "difficulty", "category")
_DIGITS = 6


class CannotCompareError(UserError):
    """Two revisions cannot be compared. The message says why and what to do."""


@dataclass(frozen=True)
class Part:
    """A change on the questions of one slice."""

    slice: str
    value: str
    difference: Difference
    p_holm: float
    """p adjusted for all slices of the change."""
    fell: bool


@dataclass(frozen=True)
class Change:
    """What became of one metric of one arm, on the questions that both revisions have."""

    corpus: str
    arm: str
    metric: str
    before: float
    after: float
    difference: Difference
    """after − before, paired by question."""
    tolerance: float
    fell: bool
    slices: Sequence[Part]
    """Those that fell beyond the tolerance first, then by their difference, the largest fall first."""

    @property
    def name(self) -> str:
        """`corpus/arm/metric`, as it stands in `gate.accept`."""
        return f"{self.corpus}/{self.arm}/{self.metric}"

    def falls(self, slices: bool) -> list[str]:
        """The names of what fell: the change itself and, if `slices`, the parts of it that did."""
        parts = [f"{self.name}/{part.slice}={part.value}" for part in self.slices if part.fell] if slices else []
        return ([self.name] if self.fell else []) + parts


@dataclass(frozen=True)
class Compared:
    """One corpus in both revisions."""

    corpus: str
    common: int
    added: int
    """Questions that the base revision does not have."""
    removed: int
    new_arms: Sequence[str]
    """Arms that the base revision does not have: there is nothing to compare them with."""
    changes: Sequence[Change]


@dataclass(frozen=True)
class Gate:
    """Every corpus, and what follows from it."""

    compared: Sequence[Compared]
    problems: Sequence[str]
    """What could not be compared, and what to do."""
    notes: Sequence[str]
    accepted: frozenset[str]
    slices: bool
    """Whether a slice alone can stop a change."""

    @property
    def changes(self) -> list[Change]:
        """Those of all corpora."""
        return [change for compared in self.compared for change in compared.changes]

    def stopping(self, change: Change) -> list[str]:
        """The names of what fell and is not accepted; a change that is accepted covers its slices."""
        if change.name in self.accepted:
            return []
        return [name for name in change.falls(self.slices) if name not in self.accepted]

    @property
    def fallen(self) -> list[str]:
        """All that stops the change."""
        return [name for change in self.changes for name in self.stopping(change)]

    @property
    def status(self) -> int:
        """1: something fell; 2: nothing did, but not all could be compared; 0: all is well."""
        return 1 if self.fallen else 2 if self.problems else 0


def compare(
    corpus: str, before: pd.DataFrame, after: pd.DataFrame, queries: Mapping[str, Query], params: GateParams
) -> Compared:
    """Compare the arms and metrics of `params` on the questions that both tables of per-query results have.

    A table has a row for each arm and question: `arm`, `query_id`, `group` and a column for each metric. Raises
    CannotCompareError where too few questions are common or `after` lacks an arm that is to be compared.
    """
    ours, theirs = set(after["query_id"]), set(before["query_id"])
    common = sorted(ours & theirs)
    _check_questions(corpus, len(common), len(ours), len(theirs), params.min_queries)
    _check_arms(corpus, params.arms, sorted(set(after["arm"])))
    new = [arm for arm in params.arms if arm not in set(before["arm"])]
    columns = {name: [getattr(queries[query_id], name) for query_id in common] for name in SLICES}
    columns["group"] = _groups(after, common)
    changes = []
    for metric in params.tolerance:
        old, now = (_wide(frame, metric).loc[common] for frame in (before, after))
        for arm in params.arms:
            if arm not in new:
                table = pd.DataFrame({"before": old[arm], "after": now[arm], **columns}, index=common)
                changes.append(_change(corpus, arm, metric, table, params))
    return Compared(corpus, len(common), len(ours - theirs), len(theirs - ours), new, changes)


def _groups(results: pd.DataFrame, questions: Sequence[str]) -> list[str]:
    """The group of each question; itself where results do not tell, as those of earlier versions."""
    if "group" not in results:
        return list(questions)
    known = dict(zip(results["query_id"], results["group"], strict=True))
    return [known[query_id] for query_id in questions]


def _wide(results: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    return results.pivot(index="query_id", columns="arm", values=metric)


def _check_questions(corpus: str, common: int, after: int, before: int, least: int) -> None:
    if not common:
        raise CannotCompareError(
            f"{corpus}: of {before} questions before and {after} after the change none has the same id; "
            "keep the ids of questions, or compare with a revision that has them"
        )
    if common < least:
        raise CannotCompareError(
            f"{corpus}: {common} questions are in both revisions, gate.min_queries asks for {least}: "
            "too few to tell a fall from luck; keep or add questions, or lower it in params.yaml"
        )


def _check_arms(corpus: str, wanted: Sequence[str], found: Sequence[str]) -> None:
    if missing := [arm for arm in wanted if arm not in found]:
        raise CannotCompareError(
            f"{corpus}: no results of {', '.join(missing)} after the change, there are {', '.join(found)}; "
            "run `dvc repro`, or correct gate.arms in params.yaml"
        )


def _change(corpus: str, arm: str, metric: Metric, table: pd.DataFrame, params: GateParams) -> Change:
    """`table` has a row for each question: `before`, `after` and its slices."""
    tolerance, difference = params.tolerance[metric], _difference(table, params)
    fell = _beyond(difference, tolerance) and difference.high < 0
    before, after = float(table["before"].mean()), float(table["after"].mean())
    parts = _parts(table, tolerance, params)
    return Change(corpus, arm, metric, before, after, difference, tolerance, fell, parts)


def _parts(table: pd.DataFrame, tolerance: float, params: GateParams) -> list[Part]:
    """Every slice that tells questions apart. A fall on one needs its Holm-adjusted p: of twenty one falls by luck."""
    found = [
        (name, str(value), _difference(rows, params))
        for name in SLICES
        if table[name].nunique() > 1
        for value, rows in table.groupby(name)
        if value
    ]
    adjusted = holm([difference.p for _, _, difference in found])
    parts = [
        Part(name, value, difference, p, _beyond(difference, tolerance) and p < LEVEL)
        for (name, value, difference), p in zip(found, adjusted, strict=True)
    ]
    return sorted(parts, key=lambda part: (not part.fell, part.difference.delta))


def _difference(table: pd.DataFrame, params: GateParams) -> Difference:
    after, before = (table[name].to_numpy(np.float64) for name in ("after", "before"))
    return paired(after, before, params.resamples, params.seed, list(table["group"]))


def _beyond(difference: Difference, tolerance: float) -> bool:
    return round(difference.delta, _DIGITS) < -tolerance


def accepted_name(entry: str) -> str:
    """What a line of `gate.accept` accepts: all before its reason in brackets."""
    return entry.partition(" (")[0]


def acceptances(entries: Sequence[str], of_base: Collection[str]) -> frozenset[str]:
    """The names that `gate.accept` accepts: those of its lines that the base revision does not have."""
    return frozenset(accepted_name(entry) for entry in entries if entry not in of_base)


def stale(entries: Sequence[str], of_base: Collection[str], changes: Sequence[Change]) -> list[str]:
    """A sentence for every line of `gate.accept` that accepts nothing."""
    fallen = {name for change in changes for name in change.falls(slices=True)}
    said = []
    for entry in entries:
        if entry in of_base:
            again = "; to accept a new fall, change its reason" if accepted_name(entry) in fallen else ""
            said.append(f"{entry}: accepted before the base revision, counts no more: remove the line{again}")
        elif accepted_name(entry) not in fallen:
            said.append(f"{entry}: nothing of that name falls: remove the line")
    return said
