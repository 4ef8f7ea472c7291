"""Sign the packaged models and detectors of params.yaml's version, and the base model that stands in for a model.

Reads models/ and a private key (EC, PEM); writes models/<corpus>-embeddings-v<version>.sig, models/base.sig and
models/<corpus>-anomaly-v<version>.sig where there is a detector, which are small and kept in Git. No stage: nobody
else's `dvc repro` has the key, and no two signatures are alike.

    python -m domain_embeddings sign KEY               # or: make sign KEY=key.pem
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from domain_embeddings.commands.workspace import BASE_MODEL, MODELS, load_params, packaged_model, section
from domain_embeddings.core.errors import TOLD, UserError, give_up
from domain_embeddings.packaging import signature
from domain_embeddings.packaging.manifest import MANIFEST
from domain_embeddings.packaging.signature import NEW_KEY
from domain_embeddings.packaging.verification import detector_name, verify, verify_files
from domain_embeddings.params.package import PackageParams


def sign(key: Annotated[Path, typer.Argument(help="An EC private key, a PEM file.")]) -> None:
    """Verify the models of params.yaml's version, their detectors and the base, and sign them: these are the bytes."""
    try:
        if not key.is_file():
            raise UserError(f"{key}: no such file (a PEM file; a new one: {NEW_KEY})")
        for line in _signed(key):
            typer.echo(line)
    except TOLD as error:
        give_up(error)


def _signed(key: Path) -> Iterator[str]:
    """Sign folder after folder; a line each."""
    version = section("package", PackageParams).version
    models = [BASE_MODEL, *(packaged_model(corpus, version) for corpus in load_params()["corpora"])]
    detectors = [MODELS / detector_name(corpus, version) for corpus in load_params()["corpora"]]
    for folder in (*models, *filter(Path.is_dir, detectors)):
        with tempfile.TemporaryDirectory() as copy:
            if folder in models:
                verify(folder, Path(copy))
            else:
                verify_files(folder, Path(copy), folder / MANIFEST, None)
        yield f"{folder}: signed, see {signature.sign(folder, key)}"
