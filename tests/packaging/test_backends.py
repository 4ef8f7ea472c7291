"""Which way a model is run: what may be asked for, and what gives the packaged vectors on this machine."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from domain_embeddings.core.errors import IntegrityError
from domain_embeddings.encoding.roles import Role
from domain_embeddings.packaging import backends
from domain_embeddings.packaging.backends import Backend, BackendError, TorchEncoder, candidates, load_encoder
from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from domain_embeddings.packaging.manifest import EXPORTED, write_manifest
from domain_embeddings.packaging.probe import PROBE
from scripts.dependencies import ROOT
from tests.packaged import NAME, copy_models, replace


@pytest.mark.parametrize(
    ("exported", "probed", "device", "bfloat16", "tried"),
    [
        (True, True, "cpu", True, ["openvino", "bfloat16", "torch"]),
        (True, True, "cpu", False, ["openvino", "torch"]),
        (False, True, "cpu", True, ["bfloat16", "torch"]),
        (True, True, "cuda", True, ["torch"]),
        (True, False, "cpu", True, ["torch"]),
    ],
)
def test_what_auto_tries(
    monkeypatch: pytest.MonkeyPatch, exported: bool, probed: bool, device: str, bfloat16: bool, tried: list[Backend]
) -> None:
    monkeypatch.setattr(backends, "has_bfloat16", lambda: bfloat16)

    assert candidates(exported, probed, device) == tried


def test_openvino_needs_an_export_and_a_processor(models: Path, base_folder: Path) -> None:
    with pytest.raises(BackendError, match=r"no int8 export \(package\.export in params\.yaml\)"):
        load_encoder(base_folder, 256, "openvino", "cpu")
    with pytest.raises(BackendError, match="device is not cpu"):
        load_encoder(models / NAME, 256, "openvino", "cuda")


@pytest.fixture
def own(models: Path, tmp_path: Path) -> Path:
    """A packaged model that a test may change."""
    return copy_models(models, tmp_path / "models") / NAME


def load(folder: Path, backend: Backend, fallback: bool = False) -> VersionedEmbeddings:
    """What a changed folder is, with a manifest to match."""
    write_manifest(folder, folder / "manifest.json")
    return VersionedEmbeddings("1.0", "tiny", fallback, folder.parent, backend=backend)


def damage(folder: Path) -> None:
    """The export with a part of its weights set to zero."""
    path = folder / EXPORTED[1]
    content = bytearray(path.read_bytes())
    start = len(content) - 4_000_000
    content[start : start + 2_000_000] = bytes(2_000_000)
    replace(path, bytes(content))


def test_int8_is_taken_where_it_gives_the_packaged_vectors(own: Path) -> None:
    model = load(own, "auto")

    assert (model.backend, model.get_model_info()["refused_backends"]) == ("openvino", {})


def test_int8_that_gives_other_vectors_here_is_left_and_said_so(own: Path, caplog: pytest.LogCaptureFixture) -> None:
    damage(own)

    model = load(own, "auto")

    info = model.get_model_info()
    assert info["backend"] in ("bfloat16", "torch")
    reason = info["refused_backends"]["openvino"]
    assert "to the packaged vectors, 0.99 is asked for" in reason
    assert f"{NAME} runs with {info['backend']}: {reason}" in caplog.text
    assert model.encode(["brake"]).shape == (1, 384)


@pytest.mark.slow
def test_a_backend_that_was_asked_for_and_gives_other_vectors_is_an_error(own: Path) -> None:
    damage(own)

    with pytest.raises(BackendError, match=r"openvino: a cosine of -?\d\.\d{3} to the packaged vectors"):
        load(own, "openvino", fallback=True)
    assert load(own, "torch").backend == "torch"


@pytest.mark.slow
def test_a_model_of_which_no_backend_gives_the_vectors_is_not_what_was_packaged(own: Path) -> None:
    content = json.loads((own / PROBE).read_text())
    replace(own / PROBE, json.dumps({**content, "vectors": content["vectors"][::-1]}).encode())

    with pytest.raises(IntegrityError, match=r"no backend gives its vectors here: openvino: .*; torch: a cosine of"):
        load(own, "auto")
    assert load(own, "auto", fallback=True).get_model_info()["loaded"] == "base"
    with pytest.raises(BackendError, match="torch: a cosine of"):
        load(own, "torch")


def test_what_was_packaged_without_vectors_is_run_in_float32(own: Path) -> None:
    (own / PROBE).unlink()

    assert load(own, "auto").backend == "torch"
    assert load(own, "openvino").backend == "openvino"


def test_a_graph_that_cannot_be_read_is_left(own: Path) -> None:
    replace(own / EXPORTED[0], b"<net>")

    model = load(own, "auto")

    assert model.backend != "openvino"
    assert "int8/model.xml: is no graph" in model.refused_backends["openvino"]


WITHOUT_OPENVINO = """
import sys
sys.modules["openvino"] = None
sys.modules["nncf"] = None
from pathlib import Path
from domain_embeddings.packaging.backends import BackendError
from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from tests.searching import PASSAGES, in_folder, searching

models, index = Path(sys.argv[1]), in_folder(Path(sys.argv[2]))
info = VersionedEmbeddings("1.0", "tiny", False, models).get_model_info()
print(info["backend"], info["refused_backends"]["openvino"])
try:
    VersionedEmbeddings("1.0", "tiny", root=models, backend="openvino")
except BackendError as error:
    print(error)
with searching(models, index) as retrieval:
    retrieval.index(PASSAGES)
    print(retrieval.search("How is air let out of the brakes?", limit=1)[0].id)
"""


@pytest.mark.slow
def test_without_openvino_a_model_is_loaded_and_searched_with(models: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", WITHOUT_OPENVINO, str(models), str(tmp_path)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-2000:]
    loaded, asked, found = done.stdout.splitlines()[-3:]
    missing = "openvino: ModuleNotFoundError: import of openvino halted"
    assert loaded.split(" ", 1)[0] in ("bfloat16", "torch")
    assert missing in loaded
    assert asked.startswith(missing)
    assert found == "p1"


def test_bfloat16_vectors_have_length_1(base_folder: Path) -> None:
    encoder = TorchEncoder(base_folder, 256, "cpu", torch.bfloat16)

    vectors = encoder.encode(["brake", "Bleed the rear brake circuit."], Role.PASSAGE)

    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-6)


def test_pytorch_gives_token_vectors_and_their_pieces(base_folder: Path) -> None:
    texts, encoder = ["Fuse F12.", ""], TorchEncoder(base_folder, 256, "cpu", torch.float32)

    single, tokens = encoder.encode_tokens(texts, Role.PASSAGE)

    np.testing.assert_allclose(single, encoder.encode(texts, Role.PASSAGE), atol=1e-6)
    assert [piece.token for piece in encoder.pieces(texts[0], Role.PASSAGE)] == [None, "fuse", "f1", "##2", ".", None]
    assert [each.shape for each in tokens] == [(len(encoder.pieces(text, Role.PASSAGE)), 384) for text in texts]
    assert np.linalg.norm(np.concatenate(tokens), axis=1) == pytest.approx(1, abs=1e-5)
    assert len(encoder.pieces("mast " * 1000, Role.PASSAGE)) == 256


def test_without_a_limit_the_folder_is_taken_at_its_word(base_folder: Path) -> None:
    assert TorchEncoder(base_folder, None, "cpu", torch.float32).config.max_seq_length == 256
    assert TorchEncoder(base_folder, 64, "cpu", torch.float32).config.max_seq_length == 64
