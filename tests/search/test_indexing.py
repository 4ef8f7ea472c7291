"""Filling collections: what is encoded, what survives, and what the sparse weights assume."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain_embeddings.core.dataset import Passage
from domain_embeddings.core.lexical import words
from domain_embeddings.core.ranking import Scores
from domain_embeddings.search.index_protocol import ModelIdentity, Wanted, point_id, rows_of
from domain_embeddings.search.indexing import Indexed, Made, Target, fill
from domain_embeddings.search.qdrant_embedded import EmbeddedIndex
from domain_embeddings.search.sparse import query_weights
from scripts.dependencies import ROOT
from tests.searching import HYBRID, PASSAGES, in_folder

MODEL = ModelIdentity("base", "ab" * 32, 4, "torch")


class Pointing:
    """Encodes a text as a vector that depends on it alone, and counts."""

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Scores:
        self.encoded += texts
        rows = [np.random.default_rng(len(text)).normal(size=4) for text in texts]
        return np.array([row / np.linalg.norm(row) for row in rows], dtype=np.float32)


@pytest.fixture
def index(tmp_path: Path) -> EmbeddedIndex:
    return in_folder(tmp_path / "index")


def _made(encode: Callable[[Sequence[str]], Scores], model: ModelIdentity = MODEL) -> Made:
    """By a system without late interaction."""
    return Made(model, HYBRID, encode, lambda texts: (encode(texts), []), 4)


def _fill(index: EmbeddedIndex, passages: Sequence[Passage], encode: Pointing, batch_size: int = 2) -> Indexed:
    return fill([Target(index, "c")], _made(encode), passages, batch_size)


def _ids(index: EmbeddedIndex) -> set[str]:
    return {row["id"] for page in index.scan("c", ["id"]) for row in page.values()}


def test_what_is_there_is_not_encoded_again(index: EmbeddedIndex) -> None:
    encode = Pointing()

    first = _fill(index, PASSAGES[:3], encode)
    edited = replace(PASSAGES[0], text="Another text.")
    second = _fill(index, [edited, *PASSAGES[1:]], encode)

    assert (first, second) == (Indexed(3, 0, 0), Indexed(added=2, changed=1, unchanged=2))
    assert sorted(encode.encoded[3:]) == sorted([edited.content, PASSAGES[3].content, PASSAGES[4].content])
    assert _ids(index) == {"p1", "p2", "p3", "p4", "p5"}
    assert index.payloads("c", [point_id("p1")], ["text"])[point_id("p1")] == {"text": "Another text."}


@pytest.mark.parametrize("field", ["title", "domain", "type", "extra"])
def test_every_field_counts_as_a_change(index: EmbeddedIndex, field: str) -> None:
    _fill(index, PASSAGES[:1], Pointing())

    other: dict[str, Any] = {field: {"page": 1} if field == "extra" else "other"}
    changed = replace(PASSAGES[0], **other)

    assert _fill(index, [changed], Pointing()) == Indexed(0, 1, 0)


def test_an_id_names_one_passage(index: EmbeddedIndex) -> None:
    with pytest.raises(ValueError, match="1 ids stand for several passages, such as 'p1'"):
        _fill(index, [PASSAGES[0], PASSAGES[0]], Pointing())
    assert index.metadata("c") is None


def _backend(index: EmbeddedIndex) -> str:
    metadata = index.metadata("c")
    assert metadata is not None
    return metadata.model.backend


def test_vectors_of_another_backend_are_made_anew(index: EmbeddedIndex) -> None:
    _fill(index, PASSAGES, Pointing())
    other = replace(MODEL, backend="openvino")

    some = fill([Target(index, "c")], _made(Pointing(), other), PASSAGES[:2], 2)
    mixed = _backend(index)
    rest = fill([Target(index, "c")], _made(Pointing(), other), PASSAGES, 2)

    assert (some, mixed) == (Indexed(0, 2, 0), "openvino+torch")
    assert (rest, _backend(index)) == (Indexed(0, 3, 2), "openvino")


def test_a_mixture_is_declared_before_it_is_one(index: EmbeddedIndex) -> None:
    _fill(index, PASSAGES, Pointing())

    def cut_off(texts: Sequence[str]) -> Scores:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill([Target(index, "c")], _made(cut_off, replace(MODEL, backend="openvino")), PASSAGES, 2)

    assert _backend(index) == "openvino+torch"


def test_text_that_is_no_unicode_is_named(index: EmbeddedIndex) -> None:
    with pytest.raises(ValueError, match="passage 'p1' holds text that is no Unicode"):
        _fill(index, [replace(PASSAGES[0], text="half \ud800 pair")], Pointing())


def test_two_places_are_filled_with_one_encoding(index: EmbeddedIndex, tmp_path: Path) -> None:
    other, encode = in_folder(tmp_path / "other"), Pointing()
    _fill(other, PASSAGES[:2], encode)

    fill([Target(index, "c"), Target(other, "c")], _made(encode), PASSAGES, 2)

    assert _ids(index) == _ids(other)
    assert len(encode.encoded) == 2 + 5  # the first two again, for the place that had none


def test_no_passages_are_an_index_that_finds_nothing(index: EmbeddedIndex) -> None:
    assert _fill(index, [], Pointing()) == Indexed(0, 0, 0)

    metadata = index.metadata("c")
    assert metadata is not None
    assert metadata.complete
    (found,) = index.rank("c", [Wanted([1.0, 0, 0, 0], query_weights(["oil"]))], {}, 10)
    assert (found.dense, found.sparse) == ([], [])


def _sparse_scores(index: EmbeddedIndex, query: str) -> dict[str, float]:
    wanted = Wanted([1.0, 0, 0, 0], query_weights(words([query])[0]))
    return dict(index.rank("c", [wanted], {}, 10)[0].sparse)


def test_filled_in_steps_scores_as_filled_at_once(index: EmbeddedIndex, tmp_path: Path) -> None:
    at_once = in_folder(tmp_path / "other")
    _fill(at_once, PASSAGES, Pointing())

    for passage in PASSAGES:
        _fill(index, [passage], Pointing())

    metadata = index.metadata("c")
    assert metadata is not None
    assert metadata.average_length == pytest.approx(
        np.mean([len(each) for each in words([p.content for p in PASSAGES])])
    )
    for query in ("brake oil", "mast chains", "drive"):
        assert _sparse_scores(index, query) == pytest.approx(_sparse_scores(at_once, query), rel=1e-5)


def test_weights_left_half_made_are_made_anew(index: EmbeddedIndex) -> None:
    _fill(index, PASSAGES, Pointing())
    expected = _sparse_scores(index, "brake oil")
    metadata = index.metadata("c")
    assert metadata is not None
    index.reweigh("c", {point_id("p1"): query_weights(["brake"])})
    index.describe("c", replace(metadata, average_length=None))  # as a kill in between leaves it

    _fill(index, PASSAGES[:1], Pointing())

    assert _sparse_scores(index, "brake oil") == pytest.approx(expected)


KILLED = """
import sys
from pathlib import Path
from domain_embeddings.core.dataset import Passage
from domain_embeddings.search.indexing import Target, fill
from tests.searching import in_folder
from tests.search.test_indexing import Pointing, _made
index = in_folder(Path(sys.argv[1]))
passages = [Passage(f"k{i}", "", "word " * (i % 40 + 1)) for i in range(5000)]
put = index.put
def telling(collection, entries):
    put(collection, entries)
    print(" ".join(entry.payload["id"] for entry in entries), flush=True)
index.put = telling
fill([Target(index, "c")], _made(Pointing()), passages, 8)
"""


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_kill_9_loses_nothing_that_was_acknowledged(index: EmbeddedIndex, tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path / "index")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        assert child.stdout is not None
        acknowledged = {each for _ in range(20) for each in child.stdout.readline().split()}
        child.kill()

    assert len(acknowledged) == 160
    assert acknowledged <= _ids(index)
    (vector,) = rows_of(Pointing()([Passage("k0", "", "word ").content]))  # that of k40, k80, … too
    assert index.similarities("c", vector, [point_id("k0"), point_id("k120")]) == pytest.approx(
        {point_id("k0"): 1.0, point_id("k120"): 1.0}
    )
    metadata = index.metadata("c")
    assert metadata is not None
    assert not metadata.complete
    stored, encode = len(_ids(index)), Pointing()
    passages = [Passage(f"k{i}", "", "word " * (i % 40 + 1)) for i in range(5000)]

    assert _fill(index, passages, encode, 500) == Indexed(added=5000 - stored, changed=0, unchanged=stored)

    assert (len(encode.encoded), len(_ids(index))) == (5000 - stored, 5000)
