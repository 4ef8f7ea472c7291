"""Search answers as `evaluate` measured: every system of the samples, to the last rank, but for ties."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from domain_embeddings.commands.workspace import load_params, packaged_model, stage_folder
from domain_embeddings.core.beir_files import read_corpus, read_jsonl, read_queries
from domain_embeddings.core.dataset import Dataset
from domain_embeddings.core.lexical import words
from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding import late
from domain_embeddings.encoding.late import Tokens
from domain_embeddings.encoding.roles import Role
from domain_embeddings.encoding.token_codec import TokenCodec
from domain_embeddings.evaluation.arms import Encoded, rankings
from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from domain_embeddings.params.ingest import IngestParams
from domain_embeddings.params.search import SearchParams
from domain_embeddings.search.index_protocol import Wanted, point_id, rows_of
from domain_embeddings.search.late_search import question
from domain_embeddings.search.qdrant_embedded import EmbeddedIndex
from domain_embeddings.search.retrieval import FineTunedRetrieval
from domain_embeddings.search.sparse import query_weights
from domain_embeddings.systems.system import System, aliases_of, family
from scripts.dependencies import ROOT
from stages.ingest import ADAPTERS
from tests.knobs import all_params, knobs
from tests.searching import in_folder, searching

pytestmark = pytest.mark.slow

PASSAGES = 110
"""So many of each corpus are enough to fill both rankings, and are soon encoded."""
CLOSE = 2e-5
SAMPLES = ["manuals", "memories", "encyclopedia"]


def test_searches_settings_are_the_params() -> None:
    assert knobs("search", SearchParams) == SearchParams()  # code without a params.yaml searches as this one


def _dataset(corpus: str) -> Dataset:
    entry = all_params()["corpora"][corpus]
    return ADAPTERS[entry["kind"]](ROOT / entry["path"], knobs("ingest", IngestParams)).dataset


def _in_batches(model: VersionedEmbeddings, texts: Sequence[str]) -> tuple[Scores, list[Scores]]:
    """As search does: a batch changes last digits."""
    size = SearchParams().batch_size
    found = [model.encode_tokens(texts[start : start + size], Role.PASSAGE) for start in range(0, len(texts), size)]
    return np.concatenate([single for single, _ in found]), [each for _, tokens in found for each in tokens]


def _encoded(model: VersionedEmbeddings, codec: TokenCodec, texts: Sequence[str], asked: Sequence[str]) -> Encoded:
    """What `evaluate` makes of texts, with the packaged model's own arithmetic."""
    single, told = _in_batches(model, texts)
    codes = [codec.pooled(each).codes for each in told]
    stored = Tokens(torch.from_numpy(codec.vectors(np.concatenate(codes))), [len(each) for each in codes])
    questions = [question(model, query) for query in asked]
    tokens = [found.vectors for _, found in questions]
    joined = Tokens(torch.from_numpy(np.concatenate(tokens)), [len(each) for each in tokens])
    return Encoded(single, np.concatenate([found for found, _ in questions]), late.scores(joined, stored))


def _collection(retrieval: FineTunedRetrieval) -> str:
    return retrieval.identity.collection("tiny") + ("-aliases" if retrieval.system.aliases else "")


def _codec(index: EmbeddedIndex, retrieval: FineTunedRetrieval) -> TokenCodec:
    metadata = index.metadata(_collection(retrieval))
    assert metadata is not None
    assert metadata.codec is not None
    return TokenCodec.of_json(metadata.codec)


def _check(found: Sequence[tuple[str, float]], expected: Mapping[str, float]) -> None:
    """A ranking is `expected`, equals in any order: place by place the same score, and each passage has its own."""
    scores = list(expected.values())
    assert [score for _, score in found] == pytest.approx(scores, rel=CLOSE, abs=CLOSE)
    for (passage, _), score in zip(found, scores, strict=True):
        assert expected.get(passage, scores[-1]) == pytest.approx(score, rel=CLOSE, abs=CLOSE)


