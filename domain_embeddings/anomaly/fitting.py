"""Fit detectors of queries that are unlike a corpus's, choose one on dev queries, calibrate it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from domain_embeddings.anomaly import anomaly_sets
from domain_embeddings.anomaly.anomaly_sets import Example
from domain_embeddings.anomaly.conformal import least_queries, threshold
from domain_embeddings.anomaly.detectors import DETECTORS
from domain_embeddings.anomaly.detectors.detector import Detector
from domain_embeddings.anomaly.detectors.detector_choice import best, class_of, fit_all, separation
from domain_embeddings.anomaly.detectors.forest import forest_scores
from domain_embeddings.core.ranking import Scores
from domain_embeddings.params.anomaly import AnomalyParams

CHOOSE = 10
"""Every so manieth synthesized query helps to choose a detector, so that all dev questions are left to calibrate it."""
LEAST = 20
"""Normal queries to learn from: of fewer nobody can say what is like them."""
FOREST = "isolation_forest"
TEST = "test_questions"

Kinds = dict[str, Scores]
"""Kind of queries → their vectors."""


@dataclass(frozen=True)
class Normal:
    """Normal queries, no query in two parts."""

    fit: list[str]
    choose: list[str]
    calibrate: list[str]
    origin: str
    """Whose queries the threshold is calibrated on."""


def split(queries: Sequence[str], every: int) -> tuple[list[str], list[str]]:
    """Most of the queries, and every so manieth."""
    return [text for position, text in enumerate(queries) if position % every], list(queries[::every])


def is_normal(example: Example) -> bool:
    """Whether a query is not to be flagged."""
    return example.set in (TEST, anomaly_sets.ODD)


def rows_of(vectors: Scores, examples: Sequence[Example], **wanted: str) -> Scores:
    """The rows of `vectors` whose example has the wanted split, set or kind."""
    kept = [all(getattr(example, key) == value for key, value in wanted.items()) for example in examples]
    rows: Scores = vectors[np.array(kept, dtype=bool)]
    return rows


def on_dev(vectors: Scores, examples: Sequence[Example], choose: Scores, slips: Scores) -> tuple[Kinds, Kinds]:
    """What detectors are chosen by: normal queries, plain, misspelt and odd ones, and anomalies."""
    odd = rows_of(vectors, examples, split="dev", set=anomaly_sets.ODD)
    normal = {"plain": choose, "misspelt": slips, **({anomaly_sets.ODD: odd} if len(odd) else {})}
    named = {e.kind for e in examples if e.split == "dev" and not is_normal(e)}
    return normal, {kind: rows_of(vectors, examples, split="dev", kind=kind) for kind in sorted(named)}


def obstacle(normal: Normal, examples: Sequence[Example], params: AnomalyParams) -> str | None:
    """Why no detector can be fitted, if none can."""
    learn, least = len(normal.fit) + len(normal.choose), least_queries(params.false_positive_rate)
    if learn < LEAST or len(normal.calibrate) < least:
        return (
            f"{learn} normal queries to learn from and {len(normal.calibrate)} to calibrate on are too few: "
            f"{LEAST} and, for a rate of {params.false_positive_rate:g}, {least} are needed"
        )
    asked = params.detector
    if asked != "auto" and class_of(asked).needs_known and not any(e.split == "train" for e in examples):
        return f"anomaly.detector asks for {asked}, which needs known anomalies, and there are none"
    return None


def separate(fitted: Mapping[str, Detector], normal: Kinds, anomalous: Kinds) -> dict[str, float]:
    """Detector → how well it separates (`detector_choice.separation`); empty without anomalies to choose by."""
    if not anomalous:
        return {}
    return {name: separation(detector, normal, anomalous) for name, detector in fitted.items()}


def choose_detector(params: AnomalyParams, separations: Mapping[str, float], known: Scores) -> str:
    """The one that params ask for, the one that separates best, or, with nothing to choose by, the first there is."""
    if params.detector != "auto":
        return params.detector
    if separations:
        return best(separations)
    return next(name for name in DETECTORS if len(known) or not class_of(name).needs_known)


@dataclass(frozen=True)
class Fitted:
    """The detector that is shipped, and what all of them make of the test queries."""

    name: str
    detector: Detector
    separations: dict[str, float]
    """Detector → how well it separates on dev; empty without anomalies to choose by."""
    scores: dict[str, Scores]
    """Detector → scores (test queries,)."""
    limits: dict[str, float]
    """Detector → its threshold."""


def fit_detectors(
    fit: Scores,
    choose: Scores,
    slips: Scores,
    calibrate: Scores,
    vectors: Scores,
    examples: Sequence[Example],
    params: AnomalyParams,
) -> Fitted:
    """Choose, fit on all normal queries, calibrate, score.

    `fit`, `choose`, `slips` (the queries of `choose`, misspelt) and `calibrate` are unit vectors (queries, dimensions)
    of normal queries, `vectors` those of `examples`.
    """
    known = rows_of(vectors, examples, split="train")
    separations = separate(fit_all(fit, known, params.seed), *on_dev(vectors, examples, choose, slips))
    name = choose_detector(params, separations, known)
    fit = np.concatenate([fit, choose])  # once the choice is made, nothing need be held back but what calibrates
    fitted = fit_all(fit, known, params.seed)
    judged = [calibrate, rows_of(vectors, examples, split="test")]
    scores = {one: [detector.score(some) for some in judged] for one, detector in fitted.items()}
    scores[FOREST] = np.split(forest_scores(fit, np.concatenate(judged), params.seed), [len(calibrate)])
    limits = {one: threshold(held_out, params.false_positive_rate) for one, (held_out, _) in scores.items()}
    return Fitted(name, fitted[name], separations, {one: tested for one, (_, tested) in scores.items()}, limits)
