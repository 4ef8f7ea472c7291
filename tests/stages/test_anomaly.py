"""The anomaly stage: the detector that it ships, its figures, and what they were measured on."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from domain_embeddings.anomaly import fitting
from domain_embeddings.anomaly.anomaly_detector import AnomalyDetector, NoDetectorError
from domain_embeddings.anomaly.anomaly_sets import Example
from domain_embeddings.core.beir_files import write_dataset, write_json, write_queries
from domain_embeddings.core.dataset import Dataset, Passage, Query
from domain_embeddings.params.anomaly import AnomalyParams
from scripts.dependencies import ROOT
from stages import anomaly
from tests.knobs import all_params, knobs
from tests.stages.conftest import Pipeline, outs_of, run, set_params

VERSION = all_params()["package"]["version"]
FOLDER = f"models/tiny-anomaly-v{VERSION}"
PARAMS = knobs("anomaly", AnomalyParams)


def test_the_shipped_detector_is_the_best_on_dev(pipeline: Pipeline) -> None:
    chosen = pipeline.json("metrics/tiny/anomaly.json")["chosen"]
    settings = pipeline.json(f"{FOLDER}/detector.json")

    most = max(chosen["auroc_on_dev"].values())
    assert chosen["auroc_on_dev"][chosen["detector"]] >= most - 0.01
    assert (settings["detector"], settings["false_positive_rate"]) == (chosen["detector"], 0.05)
    assert settings["threshold"] == pytest.approx(chosen["threshold"], abs=1e-6)


def test_it_loads_verified_and_scores_as_the_stage_did(pipeline: Pipeline) -> None:
    rows = pd.read_json(pipeline.root / "data/anomaly/tiny/scores.jsonl", lines=True).head(40)

    detector = AnomalyDetector.load(VERSION, "tiny", pipeline.root / "models")

    assert detector.score(list(rows["text"])) == pytest.approx(rows["score"].to_numpy(), abs=1e-4)
    assert np.array_equal(rows["flagged"], rows["score"] > detector.settings.threshold)


def test_the_figures_are_those_of_the_rows(pipeline: Pipeline) -> None:
    found = pipeline.json("metrics/tiny/anomaly.json")
    rows = pd.read_json(pipeline.root / "data/anomaly/tiny/scores.jsonl", lines=True)

    assert set(rows["set"]) == {"adversarial", "far", "test_questions"}  # near and odd are for the sample corpora
    shares = rows.groupby("set")["flagged"].mean()
    assert found["sets"]["adversarial"]["flagged"] == pytest.approx(shares["adversarial"], abs=1e-6)
    assert found["false_positives"]["test_questions"]["rate"] == pytest.approx(shares["test_questions"], abs=1e-6)
    assert found["sets"]["far"]["n"] == (rows["set"] == "far").sum()
    assert len([kind for kind in found["sets"] if kind.startswith("adversarial/")]) == 8
    for figures in found["sets"].values():
        assert figures["auroc_ci95"][0] <= figures["auroc"] <= figures["auroc_ci95"][1]
        assert figures["flagged_ci95"][0] <= figures["flagged"] <= figures["flagged_ci95"][1]


def test_the_metric_for_dvc_is_the_few_headlines(pipeline: Pipeline) -> None:
    found = pipeline.json("metrics/tiny/anomaly.json")
    shown = json.loads(pipeline.dvc("metrics", "show", "--json", "metrics/tiny/anomaly_summary.json"))

    (short,) = (one["data"] for one in shown[""]["data"].values())
    assert short["false_positives"] == {"test_questions": found["false_positives"]["test_questions"]["rate"]}
    assert set(short["flagged"]) == {"adversarial", "adversarial/prompt_injection", "far"}
    assert all(short["auroc"][kind] == found["sets"][kind]["auroc"] for kind in short["flagged"])
    assert not any("anomaly.json" in name for name in json.loads(pipeline.dvc("metrics", "show", "--json"))[""]["data"])


def test_the_report_is_of_these_figures(pipeline: Pipeline) -> None:
    chosen = pipeline.json("metrics/tiny/anomaly.json")["chosen"]
    report = (pipeline.root / "metrics/tiny/anomaly.md").read_text(encoding="utf-8")

    name = chosen["detector"]
    assert f"**Shipped: `{name}`.** Mean AUROC on dev {chosen['auroc_on_dev'][name]:.3f}" in report


def test_odd_queries_that_are_fine_count_as_much_as_plain_ones_in_the_choice() -> None:
    texts = [("odd", "dev"), ("odd", "test"), ("far", "dev"), ("adversarial", "dev"), ("adversarial", "train")]
    examples = [Example(name, "", split, str(number)) for number, (name, split) in enumerate(texts)]
    vectors = np.eye(5, dtype=np.float32)

    normal, anomalous = fitting.on_dev(vectors, examples, vectors[:3], vectors[:2])
    without, _ = fitting.on_dev(vectors[2:], examples[2:], vectors[:3], vectors[:2])

    assert {kind: len(rows) for kind, rows in normal.items()} == {"plain": 3, "misspelt": 2, "odd": 1}
    assert np.array_equal(normal["odd"], vectors[:1])
    assert {kind: rows.argmax() for kind, rows in anomalous.items()} == {"adversarial": 3, "far": 2}
    assert list(without) == ["plain", "misspelt"]


def test_strange_questions_are_told_apart(pipeline: Pipeline) -> None:
    found = pipeline.json("metrics/tiny/anomaly.json")

    assert found["sets"]["far"]["auroc"] > 0.8
    assert set(found["detectors"]) == {
        "autoencoder", "reconstruction", "knn", "density", "exposure", "mahalanobis", "isolation_forest",
    }  # fmt: skip


def test_dvc_draws_the_plots(pipeline: Pipeline) -> None:
    shown = json.loads(pipeline.dvc("plots", "show", "--json"))["data"]

    drawn = {
        "scores": {"set", "kind", "score", "share", "threshold"},
        "roc": {"set", "false_positives", "detected"},
    }
    for name, columns in drawn.items():
        (plot,) = shown[f"metrics/tiny/anomaly_{name}.csv"]
        assert columns <= plot["content"]["data"]["values"][0].keys()


def test_normal_queries_are_in_one_part_only(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pipeline.root)

    normal = anomaly.read_normal("tiny", PARAMS)

    parts = [set(normal.fit), set(normal.choose), set(normal.calibrate)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == len(normal.fit + normal.choose + normal.calibrate)
    tested = set(anomaly.queries_of("tiny", "ingest", "test"))
    assert all(part.isdisjoint(tested) for part in parts)
    assert len(normal.choose) == -(-(len(normal.fit) + len(normal.choose)) // 10)


def test_too_few_dev_questions_are_helped_out(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny corpus has seven labelled dev questions, and a rate of 5% needs 19."""
    monkeypatch.chdir(pipeline.root)

    few = anomaly.read_normal("tiny", PARAMS)
    enough = anomaly.read_normal("tiny", knobs("anomaly", AnomalyParams, false_positive_rate=0.3))

    assert few.origin == "labelled dev questions and synthetic queries"
    assert len(few.calibrate) == 19
    assert enough.origin == "labelled dev questions"
    assert len(enough.calibrate) < 19