def _agrees(
    index: EmbeddedIndex,
    retrieval: FineTunedRetrieval,
    query: str,
    dense: Mapping[str, float],
    bm25: Mapping[str, float],
) -> bool:
    """Whether both first rankings have no ties in another order; they are the evaluation's in any case."""
    (vector,), (stems,) = rows_of(retrieval.model.encode([query])), words([query])
    (ranked,) = index.rank(_collection(retrieval), [Wanted(vector, query_weights(stems))], {}, 100)
    same = True
    for hits, expected in ((ranked.dense, dense), (ranked.sparse, bm25)):
        ids = {point_id(passage): passage for passage in expected}
        found = [(ids.get(point, point), score) for point, score in hits]
        _check(found, expected)
        same = same and [passage for passage, _ in found] == list(expected)
    return same


@pytest.mark.timeout(600)
@pytest.mark.parametrize("corpus", SAMPLES)
def test_every_system_answers_as_evaluated(packaged: VersionedEmbeddings, tmp_path: Path, corpus: str) -> None:
    dataset = _dataset(corpus)
    passages = {each.id: each for each in list(dataset.corpus.values())[:PASSAGES]}
    queries = dataset.judged("dev")
    names = any(map(aliases_of, passages.values()))
    systems = [system for system in family(names, SearchParams()) if system.model == "base"]
    assert len(systems) == (10 if corpus == "encyclopedia" else 5)
    for aliases in dict.fromkeys(system.aliases for system in systems):
        own = [system for system in systems if system.aliases == aliases]
        index = in_folder(tmp_path / str(aliases))
        full = searching(packaged, index, system=own[-1])
        full.index(list(passages.values()))
        codec = _codec(index, full)

        def encoder(
            texts: Sequence[str], asked: Sequence[str], codec: TokenCodec = codec, full: FineTunedRetrieval = full
        ) -> Encoded:
            return _encoded(full.model, codec, texts, asked)

        runs = rankings(passages, queries, {"base": encoder}, own, 100).runs
        answering = {system.name: searching(packaged, index, system=system) for system in own}
        exact = identical = 0
        for key, query in queries.items():
            dense, bm25 = runs[_named(own, "base")][key], runs[_named(own, "bm25")][key]
            tied = not _agrees(index, full, query.text, dense, bm25)
            for system in () if tied else own:
                found = answering[system.name].search(query.text, limit=100)
                _check([(result.id, result.score) for result in found], runs[system.name][key])
                assert not any(result.degraded for result in found)
            exact += not tied
            first = [result.id for result in answering[_named(own, "hybrid_base")].search(query.text)]
            identical += first == list(runs[_named(own, "hybrid_base")][key])[:10]
        assert exact >= 5  # most have ties somewhere in their first hundred
        assert identical > 0.6 * len(queries)  # the others have ties in their first ten


def _named(systems: Sequence[System], name: str) -> str:
    return next(system.name for system in systems if system.name.removesuffix("_aliases") == name)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("corpus", SAMPLES)
def test_what_is_shipped_answers_as_in_dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, corpus: str) -> None:
    monkeypatch.chdir(ROOT)
    version = load_params()["package"]["version"]
    rows = stage_folder("evaluate", corpus) / "dev.jsonl"
    if not (rows.is_file() and packaged_model(corpus, version).is_dir()):
        pytest.skip("needs the outs of `dvc repro`")
    shipped = json.loads((ROOT / "metrics" / corpus / "verdict.json").read_text(encoding="utf-8"))["shipped"]
    expected = {row["query_id"]: row["found"] for _, row in read_jsonl(rows) if row["arm"] == shipped}
    queries = read_queries(stage_folder("synthesize", corpus) / "queries.jsonl")

    def load(wanted: str | None) -> VersionedEmbeddings:
        return VersionedEmbeddings(wanted, corpus, backend="torch")

    with FineTunedRetrieval(corpus, version, load, in_folder(tmp_path), SearchParams()) as retrieval:
        retrieval.index(list(read_corpus(stage_folder("ingest", corpus) / "corpus.jsonl").values()))
        found = retrieval.search_batch([queries[query_id].text for query_id in expected])

    assert retrieval.system.name == shipped
    same = [[result.id for result in each] == ids for each, ids in zip(found, expected.values(), strict=True)]
    assert np.mean(same) > 0.95  # a batch's padding changes last digits, and with them the order of near-equals
