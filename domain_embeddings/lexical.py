"""BM25 over passages."""

from collections.abc import Sequence

import bm25s
import numpy as np
import Stemmer

from domain_embeddings.ranking import Scores


class BM25:
    """Okapi BM25 (Robertson et al., TREC-3; Lucene's variant): k1 1.5, b 0.75, Snowball stems, English stopwords.

    A code such as "5W-30" is indexed as its parts, "5w" and "30"; one-letter words are not indexed.
    """

    def __init__(self, passages: Sequence[str]) -> None:
        """Index `passages`; scores come back in their order."""
        self._stemmer = Stemmer.Stemmer("english")
        self._index = bm25s.BM25(k1=1.5, b=0.75)
        self._size = len(passages)
        tokens = bm25s.tokenize(list(passages), **self._options)
        self._has_terms = any(len(ids) > 0 for ids in tokens.ids)
        if self._has_terms:
            self._index.index(tokens, show_progress=False)

    @property
    def _options(self) -> dict[str, object]:
        return {"stopwords": "en", "stemmer": self._stemmer, "show_progress": False}

    def scores(self, queries: Sequence[str]) -> Scores:
        """Scores (queries, passages); -inf where query and passage share no term."""
        tokens = bm25s.tokenize(list(queries), return_ids=False, **self._options)
        rows = np.full((len(queries), self._size), -np.inf, dtype=np.float32)
        for row, terms in zip(rows, tokens, strict=True):
            if terms and self._has_terms:
                found = self._index.get_scores(terms)
                row[found > 0] = found[found > 0]
        return rows
