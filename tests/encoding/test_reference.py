"""The whole chain of reading, encoding, ranking and scoring against known figures of two public test collections.

The collections are no part of this repo: the tests need them in ../shared/data/retrieval.
"""

from pathlib import Path

import numpy as np
import pytest

from domain_embeddings.core.beir_files import read_dataset
from domain_embeddings.core.dataset import Dataset, Run
from domain_embeddings.core.lexical import BM25
from domain_embeddings.core.metrics import ndcg
from domain_embeddings.core.ranking import Scores, rank
from domain_embeddings.encoding import late
from domain_embeddings.encoding.encoder import Model, encode
from domain_embeddings.encoding.roles import Role
from scripts.dependencies import ROOT

COLLECTIONS = ROOT.parent / "shared/data/retrieval"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not COLLECTIONS.is_dir(), reason="no ../shared/data/retrieval beside the repo"),
]


def _read(name: str) -> tuple[Dataset, list[str], list[str]]:
    """The collection, its passages' texts, its test questions' texts."""
    dataset = read_dataset(Path(COLLECTIONS / name))
    return dataset, [p.content for p in dataset.corpus.values()], [q.text for q in dataset.judged("test").values()]


def _mean_ndcg(dataset: Dataset, run: Run) -> float:
    return float(np.mean([ndcg(list(found), dataset.qrels["test"][query], 10) for query, found in run.items()]))


@pytest.mark.parametrize(("name", "expected"), [("emanual", 0.591), ("cranfield", 0.485)])
def test_bm25(name: str, expected: float) -> None:
    dataset, texts, asked = _read(name)
    bm25 = BM25(texts)

    run = rank(list(dataset.judged("test")), list(dataset.corpus), lambda rows: bm25.scores(asked[rows]), 10)

    assert _mean_ndcg(dataset, run) == pytest.approx(expected, abs=0.003)


def test_base_model(base: Model) -> None:
    dataset, texts, asked = _read("cranfield")
    passages, queries = encode(base, texts, Role.PASSAGE), encode(base, asked, Role.PASSAGE)

    run = rank(list(dataset.judged("test")), list(dataset.corpus), lambda rows: queries[rows] @ passages.T, 10)

    assert _mean_ndcg(dataset, run) == pytest.approx(0.477, abs=0.003)


def test_base_model_with_and_without_late_interaction(base: Model) -> None:
    dataset, texts, asked = _read("emanual")
    found = late.score(base, texts, asked)

    def single(rows: slice) -> Scores:
        scores: Scores = found.questions[rows] @ found.passages.T
        return scores

    plain, late_run = (
        rank(list(dataset.judged("test")), list(dataset.corpus), scores, 10)
        for scores in (single, found.late.__getitem__)
    )

    assert _mean_ndcg(dataset, plain) == pytest.approx(0.507, abs=0.003)
    assert _mean_ndcg(dataset, late_run) == pytest.approx(0.704, abs=0.005)
