"""Package a model that was trained elsewhere, as the pipeline packages its own.

creator = ModelArtifactCreator("manuals", {"name": "owner/base", "revision": "…", "weights_sha256": "…"})
creator.save_finetuned_model(model, "1.0", corpus_sha256, scores, {"passed": 20, "total": 20}, commit)
"""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from domain_embeddings.core.errors import IntegrityError
from domain_embeddings.encoding.encoder import encode, load
from domain_embeddings.encoding.roles import Role
from domain_embeddings.packaging.artifact import package
from domain_embeddings.packaging.card import Card, with_intervals
from domain_embeddings.packaging.manifest import MANIFEST, check_modules, check_names, files_of, read, read_manifest
from domain_embeddings.packaging.probe import PROBE, TEXTS
from domain_embeddings.packaging.verification import model_name

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

SHA256 = re.compile(r"[0-9a-f]{64}")
COMMIT = re.compile(r"[0-9a-f]{40}")


class ModelArtifactCreator:
    """Writes versions of one corpus's embeddings into a folder of models."""

    def __init__(
        self,
        corpus: str,
        base_model: Mapping[str, str],
        root: Path = Path("models"),
        license_id: str = "apache-2.0",
        notes: str = "",
    ) -> None:
        """`base_model` is what the card says of it: name, revision, weights_sha256."""
        self.corpus, self.base_model, self.root = corpus, dict(base_model), root
        self.license_id, self.notes = license_id, notes

    def save_finetuned_model(
        self,
        model: "SentenceTransformer",
        version: str,
        training_corpus_hash: str,
        benchmark_scores: Mapping[str, Mapping[str, float]],
        adversarial_results: Mapping[str, int],
        training_commit: str,
    ) -> Path:
        """Write `root`/<corpus>-embeddings-v<version> and return it; the same content again changes nothing.

        `training_corpus_hash` is a SHA-256, `training_commit` a full commit hash, `benchmark_scores` arm → metric →
        value with the arms `base` and `tuned`, `adversarial_results` {"passed": …, "total": …}.
        Raises a ValueError for values that are none, an IntegrityError where the version exists with other content or
        the model has parts that `VersionedEmbeddings` would not load.
        """
        folder = self.root / model_name(self.corpus, version)
        _check(training_corpus_hash, training_commit, benchmark_scores, adversarial_results)
        card = self._card(model, version, training_corpus_hash, benchmark_scores, adversarial_results, training_commit)
        self.root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.root, prefix=".packaging-") as temporary:
            saved, packaged = Path(temporary) / "saved", Path(temporary) / folder.name
            model.save_pretrained(str(saved), create_model_card=False)
            check_modules(saved, folder)
            probed = encode(load(saved, card.max_seq_length, device="cpu"), TEXTS, Role.PASSAGE)
            package(saved, probed, card, self.corpus, self.license_id, packaged)
            check_names(packaged, {n: p for n, p in files_of(packaged).items() if n != MANIFEST}, _manifest(packaged))
            if not folder.exists():
                packaged.rename(folder)
            elif not _same(folder, packaged):
                raise IntegrityError(folder, f"v{version} exists with other content", remedy="raise the version")
        return folder

    def _card(
        self,
        model: "SentenceTransformer",
        version: str,
        corpus_hash: str,
        scores: Mapping[str, Mapping[str, float]],
        adversarial: Mapping[str, int],
        commit: str,
    ) -> Card:
        parameters = list(model.parameters())
        return Card(
            name=f"{self.corpus}-embeddings",
            version=version,
            base_model=self.base_model,
            promoted="tuned",
            reason="trained outside of this pipeline, which promoted nothing",
            verdict=None,
            promotion=None,
            arms=with_intervals(scores, {}),
            dimension=model.get_embedding_dimension() or 0,
            max_seq_length=model.max_seq_length or 0,
            parameters={
                "total": sum(one.numel() for one in parameters),
                "trainable": sum(one.numel() for one in parameters if one.requires_grad),
            },
            weights_sha256="",
            config_sha256="",
            training_corpus_sha256=corpus_hash,
            training_commit=commit,
            adversarial_tests=dict(adversarial),
            limits=["The scores are those that were handed over, without intervals.", "English."],
            notes=self.notes,
        )


def _check(
    corpus_hash: str, commit: str, scores: Mapping[str, Mapping[str, float]], adversarial: Mapping[str, int]
) -> None:
    """Raise a ValueError that names the argument which says nothing."""
    if not SHA256.fullmatch(corpus_hash):
        raise ValueError(f"training_corpus_hash {corpus_hash!r} is no SHA-256 (64 hex digits)")
    if not COMMIT.fullmatch(commit):
        raise ValueError(f"training_commit {commit!r} is no full commit hash (40 hex digits)")
    if missing := {"base", "tuned"} - set(scores):
        raise ValueError(f"benchmark_scores lacks {sorted(missing)}: a gain is against the base")
    if set(adversarial) != {"passed", "total"} or not 0 <= adversarial["passed"] <= adversarial["total"]:
        raise ValueError(f"adversarial_results is {dict(adversarial)}, expected passed and total, passed <= total")


def _manifest(folder: Path) -> dict[str, str]:
    return read_manifest(folder / MANIFEST)


def _same(folder: Path, packaged: Path) -> bool:
    """Whether a version on disk has this content; one whose files are not its manifest's any more has not.

    The vectors of `probe` are measured, and need not be the same on another processor.
    """
    digests = {name: read(path).sha256 for name, path in files_of(folder).items() if name != MANIFEST}
    return _without_probe(digests) == _without_probe(_manifest(packaged))


def _without_probe(digests: Mapping[str, str]) -> dict[str, str]:
    return {name: digest for name, digest in digests.items() if name != PROBE}
