"""The hash chain: whatever is done to a line shows, and writers do not get into each other's way."""

import hashlib
import json
import multiprocessing
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from domain_embeddings.anomaly.query_log import GENESIS, KEY, ChainError, append, check, key_of, query_hash
from domain_embeddings.core.errors import DataError


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Five lines, written in two calls."""
    path = tmp_path / "log.jsonl"
    append(path, [{"score": 0.25}, {"score": 0.5}])
    append(path, [{"score": score, "decision": "flagged"} for score in (0.75, 1.0, 1.25)])
    return path


def test_a_line_by_hand(tmp_path: Path) -> None:
    append(tmp_path / "log", [{"b": 1, "a": "é"}])

    body = '{"a":"\\u00e9","b":1,"n":1,"previous":"' + GENESIS + '"}'
    digest = hashlib.sha256(body.encode()).hexdigest()
    assert json.loads((tmp_path / "log").read_text()) == {**json.loads(body), "hash": digest}
    assert check(tmp_path / "log") == (1, digest)


def test_a_log_as_it_was_written(log: Path, tmp_path: Path) -> None:
    number, last = check(log)

    assert number == 5
    assert last == json.loads(log.read_text().splitlines()[-1])["hash"]
    (tmp_path / "empty").touch()
    assert check(tmp_path / "empty") == (0, GENESIS)


CHANGES: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "edited": (lambda lines: [*lines[:2], lines[2].replace("0.75", "0.05"), *lines[3:]], ":3: was changed"),
    "removed": (lambda lines: lines[:1] + lines[2:], ":2: is numbered 3"),
    "removed at the start": (lambda lines: lines[1:], ":1: is numbered 2"),
    "doubled": (lambda lines: [*lines[:2], *lines[1:]], ":3: is numbered 2"),
    "swapped": (lambda lines: [lines[1], lines[0], *lines[2:]], ":1: is numbered 2"),
    "spaced": (lambda lines: [lines[0].replace(",", ", "), *lines[1:]], ":1: a line is not as it was written"),
    "cut": (lambda lines: [*lines[:4], lines[4][:20]], ":5: a line is not as it was written"),
    "blank line": (lambda lines: [*lines[:3], "\n", *lines[3:]], ":4: a line is not as it was written"),
    "nested deep": (lambda lines: ["[" * 100_000 + "\n", *lines[1:]], ":1: a line is not as it was written"),
    "no object": (lambda lines: ["[]\n", *lines[1:]], ":1: a line is not as it was written"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_shows(log: Path, change: str) -> None:
    edit, said = CHANGES[change]
    log.write_text("".join(edit(log.read_text().splitlines(keepends=True))))

    with pytest.raises(ChainError) as error:
        check(log)

    assert said in str(error.value)


def test_an_edit_with_a_new_hash_shows_in_the_next_line(log: Path) -> None:
    lines = log.read_text().splitlines(keepends=True)
    row = json.loads(lines[1])
    body = {**{key: value for key, value in row.items() if key != "hash"}, "score": 0.0}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    sealed = {**body, "hash": hashlib.sha256(text.encode()).hexdigest()}
    lines[1] = json.dumps(sealed, sort_keys=True, separators=(",", ":")) + "\n"
    log.write_text("".join(lines))

    with pytest.raises(ChainError, match=":3: follows "):
        check(log)


def test_lines_cut_off_show_against_a_head_kept_elsewhere(log: Path) -> None:
    _, head = check(log)
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(lines[:3]))

    assert check(log)[0] == 3
    with pytest.raises(ChainError, match=f"no line has the hash {head}"):
        check(log, head)


def test_an_older_head_is_in_a_log_that_went_on(log: Path) -> None:
    _, head = check(log)
    append(log, [{"score": 2.0}])

    assert check(log, head)[0] == 6
    assert check(log, GENESIS)[0] == 6


@pytest.mark.parametrize("left", [1, 30, 200])
def test_a_half_line_moves_aside_and_the_chain_goes_on(log: Path, left: int) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    half = (lines[4] * 40)[:left].replace(b"\n", b" ")
    log.write_bytes(b"".join(lines[:4]) + half)

    append(log, [{"score": 1.0}])

    assert check(log)[0] == 5
    assert log.read_bytes().startswith(b"".join(lines[:4]))
    assert log.with_name("log.jsonl.torn").read_bytes() == half + b"\n"


def test_a_log_of_half_a_line_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"x" * 10_000)

    append(tmp_path / "log", [{"score": 1.0}])

    assert check(tmp_path / "log")[0] == 1
    assert (tmp_path / "log.torn").read_bytes() == b"x" * 10_000 + b"\n"


def test_nothing_is_added_behind_a_line_that_was_edited(log: Path) -> None:
    log.write_text(log.read_text()[:-10] + "\n")
    before = log.read_bytes()

    with pytest.raises(ChainError, match="a line is not as it was written"):
        append(log, [{"score": 1.0}])
    assert log.read_bytes() == before


def test_log_and_key_are_their_owners_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY, raising=False)
    before = os.umask(0)
    try:
        append(tmp_path / "log", [{"score": 1.0}])
        key_of(tmp_path / "log")
    finally:
        os.umask(before)

    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {"log": 0o600, "log.key": 0o600}


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_is_no_plain_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "log"
    (tmp_path / "target").write_bytes(b"")
    if kind == "link":
        path.symlink_to(tmp_path / "target")
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)

    with pytest.raises(DataError, match=rf"^{re.escape(str(path))}: (cannot be written|is no plain file)"):
        append(path, [{"score": 1.0}])

    assert (tmp_path / "target").read_bytes() == b""


def test_nothing_is_added_behind_a_changed_line(log: Path) -> None:
    log.write_text(log.read_text().replace("1.25", "0.25"))

    with pytest.raises(ChainError, match="the last line was changed"):
        append(log, [{"score": 1.0}])


def test_what_is_no_json_is_refused_whole(log: Path) -> None:
    before = log.read_bytes()

    with pytest.raises(ValueError, match="JSON compliant"):
        append(log, [{"score": 1.0}, {"score": float("nan")}])
    assert log.read_bytes() == before


def test_long_lines_are_read_from_the_end(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, [{"text": "x" * 10_000}])
    append(path, [{"text": "y" * 10_000}])

    assert check(path)[0] == 2


def _write(path: Path, name: str) -> None:
    for number in range(25):
        append(path, [{"writer": name, "number": number}, {"writer": name, "number": number}])


@pytest.mark.timeout(60)
def test_threads_and_processes_write_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "log"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write, args=(path, f"process {i}")) for i in range(2)]
    for worker in workers:
        worker.start()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: _write(path, f"thread {i}"), range(4)))
    for worker in workers:
        worker.join()

    assert [worker.exitcode for worker in workers] == [0, 0]
    assert check(path)[0] == 6 * 50
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for name in {row["writer"] for row in rows}:
        assert [row["number"] for row in rows if row["writer"] == name] == [i for i in range(25) for _ in range(2)]


def test_a_query_is_its_hash() -> None:
    # The second test case of RFC 4231.
    assert (
        query_hash("what do ya want for nothing?", b"Jefe")
        == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
    assert len(query_hash("\ud800", b"key")) == 64


def test_the_key_is_the_environments_or_a_random_one_that_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY, raising=False)
    own = key_of(tmp_path / "log")

    assert len(own) == 64
    assert key_of(tmp_path / "log") == own != key_of(tmp_path / "other")
    monkeypatch.setenv(KEY, "given")
    assert key_of(tmp_path / "third") == b"given"
    assert not (tmp_path / "third.key").exists()
