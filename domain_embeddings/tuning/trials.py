"""What was tried, what dev questions say of it, and what to try next."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
from optuna.samplers import TPESampler
from optuna.trial import TrialState

from domain_embeddings.core.beir_files import read_jsonl
from domain_embeddings.core.errors import DataError
from domain_embeddings.evaluation import significance
from domain_embeddings.evaluation.choice import simplest
from domain_embeddings.evaluation.promotion import METRIC, word
from domain_embeddings.evaluation.question_groups import halves
from domain_embeddings.evaluation.significance import Difference
from domain_embeddings.params.report import ReportParams
from domain_embeddings.systems.system import System
from domain_embeddings.tuning.space import Space, Value

AT_RANDOM = 6
"""Trials before the sampler has enough to learn from."""


@dataclass(frozen=True)
class Trial:
    """A run of the pipeline with other params."""

    number: int
    """0: the params as they are."""
    values: dict[str, Value]
    """Dotted name → value."""
    seconds: float
    failed: str = ""
    """Why it has no scores; empty where it has."""
    system: str = ""
    """The system of the tuned model that the questions chose."""
    scores: Mapping[str, float] | None = None
    """Question → nDCG@10 of that system, on the half that chooses."""
    proof: Mapping[str, float] | None = None
    """The same on the half that proves."""
    groups: Mapping[str, str] | None = None
    """Question → its group, of both halves."""
    asked_by: str = ""
    """Who asked them."""

    @property
    def mean(self) -> float:
        """Of the half that chooses."""
        return float(np.mean(list((self.scores or {}).values())))


class Journal:
    """The trials of a corpus in a file, one a line: what a killed run had finished is there, and is not run again."""

    def __init__(self, file: Path, identity: Mapping[str, Any]) -> None:
        """Begin a file, or go on with the one there is; a DataError where that has another `identity`."""
        self.file = file
        self.trials: list[Trial] = []
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(identity, sort_keys=True) + "\n", encoding="utf-8")
            return
        (_, began), *rows = _whole_lines(file)
        if began != json.loads(json.dumps(identity)):
            other = "holds trials of other params, code, data or another space"
            raise DataError(file, other, line=1, remedy="move it away to begin anew")
        self.trials = [Trial(**row) for _, row in rows]

    def add(self, trial: Trial) -> None:
        """Keep a trial."""
        self.trials.append(trial)
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(trial), sort_keys=True) + "\n")


def _whole_lines(file: Path) -> list[tuple[int, Any]]:
    """The rows of a file, without a last line that a kill cut off."""
    text = file.read_text(encoding="utf-8")
    if not text.endswith("\n"):
        file.write_text(text[: text.rfind("\n") + 1], encoding="utf-8")
    return list(read_jsonl(file))


def judged(rows: pd.DataFrame, systems: Sequence[System], seed: int) -> dict[str, Any]:
    """A trial's system of the tuned model, its nDCG@10 by question in both halves, and the questions' groups.

    `rows`: a row for each arm and dev question (result_tables.py). The halves are those of the promotion: training,
    which takes its checkpoint by the first, never sees the second.
    """
    groups = dict(zip(rows["query_id"], rows["group"], strict=True))
    seen, unseen = halves(groups, seed)
    wide = rows.pivot(index="query_id", columns="arm", values=METRIC)
    tuned = [system for system in systems if system.model == "tuned"]
    found = simplest(wide[wide.index.isin(seen)], groups, tuned).name
    first, second = ({i: float(wide[found][i]) for i in sorted(half)} for half in (seen, unseen))
    return {"system": found, "scores": first, "proof": second, "groups": groups}


def propose(trials: Sequence[Trial], space: Space, seed: int) -> dict[str, Value]:
    """The values to try next: the same for the same trials, whether they ran in one go or not.

    Tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011), which models params together.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = TPESampler(seed=seed + len(trials), n_startup_trials=AT_RANDOM, multivariate=True)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    distributions = space.distributions()
    for trial in trials:
        if space.holds(trial.values):  # trial 0 need not be of the space
            study.add_trial(
                optuna.trial.create_trial(
                    state=TrialState.FAIL if trial.failed else TrialState.COMPLETE,
                    value=None if trial.failed else trial.mean,
                    params=trial.values,
                    distributions=distributions,
                )
            )
    return space.rounded(study.ask(distributions).params)


@dataclass(frozen=True)
class Outcome:
    """What the trials come to."""

    best: Trial
    """Trial 0 where no other is better by more than a standard error."""
    proof: Difference
    """Of the best against trial 0, on the questions that chose nothing."""
    proved: bool


def outcome(trials: Sequence[Trial], params: ReportParams) -> Outcome:
    """The best trial on the half that chooses, and whether the other half proves it better than the params as they are.

    The one-standard-error rule of the choice (evaluation/choice.py): the params stay as they are where they are within
    one standard error of the best, paired and by groups. A ValueError where trial 0 failed.
    """
    whole = [trial for trial in trials if not trial.failed]
    if not whole or whole[0].number:
        raise ValueError("trial 0 has no scores")
    now, best = whole[0], max(whole, key=lambda trial: (trial.mean, -trial.number))
    lost, names = _paired(best.scores, now.scores, now.groups)
    if lost.mean() <= significance.standard_error(lost, names):
        best = now
    gained, names = _paired(best.proof, now.proof, now.groups)
    proof = significance.paired(gained, np.zeros_like(gained), params.resamples, params.seed, names)
    return Outcome(best, proof, best is not now and word(proof, params) == "improved")


def _paired(
    ours: Mapping[str, float] | None, theirs: Mapping[str, float] | None, groups: Mapping[str, str] | None
) -> tuple[np.ndarray[Any, np.dtype[np.float64]], list[str]]:
    ours, theirs, groups = ours or {}, theirs or {}, groups or {}
    both = [i for i in ours if i in theirs]
    return np.array([ours[i] - theirs[i] for i in both], dtype=np.float64), [groups[i] for i in both]
