"""Sharing questions out over train, dev and test, so that nothing stands on both sides."""

import random
from collections import Counter
from collections.abc import Mapping

from domain_embeddings.core.dataset import SPLITS
from domain_embeddings.text_matching.near_equal_queries import NearEqualQueries


def split_groups(
    groups: Mapping[str, str], strata: Mapping[str, str], shares: Mapping[str, float], seed: int
) -> dict[str, str]:
    """Give every question a split; the questions of one group stay together.

    `groups` and `strata` map question → group and → stratum; a group counts to the stratum most common in it. The
    groups are walked through stratum by stratum, shuffled within each, and every one goes to the split that is furthest
    below its share of all questions so far. So the shares hold in each stratum, as far as the groups' sizes let them.
    """
    members: dict[str, list[str]] = {}
    for question, group in groups.items():
        members.setdefault(group, []).append(question)
    stratum = {
        group: Counter(sorted(strata[q] for q in found)).most_common(1)[0][0] for group, found in members.items()
    }
    order = sorted(members)
    random.Random(seed).shuffle(order)
    given: Counter[str] = Counter()
    assigned: dict[str, str] = {}
    for group in sorted(order, key=lambda group: stratum[group]):
        total = given.total() + len(members[group])
        split = max(shares, key=lambda split: shares[split] * total - given[split])
        given[split] += len(members[group])
        assigned.update(dict.fromkeys(members[group], split))
    return {question: assigned[question] for question in groups}


def near_equals_across(splits: Mapping[str, str], texts: Mapping[str, str]) -> list[tuple[str, str]]:
    """(question to drop, the one that it is near-equal to) for pairs in different splits.

    What is dropped is the training side of a pair, or the dev side of a pair with test.
    """
    kept = NearEqualQueries()
    pairs: list[tuple[str, str]] = []
    for split in reversed(SPLITS):
        questions = [question for question, its_split in splits.items() if its_split == split]
        hits = {question: kept.find(texts[question]) for question in questions}
        pairs += [(question, hit) for question, hit in hits.items() if hit is not None]
        for question in questions:
            if hits[question] is None:
                kept.add(question, texts[question])
    return pairs
