"""How well documents are read: the figures, and what is true of a file."""

import gzip
import tarfile
from pathlib import Path

import pytest

from benchmarks.reading import (
    PARTS,
    Figures,
    Reading,
    better_peers,
    heading_key,
    measured,
    of_markdown,
    of_markup,
    of_several,
    of_word,
    part_of,
    reads_as_prose,
    recall_and_extra,
    same_order,
    words,
)
from scripts.fetch_documents import kept_name, unpack, wanted
from tests.ingest import documents


def test_words_broken_at_a_line_end_are_one() -> None:
    assert words("The ter-\nminal of a three-way\nvalve, \ufb01rst") == [
        "the", "terminal", "of", "a", "three", "way", "valve", "first",
    ]  # fmt: skip


def test_recall_is_of_the_content_and_extra_beside_the_whole_file() -> None:
    assert recall_and_extra("a pump Page", "a red pump", "a red pump page 7") == (2 / 3, 0.0)
    assert recall_and_extra("a red pump pump", "a red pump", "a red pump") == (1.0, 1 / 4)
    assert recall_and_extra("con figuration", "configuration", "configuration") == (1.0, 0.0)


def test_order_is_the_longest_sequence_of_phrases() -> None:
    text = "one two three four five six seven eight nine ten"
    assert same_order(text, text) == 1.0
    swapped = "six seven eight nine ten one two three four five"
    assert same_order(swapped, text) == 1 / 2  # the two halves are the phrases of both
    assert same_order("one two", text) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A.1.2 Unix", "Unix"),
        ("Chapter 3: Configuration", "Configuration"),
        ("Appendix A Parts", "A Parts"),
        ("21.3 A Note on Memory", "A Note on Memory"),
        ("IV. Faults", "Faults"),
    ],
)
def test_headings_are_compared_without_numbers(one: str, other: str) -> None:
    assert heading_key(one) == heading_key(other)


def test_headings_found_and_false_and_rows() -> None:
    true = Reading("Brakes Bleeding x 1 y 2", ["Brakes", "Bleeding"], [("x", "1"), ("y", "2")])
    read = Reading("Brakes x 1", ["1 Brakes", "x"], [("x", "1")])
    figures = measured(read, true)
    assert (figures.headings, figures.false, figures.rows) == (1 / 2, 1 / 2, 1 / 2)


def test_rows_that_go_on_as_sentences_do() -> None:
    assert reads_as_prose(("the controller starts the pump", "when the float is up"))
    assert not reads_as_prose(("Oil", "SAE 80 for the gearbox of this machine only"))


def test_content_of_a_page() -> None:
    page = of_markup(
        "<title>T</title><body><nav><p>Home</p></nav><h1>Pump<a class=headerlink href=#>\u00b6</a></h1>"
        "<p>Drain <b>it</b>now.</p><p><a href=x>Next</a></p>"
        "<table><tr><th>Item<th>Value<tr><td>Oil<td>2 l</table>"
    )
    assert page.headings == ["Pump"]
    assert page.rows == [("Item", "Value"), ("Oil", "2 l")]
    assert words(page.text) == ["pump", "drain", "itnow", "item", "value", "oil", "2", "l"]
    assert "Home" in page.whole


def test_content_of_markdown_and_word(tmp_path: Path) -> None:
    assert of_markdown("# Pump\n\n| a | b |\n|---|---|\n| 1 | 2 |\n").rows == [("a", "b"), ("1", "2")]
    path = tmp_path / "a.docx"
    path.write_bytes(documents.word_document())
    assert of_word(path).headings
    assert words(of_word(path).text)


def test_median_and_worst_and_where_a_peer_is_better() -> None:
    one, two = Figures(1.0, 0.0, 1.0, 0.5, 0.1, None, 0.0), Figures(0.8, 0.2, 1.0, 1.0, 0.0, None, 4.0)
    assert of_several([one, two], worst=True) == Figures(0.8, 0.2, 1.0, 0.5, 0.1, None, 4.0)
    assert of_several([one, two], worst=False) == Figures(0.9, 0.1, 1.0, 0.75, 0.05, None, 2.0)
    assert better_peers("f", {"ours": one, "pandoc": two}) == [
        "f: headings 0.500, pandoc 1.000",
        "f: false 0.100, pandoc 0.000",
    ]


def test_the_list_of_files_and_their_parts(tmp_path: Path) -> None:
    names = [kept_name(package, path) for (_, package), paths in wanted().items() for path in paths]
    assert len(set(names)) == len(names) >= 40
    assert all(sum(part_of(name) == part for name in names) * 3 >= len(names) for part in PARTS)


def test_files_of_an_archive(tmp_path: Path) -> None:
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"text"))
    with tarfile.open(tmp_path / "files.tar", "w") as tar:
        tar.add(tmp_path / "a.txt.gz", "./usr/a.txt.gz")
    assert unpack(tmp_path / "files.tar", "x==1.0", ["usr/a.txt.gz", "usr/b"], tmp_path) == ["usr/b"]
    assert (tmp_path / "x--a.txt").read_bytes() == b"text"
