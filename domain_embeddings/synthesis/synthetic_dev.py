"""Where no labelled dev questions exist: passages held out of training, and questions about them to choose by."""

import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from domain_embeddings.core.dataset import Passage, Qrels, Query
from domain_embeddings.core.entities import sections
from domain_embeddings.synthesis.dev_questions import SEVERAL, questions
from domain_embeddings.synthesis.keyphrases import Statistics, statistics_of
from domain_embeddings.text_matching.near_duplicates import chained, near_copies
from domain_embeddings.text_matching.near_equal_queries import NearEqualQueries

_FEWEST, _MOST = 100, 300
"""Questions: with fewer a choice is luck, and more cost training passages without making it much surer."""
_NEAR_COPY = 0.8


class SyntheticDev(NamedTuple):
    """What stands in for labelled dev questions."""

    passages: set[str]
    """Held out of training: those asked about, and those of the same groups."""
    queries: dict[str, Query]
    qrels: Qrels


def synthetic_dev(
    corpus: Mapping[str, Passage], share: float, held_out: Mapping[str, str], seed: int, barred: Collection[str] = ()
) -> SyntheticDev:
    """Ask up to two questions about each of some passages that are not `barred`, drawn by whole groups.

    Drawn are groups that give questions, up to about `share` of the passages; more until there are 100 questions, fewer
    where there are 300, and never more than half. A group is what must not stand on both sides: the pieces of one
    section (same file and heading path) and near-copies of each other. Where there are not 100 questions whose words
    lead to several passages, up to two more about a passage have any of its words. No question is near-equal to a
    held-out one (place → text) or to another.
    """
    free = {passage_id: passage for passage_id, passage in corpus.items() if passage_id not in barred}
    statistics = statistics_of(corpus[passage_id] for passage_id in sorted(corpus))
    groups, taken = _groups(free), NearEqualQueries(held_out)
    names = sorted(groups)
    random.Random(seed).shuffle(names)
    passages: set[str] = set()
    asked: list[Query] = []
    for wanted, fits in ((_MOST, SEVERAL), (_FEWEST, range(1, len(corpus) + 1))):
        for name in names:
            if len(asked) >= (_FEWEST if len(passages) >= share * len(free) else wanted):
                break
            if len(passages) + len(groups[name] - passages) <= len(free) // 2:
                found = [
                    each for i in sorted(groups[name]) for each in _asked(corpus[i], statistics, fits, taken, seed)
                ]
                asked += found
                passages |= groups[name] if found else set()
    queries = {f"dev-{number}": replace(query, id=f"dev-{number}") for number, query in enumerate(asked, start=1)}
    return SyntheticDev(passages, queries, {i: {str(query.extra["passage"]): 1} for i, query in queries.items()})


def _asked(
    passage: Passage, statistics: Statistics, fits: range, taken: NearEqualQueries, seed: int
) -> Iterator[Query]:
    """The questions about a passage that are near-equal to none that is taken, which they are from now on."""
    for text in questions(passage, statistics, fits, random.Random(f"{seed}:dev:{passage.id}")):
        if taken.find(text) is None:
            taken.add(text, text)
            extra = {"source": "dev", "type": passage.type, "passage": passage.id}
            yield Query("", text, passage.domain, extra=extra)


def _groups(corpus: Mapping[str, Passage]) -> dict[str, set[str]]:
    """The passages that belong together, under the first of their ids."""
    ordered = sorted(corpus)
    links = sections(corpus[passage_id] for passage_id in ordered)
    copies = near_copies({passage_id: corpus[passage_id].content for passage_id in ordered}, _NEAR_COPY)
    groups: dict[str, set[str]] = {}
    for passage_id, leader in chained(ordered, (*links.items(), *copies.items())).items():
        groups.setdefault(leader, set()).add(passage_id)
    return groups
