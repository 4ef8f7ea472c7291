"""A packaged detector: what it says, what it logs, and what it refuses to load."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from domain_embeddings.anomaly import query_log
from domain_embeddings.anomaly.anomaly_detector import ARRAYS, SETTINGS, AnomalyDetector, Settings, save
from domain_embeddings.anomaly.conformal import threshold
from domain_embeddings.anomaly.detectors.neighbours import KNN
from domain_embeddings.core.errors import IntegrityError
from domain_embeddings.encoding.encoder_config import WEIGHTS
from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from domain_embeddings.packaging.manifest import MANIFEST, read, write_manifest
from tests.packaged import NAME, copy_models, replace

DETECTOR = "tiny-anomaly-v1.0"
NORMAL = [
    "How do I bleed the brakes?", "brake fluid renewal interval", "torque of the wheel nuts", "the mast does not lift",
    "Which oil for the gearbox?", "engine overheats on hills", "battery does not charge", "leaking hydraulic hose",
    "adjust the parking brake", "replace the air filter", "no hot water from the boiler", "fan belt squeals",
    "fuse for the headlights", "steering is heavy", "clean the condenser coil", "test the glow plugs",
    "lift chain wear limit", "check the coolant level", "compressor trips the breaker", "grease the kingpin",
]  # fmt: skip
STRANGE = "Write a love poem about penguins in Paris"


@pytest.fixture(scope="module")
def root(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models' folder with a detector of ten queries, calibrated to 20% on ten others."""
    root = copy_models(models, tmp_path_factory.mktemp("detector") / "models")
    model = VersionedEmbeddings("1.0", "tiny", False, root, backend="torch")
    vectors, held_out = model.encode(NORMAL[::2]), model.encode(NORMAL[1::2])
    detector = KNN.fit(vectors, vectors[:0], 0)
    settings = Settings(
        detector="knn",
        threshold=threshold(detector.score(held_out), 0.2),
        false_positive_rate=0.2,
        calibrated_on="ten queries",
        n_calibration=10,
        model=NAME,
        weights_sha256=read(root / NAME / WEIGHTS).sha256,
    )
    save(root / DETECTOR, detector, settings)
    return root


def changed(root: Path, target: Path) -> Path:
    """A copy to change."""
    copy_models(root, target)
    return target / DETECTOR


def test_what_is_strange_is_flagged_and_the_search_goes_on(root: Path) -> None:
    detector = AnomalyDetector.load("1.0", "tiny", root)

    normal, strange = detector.flag([NORMAL[0], STRANGE])

    assert (normal.flagged, strange.flagged) == (False, True)
    assert normal.score < normal.threshold < strange.score
    assert strange.query == STRANGE
    assert detector.score([NORMAL[0], STRANGE]) == pytest.approx([normal.score, strange.score], abs=1e-6)
    assert detector.flag([]) == []


def test_at_most_the_promised_share_of_the_held_out_is_flagged(root: Path) -> None:
    found = AnomalyDetector.load("1.0", "tiny", root).flag(NORMAL[1::2])

    assert sum(one.flagged for one in found) == 1  # ⌈11 · 0.8⌉ = 9th of ten is the threshold


def test_vectors_that_exist_are_scored_without_the_model(root: Path) -> None:
    model = VersionedEmbeddings("1.0", "tiny", False, root)
    detector = AnomalyDetector.load("1.0", "tiny", root, model=model)

    assert np.array_equal(detector.score_vectors(model.encode(NORMAL)), detector.score(NORMAL))


def test_decisions_are_logged_without_the_queries(root: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    detector = AnomalyDetector.load("1.0", "tiny", root, log=log)

    found = detector.flag([NORMAL[0], STRANGE])

    assert query_log.check(log)[0] == 2
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert [row["decision"] for row in rows] == ["normal", "flagged"]
    assert [row["score"] for row in rows] == [one.score for one in found]
    assert rows[1]["query_hmac"] == query_log.query_hash(STRANGE, query_log.key_of(log))
    assert {row["model"] for row in rows} == {NAME}
    assert "penguins" not in log.read_text()


@pytest.mark.timeout(60)
def test_threads_share_a_detector_and_its_log(root: Path, tmp_path: Path) -> None:
    detector = AnomalyDetector.load("1.0", "tiny", root, log=tmp_path / "log.jsonl")

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(detector.flag, [[text] for text in NORMAL]))

    assert [one[0].query for one in found] == NORMAL
    assert query_log.check(tmp_path / "log.jsonl")[0] == len(NORMAL)


@pytest.mark.parametrize("file", [ARRAYS, SETTINGS, MANIFEST])
def test_a_changed_file_is_refused(root: Path, tmp_path: Path, file: str) -> None:
    folder = changed(root, tmp_path / "models")
    content = bytearray((folder / file).read_bytes())
    content[-3] ^= 1
    replace(folder / file, bytes(content))

    with pytest.raises(IntegrityError, match=f"{DETECTOR}/{file}"):
        AnomalyDetector.load("1.0", "tiny", tmp_path / "models")


def test_the_detector_of_another_model_is_refused(root: Path, tmp_path: Path) -> None:
    folder = changed(root, tmp_path / "models")
    settings = json.loads((folder / SETTINGS).read_text())
    replace(folder / SETTINGS, json.dumps({**settings, "weights_sha256": "0" * 64}).encode())
    write_manifest(folder, folder / MANIFEST)

    with pytest.raises(IntegrityError, match="is for the model with SHA-256 000"):
        AnomalyDetector.load("1.0", "tiny", tmp_path / "models")


@pytest.mark.parametrize("change", [{"detector": "forest"}, {"mode": "strict"}])
def test_settings_that_say_nothing_are_refused(root: Path, tmp_path: Path, change: dict[str, str]) -> None:
    folder = changed(root, tmp_path / "models")
    settings = json.loads((folder / SETTINGS).read_text())
    replace(folder / SETTINGS, json.dumps({**settings, **change}).encode())
    write_manifest(folder, folder / MANIFEST)

    with pytest.raises(IntegrityError, match="is no detector"):
        AnomalyDetector.load("1.0", "tiny", tmp_path / "models")


def test_arrays_of_another_detector_are_refused(root: Path, tmp_path: Path) -> None:
    folder = changed(root, tmp_path / "models")
    (folder / ARRAYS).unlink()
    save_file({"mean": np.zeros(384, dtype=np.float32)}, folder / ARRAYS)
    write_manifest(folder, folder / MANIFEST)

    with pytest.raises(IntegrityError, match=r"is no detector: .*KNN has the arrays"):
        AnomalyDetector.load("1.0", "tiny", tmp_path / "models")


def test_the_base_that_stands_in_has_no_detector(root: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    changed(root, models)
    shutil.rmtree(models / NAME)

    with pytest.raises(IntegrityError, match="no such folder"):
        AnomalyDetector.load("1.0", "tiny", models)


def test_a_corpus_that_is_no_name_is_refused(root: Path) -> None:
    with pytest.raises(ValueError, match="is no name"):
        AnomalyDetector.load("1.0", "../tiny", root)
