"""Fetch the base model and check its bytes.

Reads the installed package, the hub or the folder that params.yaml names; writes models/base/ and, beside it (for every
later stage depends on the bytes of that folder), models/base.manifest.json with the SHA-256 of every file. Prompts and
length that params.yaml sets are written into the copy's files, and later stages, the tuned model and the package have
them from there. This is the one stage that may use the network (for source `hub`).

    python -m stages.base_model
"""

import importlib
import shutil
from pathlib import Path

from domain_embeddings.commands.workspace import BASE_MODEL, section
from domain_embeddings.core.errors import DataError
from domain_embeddings.encoding.encoder_config import EncoderConfig, positions, write_length
from domain_embeddings.encoding.roles import Prompts, write_prompts
from domain_embeddings.packaging.manifest import MANIFEST, read, write_manifest
from domain_embeddings.params.base_model import BaseModelParams
from stages.stage import run_stage

ALLOWED = (".json", ".txt", ".safetensors", ".model")
"""Kinds of file that are taken: data only, never code or pickles."""


def locate(params: BaseModelParams) -> Path:
    """The folder that holds the model's files."""
    if params.source == "hub":
        from huggingface_hub import snapshot_download  # only here: the other sources need no network library

        patterns = [f"*{suffix}" for suffix in ALLOWED]
        return Path(snapshot_download(params.name, revision=params.revision, allow_patterns=patterns))
    if params.source == "package":
        return Path(importlib.import_module(params.name).__path__[0]) / "model"
    return Path(params.name)


def verify(folder: Path, sha256: dict[str, str]) -> None:
    """Raise a DataError unless every pinned file is there with its SHA-256."""
    for name, expected in sha256.items():
        path = folder / name
        if not path.is_file():
            raise DataError(path, "the pinned file is missing", remedy="see base_model.sha256 in params.yaml")
        found = read(path).sha256
        if found != expected:
            raise DataError(
                path,
                f"SHA-256 is {found}, pinned is {expected}",
                remedy="the file is not the one this pipeline was built on",
            )


def copy(folder: Path, target: Path) -> None:
    """Copy the data files of a model."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in ALLOWED:
            (target / path.relative_to(folder)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / path.relative_to(folder))


def configure(folder: Path, params: BaseModelParams) -> None:
    """Let the files of a copy say what params.yaml sets.

    A DataError for a model that cannot be run, one whose prompts cannot be known, and a length beyond its positions.
    """
    if params.prompts is not None:
        write_prompts(folder, Prompts(params.prompts.query, params.prompts.passage))
    found, most = EncoderConfig.of(folder, None, params.name, params.hub_name), positions(folder)
    wanted = params.max_seq_length
    if wanted is None or wanted == found.max_seq_length:
        return
    if most is not None and wanted > most:
        raise DataError(folder, f"has positions for {most} tokens", remedy=f"base_model.max_seq_length is {wanted}")
    write_length(folder, wanted)


def main() -> None:
    """Locate, verify, copy, configure, list."""
    params = section("base_model", BaseModelParams)
    folder = locate(params)
    verify(folder, params.sha256)
    copy(folder, BASE_MODEL)
    configure(BASE_MODEL, params)
    write_manifest(BASE_MODEL, BASE_MODEL.with_name(f"{BASE_MODEL.name}.{MANIFEST}"))


if __name__ == "__main__":
    run_stage(main)
