"""Search in two stages: exact over its candidates, alike in a folder and on a server, and told where it is missing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qdrant_client import QdrantClient

from domain_embeddings.core.dataset import Dataset
from domain_embeddings.core.ranking import Scores, fuse_scores
from domain_embeddings.encoding.late import token_weights
from domain_embeddings.encoding.roles import Role
from domain_embeddings.encoding.token_codec import TokenCodec
from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from domain_embeddings.params.ingest import IngestParams
from domain_embeddings.search.index_protocol import PassageIndex
from domain_embeddings.search.late_search import matches, payload, question, scores
from domain_embeddings.search.qdrant_server import ServerIndex
from domain_embeddings.search.retrieval import FineTunedRetrieval
from domain_embeddings.search.second_stage import MISSING, PARTLY
from scripts.dependencies import ROOT
from stages.ingest import ADAPTERS
from tests.knobs import all_params, knobs
from tests.searching import LATE, PASSAGES, in_folder, search_params, searching

pytestmark = pytest.mark.slow

QUERIES = ["how do I bleed the brakes", "F30001 overcurrent", "what lifts the carriage?"]


def _two_stages(packaged: VersionedEmbeddings, index: PassageIndex, **stored: Any) -> FineTunedRetrieval:
    storage = LATE.storage.model_copy(update=stored)
    return searching(packaged, index, system=LATE.model_copy(update={"storage": storage}))


def _codec(retrieval: FineTunedRetrieval, index: PassageIndex) -> TokenCodec:
    metadata = index.metadata(retrieval.identity.collection("tiny"))
    assert metadata is not None
    assert metadata.codec is not None
    return TokenCodec.of_json(metadata.codec)


def _stored(model: VersionedEmbeddings, codec: TokenCodec, texts: list[str]) -> list[Scores]:
    """What the codec makes of each text's tokens; each text encoded with the others."""
    return [codec.vectors(codec.pooled(tokens).codes) for tokens in model.encode_tokens(texts, Role.PASSAGE)[1]]


def _exact(model: VersionedEmbeddings, query: str, stored: list[Scores]) -> Scores:
    """MaxSim by hand of a question and each text's stored tokens."""
    weights = np.array(token_weights([piece.token for piece in model.pieces(query, Role.QUERY)]), np.float32)
    (asked,) = model.encode_tokens([query], Role.QUERY)[1]
    return np.array([(weights * (asked @ each.T).max(axis=1)).sum() / (weights > 0).sum() for each in stored])


def _dataset() -> Dataset:
    entry = all_params()["corpora"]["memories"]
    return ADAPTERS[entry["kind"]](ROOT / entry["path"], knobs("ingest", IngestParams)).dataset


@pytest.mark.timeout(300)
def test_two_stages_are_an_exact_late_ranking_of_the_candidates(packaged: VersionedEmbeddings, tmp_path: Path) -> None:
    dataset, index = _dataset(), in_folder(tmp_path)
    passages = list(dataset.corpus.values())[:60]
    retrieval = _two_stages(packaged, index, bits=2, factor=2, candidates=20)
    retrieval.index(passages)
    codec = _codec(retrieval, index)
    stored, ids = _stored(packaged, codec, [each.content for each in passages]), [each.id for each in passages]
    first = searching(packaged, index)

    for query in list(dataset.judged("dev").values())[:15]:
        found = retrieval.search(query.text, limit=20)
        candidates = [result.id for result in first.search(query.text, limit=20)]
        exact = dict(zip(ids, _exact(packaged, query.text, stored), strict=True))
        assert {result.id for result in found} == set(candidates)
        assert [result.late for result in found] == pytest.approx([exact[r.id] for r in found], abs=2e-3)
        assert [result.late for result in found] == sorted((result.late or 0.0 for result in found), reverse=True)
        assert not any(result.degraded or result.matches for result in found)


def test_with_weights_the_order_is_the_evaluations_fusion(packaged: VersionedEmbeddings, tmp_path: Path) -> None:
    index = in_folder(tmp_path)
    alone = _two_stages(packaged, index)
    alone.index(PASSAGES)
    weights = {"late": 0.5, "dense": 0.3, "bm25": 0.2}
    fused = searching(packaged, index, system=LATE.model_copy(update=weights))

    found, late = fused.search(QUERIES[0]), {result.id: result.late or 0.0 for result in alone.search(QUERIES[0])}

    dense = {result.id: result.similarity or 0.0 for result in found}
    only_words = [result.id for result in sorted(found, key=lambda r: r.sparse_rank or 9) if result.sparse_rank]
    assert only_words == ["p1"]  # of one passage the share is 1
    runs = [{"": late}, {"": dense}, {"": {"p1": 1.0}}]
    expected = fuse_scores(runs, [0.5, 0.3, 0.2], 5)[""]
    assert [result.id for result in found] == list(expected)
    assert [result.score for result in found] == pytest.approx(list(expected.values()), abs=1e-5)


@pytest.mark.filterwarnings("ignore:Payload indexes have no effect", "ignore:Local mode performs exact")
def test_a_server_ranks_as_a_folder_does(packaged: VersionedEmbeddings, tmp_path: Path) -> None:
    memory = ServerIndex(QdrantClient(":memory:"), search_params(), "memory", 0)
    both = [_two_stages(packaged, index) for index in (memory, in_folder(tmp_path))]
    for retrieval in both:
        retrieval.index(PASSAGES)

    on_server, embedded = (retrieval.search_batch(QUERIES, explain=True) for retrieval in both)

    for results, others in zip(on_server, embedded, strict=True):
        assert [(r.id, r.matches, r.degraded) for r in results] == [(o.id, o.matches, o.degraded) for o in others]
        assert [r.late for r in results] == pytest.approx([o.late for o in others], abs=1e-6)
    assert [results[0].id for results in embedded] == ["p1", "p4", "p3"]


