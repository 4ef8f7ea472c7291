"""Every reader: files that cannot be read say why, and no bytes are a fault.

FUZZ=100 pytest tests/ingest/test_readers.py -k fuzz    # a hundred times as many examples, others at each run
"""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain_embeddings.ingest.formats.blocks import Block, UnreadableError
from domain_embeddings.ingest.formats.plain.plain_reader import read_plain
from domain_embeddings.ingest.formats.readers import READERS, read_document
from domain_embeddings.ingest.sections import pieces_of
from tests.ingest import documents


def _write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.txt", b"  \n", "empty file"),
        ("a.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xd8", "not text in a known encoding"),
        ("a.md", "привет".encode("cp1251"), "not text in a known encoding"),
        ("a.xls", b"x", "unsupported format .xls"),
        ("README", b"x", "unsupported format (no extension)"),
        ("a.md", b"---\ntitle: x\n---\n", "no text in it"),
        ("a.html", b"<nav>Menu</nav>", "no text in it"),
        ("a.pdf", b"%PDF-1.4 rubbish", "corrupt PDF"),
        ("a.pdf", documents.scanned_pdf(), "scanned: pages without text"),
        ("a.pdf", documents.drawn_pdf(lambda c: c.drawString(50, 700, "Secret"), "word"), "encrypted"),
        ("a.docx", b"PK\x03\x04 rubbish", "corrupt DOCX"),
        ("a.docx", documents.word_document()[:4000], "corrupt DOCX"),
        ("a.docx", b"\xd0\xcf\x11\xe0 old", "encrypted or in the old binary Word format"),
    ],
)
def test_unreadable_files_say_why(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_document(_write(tmp_path, name, data))
    assert str(caught.value) == reason


def _blocks(suffix: str, data: bytes) -> list[Block]:
    """A file's blocks; none if it is unreadable. Any other error is a fault of the reader."""
    try:
        return READERS[suffix](data, "name").blocks
    except UnreadableError:
        return []


FUZZ = int(os.environ.get("FUZZ", "1"))
SIGNS = (
    "\n", "\n\n", "\t", "\f", " ", "    ", "#", "## ", "- ", "1. ", "* ", "> ", "|", "|-|", "---", "===", "```",
    "~~~", "!!! note\n", ":::", "{% ", "%}", "[", "](", "]: ", "<", "</", ">", "<div>", "<table>", "<tr>", "<td>",
    "<li>", "<h2>", "<ol start=", "<pre>", "<!--", "-->", "&#", "&amp;", ";", '"', "'", "=", "\\", "\u2028", "\u202e",
    "\ufeff", "\u0301", "\u2502", "page ", "Contents", "e.g. ", "1.2 ", "IV", "9" * 20, "\u0663", "Oil ",
    "the pump. ", "CAUTION: ", "\x08", "\x1b[1m",
)  # fmt: skip


@settings(
    deadline=None,
    max_examples=60 * FUZZ,
    derandomize=FUZZ == 1,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.lists(st.sampled_from(SIGNS) | st.text(max_size=5), max_size=80), st.sampled_from([".txt", ".md", ".html"]))
def test_fuzzed_markup_is_pieces_or_unreadable(parts: list[str], suffix: str) -> None:
    data = "".join(parts).encode("utf-8", "surrogatepass")
    try:
        found, _ = pieces_of(READERS[suffix](data, "name"), 10, 200)
    except UnreadableError:
        return
    assert all(piece.text.strip() and len(piece.text) <= 200 for piece in found)


@settings(deadline=None, max_examples=100 * FUZZ)
@given(st.binary(max_size=400), st.sampled_from(sorted(READERS)))
def test_fuzzed_bytes_are_a_document_or_unreadable(data: bytes, suffix: str) -> None:
    assert all(block.text.strip() for block in _blocks(suffix, data))


@settings(deadline=None, max_examples=25 * FUZZ)
@given(st.integers(0, 40000), st.binary(min_size=1, max_size=30), st.sampled_from([".pdf", ".docx"]))
def test_fuzzed_damage_is_a_document_or_unreadable(place: int, damage: bytes, suffix: str) -> None:
    data = DAMAGED[suffix]
    place %= len(data)
    damaged = data[:place] + damage + data[place + len(damage) :]
    assert all(block.text.strip() for block in _blocks(suffix, damaged))


DAMAGED = {".pdf": documents.flowing_pdf([documents.prose(documents.FILLER)]), ".docx": documents.word_document()}


@settings(deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from("\n\t\f#*-=|. "), max_size=300),
    st.sampled_from([".txt", ".md", ".html"]),
)
def test_any_text_is_a_document(text: str, suffix: str) -> None:
    document = READERS[suffix](text.encode("utf-8"), "name")
    assert all(0 <= block.start <= block.end <= len(document.text) for block in document.blocks)
    assert all(block.text.strip() for block in document.blocks)


@given(
    st.lists(st.sampled_from(["oil", "pump", "valve", "the", "filter", "drains", "slowly"]), min_size=2, max_size=60),
    st.integers(20, 70),
)
def test_wrapped_prose_comes_back_whole(words: list[str], width: int) -> None:
    import textwrap

    paragraph = "The " + " ".join(words) + " ends here."
    text = "FIRST HEADING\n\n" + textwrap.fill(paragraph, width) + "\n\nSECOND HEADING\n\nShort.\n"
    assert f"paragraph: {paragraph}" in documents.shown(read_plain(text, "x"))
