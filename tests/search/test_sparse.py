"""BM25 as sparse vectors."""

import math

import pytest

from domain_embeddings.core.lexical import BM25, words
from domain_embeddings.search.sparse import passage_weights, query_weights, term_number

TEXTS = ["brake brake pedal", "engine oil filter and oil pump", "the brake light", "5W-30 oil"]


def test_weights_by_hand() -> None:
    sparse = passage_weights(["brake", "brake", "pedal"], average_length=2.0)

    norm = 1.5 * (1 - 0.75 + 0.75 * 3 / 2)
    assert dict(zip(sparse.indices, sparse.values, strict=True)) == pytest.approx(
        {term_number("brake"): 2 / (2 + norm), term_number("pedal"): 1 / (1 + norm)}
    )


def test_a_query_counts_its_terms() -> None:
    sparse = query_weights(["oil", "pump", "oil"])

    assert dict(zip(sparse.indices, sparse.values, strict=True)) == {term_number("oil"): 2, term_number("pump"): 1}


def test_a_terms_number_is_the_same_everywhere() -> None:
    assert (term_number("brake"), term_number("f30001")) == (989165888, 1524521204)


def test_nothing_has_no_weights() -> None:
    assert passage_weights([], 0.0).indices == query_weights([]).indices == []


def test_stems_that_share_a_number_are_one_term() -> None:
    one, other = "stem83119", "stem115304"  # found by trying
    assert term_number(one) == term_number(other)

    sparse = query_weights([one, other, other])

    assert (sparse.indices, sparse.values) == ([term_number(one)], [3.0])


def test_products_with_lucenes_idf_are_the_scores_of_bm25() -> None:
    stems = words(TEXTS)
    average = sum(map(len, stems)) / len(TEXTS)
    passages = [passage_weights(each, average) for each in stems]
    queries = ["brake oil", "oil oil pump", "5w 30"]

    for query, expected in zip(queries, BM25(TEXTS).scores(queries), strict=True):
        wanted = query_weights(words([query])[0])
        for passage, score in zip(passages, expected, strict=True):
            weights = dict(zip(passage.indices, passage.values, strict=True))
            found = 0.0
            for number, count in zip(wanted.indices, wanted.values, strict=True):
                n = sum(number in other.indices for other in passages)
                found += count * weights.get(number, 0.0) * math.log(1 + (len(TEXTS) - n + 0.5) / (n + 0.5))
            assert found == pytest.approx(max(score, 0.0), abs=1e-6)
