"""Small searches for tests: a folder, the base model under a version's name, passages by hand."""

from pathlib import Path
from typing import Any

from domain_embeddings.core.dataset import Passage
from domain_embeddings.packaging.backends import Backend
from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from domain_embeddings.params.search import LateStorage, SearchParams
from domain_embeddings.search.index_protocol import PassageIndex
from domain_embeddings.search.qdrant_embedded import EmbeddedIndex
from domain_embeddings.search.retrieval import FineTunedRetrieval
from domain_embeddings.systems.system import System

CORPUS = "tiny"
PASSAGES = [
    Passage(
        "p1", "Brakes > Bleeding", "Open the bleeder screw and pump the brake pedal until no air comes out.", "truck"
    ),
    Passage("p2", "Engine > Oil", "Drain the engine oil and fill in 5W-30 after every 500 hours.", "truck", "steps"),
    Passage("p3", "Mast > Chains", "Two leaf chains lift the carriage. Check their wear.", "lift", "text", {"page": 3}),
    Passage("p4", "Drive > Faults", "Fault F30001 means overcurrent in the inverter.", "drive", "table", {"page": 9}),
    Passage("p5", "Drive > Wiring", "Connect the motor cable's shield on both ends.", "drive", "text", {"page": 12}),
]


HYBRID = System(name="hybrid_tuned", model="tuned", dense=1, bm25=1, fusion="ranks")
LATE = System(name="late_tuned", model="tuned", late=1, storage=LateStorage(bits=4, factor=1))
"""Of late interaction alone, with hardly any loss."""


def search_params(**changes: Any) -> SearchParams:
    """The defaults with changes, checked as params.yaml is."""
    return SearchParams.model_validate(changes)


def searching(
    models: Path | VersionedEmbeddings,
    index: PassageIndex,
    version: str | None = "1.0",
    standby: PassageIndex | None = None,
    backend: Backend = "auto",
    system: System | None = HYBRID,
    **changes: Any,
) -> FineTunedRetrieval:
    """Retrieval with a version of the corpus `tiny`; None is the base, and the system None the packaged one.

    `models` is the folder that the version lies in, or the model, loaded already, whatever version is wanted.
    """

    def load(wanted: str | None) -> VersionedEmbeddings:
        if isinstance(models, VersionedEmbeddings):
            return models
        return VersionedEmbeddings(wanted, CORPUS, root=models, backend=backend)

    return FineTunedRetrieval(CORPUS, version, load, index, search_params(**changes), standby, system=system)


def in_folder(folder: Path, **changes: Any) -> EmbeddedIndex:
    """An index in a folder."""
    return EmbeddedIndex(folder, search_params(**changes))