def test_a_log_of_ones_own_calibrates(pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pipeline.root)
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps({"text": f"query {number}"}) + "\n" for number in range(100)))

    normal = anomaly.read_normal("tiny", knobs("anomaly", AnomalyParams, normal_log=str(log)))

    assert normal.calibrate == [f"query {number}" for number in range(0, 100, 5)]
    assert {f"query {number}" for number in range(100) if number % 5} <= {*normal.fit, *normal.choose}
    assert normal.origin == f"queries of {log}"


@pytest.fixture
def workspace(base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to run the stage in: the base as the packaged model, and one passage with one test question."""
    model = tmp_path / f"models/tiny-embeddings-v{VERSION}"
    model.parent.mkdir()
    model.symlink_to(base_folder)
    passage, test = Passage("p", "", "Bleed the brakes."), {"t": Query("t", "how are brakes bled")}
    write_dataset(tmp_path / "data/ingest/tiny", Dataset({"p": passage}, test, {"test": {"t": {"p": 1}}}))
    YAML().dump(all_params(), tmp_path / "params.yaml")
    set_params(tmp_path, {"train": {"threads": 1}})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["anomaly", "tiny"])
    return tmp_path


def synthesized(workspace: Path, count: int) -> None:
    """So many training queries, and no dev question."""
    folder = workspace / "data/synthesize/tiny"
    queries = {f"q{i}": Query(f"q{i}", f"torque of screw {i} of the brake") for i in range(count)}
    write_queries(folder, queries, {"train": {i: {"p": 1} for i in queries}, "dev": {}})
    write_json(folder / "statistics.json", {"dev": {"origin": "synthetic"}})


@pytest.mark.parametrize("count", [0, 3, 38])
def test_too_few_queries_are_no_detector_and_all_outs_say_so(
    workspace: Path, capsys: pytest.CaptureFixture[str], count: int
) -> None:
    synthesized(workspace, count)
    (workspace / "data/raw").mkdir()
    (workspace / "data/raw/anomaly").symlink_to(ROOT / "data/raw/anomaly")

    anomaly.main()

    learn, calibrate = max(0, count - 19), min(19, count)
    reason = (
        f"{learn} normal queries to learn from and {calibrate} to calibrate on are too few: "
        "20 and, for a rate of 0.05, 19 are needed"
    )
    assert capsys.readouterr().out == f"tiny: no detector: {reason}\n"
    metrics = workspace / "metrics/tiny"
    assert json.loads((metrics / "anomaly.json").read_text()) == {"skipped": reason}
    assert json.loads((metrics / "anomaly_summary.json").read_text()) == {}
    assert f"**No detector:** {reason}." in (metrics / "anomaly.md").read_text()
    assert (metrics / "anomaly_scores.csv").read_text() == "set,kind,threshold,score,share\n"
    assert (metrics / "anomaly_roc.csv").read_text() == "set,false_positives,detected\n"
    assert (workspace / "data/anomaly/tiny/scores.jsonl").read_text() == ""
    with pytest.raises(NoDetectorError, match=f"tiny-anomaly-v{VERSION} holds no detector: {reason}"):
        AnomalyDetector.load(VERSION, "tiny")


@pytest.mark.slow
def test_without_anomalies_the_first_detector_is_shipped(workspace: Path) -> None:
    synthesized(workspace, 45)

    anomaly.main()

    found = json.loads((workspace / "metrics/tiny/anomaly.json").read_text())
    settings = json.loads((workspace / FOLDER / "detector.json").read_text())
    assert (found["chosen"]["detector"], settings["detector"]) == ("density", "density")
    assert (found["chosen"]["auroc_on_dev"], found["chosen"]["lead_on_dev"]) == ({}, None)
    assert (found["sets"], found["false_positives"]["test_questions"]["n"]) == ({}, 1)
    report = (workspace / "metrics/tiny/anomaly.md").read_text()
    assert "**Shipped: `density`.** There were no anomalous dev queries to choose by: it is the first" in report


def test_exposure_is_not_to_be_had_without_known_anomalies(workspace: Path) -> None:
    synthesized(workspace, 45)
    normal = anomaly.read_normal("tiny", PARAMS)
    asked = knobs("anomaly", AnomalyParams, detector="exposure")

    assert "needs known anomalies, and there are none" in str(fitting.obstacle(normal, [], asked))
    assert fitting.obstacle(normal, [Example("far", "", "train", "a")], asked) is None


def test_again_gives_the_same_bytes(pipeline: Pipeline) -> None:
    folder = pipeline.root.parent / "again_anomaly"
    (folder / "models").mkdir(parents=True)
    (folder / "data").mkdir()
    model = f"models/tiny-embeddings-v{VERSION}"
    for name in ("stages", "domain_embeddings", "params.yaml", "data/ingest", "data/synthesize", "data/raw", model):
        (folder / name).symlink_to(pipeline.root / name)

    run(folder, sys.executable, "-m", "stages.anomaly", "tiny", PYTHONHASHSEED="1")

    for out in (FOLDER, "data/anomaly/tiny"):
        assert outs_of(folder / out) == outs_of(pipeline.root / out)
    written = pipeline.root / "metrics/tiny/anomaly.json"
    assert (folder / "metrics/tiny/anomaly.json").read_bytes() == written.read_bytes()
