"""What docs/adding.md promises of arms, systems, metrics, readers and detectors: a module, and its entry somewhere."""

import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Self

import numpy as np
import pandas as pd
import pytest

from domain_embeddings.anomaly.detectors import DETECTORS
from domain_embeddings.anomaly.detectors.detector import Detector
from domain_embeddings.anomaly.detectors.detector_choice import class_of
from domain_embeddings.anomaly.fitting import separate
from domain_embeddings.commands.check_params import unknown_detector
from domain_embeddings.core.dataset import Passage, Query
from domain_embeddings.core.metrics import METRICS, recall
from domain_embeddings.core.ranking import Scores
from domain_embeddings.evaluation.arms import Encoded, rankings, rows
from domain_embeddings.evaluation.choice import Offered
from domain_embeddings.evaluation.result_tables import arm_table
from domain_embeddings.ingest.formats.blocks import Block, BlockKind, Document, located
from domain_embeddings.ingest.formats.readers import READERS, read_document
from domain_embeddings.params.evaluate import EvaluateParams
from domain_embeddings.params.gate import GateParams
from domain_embeddings.params.search import SearchParams
from domain_embeddings.params.whole import Params
from domain_embeddings.systems.system import System, family
from tests.knobs import all_params, knobs

PASSAGES = {"a": Passage("a", "", "bleed the brakes"), "b": Passage("b", "", "grease the mast")}
QUERIES = {"q": Query("q", "brakes")}


def test_an_arm() -> None:
    def dummy(passages: object, queries: object) -> Encoded:
        return Encoded(np.eye(2, dtype=np.float32), np.array([[0, 1]], dtype=np.float32))

    runs = rankings(PASSAGES, QUERIES, {"dummy": dummy}, family(False, SearchParams()), 10).runs
    table = arm_table(pd.DataFrame(rows(runs, {"q": {"a": 1}})))

    assert list(runs["dummy"]["q"]) == ["b", "a"]
    assert table["dummy"]["recall@1"] == 0.0


def test_a_search_system() -> None:
    """A line of the family: it is measured, and it may be chosen."""
    added = System(name="hybrid_scores_base", model="base", dense=0.6, bm25=0.4)
    systems = [*family(False, SearchParams()), added]

    def pointing(passages: object, queries: object) -> Encoded:
        return Encoded(np.eye(2, dtype=np.float32), np.array([[0, 1]], dtype=np.float32))

    runs = rankings(PASSAGES, QUERIES, {"base": pointing}, systems, 10).runs

    assert runs["hybrid_scores_base"]["q"] == pytest.approx({"b": 0.6, "a": 0.4})
    assert Offered(systems, dict.fromkeys((each.name for each in systems), 0), None, True).allowed()[-1] == added
    with pytest.raises(ValueError, match="no baseline may be named 'hybrid_scores_base'"):
        knobs("evaluate", EvaluateParams, baselines={added.name: {"kind": "folder", "path": "x"}})


def test_a_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METRICS, "recall@2", lambda ranking, grades: recall(ranking, grades, 2))
    runs = {"bm25": {"q": {"b": 2.0, "a": 1.0}}}

    table = arm_table(pd.DataFrame(rows(runs, {"q": {"a": 1}})))

    assert (table["bm25"]["recall@1"], table["bm25"]["recall@2"]) == (0.0, 1.0)
    assert knobs("gate", GateParams, tolerance={"recall@2": 0.1}).tolerance == {"recall@2": 0.1}


def test_a_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_log(data: bytes, name: str) -> Document:
        text, blocks = located(Block(BlockKind.PARAGRAPH, line) for line in data.decode().splitlines())
        return Document(name, text, blocks)

    monkeypatch.setitem(READERS, ".log", read_log)
    (tmp_path / "pump.log").write_text("started\nstopped\n")

    assert [block.text for block in read_document(tmp_path / "pump.log").blocks] == ["started", "stopped"]


@dataclass(frozen=True)
class Longest(Detector):
    """Scores a query by its largest number."""

    none: Scores

    @classmethod
    def fit(cls, normal: Scores, known: Scores, seed: int) -> Self:
        return cls(normal[:0])

    def score(self, queries: Scores) -> Scores:
        largest: Scores = queries.max(axis=1)
        return largest


def test_a_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("domain_embeddings.anomaly.detectors.longest")
    module.Longest = Longest  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(DETECTORS, "longest", "longest.Longest")
    asked = Params.model_validate({**all_params(), "anomaly": {**all_params()["anomaly"], "detector": "longest"}})
    odd: Scores = np.eye(4, dtype=np.float32)
    normal: Scores = odd * np.float32(0.5)

    fitted = {"longest": class_of("longest").fit(normal, odd[:0], 1)}

    assert list(unknown_detector(asked)) == []
    assert separate(fitted, {"plain": normal}, {"odd": odd}) == {"longest": 1.0}
