"""Loading a version: what is loaded, when the base stands in, names, threads, forks."""

import logging
import multiprocessing
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from domain_embeddings.core.errors import IntegrityError
from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding.encoder import Model, encode
from domain_embeddings.encoding.roles import Role
from domain_embeddings.packaging.backends import Backend
from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from domain_embeddings.packaging.manifest import write_manifest
from domain_embeddings.systems.system import DEFAULT_SYSTEM
from tests.packaged import NAME, copy_models, write_lock

TEXTS = ["bleed the brakes", "The mast lifts the carriage with two leaf chains.", ""]


@pytest.fixture(scope="module")
def tiny(models: Path) -> VersionedEmbeddings:
    return VersionedEmbeddings("1.0", "tiny", fallback_to_baseline=False, root=models, backend="torch")


@pytest.fixture(scope="module")
def int8(models: Path) -> VersionedEmbeddings:
    return VersionedEmbeddings("1.0", "tiny", fallback_to_baseline=False, root=models, backend="openvino")


def test_vectors_are_those_of_the_packaged_model(tiny: VersionedEmbeddings, base: Model) -> None:
    vectors = tiny.encode(TEXTS)

    assert (vectors.dtype, vectors.shape) == (np.float32, (3, 384))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(vectors, encode(base, TEXTS, Role.PASSAGE))


@pytest.mark.parametrize("backend", ["bfloat16", "openvino", "auto"])
def test_every_backend_gives_about_the_same(tiny: VersionedEmbeddings, models: Path, backend: Backend) -> None:
    model = VersionedEmbeddings("1.0", "tiny", fallback_to_baseline=False, root=models, backend=backend)

    vectors = model.encode(TEXTS)

    assert (vectors.dtype, vectors.shape) == (np.float32, (3, 384))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert (vectors * tiny.encode(TEXTS)).sum(axis=1).mean() > 0.95
    assert model.get_model_info()["backend"] == model.backend != "auto"


def test_the_base_that_stands_in_has_no_export(models: Path) -> None:
    model = VersionedEmbeddings("9.9", "tiny", root=models, backend="openvino")

    assert model.get_model_info()["loaded"] == "base"
    assert model.backend == "torch"


def test_no_texts_give_no_rows(tiny: VersionedEmbeddings) -> None:
    vectors = tiny.encode([])

    assert (vectors.dtype, vectors.shape) == (np.float32, (0, 384))


def test_a_text_is_no_list_of_texts(tiny: VersionedEmbeddings) -> None:
    with pytest.raises(TypeError, match=r"a list of texts, not one text: \['brake'\]"):
        tiny.encode("brake")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "bfloat16", "openvino"])
def test_fewer_dimensions_are_the_first_ones(models: Path, backend: Backend) -> None:
    small = VersionedEmbeddings("1.0", "tiny", root=models, dimensions=64, backend=backend)

    whole, first = VersionedEmbeddings("1.0", "tiny", root=models, backend=backend).encode(TEXTS), small.encode(TEXTS)

    assert (first.shape, small.encode([]).shape, small.get_model_info()["dimension"]) == ((3, 64), (0, 64), 64)
    assert np.linalg.norm(first, axis=1) == pytest.approx(1, abs=1e-5)
    assert first * np.linalg.norm(whole[:, :64], axis=1, keepdims=True) == pytest.approx(whole[:, :64], abs=1e-6)


@pytest.mark.parametrize("dimensions", [0, -1, 385])
def test_impossible_dimensions_are_an_error(models: Path, dimensions: int) -> None:
    with pytest.raises(ValueError, match="allowed are 1 to 384"):
        VersionedEmbeddings("1.0", "tiny", root=models, dimensions=dimensions)


def test_an_unknown_backend_is_an_error(models: Path) -> None:
    with pytest.raises(ValueError, match="backend is 'onnx', allowed are auto, torch, bfloat16, openvino"):
        VersionedEmbeddings("1.0", "tiny", root=models, backend="onnx")  # type: ignore[arg-type]


def test_info_tells_what_was_loaded_and_why(tiny: VersionedEmbeddings) -> None:
    info = tiny.get_model_info()

    assert (info["loaded"], info["fallback_reason"], info["checked_against"]) == ("version", None, ["manifest"])
    assert (info["dimension"], info["max_seq_length"]) == (384, 256)
    assert info["weights_sha256"] == info["card"]["weights_sha256"]
    assert (info["training_commit"], info["training_date"]) == (None, None)


@pytest.fixture
def with_system(models: Path, tmp_path: Path) -> Path:
    """A models folder whose tiny-embeddings-v1.0 has a search.json, to change."""
    root = copy_models(models, tmp_path / "models")
    _write_search(root, DEFAULT_SYSTEM.model_dump_json())
    return root


def _write_search(root: Path, content: str) -> None:
    (root / NAME / "search.json").write_text(content, encoding="utf-8")
    write_manifest(root / NAME, root / NAME / "manifest.json")


def test_a_version_knows_the_system_that_answers_with_it(with_system: Path, tiny: VersionedEmbeddings) -> None:
    found = VersionedEmbeddings("1.0", "tiny", fallback_to_baseline=False, root=with_system, backend="torch")

    assert found.system == DEFAULT_SYSTEM
    assert tiny.system is None  # packaged without one


