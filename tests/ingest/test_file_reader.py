"""Reading in another process: the same pieces, and whatever happens to that process is the reason of one file."""

import io
import os
import resource
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from domain_embeddings.core.dataset import Reject
from domain_embeddings.ingest.formats.blocks import UnreadableError
from domain_embeddings.ingest.formats.readers import read_document
from domain_embeddings.ingest.kinds.manuals import read
from domain_embeddings.ingest.reading import file_reader
from domain_embeddings.ingest.reading.file_reader import FileReader
from domain_embeddings.ingest.sections import pieces_of
from domain_embeddings.params.ingest import IngestParams, ReadingParams
from scripts.dependencies import ROOT
from tests.ingest import documents
from tests.knobs import knobs

PARAMS = knobs("ingest", IngestParams, min_chars=10, max_chars=400)
PUMP = b"# Pump\n\n## Oil\n\nDrain the oil of the pump.\n\n## Seal\n\nGrease the lip of the seal.\n"
SLOW = b"The pump drives the load, as it is told to by its valve.\n\nOil drains.\n" * 60_000
"""Text that takes many seconds to read, and less than `text_mb`."""


def _limits(**limits: float) -> IngestParams:
    return PARAMS.model_copy(update={"reading": ReadingParams(**limits)})  # type: ignore[arg-type]


