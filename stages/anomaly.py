"""Fit detectors of queries that are unlike a corpus's, choose one on dev, calibrate it, and measure all on test.

Reads models/<corpus>-embeddings-v<version>/, data/synthesize/<corpus>/ (training and dev queries),
data/ingest/<corpus>/ (test questions, for the report alone) and data/raw/anomaly/; writes
models/<corpus>-anomaly-v<version>/, data/anomaly/<corpus>/scores.jsonl and, in metrics/<corpus>/, anomaly.json,
anomaly_summary.json (its headlines, a DVC metric), anomaly.md (for people) and plot data. Where no detector can be
fitted, all of these say why.

    python -m stages.anomaly manuals
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from domain_embeddings import anomaly, anomaly_sets, detection
from domain_embeddings.anomaly_report import markdown, without_detector
from domain_embeddings.anomaly_sets import Example
from domain_embeddings.artifact import WEIGHTS
from domain_embeddings.canonical import canonical
from domain_embeddings.conformal import least_queries, threshold
from domain_embeddings.dataset import read_corpus, read_qrels, read_queries, write_json, write_jsonl
from domain_embeddings.detectors.choice import DETECTORS, best, fit_all, separation
from domain_embeddings.detectors.detector import Detector
from domain_embeddings.detectors.forest import forest_scores
from domain_embeddings.encoder import encode, load
from domain_embeddings.integrity import read
from domain_embeddings.params.anomaly import AnomalyParams
from domain_embeddings.ranking import Scores
from domain_embeddings.verification import detector_name
from domain_embeddings.writings import misspelt
from stages.start import run_stage
from stages.workspace import (
    corpus_argument,
    load_params,
    max_seq_length,
    metrics_folder,
    packaged_model,
    section,
    stage_folder,
)

ANOMALY_SETS = Path("data/raw/anomaly")
DIGITS = 6
BINS = 20
CHOOSE = 10
"""Every so manieth synthesized query helps to choose a detector, so that all dev questions are left to calibrate it."""
HELD_OUT = 5
"""Every so manieth query of a log is held out to calibrate."""
LEAST = 20
"""Normal queries to learn from: of fewer nobody can say what is like them."""
MISSPELT = 0.4
"""Share of the longer words with a typing error, in normal queries that a detector must not take for anomalies."""
FOREST = "isolation_forest"
TEST = "test_questions"
INJECTIONS = "adversarial/prompt_injection"
BARS = ("set", "kind", "threshold", "score", "share")
CURVES = ("set", "false_positives", "detected")
"""Columns of the plot data."""

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


def read_normal(corpus: str, params: AnomalyParams) -> Normal:
    """Synthesized training queries to fit and to choose; dev questions, or a part of a log, to calibrate.

    Where these are too few for the promised rate, synthesized queries are held out beside them.
    """
    train, calibrate = queries_of(corpus, "synthesize", "train"), queries_of(corpus, "synthesize", "dev")
    origin = f"{dev_origin(corpus)} dev questions"
    if params.normal_log is not None:
        logged, calibrate = split(anomaly_sets.read_log(Path(params.normal_log)), HELD_OUT)
        train, origin = train + logged, f"queries of {params.normal_log}"
    train = random.Random(params.seed).sample(unseen := sorted(set(train) - set(calibrate)), len(unseen))
    if (missing := least_queries(params.false_positive_rate) - len(calibrate)) > 0:
        calibrate, train = calibrate + train[:missing], train[missing:]
        origin = f"{origin} and synthetic queries"
    fit, choose = split(train[: params.normal_queries], CHOOSE)
    return Normal(fit, choose, calibrate, origin)


def split(queries: Sequence[str], every: int) -> tuple[list[str], list[str]]:
    """Most of the queries, and every so manieth."""
    return [text for position, text in enumerate(queries) if position % every], list(queries[::every])


def queries_of(corpus: str, stage: str, split: str) -> list[str]:
    """The judged queries of a split in a stage's folder, in the order of their ids."""
    folder = stage_folder(stage, corpus)
    queries = read_queries(folder / "queries.jsonl")
    passages = read_corpus(stage_folder("ingest", corpus) / "corpus.jsonl")
    judged = read_qrels(folder / "qrels" / f"{split}.tsv", queries, passages)
    return [queries[query_id].text for query_id in sorted(judged)]


def dev_origin(corpus: str) -> str:
    """`labelled` or `synthetic`: whether people asked a corpus's dev questions."""
    statistics = json.loads((stage_folder("synthesize", corpus) / "statistics.json").read_text(encoding="utf-8"))
    return str(statistics["dev"]["origin"])


