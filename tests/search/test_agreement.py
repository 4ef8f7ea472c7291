"""Search finds what the evaluation measured: its hybrid arm, on the sample corpora's dev questions, but for ties."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from domain_embeddings.core.dataset import Dataset
from domain_embeddings.core.lexical import words
from domain_embeddings.evaluation.arms import UNCHOSEN, Encoded, rankings
from domain_embeddings.params.ingest import IngestParams
from domain_embeddings.params.search import LateWeights, SearchParams
from domain_embeddings.search.index_protocol import Hit, Wanted, point_id, rows_of
from domain_embeddings.search.sparse import query_weights
from scripts.dependencies import ROOT
from stages.ingest import ADAPTERS
from tests.knobs import all_params, knobs
from tests.searching import in_folder, searching

pytestmark = pytest.mark.slow

PASSAGES = 110
"""So many of each corpus are enough to fill both rankings, and are soon encoded."""
CLOSE = 1e-5


def test_searches_settings_are_the_evaluations() -> None:
    search = knobs("search", SearchParams)

    assert search == SearchParams()  # code without a params.yaml searches as this one
    assert search.weights.dense == search.weights.sparse == 1
    assert tuple(LateWeights().model_dump().values()) == UNCHOSEN


def _dataset(corpus: str) -> Dataset:
    entry = all_params()["corpora"][corpus]
    return ADAPTERS[entry["kind"]](ROOT / entry["path"], knobs("ingest", IngestParams)).dataset


def _check_but_for_ties(found: Sequence[Hit], expected: Mapping[str, float]) -> None:
    """A ranking is `expected`, with equals in any order: place by place the same score, and each point has its own."""
    scores, own = list(expected.values()), {point_id(passage): score for passage, score in expected.items()}
    assert [score for _, score in found] == pytest.approx(scores, rel=CLOSE, abs=CLOSE)
    for (point, _), score in zip(found, scores, strict=True):
        assert own.get(point, scores[-1]) == pytest.approx(score, rel=CLOSE, abs=CLOSE)


def _order(expected: Mapping[str, float]) -> list[str]:
    return [point_id(passage) for passage in expected]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("corpus", ["manuals", "memories", "encyclopedia"])
def test_hybrid_is_the_evaluations(models: Path, tmp_path: Path, corpus: str) -> None:
    dataset, index = _dataset(corpus), in_folder(tmp_path)
    passages = list(dataset.corpus.values())[:PASSAGES]
    queries = dataset.judged("dev")
    retrieval = searching(models, index)
    retrieval.index(passages)

    def encoder(texts: Sequence[str], asked: Sequence[str]) -> Encoded:
        encode, size = retrieval.model.encode, SearchParams().batch_size  # as search does: a batch changes last digits
        batches = [encode(texts[start : start + size]) for start in range(0, len(texts), size)]
        return Encoded(np.concatenate(batches), np.concatenate([encode([query]) for query in asked]))

    params = knobs("search", SearchParams)
    runs, _ = rankings(
        {each.id: each.content for each in passages}, queries, {"base": encoder}, params.depth, params.rrf_k
    )

    found = retrieval.search_batch([query.text for query in queries.values()])
    identical = 0
    for (query_id, query), results in zip(queries.items(), found, strict=True):
        (dense,), (stems,) = rows_of(retrieval.model.encode([query.text])), words([query.text])
        wanted = Wanted(dense, query_weights(stems))
        (ranked,) = index.rank(retrieval.identity.collection("tiny"), [wanted], {}, params.depth)
        for hits, arm in ((ranked.dense, "base"), (ranked.sparse, "bm25")):
            _check_but_for_ties(hits, runs[arm][query_id])
        same = [result.id for result in results] == list(runs["hybrid_base"][query_id])[:10]
        in_order = [point for point, _ in ranked.dense] == _order(runs["base"][query_id])
        if in_order and [point for point, _ in ranked.sparse] == _order(runs["bm25"][query_id]):
            assert same
        identical += same
    assert identical > 0.6 * len(queries)  # the others differ by ties: memories are short and many score the same
