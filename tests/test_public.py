"""What the package gives to who imports it."""

import subprocess
import sys

import pytest

import domain_embeddings


def test_the_public_classes_are_those_of_their_modules() -> None:
    from domain_embeddings import AnomalyDetector, FineTunedRetrieval, VersionedEmbeddings
    from domain_embeddings.anomaly import anomaly_detector
    from domain_embeddings.packaging import embeddings
    from domain_embeddings.search import retrieval

    assert AnomalyDetector is anomaly_detector.AnomalyDetector
    assert FineTunedRetrieval is retrieval.FineTunedRetrieval
    assert VersionedEmbeddings is embeddings.VersionedEmbeddings


def test_all_that_is_promised_is_there() -> None:
    assert all(hasattr(domain_embeddings, name) for name in domain_embeddings.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = domain_embeddings.Nothing


@pytest.mark.parametrize(
    ("line", "absent"),
    [
        ("import domain_embeddings", ["torch", "qdrant_client", "sklearn"]),
        (
            "from domain_embeddings import VersionedEmbeddings",
            ["transformers", "openvino", "nncf"],
        ),
    ],
)
def test_an_import_waits_for_no_library_that_it_does_not_need(line: str, absent: list[str]) -> None:
    code = f"import sys\n{line}\nprint(sorted(set({absent}) & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
