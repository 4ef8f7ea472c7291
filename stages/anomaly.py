"""Fit detectors of queries that are unlike a corpus's, choose one on dev, calibrate it, and measure all on test.

Reads models/<corpus>-embeddings-v<version>/, data/synthesize/<corpus>/ (training and dev queries),
data/ingest/<corpus>/ (test questions, for the report alone) and data/raw/anomaly/; writes
models/<corpus>-anomaly-v<version>/, data/anomaly/<corpus>/scores.jsonl and, in metrics/<corpus>/, anomaly.json,
anomaly_summary.json (its headlines, a DVC metric), anomaly.md (for people) and plot data. Where no detector can be
fitted, all of these say why.

    python -m stages.anomaly manuals
"""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from domain_embeddings.anomaly import anomaly_detector, anomaly_sets
from domain_embeddings.anomaly.anomaly_report import markdown, without_detector
from domain_embeddings.anomaly.anomaly_sets import Example
from domain_embeddings.anomaly.conformal import least_queries
from domain_embeddings.anomaly.fitting import CHOOSE, TEST, Normal, fit_detectors, obstacle, split
from domain_embeddings.anomaly.measurement import headlines, report_of, scored, write_plots
from domain_embeddings.anomaly.perturbations import misspelt
from domain_embeddings.commands.workspace import (
    MODELS,
    load_params,
    metrics_folder,
    packaged_model,
    section,
    stage_folder,
)
from domain_embeddings.core.beir_files import read_corpus, read_qrels, read_queries, write_json, write_jsonl
from domain_embeddings.encoding.encoder import encode, load
from domain_embeddings.encoding.encoder_config import WEIGHTS
from domain_embeddings.encoding.roles import Role
from domain_embeddings.packaging.manifest import read
from domain_embeddings.packaging.verification import detector_name
from domain_embeddings.params.anomaly import AnomalyParams
from domain_embeddings.text_matching.unicode_normalization import canonical
from stages.stage import asks_synthetic, corpus_argument, run_stage

ANOMALY_SETS = Path("data/raw/anomaly")
HELD_OUT = 5
"""Every so manieth query of a log is held out to calibrate."""
MISSPELT = 0.4
"""Share of the longer words with a typing error, in normal queries that a detector must not take for anomalies."""


def read_normal(corpus: str, params: AnomalyParams) -> Normal:
    """Synthesized training queries to fit and to choose; dev questions, or a part of a log, to calibrate.

    Where these are too few for the promised rate, synthesized queries are held out beside them.
    """
    train, calibrate = queries_of(corpus, "synthesize", "train"), queries_of(corpus, "synthesize", "dev")
    origin = f"{'synthetic' if asks_synthetic(corpus) else 'labelled'} dev questions"
    if params.normal_log is not None:
        logged, calibrate = split(anomaly_sets.read_log(Path(params.normal_log)), HELD_OUT)
        train, origin = train + logged, f"queries of {params.normal_log}"
    train = random.Random(params.seed).sample(unseen := sorted(set(train) - set(calibrate)), len(unseen))
    if (missing := least_queries(params.false_positive_rate) - len(calibrate)) > 0:
        calibrate, train = calibrate + train[:missing], train[missing:]
        origin = f"{origin} and synthetic queries"
    fit, choose = split(train[: params.normal_queries], CHOOSE)
    return Normal(fit, choose, calibrate, origin)


def queries_of(corpus: str, stage: str, split: str) -> list[str]:
    """The judged queries of a split in a stage's folder, in the order of their ids."""
    folder = stage_folder(stage, corpus)
    queries = read_queries(folder / "queries.jsonl")
    passages = read_corpus(stage_folder("ingest", corpus) / "corpus.jsonl")
    judged = read_qrels(folder / "qrels" / f"{split}.tsv", queries, passages)
    return [queries[query_id].text for query_id in sorted(judged)]


def read_sets(corpus: str, params: AnomalyParams) -> list[Example]:
    """All sets, the normal test questions among them as a set of their own."""
    there = (name for name in (*anomaly_sets.WRITTEN, anomaly_sets.ODD) if (ANOMALY_SETS / f"{name}.jsonl").is_file())
    written = [example for name in there for example in anomaly_sets.read_written(ANOMALY_SETS, name, corpus)]
    extra = [e for name, path in sorted(params.extra_sets.items()) for e in anomaly_sets.read_extra(name, Path(path))]
    return [*written, *extra, *(Example(TEST, "", "test", text) for text in queries_of(corpus, "ingest", "test"))]


def main() -> None:
    """Ship a detector, or say why there is none."""
    corpus, params = corpus_argument(), section("anomaly", AnomalyParams)
    torch.set_num_threads(load_params()["train"]["threads"])  # part of the result: floats are added in another order
    version = load_params()["package"]["version"]
    model, detector = packaged_model(corpus, version), MODELS / detector_name(corpus, version)
    normal, examples = read_normal(corpus, params), read_sets(corpus, params)
    if (reason := obstacle(normal, examples, params)) is None:
        ship(corpus, params, normal, examples, model, detector)
    else:
        leave_out(corpus, reason, detector)


def leave_out(corpus: str, reason: str, detector: Path) -> None:
    """Write all that the stage writes, with the reason in it."""
    print(f"{corpus}: no detector: {reason}")
    anomaly_detector.save_none(detector, reason)
    folder = metrics_folder(corpus)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "anomaly.json", {"skipped": reason})
    write_json(folder / "anomaly_summary.json", {})
    (folder / "anomaly.md").write_text(without_detector(corpus, reason), encoding="utf-8")
    write_plots(folder, np.empty(0, dtype=np.float32), [], 0.0)
    write_jsonl(stage_folder("anomaly", corpus) / "scores.jsonl", [])


def ship(
    corpus: str, params: AnomalyParams, normal: Normal, examples: Sequence[Example], folder: Path, packaged: Path
) -> None:
    """Encode with the model in `folder`, choose, fit, calibrate, measure, write."""
    model = load(folder)
    generator = random.Random(params.seed)
    slips = [misspelt(text, MISSPELT, generator) for text in normal.choose]
    texts = (normal.fit, normal.choose, slips, normal.calibrate, [e.text for e in examples])
    fit, choose, wrong, calibrate, vectors = (
        encode(model, [canonical(text) for text in some], Role.QUERY) for some in texts
    )
    fitted = fit_detectors(fit, choose, wrong, calibrate, vectors, examples, params)
    settings = anomaly_detector.Settings(
        detector=fitted.name,
        threshold=fitted.limits[fitted.name],
        false_positive_rate=params.false_positive_rate,
        calibrated_on=normal.origin,
        n_calibration=len(calibrate),
        model=folder.name,
        weights_sha256=read(folder / WEIGHTS).sha256,
    )
    anomaly_detector.save(packaged, fitted.detector, settings)

    tested, own = [e for e in examples if e.split == "test"], fitted.scores[fitted.name]
    report, metrics = report_of(fitted, settings, tested), metrics_folder(corpus)
    metrics.mkdir(parents=True, exist_ok=True)
    write_json(metrics / "anomaly.json", report)
    write_json(metrics / "anomaly_summary.json", headlines(report))
    (metrics / "anomaly.md").write_text(markdown(corpus, report), encoding="utf-8")
    write_plots(metrics, own, tested, settings.threshold)
    write_jsonl(stage_folder("anomaly", corpus) / "scores.jsonl", scored(own, tested, settings.threshold))


if __name__ == "__main__":
    run_stage(main, then="domain_embeddings.commands.check_version")