def read_sets(corpus: str, params: AnomalyParams) -> list[Example]:
    """All sets, the normal test questions among them as a set of their own."""
    there = (name for name in (*anomaly_sets.WRITTEN, anomaly_sets.ODD) if (ANOMALY_SETS / f"{name}.jsonl").is_file())
    written = [example for name in there for example in anomaly_sets.read_written(ANOMALY_SETS, name, corpus)]
    extra = [e for name, path in sorted(params.extra_sets.items()) for e in anomaly_sets.read_extra(name, Path(path))]
    return [*written, *extra, *(Example(TEST, "", "test", text) for text in queries_of(corpus, "ingest", "test"))]


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
    if params.detector == "exposure" and not any(e.split == "train" for e in examples):
        return "anomaly.detector asks for exposure, which needs known anomalies, and there are none"
    return None


def separate(fitted: Mapping[str, Detector], normal: Kinds, anomalous: Kinds) -> dict[str, float]:
    """Detector → how well it separates (`choice.separation`); empty without anomalies to choose by."""
    if not anomalous:
        return {}
    return {name: separation(detector, normal, anomalous) for name, detector in fitted.items()}


def choose_detector(params: AnomalyParams, separations: Mapping[str, float], known: Scores) -> str:
    """The one that params ask for, the one that separates best, or, with nothing to choose by, the first there is."""
    if params.detector != "auto":
        return params.detector
    return best(separations) if separations else next(name for name in DETECTORS if name != "exposure" or len(known))


def share(flags: Sequence[bool]) -> dict[str, Any]:
    """How many are flagged: rate, interval and n."""
    interval = detection.share_interval(sum(flags), len(flags))
    figures: dict[str, Any] = rounded({"rate": sum(flags) / len(flags), "ci95": interval, "n": len(flags)})
    return figures


