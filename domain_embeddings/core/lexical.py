"""BM25 over passages."""

from collections.abc import Sequence

import bm25s
import numpy as np
import Stemmer

from domain_embeddings.core.ranking import Scores

K1, B = 1.5, 0.75


def words(texts: Sequence[str]) -> list[list[str]]:
    """The stems by which BM25 knows each text, in their order; empty where it knows none."""
    return list(bm25s.tokenize(list(texts), return_ids=False, **_options()))


def _options() -> dict[str, object]:
    """One stemmer a call: it may not be shared by threads."""
    return {"stopwords": "en", "stemmer": Stemmer.Stemmer("english"), "show_progress": False}


class BM25:
    """Okapi BM25 (Robertson et al., TREC-3; Lucene's variant): k1 1.5, b 0.75, Snowball stems, English stopwords.

    A code such as "5W-30" is indexed as its parts, "5w" and "30"; one-letter words are not indexed.
    """

    def __init__(self, passages: Sequence[str]) -> None:
        """Index `passages`; scores come back in their order."""
        self._index = bm25s.BM25(k1=K1, b=B)
        self._size = len(passages)
        tokens = bm25s.tokenize(list(passages), **_options())
        self._has_terms = any(len(ids) > 0 for ids in tokens.ids)
        if self._has_terms:
            self._index.index(tokens, show_progress=False)

    def scores(self, queries: Sequence[str]) -> Scores:
        """Scores (queries, passages); -inf where query and passage share no term."""
        rows = np.full((len(queries), self._size), -np.inf, dtype=np.float32)
        for row, terms in zip(rows, words(queries), strict=True):
            if terms and self._has_terms:
                found = self._index.get_scores(terms)
                row[found > 0] = found[found > 0]
        return rows
