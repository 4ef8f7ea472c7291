"""What the package gives to who imports it."""

import os
import re
import subprocess
import sys
from importlib.resources import files

import pytest

import domain_embeddings


def test_the_public_classes_are_those_of_their_modules() -> None:
    from domain_embeddings import AnomalyDetector, FineTunedRetrieval, VersionedEmbeddings, create_finetuned_retrieval
    from domain_embeddings.anomaly import anomaly_detector
    from domain_embeddings.packaging import embeddings
    from domain_embeddings.search import retrieval

    assert AnomalyDetector is anomaly_detector.AnomalyDetector
    assert FineTunedRetrieval is retrieval.FineTunedRetrieval
    assert VersionedEmbeddings is embeddings.VersionedEmbeddings
    assert create_finetuned_retrieval is retrieval.create_finetuned_retrieval


def test_all_that_is_promised_is_there() -> None:
    assert all(hasattr(domain_embeddings, name) for name in domain_embeddings.__all__)
    assert re.fullmatch(r"\d+\.\d+\.\d+", domain_embeddings.__version__)
    assert (files(domain_embeddings) / "py.typed").is_file()
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


def _without(library: str, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python where a library is not installed."""
    hidden = f"import sys\nsys.modules[{library!r}] = None\n{code}"
    command, wide = [sys.executable, "-c", hidden, *arguments], {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command, env=wide, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "library", "extra"),
    [
        ("FineTunedRetrieval", "qdrant_edge", "search"),
        ("AnomalyDetector", "sklearn", "anomaly"),
    ],
)
def test_where_a_library_is_missing_the_extra_is_named(name: str, library: str, extra: str) -> None:
    done = _without(library, f"from domain_embeddings import VersionedEmbeddings\nfrom domain_embeddings import {name}")

    said = f"ImportError: {name} needs {library}, which is not installed: pip install 'domain-embeddings[{extra}]'"
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, said)


@pytest.mark.slow
def test_what_is_missing_of_the_core_is_no_extras() -> None:
    done = _without("tokenizers", "from domain_embeddings import VersionedEmbeddings")

    assert done.stderr.splitlines()[-1].startswith("ModuleNotFoundError: ")


COMMAND = "from domain_embeddings.commands.cli import app\napp(prog_name='domain-embeddings')"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "library", "extra"),
    [
        (["search", "a question", "--corpus", "none"], "qdrant_client", "search"),
        (["package", "here", "facts.yaml", "--corpus", "none", "--version", "1"], "sentence_transformers", "train"),
    ],
)
def test_a_command_without_its_libraries_names_the_extra(arguments: list[str], library: str, extra: str) -> None:
    done = _without(library, COMMAND, *arguments)

    said = f"`{arguments[0]}` needs {library}, which is not installed: pip install 'domain-embeddings[{extra}]'\n"
    assert (done.returncode, done.stderr) == (2, said)


@pytest.mark.slow
def test_help_lists_the_commands_whose_libraries_are_missing() -> None:
    done = _without("qdrant_client", COMMAND, "--help")

    assert done.returncode == 0
    assert "Needs more: pip install 'domain-embeddings[search]'." in done.stdout
    assert "Check a packaged model." in done.stdout
