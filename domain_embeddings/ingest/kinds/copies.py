"""Passages that repeat another."""

from collections import Counter
from collections.abc import Mapping

from domain_embeddings.core.dataset import Passage
from domain_embeddings.text_matching.near_duplicates import near_copies


def copies_of(passages: Mapping[str, Passage], threshold: float, counts: Counter[str]) -> dict[str, str]:
    """Passage → the earlier one it is a copy or near-copy of, by text; both are counted."""
    first: dict[str, str] = {}
    for passage in passages.values():
        first.setdefault(" ".join(passage.text.split()), passage.id)
    exact = {p.id: kept for p in passages.values() if (kept := first[" ".join(p.text.split())]) != p.id}
    near = near_copies({p.id: p.text for p in passages.values() if p.id not in exact}, threshold)
    counts["exact_copies"], counts["near_copies"] = len(exact), len(near)
    return near | {copy: near.get(kept, kept) for copy, kept in exact.items()}
