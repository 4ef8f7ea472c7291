"""Search: what comes back, what is refused, and what stands in when something is missing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from domain_embeddings.search.hybrid import QueryError
from domain_embeddings.search.index_protocol import IndexMissingError, IndexUnavailableError
from domain_embeddings.search.retrieval import FineTunedRetrieval
from tests.packaged import NAME
from tests.searching import HYBRID, PASSAGES, in_folder, searching

BY_WORDS = HYBRID.model_copy(update={"dense": 0.0})
QUERY = "how do I bleed the brakes"


@pytest.fixture(scope="module")
def filled(packaged: VersionedEmbeddings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FineTunedRetrieval]:
    """A search over the five passages, which no test may change."""
    with searching(packaged, in_folder(tmp_path_factory.mktemp("index"))) as retrieval:
        retrieval.index(PASSAGES)
        yield retrieval


def test_a_result_says_what_it_is_and_why(filled: FineTunedRetrieval) -> None:
    best = filled.search("overcurrent F30001")[0]

    assert (best.id, best.title, best.domain, best.extra) == ("p4", "Drive > Faults", "drive", {"page": 9})
    assert (best.dense_rank, best.sparse_rank, best.text) == (1, 1, PASSAGES[3].text)
    assert best.score == pytest.approx(2 / 61)
    query, passage = filled.model.encode(["overcurrent F30001"]), filled.model.encode([PASSAGES[3].content])
    assert best.similarity == pytest.approx(float((query @ passage.T)[0, 0]), abs=0.01)  # indexed in a batch
    assert (best.model, best.degraded) == (NAME, ())


def test_without_fusion_meaning_alone_counts(filled: FineTunedRetrieval) -> None:
    results = filled.search(QUERY, use_hybrid=False)

    assert [result.dense_rank for result in results] == [1, 2, 3, 4, 5]
    assert {result.sparse_rank for result in results} == {None}
    assert [result.score for result in results] == [result.similarity for result in results]


def test_weights_shift_the_fusion(packaged: VersionedEmbeddings, tmp_path: Path) -> None:
    query = "how do I stop the vehicle rolling; cable"  # the one word that a passage has is about something else

    with searching(packaged, in_folder(tmp_path), system=BY_WORDS) as retrieval:
        retrieval.index(PASSAGES)
        best = retrieval.search(query)[0]

    assert (best.id, best.sparse_rank, best.score) == ("p5", 1, pytest.approx(1 / 61))


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({"domain": "drive"}, {"p4", "p5"}),
        ({"domain": ["truck", "lift"]}, {"p1", "p2", "p3"}),
        ({"page": 9}, {"p4"}),
        ({"page": {"gte": 3, "lt": 12}}, {"p3", "p4"}),
        ({"domain": "drive", "type": "text"}, {"p5"}),
        ({"domain": "nothing of the kind"}, set()),
    ],
)
@pytest.mark.parametrize("use_hybrid", [True, False])
def test_filters_hold_inside_fusion(
    filled: FineTunedRetrieval, filters: dict[str, object], ids: set[str], use_hybrid: bool
) -> None:
    results = filled.search("brake oil chains overcurrent cable", filters=filters, use_hybrid=use_hybrid)

    assert {result.id for result in results} == ids
    assert sorted(result.dense_rank or 0 for result in results) == list(range(1, len(ids) + 1))


@pytest.mark.parametrize("value", [None, 1.5, [], [1, "a"], [True], {"above": 3}, {"gte": "a"}, {}, 2**64, "\ud800"])
def test_a_filter_that_makes_no_sense_is_named(filled: FineTunedRetrieval, value: object) -> None:
    with pytest.raises(QueryError, match=r"filter 'page' is .*: allowed are"):
        filled.search(QUERY, filters={"page": value})


def test_the_threshold_is_a_cosine_in_both_modes(filled: FineTunedRetrieval) -> None:
    cosines = {result.id: result.score for result in filled.search(QUERY, use_hybrid=False)}
    threshold = sorted(cosines.values())[-2]  # two are as near

    for use_hybrid in (True, False):
        found = filled.search(QUERY, threshold=threshold - 1e-6, use_hybrid=use_hybrid)
        assert {result.id for result in found} == {i for i, cosine in cosines.items() if cosine >= threshold}
    assert filled.search(QUERY, threshold=1.1) == []


def test_the_threshold_asks_what_only_words_have_found(packaged: VersionedEmbeddings, tmp_path: Path) -> None:
    passages = [replace(PASSAGES[0], id=f"near{i}") for i in range(12)] + [PASSAGES[4]]
    with searching(packaged, in_folder(tmp_path), system=HYBRID.model_copy(update={"depth": 10})) as retrieval:
        retrieval.index(passages)
        query = "bleeding air out of the brake pedal with a bleeder screw; cable"

        found = {each.id: each for each in retrieval.search(query)}
        assert (found["p5"].dense_rank, found["p5"].sparse_rank is not None) == (None, True)
        assert "p5" in {each.id for each in retrieval.search(query, threshold=-1.0)}
        assert "p5" not in {each.id for each in retrieval.search(query, threshold=0.5)}


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_a_limit_that_cannot_be_is_named(filled: FineTunedRetrieval, limit: int) -> None:
    with pytest.raises(QueryError, match=rf"limit is {limit}, allowed are 1 to 100 \(search.depth\)"):
        filled.search(QUERY, limit=limit)


@pytest.mark.parametrize("query", ["", "  \n\t", "\x00\x07\x7f", "\ud800"])
def test_a_query_without_content_finds_nothing(filled: FineTunedRetrieval, query: str) -> None:
    assert filled.search(query) == []


def test_control_characters_are_blanks(filled: FineTunedRetrieval) -> None:
    assert filled.search("bleed\x00the\x1bbrakes\ud800") == filled.search("bleed the brakes")


def test_words_that_no_passage_has_leave_meaning(filled: FineTunedRetrieval) -> None:
    assert [result.sparse_rank for result in filled.search("Привет, 世界 🙂 the")] == [None] * 5


def test_a_query_of_a_megabyte_is_refused(filled: FineTunedRetrieval) -> None:
    with pytest.raises(QueryError, match="a query has 1,048,576 characters, at most 10,000 are allowed"):
        filled.search("x" * 2**20)
    assert len(filled.search("brake " * 1600)) == 5


def test_the_same_results_whatever_the_batch(filled: FineTunedRetrieval) -> None:
    queries = [QUERY, "", "F30001", "chain wear " * 50, QUERY, "motor cable"]

    batch = filled.search_batch(queries)

    assert batch == [filled.search(query) for query in queries]
    assert batch == list(reversed(filled.search_batch(queries[::-1])))


def test_ten_thousand_queries_at_once(filled: FineTunedRetrieval) -> None:
    found = filled.search_batch([f"fault {i % 70}" for i in range(10_000)], limit=1)

    assert len(found) == 10_000
    assert all(len(results) == 1 for results in found)
    assert found[9_999] == filled.search("fault 59", limit=1)


def test_threads_find_what_one_finds(filled: FineTunedRetrieval) -> None:
    queries = [f"{word} {i}" for i in range(8) for word in ("brake", "oil", "chain", "fault")]
    alone = [filled.search(query) for query in queries]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(filled.search, queries)) == alone


@pytest.mark.slow
def test_deleted_passages_are_gone_from_both_rankings_and_from_idf(
    packaged: VersionedEmbeddings, tmp_path: Path
) -> None:
    with searching(packaged, in_folder(tmp_path / "one")) as retrieval:
        retrieval.index([*PASSAGES, replace(PASSAGES[3], id="p9")])
        retrieval.delete(["p9", "p1", "never there"])
        with searching(packaged, in_folder(tmp_path / "two")) as fresh:
            fresh.index(PASSAGES[1:])

            for query in ("overcurrent F30001 chains", "brake oil"):
                found, expected = retrieval.search(query), fresh.search(query)
                assert [(each.id, each.sparse_rank) for each in found] == [(e.id, e.sparse_rank) for e in expected]
    assert retrieval.count() == 4


@pytest.mark.slow
def test_it_opens_again_where_it_was_closed(packaged: VersionedEmbeddings, tmp_path: Path) -> None:
    with searching(packaged, in_folder(tmp_path)) as retrieval:
        retrieval.index(PASSAGES)
        before = retrieval.search(QUERY)

    with searching(packaged, in_folder(tmp_path)) as retrieval:
        assert retrieval.search(QUERY) == before


def test_no_index_is_an_error_that_says_so(packaged: VersionedEmbeddings, tmp_path: Path) -> None:
    with pytest.raises(IndexMissingError, match=r"no index of tiny with tiny-embeddings-v1\.0 .*\(index the"):
        searching(packaged, in_folder(tmp_path)).search(QUERY)


def test_an_index_of_one_process_at_a_time(packaged: VersionedEmbeddings, filled: FineTunedRetrieval) -> None:
    other = searching(packaged, in_folder(Path(filled._index.place)))

    with pytest.raises(IndexUnavailableError, match="another process has it open"):
        other.search(QUERY)
