"""Drawing splits by group and stratum, and near-equal questions across them."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from domain_embeddings.ingest.splits import near_equals_across, split_groups

SHARES = {"train": 0.5, "dev": 0.2, "test": 0.3}


def test_every_stratum_gets_the_shares() -> None:
    groups = {f"q{n}": f"g{n}" for n in range(40)}
    strata = {f"q{n}": "person" if n < 20 else "place" for n in range(40)}
    found = split_groups(groups, strata, SHARES, seed=3)
    for stratum in ("person", "place"):
        assert Counter(found[q] for q in groups if strata[q] == stratum) == {"train": 10, "dev": 4, "test": 6}


def test_the_seed_decides_and_the_order_does_not() -> None:
    groups = {f"q{n}": f"g{n}" for n in range(20)}
    strata = dict.fromkeys(groups, "")
    assert split_groups(groups, strata, SHARES, 1) == split_groups(dict(reversed(groups.items())), strata, SHARES, 1)
    assert split_groups(groups, strata, SHARES, 1) != split_groups(groups, strata, SHARES, 2)


@given(st.lists(st.integers(0, 8), min_size=1, max_size=40), st.integers(0, 99))
def test_a_group_is_never_torn_and_shares_hold_within_the_largest_group(numbers: list[int], seed: int) -> None:
    groups = {f"q{n}": f"g{number}" for n, number in enumerate(numbers)}
    found = split_groups(groups, dict.fromkeys(groups, "x"), SHARES, seed)
    assert found.keys() == groups.keys()
    assert len({(groups[q], split) for q, split in found.items()}) == len(set(groups.values()))
    largest = max(Counter(groups.values()).values())
    sizes = Counter(found.values())
    assert all(abs(sizes[split] - share * len(groups)) <= 2 * largest for split, share in SHARES.items())


def test_near_equals_are_dropped_from_the_training_side() -> None:
    texts = {
        "a": "Why does the grey nun bend?",
        "b": "why DOES the nun, grey, bend",
        "c": "the grey nun bends why",
        "d": "Who raked the salt?",
        "e": "who raked salt",
    }
    splits = {"a": "train", "b": "dev", "c": "test", "d": "dev", "e": "dev"}
    assert near_equals_across(splits, texts) == [("b", "c"), ("a", "c")]  # d and e share a split
