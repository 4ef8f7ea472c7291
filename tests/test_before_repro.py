"""Before DVC runs: a lock that a killed run left cut is put back, and wrong params are told."""

import json
from pathlib import Path

import pytest

from domain_embeddings.commands.check_params import check
from domain_embeddings.core.errors import IntegrityError
from scripts.before_repro import keep, main
from scripts.dependencies import ROOT

WHOLE = (ROOT / "dvc.lock").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_whole_lock_stays_and_is_kept(folder: Path) -> None:
    (folder / "dvc.lock").write_text(WHOLE, encoding="utf-8")

    assert keep() is None
    (folder / "dvc.lock").write_text("", encoding="utf-8")
    assert "dvc.lock: is empty, cut or no lock" in str(keep())

    assert (folder / "dvc.lock").read_text(encoding="utf-8") == WHOLE


@pytest.mark.parametrize("share", [0.1, 0.35, 0.5, 0.77, 0.999])
def test_a_cut_lock_is_put_back(folder: Path, share: float) -> None:
    (folder / "dvc.lock").write_text(WHOLE, encoding="utf-8")
    keep()
    (folder / "dvc.lock").write_text(WHOLE[: int(len(WHOLE) * share)], encoding="utf-8")

    assert "is back" in str(keep())

    assert (folder / "dvc.lock").read_text(encoding="utf-8") == WHOLE


def test_without_a_kept_one_a_cut_lock_is_an_error_with_its_remedy(folder: Path) -> None:
    (folder / "dvc.lock").write_text(WHOLE[:1000], encoding="utf-8")

    with pytest.raises(IntegrityError, match=r"git checkout dvc\.lock"):
        keep()


def test_a_clone_that_never_ran_has_nothing_to_keep() -> None:
    assert keep() is None


def test_stages_tell_a_cut_lock(folder: Path) -> None:
    (folder / "params.yaml").write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    for name in ("manuals", "memories", "encyclopedia"):
        (folder / "data/raw" / name).mkdir(parents=True)
    check(["manuals"])
    (folder / "dvc.lock").write_text(WHOLE[:1000], encoding="utf-8")

    with pytest.raises(IntegrityError, match=r"dvc\.lock: is .*cut.*git checkout"):
        check(["manuals"])


@pytest.mark.parametrize("name", ["x; touch y", "x'; touch y; '", "$(touch y)", "../x"])
def test_a_corpus_that_is_no_name_reaches_no_shell(folder: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    params = (ROOT / "params.yaml").read_text(encoding="utf-8")
    entry = f"corpora:\n  {json.dumps(name)}: {{kind: manuals, path: .}}\n"
    (folder / "params.yaml").write_text(params.replace("corpora:\n", entry, 1), encoding="utf-8")

    with pytest.raises(SystemExit, match="1"):
        main()

    assert "corpora" in capsys.readouterr().err
    assert not (folder / "y").exists()