def _file(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return folder / name


def _zipped(**parts: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(f"word/{name}.xml", content)
    return buffer.getvalue()


@pytest.fixture
def reader() -> Iterator[FileReader]:
    made = FileReader()
    yield made
    made.stop()


def _reason(reader: FileReader, path: Path, params: IngestParams = PARAMS, waiting: Any = int) -> str:
    with pytest.raises(UnreadableError) as caught:
        reader.pieces(path, params, waiting)
    return str(caught.value)


def _pid(reader: FileReader) -> int:
    assert reader._process
    return reader._process._popen.pid


def _ends(pid: int) -> bool:
    """Whether a process ends, within the half minute that a busy machine may take."""
    for _ in range(300):
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat")
            if state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.1)
    return False


def test_the_pieces_are_those_of_this_process_and_one_process_reads_all(tmp_path: Path, reader: FileReader) -> None:
    paths = [
        _file(tmp_path, "a.md", PUMP),
        _file(tmp_path, "b.docx", documents.word_document()),
        _file(
            tmp_path, "c.pdf", documents.flowing_pdf([documents.heading("Oil", 1), documents.prose("Drain it. " * 9)])
        ),
    ]

    for path in paths:
        assert reader.pieces(path, PARAMS, int) == pieces_of(read_document(path), 10, 400)
        pid = _pid(reader)
        assert _reason(reader, _file(tmp_path, "d.xls", b"x")) == "unsupported format .xls"
        assert _pid(reader) == pid


def test_a_path_may_be_relative_and_the_working_folder_change(
    tmp_path: Path, reader: FileReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("a", "b"):
        path = _file(tmp_path, f"{folder}/gr ü.md", PUMP)
        monkeypatch.chdir(path.parent)

        assert len(reader.pieces(Path("gr ü.md"), PARAMS, int)[0]) == 2


def test_what_is_no_file_is_a_reason(tmp_path: Path, reader: FileReader) -> None:
    os.mkfifo(tmp_path / "pipe.md")

    assert _reason(reader, tmp_path / "pipe.md") == "no regular file"
    assert _reason(reader, tmp_path) == "no regular file"
    assert _reason(reader, tmp_path / "nothing.md") == "cannot be opened"


def test_a_file_that_takes_too_long_ends_the_process_and_the_next_is_read(tmp_path: Path, reader: FileReader) -> None:
    path, slow = _file(tmp_path, "a.md", PUMP), _file(tmp_path, "a.txt", SLOW)
    limits = _limits(cpu_seconds=0.5, cpu_seconds_per_mb=0)

    assert _reason(reader, slow, limits) == "takes too much CPU time (ingest.reading.cpu_seconds)"
    assert len(reader.pieces(path, limits, int)[0]) == 2


def test_cpu_time_counts_for_each_file_alone(tmp_path: Path, reader: FileReader) -> None:
    path, limits = _file(tmp_path, "a.txt", SLOW[:50_000]), _limits(cpu_seconds=2, cpu_seconds_per_mb=0)
    found = reader.pieces(path, limits, int)
    pid = _pid(reader)
    used = 0.0
    while used < 2.2:
        begin = _cpu(pid)
        assert reader.pieces(path, limits, int) == found
        used += _cpu(pid) - begin

    assert _pid(reader) == pid


def _cpu(pid: int) -> float:
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        pytest.skip("CPU time of a process is read from /proc")
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def test_a_file_that_takes_too_much_memory_ends_the_process(tmp_path: Path, reader: FileReader) -> None:
    path, limits = tmp_path / "a.pdf", _limits(memory_mb=500, file_mb=1000)
    with path.open("wb") as file:
        file.truncate(600_000_000)

    assert _reason(reader, path, limits) == "takes too much memory (ingest.reading.memory_mb)"
    assert len(reader.pieces(_file(tmp_path, "a.md", PUMP), limits, int)[0]) == 2


REASONS = {
    signal.SIGSEGV: "its reader crashed (SIGSEGV)",
    signal.SIGABRT: "its reader crashed, as where memory runs out (SIGABRT)",
    signal.SIGKILL: "its reader crashed, as where memory runs out (SIGKILL)",
}


@pytest.mark.parametrize("how", REASONS)
def test_a_crash_is_the_reason_of_its_file(
    tmp_path: Path, reader: FileReader, monkeypatch: pytest.MonkeyPatch, how: signal.Signals
) -> None:
    monkeypatch.setattr(file_reader, "_EVERY", 0.05)
    path, slow = _file(tmp_path, "a.md", PUMP), _file(tmp_path, "a.txt", SLOW)

    assert _reason(reader, slow, waiting=lambda: os.kill(_pid(reader), how)) == REASONS[how]
    assert len(reader.pieces(path, PARAMS, int)[0]) == 2


def test_a_process_that_ended_between_two_files_is_nobodys_reason(tmp_path: Path, reader: FileReader) -> None:
    path = _file(tmp_path, "a.md", PUMP)
    reader.pieces(path, PARAMS, int)
    os.kill(_pid(reader), signal.SIGKILL)
    os.waitid(os.P_PID, _pid(reader), os.WEXITED | os.WNOWAIT)

    assert len(reader.pieces(path, PARAMS, int)[0]) == 2


def test_a_fault_of_a_reader_is_the_reason_of_its_file(tmp_path: Path) -> None:
    process = file_reader._Process()
    request = {"path": str(_file(tmp_path, "a.md", PUMP)), "limits": ReadingParams().model_dump()}
    answer = process.ask(request, int)
    process.end()

    assert answer
    assert answer["reason"] == "its reader failed: KeyError: 'shortest'"
    assert answer["trace"].startswith("Traceback")


@pytest.mark.parametrize(
    ("name", "data", "limits", "reason"),
    [
        ("a.txt", PUMP, {"text_mb": 0.00001}, "larger than 1e-05 MB (ingest.reading.text_mb)"),
        ("a.html", PUMP, {"text_mb": 0.00001}, "larger than 1e-05 MB (ingest.reading.text_mb)"),
        ("a.pdf", PUMP, {"file_mb": 0.00001}, "larger than 1e-05 MB (ingest.reading.file_mb)"),
        ("a.docx", _zipped(a=b"0" * 10**6, b=b"0" * 10**6), {"unpacked_mb": 1.9}, "larger than 1.9 MB when unpacked "
         "(ingest.reading.unpacked_mb)"),
        ("a.docx", _zipped(a=b"0" * 10**6), {"unpacked_mb": 1.9}, "corrupt DOCX"),
    ],
)  # fmt: skip
def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, reader: FileReader, name: str, data: bytes, limits: dict[str, float], reason: str
) -> None:
    assert _reason(reader, _file(tmp_path, name, data), _limits(**limits)) == reason


def test_the_process_gets_no_secrets_writes_no_file_and_starts_no_process(
    tmp_path: Path, reader: FileReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    reader.pieces(_file(tmp_path, "a.md", PUMP), PARAMS, int)
    environment = Path(f"/proc/{_pid(reader)}/environ")

    assert "AWS_SECRET_ACCESS_KEY" not in file_reader._environment()
    if not environment.exists():
        pytest.skip("what a process has is read from /proc")
    assert b"hush" not in environment.read_bytes()
    for what in (resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC, resource.RLIMIT_CORE):
        assert resource.prlimit(_pid(reader), what) == (0, 0)
    files = {os.readlink(entry) for entry in Path(f"/proc/{_pid(reader)}/fd").iterdir()}
    assert all(file.startswith(("pipe:", "/dev/null")) for file in files)


READS = """
import sys
from pathlib import Path
from tests.ingest.test_file_reader import PARAMS, _pid
from domain_embeddings.ingest.reading import file_reader
file_reader._EVERY = 0.05
reader = file_reader.file_reader()
reader.pieces(Path(sys.argv[1]), PARAMS, lambda: print(_pid(reader), flush=True))
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_one_that_asks(tmp_path: Path, how: signal.Signals) -> None:
    slow = _file(tmp_path, "a.txt", SLOW)
    with subprocess.Popen(
        [sys.executable, "-c", READS, str(slow)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as asks:
        assert asks.stdout
        pid = int(asks.stdout.readline())
        asks.send_signal(how)

    assert asks.returncode == -how
    assert _ends(pid)


def test_hostile_files_are_rejects_and_the_others_are_read(tmp_path: Path) -> None:
    files = {
        "pump/a.md": PUMP,
        "pump/bomb.docx": _zipped(document=b"\0" * 60_000_000),
        "pump/digits.txt": b"Oil runs through the pump.\n\nPage " + b"9" * 5000 + b"\n\nIt is drained twice a year.\n",
        "pump/list.html": b"<ol start=x><li>Drain the oil.</ol><ol start='" + b"9" * 5000 + b"'><li>Grease it.</ol>",
        "pump/package.xlsx": _zipped(a=b"0" * 10**6),
        "pump/deep.html": b"<div>" * 20_000,
        "pump/laughs.docx": _zipped(document=b'<!DOCTYPE a [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><a>&b;</a>'),
        "pump/z.md": PUMP.replace(b"oil", b"water").replace(b"lip", b"rim"),
    }
    for name, data in files.items():
        _file(tmp_path, name, data)
    with (tmp_path / "pump/line.txt").open("wb") as file:
        file.truncate(100_000_000)

    ingested = read(tmp_path, PARAMS)

    assert ingested.rejects == [
        Reject("pump/bomb.docx", "larger than 50 MB when unpacked (ingest.reading.unpacked_mb)"),
        Reject("pump/deep.html", "markup nested too deeply"),
        Reject("pump/laughs.docx", "corrupt DOCX"),
        Reject("pump/line.txt", "larger than 5 MB (ingest.reading.text_mb)"),
        Reject("pump/package.xlsx", "corrupt XLSX"),
    ]
    read_files = {passage.extra["file"]: None for passage in ingested.dataset.corpus.values()}
    assert list(read_files) == ["pump/a.md", "pump/digits.txt", "pump/list.html", "pump/z.md"]


def test_progress_names_the_file_that_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(file_reader, "_EVERY", 0.01)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    _file(tmp_path, "pump/manual.txt", SLOW[:100_000])

    read(tmp_path, PARAMS)

    shown = capsys.readouterr().err
    assert "reading:" in shown
    assert ", pump/manual.txt]" in shown
