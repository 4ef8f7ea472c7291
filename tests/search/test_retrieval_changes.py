"""Search when something is missing or replaced: models, versions, servers."""

import logging
import socket
from pathlib import Path

import pytest

from domain_embeddings.core.errors import IntegrityError
from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from domain_embeddings.search.index_protocol import IndexMissingError, IndexModelError, IndexUnavailableError
from domain_embeddings.search.indexing import Indexed
from domain_embeddings.search.qdrant_server import ServerIndex, connect
from domain_embeddings.search.retrieval import create_finetuned_retrieval
from domain_embeddings.search.versions import latest_version
from tests.packaged import NAME, copy_models
from tests.searching import PASSAGES, in_folder, search_params, searching

pytestmark = pytest.mark.slow

QUERY = "how do I bleed the brakes"


@pytest.fixture
def nobody() -> str:
    """The address of a port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def _server(url: str) -> ServerIndex:
    params = search_params(server={"url": url, "retries": 1, "timeout_s": 1.0})
    assert params.server is not None
    return ServerIndex(connect(params.server), params, url, params.server.retries)


def test_a_refused_model_is_marked_in_every_result(
    models: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), searching(models, in_folder(tmp_path), version="9.9") as retrieval:
        retrieval.index(PASSAGES)
        results = retrieval.search(QUERY)

    assert "tiny-embeddings-v9.9 is refused, the base model is used instead" in caplog.text
    assert [result.model for result in results] == ["base"] * 5
    assert all("tiny-embeddings-v9.9: no such folder" in result.degraded[0] for result in results)


def test_another_backends_index_answers_and_says_so(models: Path, tmp_path: Path) -> None:
    with searching(models, in_folder(tmp_path), backend="torch") as retrieval:
        retrieval.index(PASSAGES)
        assert retrieval.shortcomings() == ()

    with searching(models, in_folder(tmp_path), backend="bfloat16") as retrieval:
        before, amiss = retrieval.search(QUERY), retrieval.shortcomings()
        done = retrieval.index(PASSAGES)
        after = retrieval.search(QUERY)

    assert len(amiss) == 1
    assert "the passages were encoded with torch, the queries are with bfloat16" in amiss[0]
    assert [result.degraded for result in before] == [amiss] * 5
    assert done == Indexed(added=0, changed=5, unchanged=0)
    assert [result.degraded for result in after] == [()] * 5


def _with_another_model(models: Path, folder: Path) -> Path:
    """A copy in which the base is not what tiny-embeddings-v1.0 is made of: other weights of the same shape."""
    import torch
    from safetensors.torch import load_file, save_file

    from domain_embeddings.packaging.manifest import write_manifest
    from tests.packaged import replace as replace_file

    root = copy_models(models, folder)
    weights = load_file(root / "base/model.safetensors")
    weights = {name: value + 0.01 * torch.ones_like(value) if value.is_floating_point() else value
               for name, value in weights.items()}  # fmt: skip
    save_file(weights, folder / "new.safetensors", metadata={"format": "pt"})
    replace_file(root / "base/model.safetensors", (folder / "new.safetensors").read_bytes())
    (folder / "new.safetensors").unlink()
    write_manifest(root / "base", root / "base.manifest.json")
    return root


def test_another_models_index_is_never_searched(models: Path, tmp_path: Path) -> None:
    root = _with_another_model(models, tmp_path / "models")
    with searching(root, in_folder(tmp_path / "index")) as tuned:
        tuned.index(PASSAGES)

    with (
        searching(root, in_folder(tmp_path / "index"), version="9.9") as fallen_back,
        pytest.raises(IndexModelError) as error,
    ):
        fallen_back.search(QUERY)

    assert "the index of tiny was built with tiny-embeddings-v1.0 (SHA-256 53aa51172d14…, 384 dimensions)" in str(
        error.value
    )
    assert "queries would be encoded with base (SHA-256 " in str(error.value)
    assert "tiny-embeddings-v9.9: no such folder" in str(error.value)


def test_a_new_version_is_filled_beside_the_old_and_rolled_back(models: Path, tmp_path: Path) -> None:
    root = _with_another_model(models, tmp_path / "models")
    index = in_folder(tmp_path / "index")
    old, new = searching(root, index, version=None), searching(root, index)
    old.index(PASSAGES[:4])
    before = old.search(QUERY)

    new.index(PASSAGES, activate=False)
    assert old.refresh() is False
    assert old.search(QUERY) == before  # the old one serves while the new one is filled
    new.index(PASSAGES)
    assert old.search(QUERY) == before  # and until it is told
    assert (old.refresh(), old.identity.name, old.count()) == (True, NAME, 5)

    assert new.rollback() == "base"
    assert new.search(QUERY) == before
    assert (old.refresh(), old.identity.name) == (True, "base")
    assert old.rollback() == NAME


def test_a_live_model_that_is_refused_does_not_replace_the_one_that_serves(
    models: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root, index = _with_another_model(models, tmp_path / "models"), in_folder(tmp_path / "index")
    old = searching(root, index, version=None)
    old.index(PASSAGES)
    searching(root, index).index(PASSAGES)
    (root / NAME / "vocab.txt").unlink()

    assert old.refresh() is False

    assert "is live but what was loaded is base" in caplog.text
    assert old.search(QUERY)[0].model == "base"


def test_nothing_to_roll_back_to_is_an_error(packaged: VersionedEmbeddings, tmp_path: Path) -> None:
    filled = searching(packaged, in_folder(tmp_path))
    filled.index(PASSAGES)

    with pytest.raises(IndexMissingError, match="has no collection before this one"):
        filled.rollback()


def test_a_server_that_is_gone_is_answered_for_by_the_folder(
    packaged: VersionedEmbeddings, tmp_path: Path, nobody: str, caplog: pytest.LogCaptureFixture
) -> None:
    standby = in_folder(tmp_path)
    searching(packaged, standby).index(PASSAGES)

    retrieval = searching(packaged, _server(nobody), standby=standby)
    results = retrieval.search(QUERY)

    assert results[0].id == "p1"
    assert f"{nobody}: no answer in 2 attempts" in results[0].degraded[0]
    assert "answers instead" in caplog.text
    with pytest.raises(IndexUnavailableError, match="did not answer a moment ago"):
        retrieval.index(PASSAGES)  # a change is not made in one place only


def test_a_server_that_is_gone_with_nobody_to_stand_in(packaged: VersionedEmbeddings, nobody: str) -> None:
    with pytest.raises(IndexUnavailableError, match=r"no answer in 2 attempts: .* \(start it, or correct the URL\)"):
        searching(packaged, _server(nobody)).search(QUERY)


def test_the_version_that_is_live_is_the_one_that_is_loaded(models: Path, tmp_path: Path) -> None:
    with create_finetuned_retrieval("tiny", root=models, folder=tmp_path) as retrieval:
        assert retrieval.identity.name == NAME  # the latest there is
    with create_finetuned_retrieval("tiny", root=models, folder=tmp_path, use_base=True) as retrieval:
        assert retrieval.identity.name == "base"
        retrieval.index(PASSAGES)
    with create_finetuned_retrieval("tiny", root=models, folder=tmp_path) as retrieval:
        assert retrieval.search(QUERY)[0].id == "p1"


def test_the_latest_version(tmp_path: Path) -> None:
    for version in ("1.2", "1.10.dev1", "1.10", "1.9", "2.0.dev1", "odd"):
        (tmp_path / f"tiny-embeddings-v{version}").mkdir()

    assert latest_version(tmp_path, "tiny") == "2.0.dev1"
    assert latest_version(tmp_path, "other") is None


def test_no_packaged_version_is_marked_as_well(models: Path, tmp_path: Path) -> None:
    with create_finetuned_retrieval("other", root=models, folder=tmp_path) as retrieval:
        retrieval.index(PASSAGES)
        (reason,) = retrieval.search(QUERY)[0].degraded

    assert (retrieval.identity.name, "no packaged version of other" in reason) == ("base", True)


def test_no_model_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="no such folder"):
        create_finetuned_retrieval("tiny", root=tmp_path, folder=tmp_path)


def test_a_corpus_that_leads_elsewhere_is_refused(models: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no name"):
        create_finetuned_retrieval("../tiny", root=models, folder=tmp_path)
