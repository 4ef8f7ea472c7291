"""The ingest stage: a folder of documents becomes a BEIR collection and a report, which a failure leaves too."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from ruamel.yaml import YAML

from domain_embeddings.core.beir_files import read_dataset
from domain_embeddings.core.errors import DataError
from domain_embeddings.params.corpora import Kind
from stages.ingest import ADAPTERS, main
from tests.knobs import all_params
from tests.stages.conftest import MANUALS, Pipeline, outs_of


def test_every_kind_has_an_adapter() -> None:
    assert set(ADAPTERS) == set(get_args(Kind))


def test_the_stage_writes_a_beir_folder(pipeline: Pipeline) -> None:
    dataset = read_dataset(pipeline.root / "data/ingest/tiny")

    assert 20 <= len(dataset.corpus) <= 60
    assert {passage.extra["file"] for passage in dataset.corpus.values()} == set(MANUALS)
    assert {passage.domain for passage in dataset.corpus.values()} == {"forklift", "vehicle_civilian"}
    assert {split: len(qrels) for split, qrels in dataset.qrels.items()} == {"dev": 6, "test": 23}
    assert dataset.judged("test").keys() == dataset.qrels["test"].keys()


def test_the_report_counts(pipeline: Pipeline) -> None:
    report = pipeline.json("data/ingest/tiny/report.json")

    assert report["rejects"] == []
    assert (report["counts"]["files.read"], report["counts"]["files.rejected"]) == (2, 0)
    passages = len(read_dataset(pipeline.root / "data/ingest/tiny").corpus)
    assert sum(n for name, n in report["counts"].items() if name.startswith("passages.")) == passages


def test_the_outs_are_the_same_bytes_again(pipeline: Pipeline) -> None:
    assert pipeline.again("ingest") == outs_of(pipeline.root / "data/ingest/tiny")


def _run(
    root: Path, monkeypatch: pytest.MonkeyPatch, kind: str, files: dict[str, str], **ingest: Any
) -> dict[str, Any]:
    """The report of the stage for a folder of these files; its error is raised after the report is read."""
    for name, content in files.items():
        (root / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "docs" / name).write_text(content, encoding="utf-8")
    params = all_params()
    params["ingest"] |= {"min_chars": 10, **ingest}
    YAML().dump({**params, "corpora": {"docs": {"kind": kind, "path": "docs"}}}, root / "params.yaml")
    monkeypatch.chdir(root)
    monkeypatch.setattr("sys.argv", ["ingest", "docs"])
    main()
    return _report(root)


def _report(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / "data/ingest/docs/report.json").read_text(encoding="utf-8"))
    return found


PUMP = "# Pump\n\n## Oil\n\nDrain the oil of the pump.\n\n## Seal\n\nGrease the lip of the seal.\n"


def test_a_domain_of_which_nothing_is_left_is_a_problem_or_an_error_by_params(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"pump/pump.md": PUMP, "radar/scan.xyz": "x"}
    problem = "nothing left of domain 'radar': radar/scan.xyz: unsupported format .xyz"

    assert _run(tmp_path, monkeypatch, "manuals", files)["problems"] == [problem]
    assert f"problem: {problem}\n" in capsys.readouterr().out

    with pytest.raises(DataError, match=r"^docs: nothing left of domain 'radar'.*ingest\.strict"):
        _run(tmp_path, monkeypatch, "manuals", files, strict=True)
    report = _report(tmp_path)
    assert (report["problems"], report["counts"]["files.read"]) == ([problem], 1)
    assert report["error"].startswith("docs: nothing left of domain 'radar'")


def test_the_report_is_written_before_the_stage_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="no manual in it"):
        _run(tmp_path, monkeypatch, "manuals", {"radar/scan.xyz": "x"})

    assert _report(tmp_path)["rejects"] == [{"place": "radar/scan.xyz", "reason": "unsupported format .xyz"}]


def test_so_it_is_where_a_list_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"pump/pump.md": PUMP, "pump/a.xyz": "x", "aliases.json": "[" * 100_000}

    with pytest.raises(DataError, match=r"aliases\.json: lists and objects nested more than 100 levels"):
        _run(tmp_path, monkeypatch, "manuals", files)

    report = _report(tmp_path)
    assert (report["counts"]["files.read"], [reject["place"] for reject in report["rejects"]]) == (1, ["pump/a.xyz"])
    assert "aliases.json: lists and objects" in report["error"]


ROW = '{"_id": "p", "text": "bleed the brakes"}\n'


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (ROW, "docs: one passage: nothing to search among (add documents)"),
        (ROW + '{"_id": "o", "text": "grease", "domain": "a\\nb"}\n', "docs: passage 'o' is of the domain 'a\\nb'"),
        (
            ROW + f'{{"_id": "o", "text": "grease", "domain": "{"x" * 101}"}}\n',
            "docs: passage 'o' is of the domain 'xxx",
        ),
    ],
)
def test_a_collection_that_no_later_stage_can_use_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: str, problem: str
) -> None:
    with pytest.raises(DataError) as error:
        _run(tmp_path, monkeypatch, "beir", {"corpus.jsonl": rows, "queries.jsonl": '{"_id": "q", "text": "brakes"}'})

    assert str(error.value).startswith(problem)
    assert _report(tmp_path)["error"] == str(error.value)
