"""Files of known names that are links out of the corpus's folder: optional ones are rejects, the others errors."""

from pathlib import Path

import pytest

from domain_embeddings.core.dataset import Reject
from domain_embeddings.core.errors import DataError
from domain_embeddings.ingest.alias_lists import ALIASES, SYNONYMS
from domain_embeddings.ingest.dev_log import DEV_LOG
from domain_embeddings.ingest.inside import LEADS_OUT, required, within
from domain_embeddings.params.ingest import IngestParams
from stages.ingest import ingested
from tests.knobs import knobs

PARAMS = knobs("ingest", IngestParams, min_chars=10)
PUMP = "# Pump\n\n## Oil\n\nDrain the oil of the pump.\n\n## Seal\n\nGrease the lip of the seal.\n"
ROWS = '{"_id": "p", "text": "bleed the brakes"}\n{"_id": "o", "text": "grease the seal"}\n'
QUERY = '{"_id": "q", "text": "brakes"}\n'
QRELS = "query-id\tcorpus-id\tscore\nq\tp\t1\n"
FOLDERS = {
    "manuals": {"pump/a.md": PUMP},
    "chunks": {"a.jsonl": '{"page_content": "bleed the brakes"}\n{"page_content": "grease the seal"}\n'},
    "beir": {"corpus.jsonl": ROWS, "queries.jsonl": QUERY, "qrels/test.tsv": QRELS},
}


def _folder(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, encoding="utf-8")
    return root


@pytest.mark.parametrize("kind", FOLDERS)
def test_optional_files_that_are_links_out_are_rejects_and_not_read(tmp_path: Path, kind: str) -> None:
    folder, outside = _folder(tmp_path / "in", FOLDERS[kind]), _folder(tmp_path / "out", {"any": "no JSON\n"}) / "any"
    names = (ALIASES, SYNONYMS, DEV_LOG, *(("qrels/dev.tsv",) if kind == "beir" else ("questions.jsonl",)))
    for name in names:
        (folder / name).symlink_to(outside)

    log, done = ingested(kind, folder, PARAMS)

    assert log == []
    assert len(done.dataset.corpus) == 2
    assert [reject for reject in done.rejects if reject.reason == LEADS_OUT] == [
        Reject(name, LEADS_OUT) for name in sorted(names)
    ]


@pytest.mark.parametrize(
    ("kind", "name"), [("beir", "corpus.jsonl"), ("beir", "queries.jsonl"), ("memories", "suite.json")]
)
def test_files_without_which_nothing_can_be_read_are_errors(tmp_path: Path, kind: str, name: str) -> None:
    folder = _folder(tmp_path / "in", FOLDERS["beir"])
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(_folder(tmp_path / "out", {"any": ROWS}) / "any")

    with pytest.raises(DataError, match=rf"{name}: a link that leads out of the folder \(put the file itself there"):
        ingested(kind, folder, PARAMS)


def test_a_folder_of_judgements_that_is_a_link_out_is_not_read(tmp_path: Path) -> None:
    outside = _folder(tmp_path / "out", FOLDERS["beir"])
    folder = _folder(tmp_path / "in", {name: FOLDERS["beir"][name] for name in ("corpus.jsonl", "queries.jsonl")})
    (folder / "qrels").symlink_to(outside / "qrels")

    _, done = ingested("beir", folder, PARAMS)

    assert done.dataset.qrels == {}
    assert done.rejects == [Reject("qrels", LEADS_OUT)]


def test_links_within_the_folder_are_followed(tmp_path: Path) -> None:
    folder = _folder(tmp_path, {".store/a.json": "{}"})
    (folder / "in.json").symlink_to(".store/a.json")
    (folder / "loop.json").symlink_to("loop.json")

    assert within(folder, "in.json") == required(folder, "in.json") == folder / "in.json"
    assert within(folder, "loop.json") is None
    assert within(folder, "nothing.json") is None
