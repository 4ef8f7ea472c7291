"""The real base model, from the installed package: small enough for every test that needs one."""

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest
from sentence_transformers import SentenceTransformer

from domain_embeddings.encoder import load
from domain_embeddings.params.base_model import BaseModelParams
from tests.knobs import knobs
from tests.packaged import make_models


@pytest.fixture(scope="session")
def base_folder() -> Path:
    """The base model's files."""
    name = knobs("base_model", BaseModelParams).name
    return Path(importlib.import_module(name).__path__[0]) / "model"


@pytest.fixture
def fresh_model(base_folder: Path) -> Callable[[], SentenceTransformer]:
    """Loads a base model that a test may change, on the CPU."""
    return lambda: load(base_folder, 256, device="cpu")


@pytest.fixture(scope="session")
def base(base_folder: Path) -> SentenceTransformer:
    """The base model, which no test may change."""
    return load(base_folder, 256, device="cpu")


@pytest.fixture(scope="session")
def models(base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the base and the packaged tiny-embeddings-v1.0, which no test may change."""
    return make_models(base_folder, tmp_path_factory.mktemp("packaged") / "models")
