"""A sealed collection: what is refused, what a look writes down, and that looks are counted."""

import json
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from domain_embeddings.core.errors import DataError, UserError
from domain_embeddings.params.strict import validate
from domain_embeddings.params.whole import Params
from scripts import sealed
from scripts.pipeline_copy import FOLDERS, StageError, copy_of, measure
from scripts.sealed import Collection, commit_of, label_free, looks, opened, result, sha256_of, table
from tests.knobs import all_params

FILES = {
    "corpus.jsonl": '{"_id": "p1", "text": "Oil the chain."}\n{"_id": "p2", "text": "Check the mast."}\n',
    "queries.jsonl": '{"_id": "q1", "text": "chain"}\n{"_id": "q2", "text": "mast"}\n',
    "qrels/test.tsv": "query-id\tcorpus-id\tscore\nq1\tp1\t1\nq2\tp2\t1\n",
}
SHA256 = "eb7eb7ff41344806b15043a4b49a6a98498a6b3a1ad1413dae87bb39347897e5"
"""What sha256sum prints of the sums of FILES."""
ROW = {"mrr@10": 0.4, "n_queries": 2, "ndcg@10": 0.5, "recall@1": 0.2, "recall@10": 0.9, "recall@5": 0.75}


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """A BEIR folder beside the repository."""
    for name, text in FILES.items():
        path = tmp_path / "held" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "held"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a commit of what the stages need, in which the commands run."""
    folder = tmp_path / "repository"
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
        (folder / name / "file.txt").write_text("as committed", encoding="utf-8")
    (folder / "dvc.yaml").write_text("stages: {base_model: {cmd: echo broken; exit 3}}\n", encoding="utf-8")
    YAML().dump(all_params(), folder / "params.yaml")
    _git(folder, "init", "--quiet")
    _git(folder, "add", "--all")
    _git(folder, "-c", "user.name=A", "-c", "user.email=a@b", "commit", "--quiet", "--message", "Defaults")
    monkeypatch.chdir(folder)
    return folder


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def _main(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["scripts/sealed.py", *map(str, arguments)])
    sealed.main()


def _made_figures(root: Path, collection: Collection, copy: Path) -> Path:
    """In place of the stages: what their last one writes."""
    arms = dict.fromkeys(("bm25", "base", "tuned", "hybrid_base", "late_base", "late_tuned"), ROW)
    (copy / "evaluate.json").write_text(json.dumps(arms), encoding="utf-8")
    verdict = {"verdict": "improved", "promoted": "tuned", "metric": "ndcg@10", "delta": 0.1}
    (copy / "verdict.json").write_text(json.dumps(verdict), encoding="utf-8")
    return copy


def _record(root: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (root / "metrics/sealed.jsonl").read_text(encoding="utf-8").splitlines()]


def test_a_folder_inside_the_repository_is_refused(root: Path, collection: Path, tmp_path: Path) -> None:
    inside, link = root / "data/held", tmp_path / "link"
    shutil.copytree(collection, inside)
    link.symlink_to(inside)

    for folder in (inside, link, Path("data/held"), Path()):
        with pytest.raises(UserError, match="inside the repository"):
            opened(folder, None, root)


@pytest.mark.parametrize("file", FILES)
def test_a_folder_without_a_file_is_refused(file: str, root: Path, collection: Path) -> None:
    (collection / file).unlink()

    with pytest.raises(DataError, match=f"{file}: file not found"):
        opened(collection, None, root)


def test_a_collection_that_asks_nothing_is_refused(root: Path, collection: Path) -> None:
    (collection / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tp1\t0\n", encoding="utf-8")

    with pytest.raises(DataError, match="no test question"):
        opened(collection, None, root)


@pytest.mark.parametrize("name", ["", "..", "-x", "a/b", "a; b"])
def test_a_name_that_no_folder_can_have_is_refused(name: str, root: Path, collection: Path) -> None:
    with pytest.raises(UserError, match="cannot name a collection"):
        opened(collection, name, root)


def test_a_collection_is_named_as_its_folder_or_as_asked(root: Path, collection: Path) -> None:
    assert opened(Path("../held"), None, root) == Collection("held", collection, SHA256)
    assert opened(collection, "trucks-1.0", root).name == "trucks-1.0"


@pytest.mark.parametrize("file", ["stages/file.txt", "domain_embeddings/new.py", "data/raw/new/a.md", "params.yaml"])
def test_what_is_not_as_committed_is_refused(file: str, root: Path) -> None:
    (root / file).parent.mkdir(exist_ok=True)
    (root / file).write_text("changed", encoding="utf-8")

    with pytest.raises(UserError, match=file):
        commit_of(root)


def test_what_no_figure_depends_on_may_be_changed(root: Path) -> None:
    (root / "notes.md").write_text("new", encoding="utf-8")

    assert commit_of(root) == _git(root, "rev-parse", "HEAD")


def test_without_a_repository_there_is_no_commit(collection: Path) -> None:
    with pytest.raises(UserError, match="git status: "):
        commit_of(collection)


def test_the_hash_is_that_of_the_three_files(collection: Path) -> None:
    assert sha256_of(collection) == SHA256
    (collection / "qrels/dev.tsv").write_text("query-id\tcorpus-id\tscore\n", encoding="utf-8")
    assert sha256_of(collection) == SHA256


@pytest.mark.parametrize(("file", "old", "new"), [
    ("corpus.jsonl", "Oil", "Wax"), ("queries.jsonl", '"mast"', '"masts"'), ("qrels/test.tsv", "p2\t1", "p2\t2"),
])  # fmt: skip
def test_another_collection_has_another_hash(file: str, old: str, new: str, collection: Path) -> None:
    (collection / file).write_text(FILES[file].replace(old, new), encoding="utf-8")

    assert sha256_of(collection) != SHA256


def test_looks_are_counted_by_hash(tmp_path: Path) -> None:
    record = tmp_path / "sealed.jsonl"
    assert looks(record, "a") == 0

    record.write_text('{"collection": "x", "sha256": "a"}\n{"sha256": "b"}\n{"collection": "y", "sha256": "a"}\n')

    assert (looks(record, "a"), looks(record, "b"), looks(record, "c")) == (2, 1, 0)


def test_only_corpora_and_splits_are_not_as_committed(collection: Path) -> None:
    params = all_params()

    found = label_free(params, Collection("held", collection, SHA256))

    assert found == {
        **params,
        "corpora": {"held": {"kind": "beir", "path": str(collection)}},
        "ingest": {**params["ingest"], "splits": ["test"]},
    }
    validate(Params, found, Path("params.yaml"))


def test_an_arm_that_is_not_there_is_left_out(tmp_path: Path) -> None:
    arms = {"shipped": {**ROW, "ndcg@10": 0.6}, "base": ROW, "tuned": ROW}
    verdict = {"verdict": "unchanged", "promoted": "base", "shipped": "late_base", "p": 0.5}
    (tmp_path / "evaluate.json").write_text(json.dumps(arms), encoding="utf-8")
    (tmp_path / "verdict.json").write_text(json.dumps(verdict), encoding="utf-8")

    assert result(tmp_path) == {
        "n_queries": 2,
        "figures": {"base": {"ndcg@10": 0.5, "recall@5": 0.75}, "shipped": {"ndcg@10": 0.6, "recall@5": 0.75}},
        "verdict": {"verdict": "unchanged", "promoted": "base", "shipped": "late_base"},
    }


def test_the_table_has_a_line_for_each_arm() -> None:
    assert table({"base": {"ndcg@10": 0.5, "recall@5": 0.75}}).splitlines() == [
        "arm           ndcg@10  recall@5",
        "base            0.500     0.750",
    ]


def test_a_look_is_written_down_and_counted(
    root: Path, collection: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sealed, "run_stages", _made_figures)

    _main(monkeypatch, collection)
    first = capsys.readouterr().out
    _main(monkeypatch, collection, "--name", "again")
    second = capsys.readouterr().out

    before, after = _record(root)
    assert date.fromisoformat(before.pop("date")) <= date.fromisoformat(after.pop("date"))
    assert before == {
        "commit": _git(root, "rev-parse", "HEAD"),
        "collection": "held",
        "sha256": SHA256,
        "look": 1,
        "n_queries": 2,
        "figures": {arm: {"ndcg@10": 0.5, "recall@5": 0.75} for arm in ("bm25", "base", "hybrid_base", "late_base")},
        "verdict": {"verdict": "improved", "promoted": "tuned"},
    }
    assert after == {**before, "collection": "again", "look": 2}
    assert "held has had 0 look(s) so far" in first
    assert "again has had 1 look(s) so far" in second
    assert "verdict: improved promoted: tuned" in second


def test_a_refusal_ends_with_status_2(
    root: Path, collection: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "params.yaml").write_text("seed: 1\n", encoding="utf-8")

    with pytest.raises(SystemExit) as ended:
        _main(monkeypatch, collection)

    assert ended.value.code == 2
    assert "not as committed" in capsys.readouterr().err


def test_a_stage_that_fails_is_no_look(
    root: Path, collection: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        _main(monkeypatch, collection)

    assert ended.value.code == 1
    assert "base_model  ended with 3:\nbroken" in capsys.readouterr().err
    assert not (root / "metrics").exists()


def test_a_stage_runs_in_the_copy_with_its_corpus(root: Path, tmp_path: Path) -> None:
    (root / "dvc.yaml").write_text(
        "stages:\n"
        "  base_model: {cmd: [echo one > said.txt, echo two >> said.txt]}\n"
        "  ingest: {foreach: x, do: {cmd: 'echo ${key} >> said.txt'}}\n"
        "  mine: {foreach: x, do: {cmd: 'exit 3'}}\n",
        encoding="utf-8",
    )
    copy = tmp_path / "copy"
    copy_of(root, copy)

    runs = [measure(copy, "base_model", ""), measure(copy, "ingest", "held")]

    assert [run[:2] for run in runs] == [("base_model", ""), ("ingest", "held")]
    assert (copy / "said.txt").read_text(encoding="utf-8") == "one\ntwo\nheld\n"
    with pytest.raises(StageError, match="mine held ended with 3"):
        measure(copy, "mine", "held")
