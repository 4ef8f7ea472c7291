"""Domain embeddings: the library that the pipeline's stages and a production service share.

What is public is imported when it is first asked for: who wants one does not wait for the others' libraries, or need
them. Where an extra's libraries are missing, the ImportError names the extra.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from domain_embeddings.anomaly.anomaly_detector import AnomalyDetector
    from domain_embeddings.packaging.embeddings import VersionedEmbeddings
    from domain_embeddings.search.retrieval import FineTunedRetrieval, create_finetuned_retrieval

__all__ = ["AnomalyDetector", "FineTunedRetrieval", "VersionedEmbeddings", "create_finetuned_retrieval"]
__version__ = "0.1.0"

_HOMES = {
    "AnomalyDetector": ("anomaly.anomaly_detector", "anomaly"),
    "FineTunedRetrieval": ("search.retrieval", "search"),
    "VersionedEmbeddings": ("packaging.embeddings", None),
    "create_finetuned_retrieval": ("search.retrieval", "search"),
}
"""Public name → its module, and the extra that brings what this imports beyond the core."""

sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # where it is there, openvino sends usage data


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, extra = _HOMES[name]
    try:
        return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    except ModuleNotFoundError as error:
        raise missing(name, extra, error) from error


def missing(what: str, extra: str | None, error: ModuleNotFoundError) -> ImportError:
    """What to raise where `what` does not find a library of an extra: the error itself, where that is no cure."""
    library = (error.name or "").partition(".")[0]
    if extra is None or library in ("", __name__):
        return error
    return ImportError(f"{what} needs {library}, which is not installed: pip install 'domain-embeddings[{extra}]'")
