"""Questions that ask for the same passages are of one group, and a group is never split."""

import pytest

from domain_embeddings.evaluation.question_groups import folds, groups_of, halves


def test_questions_of_one_passage_are_of_one_group() -> None:
    found = groups_of({"q1": {"p1": 1}, "q2": {"p2": 2}, "q3": {"p1": 1, "p3": 1}})

    assert found == {"q1": "q1", "q2": "q2", "q3": "q1"}


def test_a_third_question_links_two_groups_and_the_smallest_id_names_them() -> None:
    # q8 and q5 are one group, q9 and q4 another, until q7 asks for both passages.
    qrels = {"q8": {"p1": 1}, "q5": {"p1": 1}, "q9": {"p2": 1}, "q4": {"p2": 1}, "q6": {"p3": 1}}

    assert groups_of(qrels) == {"q8": "q5", "q5": "q5", "q9": "q4", "q4": "q4", "q6": "q6"}
    assert groups_of({**qrels, "q7": {"p2": 1, "p1": 1}}) == dict.fromkeys(["q8", "q5", "q9", "q4", "q7"], "q4") | {
        "q6": "q6"
    }


def test_the_order_of_questions_and_judgements_does_not_matter() -> None:
    qrels = {f"q{i}": {f"p{i}": 1, f"p{i * i % 7}": 1} for i in range(30)}
    turned = {query_id: dict(reversed(grades.items())) for query_id, grades in reversed(qrels.items())}

    assert groups_of(turned) == groups_of(qrels)


def test_a_passage_that_is_judged_irrelevant_links_nothing() -> None:
    assert groups_of({"q1": {"p1": 1}, "q2": {"p1": 0}, "q3": {}}) == {"q1": "q1", "q2": "q2", "q3": "q3"}


def _sized(*sizes: int) -> dict[str, str]:
    """A group for each size, named by its first question."""
    return {f"g{group}q{i}": f"g{group}q0" for group, size in enumerate(sizes) for i in range(size)}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("sizes", [(1,) * 40, (9,) * 17, (20, 1, 7, 3, 3, 12, 1, 1, 5, 8), (5,), ()], ids=str)
def test_halves_are_of_whole_groups_and_about_equal(sizes: tuple[int, ...], seed: int) -> None:
    groups = _sized(*sizes)

    seen, unseen = halves(groups, seed)

    assert seen | unseen == set(groups)
    assert not seen & unseen
    assert not {groups[i] for i in seen} & {groups[i] for i in unseen}
    assert abs(len(seen) - len(unseen)) <= max(sizes, default=0)


def test_the_draw_of_halves_goes_by_the_seed_and_not_by_the_order_of_questions() -> None:
    groups = _sized(*range(1, 13))
    turned = dict(reversed(groups.items()))

    assert halves(turned, 1) == halves(groups, 1)
    assert len({halves(groups, seed) for seed in range(5)}) == 5


def test_a_group_joins_the_half_with_fewer_questions_and_of_equals_the_first() -> None:
    """A pair that is drawn last finds a question on either side, else it stands against the two."""
    sizes = {tuple(len(half) for half in halves(_sized(2, 1, 1), seed)) for seed in range(20)}

    assert sizes == {(2, 2), (3, 1)}


def test_training_and_evaluation_find_the_same_halves_whatever_the_order_of_judgements() -> None:
    qrels = {f"q{i}": {f"p{i // 3}": 1} for i in range(60)}

    assert halves(groups_of(qrels), 42) == halves(groups_of(dict(reversed(qrels.items()))), 42)


@pytest.mark.parametrize("sizes", [(1,) * 40, (9,) * 17, (20, 1, 7, 3, 3, 12, 1, 1, 5, 8, 2)], ids=str)
@pytest.mark.parametrize("count", [1, 2, 10])
def test_folds_are_of_whole_groups_and_about_equal(sizes: tuple[int, ...], count: int) -> None:
    groups = _sized(*sizes)

    found = folds(groups, count, 3)

    assert len(found) == count
    assert sorted(query_id for part in found for query_id in part) == sorted(groups)
    assert sorted(name for part in found for name in {groups[i] for i in part}) == sorted(set(groups.values()))
    assert max(map(len, found)) - min(map(len, found)) <= max(sizes)


def test_there_are_no_more_folds_than_groups_and_none_is_empty() -> None:
    assert sorted(folds(_sized(4, 2, 3), 10, 1), key=len) == [
        {"g1q0", "g1q1"}, {"g2q0", "g2q1", "g2q2"}, {"g0q0", "g0q1", "g0q2", "g0q3"},
    ]  # fmt: skip
    assert folds({}, 10, 1) == []


def test_two_folds_are_the_halves() -> None:
    groups = _sized(*range(1, 13))

    assert tuple(folds(groups, 2, 7)) == halves(groups, 7)
