"""The base model: whence it comes, that its bytes are checked before anything is written, what is copied."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from domain_embeddings.core.errors import DataError
from domain_embeddings.params.base_model import BaseModelParams
from stages import base_model
from tests.knobs import all_params, knobs
from tests.stages.conftest import Pipeline

WEIGHTS_SHA = hashlib.sha256(b"weights").hexdigest()
PINNED_WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
PINNED_TOKENIZER = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "model.safetensors": "weights", "config.json": '{"num_hidden_layers": 6}', "vocab.txt": "a",
        "1_Pooling/config.json": "{}", "pytorch_model.bin": "pickle", "modeling.py": "import os", "README.md": "x",
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "source" / name).write_text(content)
    return tmp_path / "source"


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _params(folder: Path, **changes: Any) -> BaseModelParams:
    values = {"source": "folder", "name": str(folder), "sha256": {"model.safetensors": WEIGHTS_SHA}}
    return knobs("base_model", BaseModelParams, **{**values, **changes})


def test_verify_accepts_the_pinned_bytes(folder: Path) -> None:
    base_model.verify(folder, {"model.safetensors": WEIGHTS_SHA})


def test_verify_refuses_a_changed_byte(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"Weights")

    with pytest.raises(DataError) as error:
        base_model.verify(folder, {"model.safetensors": WEIGHTS_SHA})

    found = hashlib.sha256(b"Weights").hexdigest()
    assert f"source/model.safetensors: SHA-256 is {found}, pinned is {WEIGHTS_SHA}" in str(error.value)


def test_verify_refuses_a_missing_file(folder: Path) -> None:
    with pytest.raises(DataError, match=r"tokenizer\.json: the pinned file is missing"):
        base_model.verify(folder, {"tokenizer.json": WEIGHTS_SHA})


def test_copy_takes_data_and_neither_code_nor_pickles(folder: Path, tmp_path: Path) -> None:
    base_model.copy(folder, tmp_path / "copy")

    assert _files(tmp_path / "copy") == ["1_Pooling/config.json", "config.json", "model.safetensors", "vocab.txt"]


def test_nothing_is_written_before_the_check(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = _params(folder, sha256={"model.safetensors": "0" * 64}).model_dump()
    YAML().dump({"base_model": values}, tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DataError, match=f"pinned is {'0' * 64}"):
        base_model.main()

    assert not (tmp_path / "models").exists()


def test_a_manifest_of_what_was_copied_lies_beside_it(
    base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    YAML().dump(all_params(), tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)

    base_model.main()

    manifest = json.loads(Path("models/base.manifest.json").read_text())
    assert list(manifest) == _files(tmp_path / "models/base")
    assert manifest["model.safetensors"] == PINNED_WEIGHTS


def test_the_params_pin_the_model_of_the_design() -> None:
    params = knobs("base_model", BaseModelParams)

    assert params.sha256 == {"model.safetensors": PINNED_WEIGHTS, "tokenizer.json": PINNED_TOKENIZER}
    assert params.revision == "1110a243fdf4706b3f48f1d95db1a4f5529b4d41"


def test_the_stage_writes_the_pinned_bytes(pipeline: Pipeline) -> None:
    written = pipeline.root / "models/base"

    assert hashlib.sha256((written / "model.safetensors").read_bytes()).hexdigest() == PINNED_WEIGHTS
    assert hashlib.sha256((written / "tokenizer.json").read_bytes()).hexdigest() == PINNED_TOKENIZER
    assert json.loads((written / "config.json").read_text())["num_hidden_layers"] == 6
    assert {Path(name).suffix for name in _files(written)} <= {".json", ".txt", ".safetensors", ".model"}
