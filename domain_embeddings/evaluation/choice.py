"""Which system is shipped: chosen on dev questions, proved on dev questions that took no part in the choice.

First a system of the untrained model is chosen, cross-fitted: of ten parts of the questions, by groups, each is judged
with what the other nine choose. Then a tuned one, chosen where training was, must beat it on questions that training
did not see.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain_embeddings.evaluation import significance
from domain_embeddings.evaluation.promotion import METRIC, word
from domain_embeddings.evaluation.question_groups import folds, halves
from domain_embeddings.evaluation.result_tables import difference
from domain_embeddings.evaluation.significance import Difference
from domain_embeddings.params.report import ReportParams
from domain_embeddings.systems.system import System, default_of

KB = 1000
PARTS = 10
"""Of the dev questions in a cross-fitted choice."""
BY_WORDS, MOST_BY_WORDS = "bm25", 0.8
"""An arm, and its mean nDCG@10 above which dev questions choose nothing: they repeat their answers' words, and tell
nothing about meaning."""


@dataclass(frozen=True)
class Offered:
    """The systems that can be had."""

    systems: Sequence[System]
    stored: Mapping[str, int]
    """System → bytes of its vectors for a passage, on average."""
    budget_kb: float | None
    """Most KB of a passage that may be stored; None: no limit."""
    tuned: bool
    """Whether the tuned model may be used: the guard decides."""

    def allowed(self) -> list[System]:
        """Those within the budget, of a model that may be used. BM25, which stores no vector, is always among them."""
        limit = float("inf") if self.budget_kb is None else self.budget_kb * KB
        return [
            system
            for system in self.systems
            if self.stored[system.name] <= limit and (self.tuned or system.model != "tuned")
        ]


@dataclass(frozen=True)
class Choice:
    """What is shipped, and why."""

    system: System
    reason: str


def choose(
    dev: pd.DataFrame,
    offered: Offered,
    synthetic: bool,
    params: ReportParams,
    noise: float = 0.0,
    log: pd.DataFrame | None = None,
) -> Choice:
    """Of the untrained systems the one that dev questions choose, and of the tuned ones one that is proved better.

    The default, a fixed fusion, stays unless the choice is better (or has fewer parts) and a loss beyond `max_loss` is
    excluded. A tuned one is chosen on the half of the questions that training saw, and must be "improved" on the other
    half; `noise` is what another training seed would change. `synthetic` questions choose nothing, nor do those
    that BM25 answers too well (MOST_BY_WORDS). Beside synthetic ones the questions of a `log`, judged by silver labels,
    may prove that the default is better with the tuned model.
    """
    default = _default(offered)
    if synthetic and log is not None and len(log):
        return _by_log(log, offered, default, params, noise)
    if synthetic:
        return Choice(default, f"{default.name} is the default: nobody asked dev questions that could choose")
    count = dev["group"].nunique()
    if count < params.min_groups:
        few = f"{dev['query_id'].nunique()} dev questions in {count} groups are too few to choose (report.min_groups)"
        return Choice(default, f"{default.name} is the default: {few}")
    by_words = dev.loc[dev["arm"] == BY_WORDS, METRIC].mean()
    if by_words > MOST_BY_WORDS:
        copied = (
            f"with {METRIC} {by_words:.3f} for {BY_WORDS}, dev questions repeat their answers' words and cannot choose"
        )
        return Choice(default, f"{default.name} is the default: {copied}")
    allowed = offered.allowed()
    untrained = _untrained(dev, [system for system in allowed if system.model == "base"], default, params)
    tuned = [system for system in allowed if system.model == "tuned"]
    groups = _groups(dev)
    seen, unseen = (dev[dev["query_id"].isin(half)] for half in halves(groups, params.seed))
    if not tuned or unseen["group"].nunique() < 2:  # one large group proves nothing
        return untrained
    found = simplest(_wide(seen), groups, tuned)
    proof = difference(unseen, found.name, untrained.system.name, params)
    said = f"{found.name} has {_said(proof)} against {untrained.system.name} on questions that training did not see"
    if word(proof, params, noise) == "improved":
        return Choice(found, f"{said}: proved")
    return Choice(untrained.system, f"{untrained.reason}; {said}: not proved")


def _by_log(log: pd.DataFrame, offered: Offered, default: System, params: ReportParams, noise: float) -> Choice:
    """The default, or the tuned model's system with the same weights where that is proved better on silver labels."""
    same = {"name": default.name, "model": default.model}
    tuned = [each for each in offered.allowed() if each.model == "tuned" and each.model_copy(update=same) == default]
    if not tuned:
        return Choice(default, f"{default.name} is the default: the tuned model may not be used")
    if log["group"].nunique() < params.min_groups:
        few = f"{log['query_id'].nunique()} logged questions find too few passages to choose by (report.min_groups)"
        return Choice(default, f"{default.name} is the default: {few}")
    proof = difference(log, tuned[0].name, default.name, params)
    said = f"{tuned[0].name} has {_said(proof)} against {default.name} on silver labels of logged questions"
    if word(proof, params, noise) == "improved":
        return Choice(tuned[0], f"{said}: proved")
    return Choice(default, f"{default.name} is the default; {said}: not proved")