def test_an_older_index_answers_by_the_first_stage_and_says_so(packaged: VersionedEmbeddings, tmp_path: Path) -> None:
    index = in_folder(tmp_path)
    before = searching(packaged, index)
    before.index(PASSAGES)
    expected = before.search(QUERIES[0])

    retrieval = _two_stages(packaged, index)
    found = retrieval.search(QUERIES[0], explain=True)

    assert [(r.id, r.score) for r in found] == [(r.id, r.score) for r in expected]
    assert {(r.degraded, r.late, len(r.matches)) for r in found} == {((MISSING,), None, 0)}
    assert retrieval.shortcomings() == (MISSING,)
    assert vars(retrieval.index(PASSAGES)) == {"added": 0, "changed": 5, "unchanged": 0}
    assert vars(retrieval.index(PASSAGES)) == {"added": 0, "changed": 0, "unchanged": 5}
    assert all(result.late and not result.degraded for result in retrieval.search(QUERIES[0]))


def test_passages_that_came_without_token_vectors_are_told(packaged: VersionedEmbeddings, tmp_path: Path) -> None:
    index = in_folder(tmp_path)
    retrieval = _two_stages(packaged, index)
    retrieval.index(PASSAGES[:4])
    searching(packaged, index).index(PASSAGES[4:])

    assert {result.degraded for result in retrieval.search(QUERIES[0])} == {(PARTLY,)}
    retrieval.index(PASSAGES)
    assert {result.degraded for result in retrieval.search(QUERIES[0])} == {()}


def test_another_way_to_store_is_another_indexing(packaged: VersionedEmbeddings, tmp_path: Path) -> None:
    index = in_folder(tmp_path)
    _two_stages(packaged, index).index(PASSAGES)

    finer = _two_stages(packaged, index, bits=2)

    assert finer.index(PASSAGES).changed == 5
    assert _codec(finer, index).bits == 2
    assert all(result.late for result in finer.search(QUERIES[0]))


def test_without_words_there_is_no_second_stage(packaged: VersionedEmbeddings, tmp_path: Path) -> None:
    retrieval = _two_stages(packaged, in_folder(tmp_path))
    retrieval.index(PASSAGES)

    found = retrieval.search(QUERIES[0], use_hybrid=False, explain=True)

    assert {(result.late, len(result.matches), result.degraded) for result in found} == {(None, 0, ())}


def test_which_words_matched_which(packaged: VersionedEmbeddings, tmp_path: Path) -> None:
    retrieval = _two_stages(packaged, in_folder(tmp_path))
    retrieval.index(PASSAGES)

    first = retrieval.search("How do I bleed the brakes?", explain=True)[0]

    content = PASSAGES[0].content
    assert [match.word for match in first.matches] == ["bleed", "brakes"]  # no stopwords, no question mark
    for match in first.matches:
        assert match.found == [content[start:end] for start, end in match.spans]
        assert 0.5 < match.similarity <= 1
    assert "Bleeding" in first.matches[0].found or "bleeder" in first.matches[0].found
    assert {word.casefold() for word in first.matches[1].found} <= {"brake", "brakes"}


def test_where_letters_are_disguised_words_have_no_places(packaged: VersionedEmbeddings) -> None:
    codec = TokenCodec.fitted(np.concatenate(packaged.encode_tokens(QUERIES, Role.PASSAGE)[1]), 384, 4, 1)
    _, asked = question(packaged, "brakes")
    told = "the ｂｒａｋｅｓ squeal"
    stored = payload(codec, packaged.encode_tokens([told], Role.PASSAGE)[1][0])

    (match,) = matches(codec, asked, stored, packaged.pieces(told, Role.PASSAGE), "the brakes squeal", plain=False)

    assert (match.word, match.found, match.spans) == ("brakes", ["brakes"], [])


def test_a_word_of_several_tokens_is_one(packaged: VersionedEmbeddings) -> None:
    codec = TokenCodec.fitted(np.concatenate(packaged.encode_tokens(QUERIES, Role.PASSAGE)[1]), 384, 4, 1)
    told = "Fault F30001 means overcurrent"
    stored = payload(codec, packaged.encode_tokens([told], Role.PASSAGE)[1][0])
    _, asked = question(packaged, "F30001?")
    assert len(asked.pieces) > 2

    (match,) = matches(codec, asked, stored, packaged.pieces(told, Role.PASSAGE), told, plain=True)

    assert (match.word, match.found, match.spans) == ("f30001", ["F30001"], [(6, 12)])


def test_vectors_of_another_codec_are_not_compared(packaged: VersionedEmbeddings) -> None:
    tokens = packaged.encode_tokens(QUERIES, Role.PASSAGE)[1]
    one, other = (TokenCodec.fitted(np.concatenate(tokens), 384, bits, 1) for bits in (1, 2))
    _, asked = question(packaged, QUERIES[0])

    assert scores(one, asked, [payload(one, each) for each in tokens]) == pytest.approx(
        _exact(packaged, QUERIES[0], _stored(packaged, one, QUERIES)), abs=2e-3
    )
    assert scores(one, asked, [payload(one, tokens[0]), payload(other, tokens[1])]) is None
    assert scores(one, asked, [payload(one, tokens[0]), {}]) is None
