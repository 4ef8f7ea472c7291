"""The whole check of a packaged model, or of the base that stands in for one: all that happens before it is loaded."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain_embeddings.core.errors import IntegrityError, UserError
from domain_embeddings.encoding.encoder_config import WEIGHTS
from domain_embeddings.packaging.artifact import CARD, CONFIG, SEARCH
from domain_embeddings.packaging.dvc_lock import LOCK, agrees
from domain_embeddings.packaging.manifest import (
    MANIFEST,
    check_modules,
    check_names,
    copy_checked,
    files_of,
    read_manifest,
)
from domain_embeddings.packaging.signature import check_signature, signature_of
from domain_embeddings.systems.system import System

VERSION = re.compile(r"\d+(\.\d+){0,2}(\.dev\d+)?", re.ASCII)
CORPUS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
BASE = "base"
MANIFEST_WITNESS, SIGNATURE = "manifest", "signature"
WITNESSES = (MANIFEST_WITNESS, LOCK, SIGNATURE)
"""What a model can be checked against: damage shows by the first, a stranger's change by the others."""
HOW_TO_HAVE = f"{LOCK} lies beside the models' folder and lists the model; a signature needs the public key"


@dataclass(frozen=True)
class Verified:
    """A folder that passed: what it was checked against, and what its card says (the base has none)."""

    folder: Path
    witnesses: tuple[str, ...]
    """Those of WITNESSES that there were."""
    sha256: str
    """Of its weights."""
    card: dict[str, Any]
    system: System | None = None
    """How queries are answered with it; None where that was not packaged with it."""


def model_name(corpus: str, version: str) -> str:
    """`<corpus>-embeddings-v<version>`; a UserError for anything that could lead out of the models' folder."""
    if not VERSION.fullmatch(version):
        raise UserError(f"version {version!r} is no version: allowed are 1, 1.0, 1.0.2, 1.0.dev3")
    if not CORPUS.fullmatch(corpus):
        raise UserError(f"corpus {corpus!r} is no name: letters, digits, '_', '.' and '-', first a letter or digit")
    return f"{corpus}-embeddings-v{version}"


def detector_name(corpus: str, version: str) -> str:
    """`<corpus>-anomaly-v<version>`, the detector that goes with `model_name`'s model; a UserError likewise."""
    return model_name(corpus, version).replace("-embeddings-v", "-anomaly-v")


def verify(folder: Path, copy: Path, public_key: Path | None = None, require: Collection[str] = ()) -> Verified:
    """Check a model's folder against every witness there is, copying it into the empty folder `copy` meanwhile.

    Raises an IntegrityError that names the file, and for changed content both hashes; and one where a witness of
    `require` is not there. Nothing is unpickled or run, and no file that the manifest does not have is opened.
    """
    manifest_path = folder / MANIFEST if folder.name != BASE else folder.with_name(f"{BASE}.{MANIFEST}")
    manifest, witnesses = verify_files(folder, copy, manifest_path, public_key, require)
    check_modules(copy, folder)
    if WEIGHTS not in manifest:
        raise IntegrityError(folder / WEIGHTS, f"is missing, from {MANIFEST} as well")
    card = _card(folder, copy, manifest) if folder.name != BASE else {}
    system = _system(folder, copy) if SEARCH in manifest else None
    return Verified(folder, witnesses, manifest[WEIGHTS], card, system)


def verify_files(
    folder: Path, copy: Path, manifest_path: Path, public_key: Path | None, require: Collection[str] = ()
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The part of the check that asks nothing of what the files are: the manifest, and which witnesses agreed.

    Copies the folder into the empty folder `copy` meanwhile. Raises an IntegrityError that names the file, a UserError
    for a witness of `require` that there cannot be.
    """
    if unknown := sorted(set(require) - set(WITNESSES)):
        raise UserError(f"{', '.join(unknown)}: no such witness, there are {', '.join(WITNESSES)}")
    found = files_of(folder)
    manifest = read_manifest(manifest_path)
    check_names(folder, {name: path for name, path in found.items() if path != manifest_path}, manifest)
    digests = copy_checked(found, manifest, copy)
    witnesses = [MANIFEST_WITNESS]
    if agrees(folder, digests):
        witnesses.append(LOCK)
    if public_key is not None:
        check_signature(copy, signature_of(folder), public_key)
        witnesses.append(SIGNATURE)
    if lacking := [each for each in WITNESSES if each in require and each not in witnesses]:
        raise IntegrityError(folder, f"was not checked against {', '.join(lacking)}", remedy=HOW_TO_HAVE)
    return manifest, tuple(witnesses)


def _card(folder: Path, copy: Path, manifest: dict[str, str]) -> dict[str, Any]:
    """The card, if it is this folder's: it names the version, and the hashes that the manifest has."""
    try:
        card = json.loads((copy / CARD).read_text(encoding="utf-8"))
        said = {"weights_sha256": card["weights_sha256"], "config_sha256": card["config_sha256"]}
        name = f"{card['name']}-v{card['version']}"
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise IntegrityError(folder / CARD, f"is no card: {error!r}") from error
    for (key, value), file in zip(said.items(), (WEIGHTS, CONFIG), strict=True):
        if value != manifest.get(file):
            raise IntegrityError(folder / CARD, f"{key} is {value}, {MANIFEST} has {manifest.get(file)} for {file}")
    if name != folder.name:
        raise IntegrityError(folder / CARD, f"is the card of {name}, not of {folder.name}")
    return dict(card)


def _system(folder: Path, copy: Path) -> System:
    try:
        return System.model_validate_json((copy / SEARCH).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise IntegrityError(folder / SEARCH, f"is no search system: {error}") from error
