"""The texts that a packaged model is recognized by."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from domain_embeddings.core.errors import IntegrityError
from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding.roles import Role
from domain_embeddings.packaging.backends import TorchEncoder
from domain_embeddings.packaging.probe import PROBE, TEXTS, Probe, read_probe, write_probe
from tests.packaged import NAME


class Pointing:
    """Encodes every text as the vector at an angle to the x axis."""

    def __init__(self, *degrees: float) -> None:
        self.turns = np.radians(degrees)

    def encode(self, texts: Sequence[str], role: Role) -> Scores:
        assert role is Role.PASSAGE
        turns = self.turns[: len(texts)]
        self.turns = self.turns[len(texts) :]
        return np.stack([np.cos(turns), np.sin(turns)], axis=1).astype(np.float32)


ALONG_X = Probe(["a", "b", "c"], np.array([[1, 0]] * 3, dtype=np.float32))


def test_every_text_must_come_out_near_enough() -> None:
    # cos 8° = 0.9903, cos 9° = 0.9877
    assert ALONG_X.problem(Pointing(0, 8, 8)) is None
    for degrees in ((9, 0, 0), (0, 0, 9)):
        assert ALONG_X.problem(Pointing(*degrees)) == "a cosine of 0.988 to the packaged vectors, 0.99 is asked for"


def test_vectors_of_another_width_are_others() -> None:
    wide = Probe(["a", "b"], np.ones((2, 3), dtype=np.float32))

    assert wide.problem(Pointing(0, 0)) == "vectors of 2 numbers, packaged are 3"


def test_what_is_written_is_read(tmp_path: Path) -> None:
    vectors = np.tile(np.array([[0.6, -0.8, 0.0004]], dtype=np.float32), (len(TEXTS), 1))

    write_probe(tmp_path, vectors)

    found = read_probe(tmp_path)
    assert found is not None
    assert tuple(found.texts) == TEXTS
    assert np.array_equal(found.vectors, np.round(vectors, 3))
    assert (tmp_path / PROBE).read_bytes().count(b"\n") == 1


def test_the_model_gives_its_own_vectors(models: Path, base_folder: Path) -> None:
    probe = read_probe(models / NAME)
    encoder = TorchEncoder(base_folder, 256, "cpu", torch.float32)

    assert probe is not None
    assert probe.problem(encoder) is None
    assert len(encoder.pieces(probe.texts[-1], Role.PASSAGE)) == 256
    assert max(len(encoder.pieces(text, Role.PASSAGE)) for text in probe.texts[:-1]) < 40


def test_a_model_without_it_has_none(base_folder: Path) -> None:
    assert read_probe(base_folder) is None


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"texts": ["a"], "vectors": [[1]]}', '{"texts": ["a", "b"], "vectors": [[1]]}',
     '{"texts": ["a", "b"], "vectors": [1, 2]}', '{"texts": ["a", "b"], "vectors": [[1], ["x"]]}'],
)  # fmt: skip
def test_what_is_no_probe_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / PROBE).write_text(content)

    with pytest.raises(IntegrityError, match=r"probe\.json: (is no probe|has not one vector)"):
        read_probe(tmp_path)


def test_the_texts_are_of_no_corpus() -> None:
    raw = Path(__file__).parent.parent / "data/raw"
    everything = "\n".join(path.read_text(encoding="utf-8") for path in raw.rglob("*.md"))

    assert not [text for text in TEXTS[1:-1] if text in everything]
