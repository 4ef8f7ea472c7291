"""A packaged model: a complete sentence-transformers folder with its cards, and a manifest of every file's SHA-256."""

import math
import re
import shutil
from dataclasses import replace
from pathlib import Path

from safetensors import safe_open

from domain_embeddings.core.beir_files import write_json
from domain_embeddings.core.errors import DataError
from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding.encoder_config import WEIGHTS, EncoderConfig
from domain_embeddings.packaging.card import Card, readme
from domain_embeddings.packaging.manifest import EXPORTED, INT8, MANIFEST, read, write_manifest
from domain_embeddings.packaging.probe import write_probe

CARD, README = "model_card.json", "README.md"
SEARCH = "search.json"
"""The system that answers queries with the model (`systems.system.System`)."""
CONFIG = "config.json"
_BLOCK = re.compile(r"\blayers?\.(\d+)\.")
_UNUSED, _BELOW = "pooler.", ("embeddings.", "relative_attention_bias.")
"""How architectures name their weights: of a block, of what no vector depends on, of what is frozen with any block."""


def parameter_counts(model: Path) -> dict[str, int]:
    """Tensor of a model's folder → how many parameters it holds; position ids, which are no parameters, left out."""
    counts: dict[str, int] = {}
    for weights in sorted(model.rglob("*.safetensors")):
        with safe_open(weights, framework="numpy") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
            counts |= {
                f"{weights.relative_to(model).parent / name}": math.prod(found.get_shape())
                for name, found in slices.items()
                if found.get_dtype() in ("F32", "F16", "BF16")
            }
    return counts


def trainable(counts: dict[str, int], frozen_blocks: int) -> int:
    """How many parameters training can change with the embeddings and so many lower blocks frozen (0: nothing).

    BERT's pooler, which no vector depends on, never learns. What the blocks share is frozen with the embeddings.
    """

    def frozen(name: str) -> bool:
        block = _BLOCK.search(name)
        if block is not None:
            return int(block[1]) < frozen_blocks
        return _UNUSED in name or (frozen_blocks > 0 and any(part in name for part in _BELOW))

    return sum(count for name, count in counts.items() if not frozen(name))


def package(
    model: Path, probed: Scores, card: Card, corpus: str, license_id: str, folder: Path, int8: Path | None = None
) -> None:
    """Copy a model's folder and the folder of its export, add the cards, with how texts are encoded, and the manifest.

    `probed` is what the model makes of `probe.TEXTS` in float32: whoever loads it is to get the same.
    Raises a DataError where `folder` exists: a version is written once.
    """
    if folder.exists():
        raise DataError(folder, "exists already", remedy="a version is written once; raise the version")
    shutil.copytree(model, folder, symlinks=False, copy_function=shutil.copyfile)
    if int8 is not None:
        (folder / INT8).mkdir()
        for name in EXPORTED:
            shutil.copyfile(int8 / Path(name).name, folder / name)
    write_probe(folder, probed)
    card = replace(
        card,
        encoding=EncoderConfig.of(folder, card.max_seq_length).as_json(),
        weights_sha256=read(folder / WEIGHTS).sha256,
        config_sha256=read(folder / CONFIG).sha256,
    )
    write_json(folder / CARD, card.to_json())
    if card.search is not None:
        write_json(folder / SEARCH, card.search)
    (folder / README).write_text(readme(card, corpus, license_id), encoding="utf-8")
    write_manifest(folder, folder / MANIFEST)