def rounded(value: Any) -> Any:
    """A nested value with its floats cut to `DIGITS`."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    return round(value, DIGITS) if isinstance(value, float) else value


def measured(scores: Scores, examples: Sequence[Example], limit: float) -> dict[str, Any]:
    """False positives of each normal kind, and the figures of each anomalous kind against the test questions."""
    flagged = scores > limit
    normal = scores[[e.set == TEST for e in examples]]
    found: dict[str, Any] = {"false_positives": {}, "sets": {}}
    for kind, positions in anomaly_sets.kinds(examples).items():
        if is_normal(examples[positions[0]]):
            found["false_positives"][kind] = share([bool(flagged[i]) for i in positions])
        else:
            found["sets"][kind] = rounded(asdict(detection.measure(normal, scores[positions], limit)))
    return found


def compared(scores: Mapping[str, Scores], limits: Mapping[str, float], examples: Sequence[Example]) -> dict[str, Any]:
    """Detector → AUROC and share flagged of each set as a whole, and false positives."""
    table: dict[str, Any] = {}
    for name, found in scores.items():
        figures = measured(found, examples, limits[name])
        sets = {kind: row for kind, row in figures["sets"].items() if "/" not in kind}
        table[name] = {
            "false_positives": {k: row["rate"] for k, row in figures["false_positives"].items() if "/" not in k},
            "auroc": {kind: row["auroc"] for kind, row in sets.items()},
            "flagged": {kind: row["flagged"] for kind, row in sets.items()},
        }
    return table


def headlines(report: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """The few figures that `dvc metrics` shows and compares: of whole sets, and of prompt injections."""
    kinds = [kind for kind in report["sets"] if "/" not in kind or kind == INJECTIONS]
    normal = {kind: row["rate"] for kind, row in report["false_positives"].items() if "/" not in kind}
    flagged, auroc = ({kind: report["sets"][kind][key] for kind in kinds} for key in ("flagged", "auroc"))
    return {"false_positives": normal, "flagged": flagged, "auroc": auroc}


def write_plots(folder: Path, scores: Scores, examples: Sequence[Example], limit: float) -> None:
    """Distributions of scores with the threshold, and ROC curves against the test questions, by set."""
    edges = np.linspace(scores.min(), scores.max(), BINS + 1)
    normal = scores[[e.set == TEST for e in examples]]
    bars, curves = [], []
    for name, positions in anomaly_sets.kinds(examples).items():
        if "/" in name:
            continue
        shares = np.histogram(scores[positions], edges)[0] / len(positions)
        kind = "not to be flagged" if is_normal(examples[positions[0]]) else "to be flagged"
        same = {"set": name, "kind": kind, "threshold": limit}
        bars += [{**same, "score": left, "share": one} for left, one in zip(edges, [*shares, 0], strict=True)]
        if not is_normal(examples[positions[0]]):
            points = zip(*detection.roc(normal, scores[positions]), strict=True)
            curves += [{"set": name, "false_positives": x, "detected": y} for x, y in points]
    _csv(folder / "anomaly_scores.csv", bars, BARS)
    _csv(folder / "anomaly_roc.csv", curves, CURVES)


def _csv(path: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    pd.DataFrame(rows, columns=list(columns)).round(DIGITS).to_csv(path, index=False, lineterminator="\n")


def main() -> None:
    """Ship a detector, or say why there is none."""
    corpus, params = corpus_argument(), section("anomaly", AnomalyParams)
    torch.set_num_threads(load_params()["train"]["threads"])  # part of the result: floats are added in another order
    version = load_params()["package"]["version"]
    model, detector = packaged_model(corpus, version), Path("models") / detector_name(corpus, version)
    normal, examples = read_normal(corpus, params), read_sets(corpus, params)
    if (reason := obstacle(normal, examples, params)) is None:
        ship(corpus, params, normal, examples, model, detector)
    else:
        leave_out(corpus, reason, detector)


def leave_out(corpus: str, reason: str, detector: Path) -> None:
    """Write all that the stage writes, with the reason in it."""
    print(f"{corpus}: no detector: {reason}")
    anomaly.save_none(detector, reason)
    folder = metrics_folder(corpus)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "anomaly.json", {"skipped": reason})
    write_json(folder / "anomaly_summary.json", {})
    (folder / "anomaly.md").write_text(without_detector(corpus, reason), encoding="utf-8")
    _csv(folder / "anomaly_scores.csv", [], BARS)
    _csv(folder / "anomaly_roc.csv", [], CURVES)
    write_jsonl(stage_folder("anomaly", corpus) / "scores.jsonl", [])


def ship(
    corpus: str, params: AnomalyParams, normal: Normal, examples: Sequence[Example], folder: Path, packaged: Path
) -> None:
    """Encode with the model in `folder`, choose, fit, calibrate, measure, write."""
    model = load(folder, max_seq_length())
    generator = random.Random(params.seed)
    slips = [misspelt(text, MISSPELT, generator) for text in normal.choose]
    texts = (normal.fit, normal.choose, slips, normal.calibrate, [e.text for e in examples])
    fit, choose, wrong, calibrate, vectors = (encode(model, [canonical(text) for text in some]) for some in texts)

    known = rows_of(vectors, examples, split="train")
    separations = separate(fit_all(fit, known, params.seed), *on_dev(vectors, examples, choose, wrong))
    name = choose_detector(params, separations, known)
    fit = np.concatenate([fit, choose])  # once the choice is made, nothing need be held back but what calibrates
    fitted = fit_all(fit, known, params.seed)
    tested = rows_of(vectors, examples, split="test")
    judged = [calibrate, tested]
    scores = {one: [detector.score(some) for some in judged] for one, detector in fitted.items()}
    scores[FOREST] = np.split(forest_scores(fit, np.concatenate(judged), params.seed), [len(calibrate)])
    limits = {one: threshold(held_out, params.false_positive_rate) for one, (held_out, _) in scores.items()}

    settings = anomaly.Settings(
        detector=name,
        threshold=limits[name],
        false_positive_rate=params.false_positive_rate,
        calibrated_on=normal.origin,
        n_calibration=len(calibrate),
        model=folder.name,
        weights_sha256=read(folder / WEIGHTS).sha256,
    )
    anomaly.save(packaged, fitted[name], settings)
    on_test = {one: on_tested for one, (_, on_tested) in scores.items()}
    write_report(corpus, [e for e in examples if e.split == "test"], on_test, limits, separations, settings)


def write_report(
    corpus: str,
    tested: Sequence[Example],
    scores: Mapping[str, Scores],
    limits: Mapping[str, float],
    separations: Mapping[str, float],
    settings: anomaly.Settings,
) -> None:
    """anomaly.json, its headlines, the same for people, plot data, and a row for each test query."""
    own = scores[settings.detector]
    others = [value for name, value in separations.items() if name != settings.detector]
    chosen = {
        **{key: value for key, value in vars(settings).items() if key not in ("model", "weights_sha256")},
        "auroc_on_dev": separations,
        "lead_on_dev": separations[settings.detector] - max(others) if others else None,
    }
    figures = {**measured(own, tested, settings.threshold), "detectors": compared(scores, limits, tested)}
    report, folder = rounded({"chosen": chosen, **figures}), metrics_folder(corpus)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "anomaly.json", report)
    write_json(folder / "anomaly_summary.json", headlines(report))
    (folder / "anomaly.md").write_text(markdown(corpus, report), encoding="utf-8")
    write_plots(folder, own, tested, settings.threshold)
    rows = (
        {"set": e.set, "category": e.category, "text": e.text, "score": round(float(s), DIGITS), "flagged": bool(f)}
        for e, s, f in zip(tested, own, own > settings.threshold, strict=True)
    )
    write_jsonl(stage_folder("anomaly", corpus) / "scores.jsonl", rows)


if __name__ == "__main__":
    run_stage(main, then="stages.check_version")
