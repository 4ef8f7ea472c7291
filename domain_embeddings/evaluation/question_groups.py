"""Which questions hang together: those that ask for the same passage win or lose together."""

import random
from collections.abc import Mapping

from domain_embeddings.core.dataset import Qrels


def groups_of(qrels: Qrels) -> dict[str, str]:
    """Query id → its group's name, the smallest query id of the group.

    Questions that share a passage of a grade above 0 are of one group, and so are those that a third one links.
    """
    leader = {query_id: query_id for query_id in qrels}

    def find(query_id: str) -> str:
        while leader[query_id] != query_id:
            leader[query_id] = leader[leader[query_id]]
            query_id = leader[query_id]
        return query_id

    first_of: dict[str, str] = {}
    for query_id, grades in qrels.items():
        for passage_id, grade in grades.items():
            if grade > 0:
                other = first_of.setdefault(passage_id, query_id)
                low, high = sorted((find(query_id), find(other)))
                leader[high] = low
    return {query_id: find(query_id) for query_id in qrels}


def folds(groups: Mapping[str, str], count: int, seed: int) -> list[frozenset[str]]:
    """At most `count` parts of the questions, of about the same size: whole groups, drawn, none of them empty.

    A group goes to the part that has the fewest questions; of equals, to the first.
    """
    members: dict[str, list[str]] = {}
    for query_id in sorted(groups):
        members.setdefault(groups[query_id], []).append(query_id)
    order = sorted(members)
    random.Random(seed).shuffle(order)
    parts: list[list[str]] = [[] for _ in range(min(count, len(order)))]
    for name in order:
        min(parts, key=len).extend(members[name])
    return [frozenset(part) for part in parts]


def halves(groups: Mapping[str, str], seed: int) -> tuple[frozenset[str], frozenset[str]]:
    """The questions that training may see, and those that it may not; of one group, all are in the first."""
    seen, unseen, *_ = [*folds(groups, 2, seed), frozenset[str](), frozenset[str]()]
    return seen, unseen
