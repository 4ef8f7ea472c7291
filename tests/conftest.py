"""The real base model, from the installed package: small enough for every test that needs one.

Libraries that are slow to import are imported where they are used: not every run of a test needs them.
"""

import functools
import importlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from domain_embeddings.params.base_model import BaseModelParams
from scripts.dependencies import ROOT
from tests.knobs import knobs

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from domain_embeddings.encoding.encoder import Model
    from domain_embeddings.packaging.embeddings import VersionedEmbeddings


def pytest_configure(config: pytest.Config) -> None:
    """Processes that test side by side share the cores, they and what they start."""
    threads = max(1, (os.cpu_count() or 1) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    os.environ.setdefault("NUMBA_DISABLE_JIT", "1")  # ranx is asked twice, and takes a minute to compile
    if not config.getoption("numprocesses", None):  # the process that only hands tests out needs no torch
        import torch

        torch.set_num_threads(threads)


LONGEST = ("test_verdicts.py", "stages", "training", "test_reference.py", "test_agreement.py", "test_install.py")
"""Files and folders whose tests take minutes."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What reads the large pipeline's run is slow. The longest start first, so that no process is left with one."""
    for item in items:
        if "pipeline" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: next((i for i, name in enumerate(LONGEST) if name in item.path.parts), len(LONGEST)))


class _Together(LoadScopeScheduling):  # type: ignore[misc]
    """One process for the tests of a file, and one for all files that read the pipeline's run."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return "pipeline" if _reads_pipeline(file) else file


@functools.cache
def _reads_pipeline(file: str) -> bool:
    source = (ROOT / file).read_text(encoding="utf-8")
    return re.search(r"^def test_\w+\([^)]*\bpipeline: Pipeline", source, re.MULTILINE) is not None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """How pytest-xdist hands tests to its processes."""
    return _Together(config, log)


@pytest.fixture(scope="session")
def base_folder() -> Path:
    """The base model's files."""
    name = knobs("base_model", BaseModelParams).name
    return Path(importlib.import_module(name).__path__[0]) / "model"


@pytest.fixture
def fresh_model(base_folder: Path) -> "Callable[[], SentenceTransformer]":
    """Loads a base model that a test may train, on the CPU."""
    from domain_embeddings.training import fine_tuning

    return lambda: fine_tuning.load(base_folder, 256, device="cpu")


@pytest.fixture(scope="session")
def base(base_folder: Path) -> "Model":
    """The base model, which no test may change."""
    from domain_embeddings.encoding.encoder import load

    return load(base_folder, 256, device="cpu")


@pytest.fixture(scope="session")
def peer(base_folder: Path) -> "SentenceTransformer":
    """The base model as sentence-transformers loads it, which no test may change."""
    from domain_embeddings.training import fine_tuning

    return fine_tuning.load(base_folder, 256, device="cpu")


@pytest.fixture(scope="session")
def models(base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the base and the packaged tiny-embeddings-v1.0, which no test may change."""
    from tests.packaged import make_models

    return make_models(base_folder, tmp_path_factory.mktemp("packaged") / "models")


@pytest.fixture(scope="session")
def packaged(models: Path) -> "VersionedEmbeddings":
    """The tiny-embeddings-v1.0 of that folder, loaded."""
    from domain_embeddings.packaging.embeddings import VersionedEmbeddings

    return VersionedEmbeddings("1.0", "tiny", fallback_to_baseline=False, root=models)