def _untrained(dev: pd.DataFrame, systems: Sequence[System], default: System, params: ReportParams) -> Choice:
    found, proof = cross_fitted(dev, systems, default, params)
    if found == default:
        return Choice(default, f"{default.name} is the default, and what dev questions choose")
    said = f"{found.name}, which dev questions choose, has {_said(proof)} against {default.name}, the default"
    better = proof.delta > 0 or found.parts < default.parts
    if better and proof.low >= -params.max_loss:
        return Choice(found, said)
    return Choice(default, f"{default.name} stays: {said}")


def _said(proof: Difference) -> str:
    return f"{METRIC} {proof.delta:+.3f} [{proof.low:+.3f}, {proof.high:+.3f}] (n = {proof.n}, {proof.groups} groups)"


def cross_fitted(
    dev: pd.DataFrame, systems: Sequence[System], against: System, params: ReportParams
) -> tuple[System, Difference]:
    """What all questions choose, and what choosing so gains over `against` on questions that took no part in it.

    Each of ten parts of the questions, by groups, is judged with what the others choose (Stone, J. R. Statist. Soc. B
    36, 1974). Of the systems within one standard error of the best, the paired one of their difference by groups, the
    simplest is taken (Breiman et al., Classification and Regression Trees, 1984, section 3.4.3); of equally simple ones
    the best.
    """
    wide = _wide(dev)
    groups, values, names = _groups(dev), list[float](), list[str]()
    for part in folds(groups, PARTS, params.seed):
        judged = wide.index.isin(part)
        chosen = simplest(wide[~judged], groups, systems)
        values += (wide[chosen.name] - wide[against.name])[judged].tolist()
        names += [groups[query_id] for query_id in wide.index[judged]]
    gained = np.array(values, dtype=np.float64)
    proof = significance.paired(gained, np.zeros_like(gained), params.resamples, params.seed, names)
    return simplest(wide, groups, systems), proof


def _wide(dev: pd.DataFrame) -> pd.DataFrame:
    return dev.pivot(index="query_id", columns="arm", values=METRIC)


def _groups(dev: pd.DataFrame) -> dict[str, str]:
    rows = dev.drop_duplicates("query_id")
    return dict(zip(rows["query_id"], rows["group"], strict=True))


def _default(offered: Offered) -> System:
    """The default, or what of the untrained model comes nearest within the budget."""
    wanted = default_of(offered.systems)
    allowed = offered.allowed()
    if wanted in allowed:
        return wanted
    return max(
        (system for system in allowed if system.model == "base" and system.aliases == wanted.aliases),
        key=lambda system: system.parts,
    )


def simplest(wide: pd.DataFrame, groups: Mapping[str, str], systems: Sequence[System]) -> System:
    """Of the systems that are within one standard error of the best, the simplest; `wide`: a row for each question."""
    means, names = wide.mean(), [groups[query_id] for query_id in wide.index]
    best = max(systems, key=lambda system: (means[system.name], [-part for part in system.simplicity]))

    def behind(system: System) -> float:
        lost = (wide[best.name] - wide[system.name]).to_numpy(np.float64)
        return float(lost.mean()) - significance.standard_error(lost, names)

    within = [system for system in systems if behind(system) <= 0]
    return min(within, key=lambda system: (system.simplicity, -means[system.name]))