def test_the_base_that_stands_in_has_no_system(with_system: Path) -> None:
    assert VersionedEmbeddings("9.9", "tiny", root=with_system, backend="torch").system is None


@pytest.mark.parametrize(
    "content", ["", "[]", '{"name": "x", "model": "base"}', '{"name": "x", "model": "theirs", "late": 1}']
)
def test_a_file_that_is_no_system_is_refused_by_name(with_system: Path, content: str) -> None:
    _write_search(with_system, content)

    with pytest.raises(IntegrityError, match=rf"{NAME}/search\.json: is no search system: "):
        VersionedEmbeddings("1.0", "tiny", fallback_to_baseline=False, root=with_system, backend="torch")


def test_a_system_that_was_changed_is_refused(with_system: Path) -> None:
    changed = DEFAULT_SYSTEM.model_copy(update={"late": 0.9}).model_dump_json()
    (with_system / NAME / "search.json").write_text(changed, encoding="utf-8")

    with pytest.raises(IntegrityError, match=r"search\.json: SHA-256 is \w{64}, manifest\.json has \w{64}"):
        VersionedEmbeddings("1.0", "tiny", fallback_to_baseline=False, root=with_system, backend="torch")


@pytest.mark.parametrize(
    ("version", "corpus"),
    [("../1.0", "tiny"), ("1.0\n", "tiny"), ("1.0/..", "tiny"), ("", "tiny"), ("latest", "tiny"), ("1.0", "../tiny"),
     ("1.0", "a/b"), ("1.0", ".."), ("1.0", ""), ("1.0", "/etc"), ("1.0", "tiny\0")],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_an_error_even_with_a_fallback(models: Path, version: str, corpus: str) -> None:
    with pytest.raises(ValueError, match=r"is no (version|name)"):
        VersionedEmbeddings(version, corpus, root=models)


def test_a_missing_version_falls_back_and_says_so(models: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        model = VersionedEmbeddings("9.9", "tiny", root=models)

    assert "tiny-embeddings-v9.9 is refused, the base model is used instead: " in caplog.text
    assert model.get_model_info()["loaded"] == "base"
    assert "no such folder" in str(model.fallback_reason)


def test_without_a_fallback_it_is_an_error(models: Path) -> None:
    with pytest.raises(IntegrityError, match=r"tiny-embeddings-v9\.9: no such folder"):
        VersionedEmbeddings("9.9", "tiny", fallback_to_baseline=False, root=models)


def test_a_link_to_a_model_is_refused(models: Path, tmp_path: Path) -> None:
    root = copy_models(models, tmp_path / "models")
    (root / "tiny-embeddings-v2.0").symlink_to(models / NAME)

    with pytest.raises(IntegrityError, match=r"tiny-embeddings-v2\.0: is a link"):
        VersionedEmbeddings("2.0", "tiny", fallback_to_baseline=False, root=root)


def test_the_base_is_checked_as_strictly(models: Path, tmp_path: Path) -> None:
    root = copy_models(models, tmp_path / "models")
    (root / "base/vocab.txt").write_text("abc")

    with pytest.raises(IntegrityError, match=r"base/vocab\.txt: SHA-256 is \w{64}, manifest\.json has \w{64}"):
        VersionedEmbeddings("9.9", "tiny", root=root)


def test_the_base_is_compared_with_the_lock_too(models: Path, tmp_path: Path) -> None:
    root = copy_models(models, tmp_path / "models")
    write_lock(root, "base")

    info = VersionedEmbeddings("9.9", "tiny", root=root).get_model_info()

    assert info["checked_against"] == ["manifest", "dvc.lock"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tiny", "int8"])
def test_threads_get_what_one_gets(request: pytest.FixtureRequest, name: str) -> None:
    tiny: VersionedEmbeddings = request.getfixturevalue(name)
    texts = [[f"part number {i} of the pump", "a longer text " * i] for i in range(24)]
    alone = [tiny.encode(pair) for pair in texts]

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(tiny.encode, texts))

    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


FORKED: VersionedEmbeddings | None = None


def _in_worker(texts: list[str]) -> Scores:
    assert FORKED is not None
    return FORKED.encode(texts)


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["tiny", "int8"])
def test_forked_workers_get_what_the_parent_gets(request: pytest.FixtureRequest, name: str) -> None:
    global FORKED
    FORKED = request.getfixturevalue(name)
    assert FORKED is not None
    expected = FORKED.encode(TEXTS * 20)  # the parent's threads exist now

    with FORKED._lock, multiprocessing.get_context("fork").Pool(2) as pool:  # forked while a thread is encoding
        found = pool.map(_in_worker, [TEXTS * 20] * 4)

    for vectors in found:
        assert np.abs(vectors - expected).max() < 1e-6


@pytest.mark.slow
def test_loading_often_leaves_nothing_behind(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = len(os.listdir("/proc/self/fd"))

    for _ in range(3):
        VersionedEmbeddings("1.0", "tiny", root=models).encode(["brake"])

    assert list(tmp_path.iterdir()) == []
    assert len(os.listdir("/proc/self/fd")) <= before
