"""What trials come to, and what is tried next."""

import json
from pathlib import Path

import pandas as pd
import pytest

from domain_embeddings.core.errors import DataError
from domain_embeddings.params.report import ReportParams
from domain_embeddings.systems.system import System
from domain_embeddings.tuning.space import Range, Space
from domain_embeddings.tuning.trials import Journal, Trial, judged, outcome, propose
from tests.knobs import knobs

PARAMS = knobs("report", ReportParams, resamples=500)
SPACE = Space({"train.learning_rate": Range(low=0.0, high=1.0)})
GROUPS = {f"q{i}": f"q{i}" for i in range(60)}


def scored(number: int, value: float, score: float, proof: float | None = None, spread: float = 0.0) -> Trial:
    """A trial with a score for each of 60 questions; every other one is `spread` above, the others below."""

    def of(level: float) -> dict[str, float]:
        return {name: level + (spread if i % 2 else -spread) for i, name in enumerate(GROUPS)}

    second = of(score if proof is None else proof)
    return Trial(number, {"train.learning_rate": value}, 1.0, "", "tuned", of(score), second, GROUPS, "people")


def test_the_best_is_proved_on_questions_that_did_not_choose() -> None:
    trials = [scored(0, 0.1, 0.5), scored(1, 0.2, 0.6), scored(2, 0.3, 0.7), scored(3, 0.4, 0.65)]
    found = outcome(trials, PARAMS)
    assert (found.best.number, found.proved) == (2, True)
    assert found.proof.delta == pytest.approx(0.2)


def test_luck_of_the_half_that_chooses_is_not_proved() -> None:
    found = outcome([scored(0, 0.1, 0.5), scored(1, 0.2, 0.7, proof=0.5)], PARAMS)
    assert (found.best.number, found.proved) == (1, False)


def test_within_one_standard_error_the_params_stay() -> None:
    now, noisy = scored(0, 0.1, 0.5), scored(1, 0.2, 0.51, spread=0.2)
    assert outcome([now, noisy], PARAMS).best is now
    assert outcome([now, scored(1, 0.2, 0.51)], PARAMS).best.number == 1


def test_a_failed_trial_is_never_the_best_and_trial_0_must_not_fail() -> None:
    failed = Trial(1, {"train.learning_rate": 0.9}, 1.0, failed="out of memory")
    assert outcome([scored(0, 0.1, 0.5), failed], PARAMS).best.number == 0
    with pytest.raises(ValueError, match="trial 0"):
        outcome([Trial(0, {}, 1.0, failed="no data"), scored(1, 0.2, 0.7)], PARAMS)


def test_proposals_come_near_what_was_good_and_do_not_hang_on_a_pause() -> None:
    trials = [scored(0, 0.5, 0.5)]
    for number in range(1, 25):
        value = float(propose(trials, SPACE, 42)["train.learning_rate"])  # type: ignore[arg-type]
        trials.append(scored(number, value, 1 - abs(value - 0.8)))
    assert abs(max(trials, key=lambda trial: trial.mean).values["train.learning_rate"] - 0.8) < 0.03  # type: ignore[operator]
    again = [Trial(**json.loads(json.dumps(vars(trial)))) for trial in trials[:10]]
    assert propose(again, SPACE, 42) == trials[10].values


def test_a_trial_is_judged_by_the_simplest_good_system_of_the_tuned_model() -> None:
    systems = [
        System(name="base", model="base", dense=1.0),
        System(name="tuned", model="tuned", dense=1.0),
        System(name="late_tuned", model="tuned", late=1.0),
    ]
    scores = {"base": 0.9, "tuned": 0.5, "late_tuned": 0.8}
    rows = pd.DataFrame(
        [
            {"arm": arm, "query_id": name, "group": name, "ndcg@10": score - 0.01 * (i % 3)}
            for arm, score in scores.items()
            for i, name in enumerate(GROUPS)
        ]
    )
    found = judged(rows, systems, 42)
    assert found["system"] == "late_tuned"
    assert len(found["scores"]) == len(found["proof"]) == 30
    assert not set(found["scores"]) & set(found["proof"])
    equal = rows.assign(**{"ndcg@10": 0.5})
    assert judged(equal, systems, 42)["system"] == "tuned"


def test_a_killed_journal_goes_on_without_the_half_line(tmp_path: Path) -> None:
    file = tmp_path / "tune" / "trials.jsonl"
    journal = Journal(file, {"seed": 42})
    trials = [scored(0, 0.1, 0.5), Trial(1, {"train.learning_rate": 0.2}, 2.0, failed="no")]
    for trial in trials:
        journal.add(trial)
    with file.open("a") as half:
        half.write('{"number": 2, "val')
    again = Journal(file, {"seed": 42})
    assert again.trials == trials
    again.add(scored(2, 0.3, 0.6))
    assert [trial.number for trial in Journal(file, {"seed": 42}).trials] == [0, 1, 2]


def test_trials_of_something_else_are_refused(tmp_path: Path) -> None:
    Journal(tmp_path / "trials.jsonl", {"seed": 42})
    with pytest.raises(DataError, match=r"trials\.jsonl:1: holds trials of other params.*move it away"):
        Journal(tmp_path / "trials.jsonl", {"seed": 43})
