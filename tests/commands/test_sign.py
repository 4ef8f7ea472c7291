"""`make sign`: the models of the version and the base are signed, changed ones not."""

from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from domain_embeddings.anomaly.anomaly_detector import AnomalyDetector, Settings, save
from domain_embeddings.anomaly.detectors.neighbours import KNN
from domain_embeddings.commands import sign
from domain_embeddings.core.errors import IntegrityError
from domain_embeddings.encoding.encoder_config import WEIGHTS
from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from domain_embeddings.packaging.manifest import read
from tests.knobs import all_params
from tests.packaged import NAME, copy_models
from tests.packaging.test_signature import make_key


@pytest.fixture
def key(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The private key, in a workspace with a packaged model."""
    copy_models(models, tmp_path / "models")
    package = {**all_params()["package"], "version": "1.0"}
    YAML().dump({"corpora": {"tiny": {}}, "package": package}, tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)
    private, _ = make_key(tmp_path / "keys")
    return private


def test_what_was_signed_loads_with_the_public_key(key: Path) -> None:
    sign.sign(key)

    for version, loaded in (("1.0", "version"), ("9.9", "base")):
        info = VersionedEmbeddings(version, "tiny", public_key=key.with_name("public.pem")).get_model_info()
        assert (info["loaded"], info["checked_against"]) == (loaded, ["manifest", "signature"])


def test_a_detector_is_signed_with_its_model(key: Path) -> None:
    vectors = np.eye(30, 384, dtype=np.float32)
    settings = Settings("knn", 0.5, 0.05, "nobody", 30, NAME, read(Path("models", NAME, WEIGHTS)).sha256)
    save(Path("models/tiny-anomaly-v1.0"), KNN.fit(vectors, vectors[:0], 0), settings)
    sign.sign(key)

    detector = AnomalyDetector.load("1.0", "tiny", public_key=key.with_name("public.pem"))
    assert detector.score(["brake"]) > 0.5
    Path("models/tiny-anomaly-v1.0.sig").unlink()
    with pytest.raises(IntegrityError, match=r"tiny-anomaly-v1\.0\.sig: the signature is missing"):
        AnomalyDetector.load("1.0", "tiny", public_key=key.with_name("public.pem"))


def test_a_changed_model_is_not_signed(key: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("models", NAME, "vocab.txt").write_text("abc")

    with pytest.raises(SystemExit):
        sign.sign(key)

    assert "vocab.txt: SHA-256 is" in capsys.readouterr().err
    assert not Path(f"models/{NAME}.sig").exists()


def test_without_a_key_it_says_how_to_make_one(key: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        sign.sign(Path("none.pem"))

    assert "none.pem: no such file" in (said := capsys.readouterr().err)
    assert "openssl ecparam" in said
