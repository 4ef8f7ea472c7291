"""The walk over a corpus's folder: every file once, and whatever is none named with its reason."""

import os
import socket
from pathlib import Path

import pytest

from domain_embeddings.core.dataset import Reject
from domain_embeddings.core.errors import DataError
from domain_embeddings.ingest.walk import not_taken, shown, walk


def _files(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def test_files_are_sorted_by_their_whole_names(tmp_path: Path) -> None:
    walked = walk(_files(tmp_path, "b/c.md", "b.md", "b/a/z.md", "a.md"))

    assert list(walked.files) == ["a.md", "b.md", "b/a/z.md", "b/c.md"]
    assert walked.files["b/c.md"] == tmp_path / "b/c.md"
    assert walked.rejects == []


def test_a_hidden_folder_is_named_once(tmp_path: Path) -> None:
    walked = walk(_files(tmp_path, ".git/a", ".git/b/c", "m/.DS_Store", "m/a.md"))

    assert list(walked.files) == ["m/a.md"]
    assert [reject.place for reject in walked.rejects] == [".git", "m/.DS_Store"]


def test_links_are_followed_within_the_folder_alone(tmp_path: Path) -> None:
    inside, outside = (
        _files(tmp_path / "in", "m/a.md", ".store/d/b.md", ".store/c.md"),
        _files(tmp_path / "out", "x.md"),
    )
    (inside / "m/again.md").symlink_to("a.md")
    (inside / "m/file.md").symlink_to("../.store/c.md")
    (inside / "m/kept").symlink_to("../.store/d")
    (inside / "m/outer.md").symlink_to(outside / "x.md")
    (inside / "outer").symlink_to(outside)
    (inside / "passwords.txt").symlink_to("/etc/passwd")
    (inside / "dead.md").symlink_to("nowhere")

    walked = walk(inside)

    assert list(walked.files) == ["m/a.md", "m/file.md", "m/kept/b.md"]
    assert walked.rejects == [
        Reject(".store", "hidden: its name begins with a dot"),
        Reject("dead.md", "a link that leads nowhere"),
        Reject("m/again.md", "a link to a file that is read at its own place"),
        Reject("m/outer.md", "a link that leads out of the folder"),
        Reject("outer", "a link that leads out of the folder"),
        Reject("passwords.txt", "a link that leads out of the folder"),
    ]


def test_a_sibling_whose_name_begins_alike_is_outside(tmp_path: Path) -> None:
    inside, _ = _files(tmp_path / "in", "a.md"), _files(tmp_path / "in2", "x.md")
    (inside / "x.md").symlink_to("../in2/x.md")

    assert list(walk(inside).files) == ["a.md"]


def test_loops_end_and_every_folder_is_read_once(tmp_path: Path) -> None:
    folder = _files(tmp_path, "a/b/c.md")
    (folder / "a/up").symlink_to("..")
    (folder / "a/itself").symlink_to("itself")
    (folder / "again").symlink_to("a/b")
    for name in ("one", "two"):
        (folder / f"a/b/{name}").symlink_to("../../a")

    walked = walk(folder)

    assert list(walked.files) == ["a/b/c.md"]
    again = "a link to a folder that is read at its own place"
    assert walked.rejects == [
        Reject("a/b/one", again),
        Reject("a/b/two", again),
        Reject("a/itself", "a link that leads nowhere"),
        Reject("a/up", again),
        Reject("again", again),
    ]


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    _files(tmp_path / "real", "a.md")
    (tmp_path / "link").symlink_to("real")

    assert list(walk(tmp_path / "link").files) == ["a.md"]


def test_pipes_sockets_and_devices_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "null.md").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(tmp_path)  # the path of a socket may not be long
        server.bind("socket.md")
        os.chdir(here)

        assert walk(tmp_path).rejects == [
            Reject("null.md", "a link that leads out of the folder"),
            Reject("pipe.md", "a pipe"),
            Reject("socket.md", "a socket"),
        ]


def test_names_that_cannot_be_written_are_escaped(tmp_path: Path) -> None:
    for name in (b"gr\xe9.md", b"bell\x07.md", b"two\nlines.md", "Käse 1°.md".encode(), b"back\\slash.md"):
        Path(os.fsdecode(bytes(tmp_path) + b"/" + name)).write_text("a")

    walked = walk(tmp_path)

    assert list(walked.files) == ["Käse 1°.md", "back\\slash.md"]
    reason = "its name is not UTF-8, or has signs that cannot be printed"
    assert walked.rejects == [Reject(name, reason) for name in ("bell\\x07.md", "gr\\xe9.md", "two\\nlines.md")]


def test_shown_names_are_printable() -> None:
    assert [shown(name) for name in ("a b", "\udcff", "a\u202eb", "\t")] == ["a b", "\\xff", "a\\u202eb", "\\t"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_opened_is_named(tmp_path: Path) -> None:
    _files(tmp_path, "m/a.md", "n/b.md")
    (tmp_path / "m").chmod(0)

    walked = walk(tmp_path)
    (tmp_path / "m").chmod(0o700)

    assert (list(walked.files), walked.rejects) == (["n/b.md"], [Reject("m", "cannot be opened: Permission denied")])


def test_folders_deeper_than_a_path_can_say_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.md").write_text("a")
    for _ in range(30):
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
    monkeypatch.chdir(tmp_path)

    walked = walk(tmp_path)

    assert list(walked.files) == ["a.md"]
    assert [reject.reason for reject in walked.rejects] == ["cannot be opened: File name too long"]


def test_what_is_no_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.md: not a folder"):
        walk(_files(tmp_path, "a.md") / "a.md")
    with pytest.raises(DataError, match="nowhere: folder not found"):
        walk(tmp_path / "nowhere")


def test_what_is_not_taken_is_named_a_folder_of_it_once(tmp_path: Path) -> None:
    names = ("corpus.jsonl", "qrels/test.tsv", "qrels/odd.tsv", "README.md", "pictures/a.png", "pictures/b/c.png", ".x")
    walked = walk(_files(tmp_path, *names, "aliases.json", "synonyms.txt", "dev_log.jsonl"))

    assert not_taken(walked, ["corpus.jsonl", "qrels/test.tsv"], "not read") == [
        Reject(".x", "hidden: its name begins with a dot"),
        Reject("README.md", "not read"),
        Reject("pictures/", "not read"),
        Reject("qrels/odd.tsv", "not read"),
    ]
