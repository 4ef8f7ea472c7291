"""Detectors on public data: out-of-scope questions of clinc150, prompt injections against the sample manuals, and cost.

`--data` is a folder that holds `clinc150.jsonl` (CLINC OOS, CC BY 3.0), and for the injections
`deepset_prompt_injections.jsonl` and, beside the folder, `seed_manuals/adversarial_results.json`; of the last two, what
is missing is left out. Needs models/base, and for the injections the packaged detector of the corpus manuals, which
`dvc repro` makes.

    python -m benchmarks.anomaly --data ../shared/data/anomaly --json anomaly.json
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from domain_embeddings.anomaly.anomaly_detector import AnomalyDetector
from domain_embeddings.anomaly.anomaly_sets import read_extra
from domain_embeddings.anomaly.conformal import threshold
from domain_embeddings.anomaly.detection_metrics import measure, share_interval
from domain_embeddings.anomaly.detectors.detector import Detector
from domain_embeddings.anomaly.detectors.detector_choice import best, fit_all, separation
from domain_embeddings.anomaly.detectors.forest import forest_scores
from domain_embeddings.commands.workspace import BASE_MODEL, section
from domain_embeddings.core.beir_files import read_jsonl
from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding.encoder import encode, load
from domain_embeddings.encoding.roles import Role
from domain_embeddings.params.package import PackageParams

SEED = 42
RATE = 0.05
CHOOSE = 3
"""Every so manieth in-scope dev question helps to choose, the others calibrate."""
QUERIES = 10_000
BAR = {"auroc": 0.97, "flagged": 0.84}
"""What the detector that `auto` picks must reach at no more than 5% false positives."""

Row = dict[str, Any]


def clinc(rows: Sequence[Mapping[str, Any]], vectors: Scores, split: str, scope: bool) -> Scores:
    """Vectors of a split's questions in scope, or of those that are not."""
    kept = [row["split"] == split and (row["label"] != "oos") == scope for row in rows]
    found: Scores = vectors[np.array(kept)]
    return found


def judged(scores: Mapping[str, Sequence[Scores]], limits: Mapping[str, float]) -> dict[str, Row]:
    """Detector → figures on test and measured false positives."""
    table = {}
    for name, (normal, anomalous) in scores.items():
        false = int(np.sum(normal > limits[name]))
        found = asdict(measure(normal, anomalous, limits[name]))
        table[name] = {**found, "false_positives": false / len(normal), "ci95": share_interval(false, len(normal))}
    return table


def out_of_scope(rows: Sequence[Mapping[str, Any]], vectors: Scores) -> tuple[str, dict[str, Row], dict[str, Detector]]:
    """The detector that dev picks, what each does on test, and the detectors. No anomaly is known to any of them."""
    train = clinc(rows, vectors, "train", scope=True)
    dev, dev_out = (clinc(rows, vectors, "dev", scope=scope) for scope in (True, False))
    test, test_out = (clinc(rows, vectors, "test", scope=scope) for scope in (True, False))
    calibrate = dev[np.arange(len(dev)) % CHOOSE > 0]
    fitted = fit_all(train, train[:0], SEED)
    normal, anomalous = {"dev": dev[::CHOOSE]}, {"oos": dev_out}
    name = best({one: separation(detector, normal, anomalous) for one, detector in fitted.items()})
    limits = {one: threshold(detector.score(calibrate), RATE) for one, detector in fitted.items()}
    scores = {one: [detector.score(test), detector.score(test_out)] for one, detector in fitted.items()}
    parts = np.cumsum([len(calibrate), len(test)])
    held_out, *tested = np.split(forest_scores(train, np.concatenate([calibrate, test, test_out]), SEED), parts)
    limits["isolation_forest"], scores["isolation_forest"] = threshold(held_out, RATE), tested
    return name, judged(scores, limits), fitted


def injections(data: Path) -> list[Row]:
    """How many prompt injections the packaged detector of the sample manuals finds."""
    detector = AnomalyDetector.load(section("package", PackageParams).version, "manuals")
    files = {"deepset": "deepset_prompt_injections.jsonl", "seed": "../seed_manuals/adversarial_results.json"}
    found = []
    for name, file in files.items():
        if not (data / file).is_file():
            continue
        examples = [e for e in read_extra(name, data / file) if e.category in ("injection", "prompt_injection_attacks")]
        flagged = [one.flagged for one in detector.flag([e.text for e in examples])]
        print(
            f"{name}: {sum(flagged)} of {len(flagged)} prompt injections flagged, sample manuals as the normal domain"
        )
        found.append(row(f"{name} injections flagged", "share", sum(flagged) / len(flagged), 0.95))
    return found


def timed(texts: Sequence[str]) -> tuple[Scores, float]:
    """Vectors of the texts, and the seconds that the first 10,000 took."""
    model = load(BASE_MODEL)
    encode(model, texts[:100], Role.QUERY)
    start = time.perf_counter()
    first = encode(model, texts[:QUERIES], Role.QUERY)
    seconds = time.perf_counter() - start
    return np.concatenate([first, encode(model, texts[QUERIES:], Role.QUERY)]), seconds


def cost(vectors: Scores, encoding: float, detector: Detector) -> float:
    """Seconds of scoring by seconds of encoding, for the same 10,000 queries."""
    start = time.perf_counter()
    detector.score(vectors[:QUERIES])
    scoring = time.perf_counter() - start
    print(f"{QUERIES} queries: encoded in {encoding:.1f} s, scored in {scoring:.2f} s, {scoring / encoding:.1%} on top")
    return scoring / encoding


def row(name: str, unit: str, ours: float, peer: float, lower: bool = False) -> Row:
    """A line of the JSON file; a ratio above 1 means that ours is better."""
    return {"name": name, "unit": unit, "ours": ours, "peer": peer, "ratio": peer / ours if lower else ours / peer}


def show(name: str, table: Mapping[str, Row]) -> None:
    """The figures of every detector as a Markdown table."""
    print("| detector | AUROC | detection | false positives |\n|---|---|---|---|")
    for one, found in sorted(table.items(), key=lambda item: -item[1]["auroc"]):
        mark = " (picked on dev)" if one == name else ""
        print(f"| {one}{mark} | {found['auroc']:.3f} | {found['flagged']:.1%} | {found['false_positives']:.1%} |")


def main() -> None:
    """Measure what there is data for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    rows = [one for _, one in read_jsonl(options.data / "clinc150.jsonl")]
    vectors, encoding = timed([one["text"] for one in rows])
    name, table, fitted = out_of_scope(rows, vectors)
    show(name, table)
    share = cost(vectors, encoding, fitted[name])
    picked, autoencoder = table[name], table["autoencoder"]
    figures = [
        row("clinc150 AUROC", "AUROC", picked["auroc"], BAR["auroc"]),
        row("clinc150 detection", "share", picked["flagged"], BAR["flagged"]),
        row("clinc150 false positives", "share", picked["false_positives"], RATE, lower=True),
        row("clinc150 AUROC of the autoencoder", "AUROC", autoencoder["auroc"], 0.94),
        row("scoring by encoding", "share", share, 0.05, lower=True),
        *injections(options.data),
    ]
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
