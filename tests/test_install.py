"""What `pip install` gives: an empty environment with the core encodes, and with [search] searches.

Another folder than the checkout's is current, so that nothing comes from there. The versions are those of
requirements.lock: what a registry has today is not tested here.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from scripts.dependencies import ROOT
from tests.packaged import NAME
from tests.searching import CORPUS, PASSAGES

pytestmark = pytest.mark.slow

TEXTS = ["How do I bleed the brakes?", "Drain the engine oil"]
ENCODE = """
import sys
from pathlib import Path
import numpy as np
from domain_embeddings import VersionedEmbeddings

model = VersionedEmbeddings("1.0", "tiny", fallback_to_baseline=False, root=Path(sys.argv[1]), backend="torch")
np.save("vectors.npy", model.encode(sys.argv[2:]))
"""
BACKEND = """
import sys
from pathlib import Path
from domain_embeddings import VersionedEmbeddings

print(VersionedEmbeddings("1.0", "tiny", fallback_to_baseline=False, root=Path(sys.argv[1])).backend)
"""
SEARCH = """
import json
import sys
from dataclasses import asdict
from pathlib import Path
from domain_embeddings import FineTunedRetrieval, create_finetuned_retrieval
from domain_embeddings.core.dataset import Passage

with create_finetuned_retrieval("tiny", root=Path(sys.argv[1])) as retrieval:
    assert isinstance(retrieval, FineTunedRetrieval)
    retrieval.index([Passage(**row) for row in json.loads(sys.argv[2])])
    print(json.dumps([asdict(result) for result in retrieval.search(sys.argv[3])]))
"""


@dataclass(frozen=True)
class Installed:
    """An environment with the package, and a folder to work in."""

    bin: Path
    source: Path
    folder: Path

    def pip(self, *wanted: str) -> None:
        """Install, with the versions of the lock."""
        command = [sys.executable, "-m", "pip", "--python", str(self.bin / "python"), "install", "--quiet"]
        command += ["--no-compile", "--constraint", str(ROOT / "requirements.lock"), *wanted]
        subprocess.run(command, cwd=self.source, check=True)

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A program of the environment."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        wide = {**clean, "COLUMNS": "200"}
        command = [str(self.bin / program), *arguments]
        return subprocess.run(command, cwd=self.folder, env=wide, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The package with its core alone."""
    folder = tmp_path_factory.mktemp("installed")
    _reach_an_index(folder)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    source = folder / "source"
    shutil.copytree(ROOT / "domain_embeddings", source / "domain_embeddings", ignore=shutil.ignore_patterns("*.pyc"))
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, source)
    (folder / "work").mkdir()
    installed = Installed(folder / "venv/bin", source, folder / "work")
    installed.pip(".")
    return installed


def _reach_an_index(folder: Path) -> None:
    """Skip where pip cannot ask for a small package: nothing can be installed there."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--retries=0", "--dest"]
    command += [str(folder / "asked"), "--constraint", str(ROOT / "requirements.lock"), "annotated-doc"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    if asked.returncode:
        pytest.skip(f"no package index can be reached: {asked.stderr.strip().splitlines()[-1]}")


@pytest.fixture(scope="module")
def search(core: Installed) -> Installed:
    """The same environment with [search] too: what asks for `core` alone comes before."""
    core.pip(".[search]")
    return core


def test_the_core_encodes_and_verifies(core: Installed, models: Path) -> None:
    listed = core.run("domain-embeddings", "--help")
    verified = core.run("domain-embeddings", "verify", f"--corpus={CORPUS}", "--version=1.0", f"--root={models}")
    encoded = core.run("python", "-c", ENCODE, str(models), *TEXTS)

    assert (listed.returncode, listed.stderr) == (0, "")
    assert verified.stdout.startswith(f"{models / NAME}: as packaged; checked against manifest")
    assert (encoded.returncode, encoded.stderr) == (0, "")
    expected = VersionedEmbeddings("1.0", CORPUS, fallback_to_baseline=False, root=models, backend="torch").encode(
        TEXTS
    )
    np.testing.assert_allclose(np.load(core.folder / "vectors.npy"), expected, atol=1e-6)


def test_without_int8_the_core_takes_another_backend(core: Installed, models: Path) -> None:
    done = core.run("python", "-c", BACKEND, str(models))

    assert done.stdout.strip() in ("bfloat16", "torch")
    assert "No module named 'openvino'" in done.stderr


def test_the_core_alone_names_the_extra_that_searches(core: Installed) -> None:
    imported = core.run("python", "-c", "from domain_embeddings import FineTunedRetrieval")
    called = core.run("domain-embeddings", "search", "brakes", f"--corpus={CORPUS}")

    for done in (imported, called):
        assert done.returncode != 0
        assert done.stderr.endswith("which is not installed: pip install 'domain-embeddings[search]'\n")
    assert len(called.stderr.splitlines()) == 1


def test_with_search_a_corpus_is_searched(search: Installed, models: Path) -> None:
    rows = json.dumps([vars(passage) for passage in PASSAGES])

    done = search.run("python", "-c", SEARCH, str(models), rows, "how do I bleed the brakes")
    again = search.run("domain-embeddings", "search", "overcurrent F30001", f"--corpus={CORPUS}", f"--root={models}")

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found[0]["id"], found[0]["model"], len(found)) == ("p1", NAME, len(PASSAGES))
    assert (again.returncode, "Fault F30001 means overcurrent" in again.stdout) == (0, True)
