"""Domain embeddings: the library that the pipeline's stages and a production service share.

The public classes are imported when they are first asked for: who wants one does not wait for the others' libraries.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from domain_embeddings.anomaly.anomaly_detector import AnomalyDetector
    from domain_embeddings.packaging.embeddings import VersionedEmbeddings
    from domain_embeddings.search.retrieval import FineTunedRetrieval

__all__ = ["AnomalyDetector", "FineTunedRetrieval", "VersionedEmbeddings"]
__version__ = "0.1.0"

_HOMES = {
    "AnomalyDetector": "anomaly.anomaly_detector",
    "FineTunedRetrieval": "search.retrieval",
    "VersionedEmbeddings": "packaging.embeddings",
}

sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # where it is there, openvino sends usage data


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
