"""How much of a question its best matches by words hold: how far BM25 is to be trusted with it.

A question in the documents' own words is covered by BM25's first passages, one in other words or with much talk around
it is not. Both is seen at search time, without a label.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence

_FIRST = 3
_TIE = 1e-4
"""Scores nearer than this share are equal: an index adds in another order."""


def leaders(bm25: Mapping[str, float]) -> list[str]:
    """The first three passages by BM25 (passage → score, best first), and those that tie with the third."""
    last = list(bm25.values())[:_FIRST][-1:]
    return [passage for passage, score in bm25.items() if score >= last[0] * (1 - _TIE)]


def coverage(question: Collection[Hashable], passages: Sequence[Collection[Hashable]]) -> float:
    """The share of a question's stems that a passage holds, 0 to 1, on average over some passages' stems.

    0 where there is no stem or no passage.
    """
    stems = frozenset(question)
    if not stems or not passages:
        return 0.0
    return sum(len(stems.intersection(passage)) for passage in passages) / (len(stems) * len(passages))
