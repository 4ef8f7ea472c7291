"""What is shipped: chosen on dev questions, and proved on dev questions that took no part in the choice."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from domain_embeddings.evaluation.choice import Choice, Offered, choose, cross_fitted
from domain_embeddings.evaluation.promotion import METRIC
from domain_embeddings.evaluation.question_groups import halves
from domain_embeddings.evaluation.result_tables import difference
from domain_embeddings.evaluation.significance import Values, interval
from domain_embeddings.params.report import ReportParams
from domain_embeddings.params.search import SearchParams
from domain_embeddings.systems.system import DEFAULT_SYSTEM, family
from tests.knobs import knobs

PARAMS = knobs("report", ReportParams, resamples=100, min_delta=0.005, max_loss=0.02, min_groups=12)
SYSTEMS = family(aliases=False, params=SearchParams())
NAMED = {system.name: system for system in SYSTEMS}
DEFAULT = DEFAULT_SYSTEM.name
STORED = {system.name: 6_000 if system.late else 1_500 if system.dense else 0 for system in SYSTEMS}
ALL = Offered(SYSTEMS, STORED, None, True)
BY_DEV = f"{DEFAULT} is the default, and what dev questions choose"


def _groups(count: int, size: int) -> dict[str, str]:
    return {f"q{i:03}": f"q{i // size * size:03}" for i in range(count * size)}


def _dev(groups: Mapping[str, str], **scores: float | Sequence[float] | Values) -> pd.DataFrame:
    """Every system's score of every question, one for all or one for each: the default's is 0.5, others' are 0.4."""
    given = {**dict.fromkeys(NAMED, 0.4), DEFAULT: 0.5, **scores}
    return pd.DataFrame(
        {"arm": name, "query_id": query_id, "group": group, METRIC: score}
        for name in NAMED
        for (query_id, group), score in zip(groups.items(), np.broadcast_to(given[name], len(groups)), strict=True)
    )


def _choose(dev: pd.DataFrame, offered: Offered = ALL, noise: float = 0.0, **changes: object) -> Choice:
    return choose(dev, offered, False, PARAMS.model_copy(update=changes), noise)


def _spread(groups: Mapping[str, str], mean: float, size: float) -> Values:
    """For each question `mean` and, in turn by group within each half, `size` more or less."""
    sign = {}
    for half in halves(groups, PARAMS.seed):
        for i, group in enumerate(sorted({groups[query_id] for query_id in half})):
            sign[group] = 1 if i % 2 else -1
    return np.array([mean + size * sign[group] for group in groups.values()])


TWENTY = _groups(20, 3)
SEEN, UNSEEN = halves(TWENTY, PARAMS.seed)


def test_a_better_system_of_the_tuned_model_is_shipped_and_the_reason_has_the_proof() -> None:
    found = _choose(_dev(TWENTY, late_hybrid=0.75))

    assert found.system.name == "late_hybrid"
    assert found.reason == (
        "late_hybrid has ndcg@10 +0.250 [+0.250, +0.250] (n = 30, 10 groups) against late_hybrid_base on questions "
        "that training did not see: proved"
    )


def test_a_better_system_of_the_untrained_model_is_shipped_and_so_is_why_no_other_is() -> None:
    found = _choose(_dev(TWENTY, late_base=0.6, late_hybrid=0.6))

    assert found.system.name == "late_base"
    assert found.reason == (
        "late_base, which dev questions choose, has ndcg@10 +0.100 [+0.100, +0.100] (n = 60, 20 groups) against "
        "late_hybrid_base, the default; late_hybrid has ndcg@10 +0.000 [+0.000, +0.000] (n = 30, 10 groups) against "
        "late_base on questions that training did not see: not proved"
    )


def test_what_dev_questions_choose_may_be_the_default() -> None:
    found = _choose(_dev(TWENTY), Offered(SYSTEMS, STORED, None, False))

    assert found == Choice(NAMED[DEFAULT], BY_DEV)


def test_questions_that_nobody_asked_choose_nothing() -> None:
    found = choose(_dev(TWENTY, late_hybrid=0.75, late_base=0.7), ALL, True, PARAMS)

    assert found == Choice(NAMED[DEFAULT], f"{DEFAULT} is the default: nobody asked dev questions that could choose")


def _by_log(offered: Offered = ALL, groups: Mapping[str, str] = TWENTY, **scores: float) -> Choice:
    """What is chosen where dev questions are synthetic and a log has silver labels."""
    return choose(_dev(TWENTY, late_base=0.9), offered, True, PARAMS, 0.0, _dev(groups, **scores))


def test_a_log_proves_the_tuned_model_in_the_default_and_says_by_what() -> None:
    found = _by_log(late_hybrid=0.75, late_tuned=0.9)

    assert found.system.name == "late_hybrid"
    assert found.reason == (
        "late_hybrid has ndcg@10 +0.250 [+0.250, +0.250] (n = 60, 20 groups) against late_hybrid_base on silver labels "
        "of logged questions: proved"
    )


def test_a_log_chooses_no_other_system_and_no_model_that_is_not_proved() -> None:
    found = _by_log(late_hybrid=0.5, late_tuned=0.9, late_base=0.9)

    assert found.system.name == DEFAULT
    assert found.reason.endswith("on silver labels of logged questions: not proved")


def test_a_log_decides_nothing_where_it_cannot() -> None:
    guarded, few = _by_log(Offered(SYSTEMS, STORED, None, False)), _by_log(groups=_groups(11, 30), late_hybrid=0.75)

    assert guarded == Choice(NAMED[DEFAULT], f"{DEFAULT} is the default: the tuned model may not be used")
    said = "330 logged questions find too few passages to choose by (report.min_groups)"
    assert few == Choice(NAMED[DEFAULT], f"{DEFAULT} is the default: {said}")
    assert _choose(_dev(TWENTY)) == choose(_dev(TWENTY), ALL, False, PARAMS, 0.0, _dev(TWENTY, late_hybrid=0.9))


def test_within_a_budget_the_log_judges_what_fits() -> None:
    found = _by_log(Offered(SYSTEMS, STORED, 2.0, True), hybrid_tuned=0.75)

    assert found.system.name == "hybrid_tuned"


@pytest.mark.parametrize("better", ["late_base", "late_hybrid"])
def test_too_few_groups_choose_nothing_however_many_questions(better: str) -> None:
    few, enough = (_choose(_dev(_groups(count, 30), **{better: 0.75})) for count in (11, 12))

    said = "330 dev questions in 11 groups are too few to choose (report.min_groups)"
    assert few == Choice(NAMED[DEFAULT], f"{DEFAULT} is the default: {said}")
    assert enough.system.name == better


@pytest.mark.parametrize(("by_words", "shipped"), [(0.799, "late_hybrid"), (0.801, DEFAULT)])
def test_questions_that_repeat_their_answers_words_choose_nothing(by_words: float, shipped: str) -> None:
    assert _choose(_dev(TWENTY, late_hybrid=0.95, bm25=_spread(TWENTY, by_words, 0.1))).system.name == shipped


def test_the_reason_says_that_questions_repeat_their_answers_words() -> None:
    found = _choose(_dev(TWENTY, late_hybrid=0.95, base=0.95, bm25=0.9))

    said = "with ndcg@10 0.900 for bm25, dev questions repeat their answers' words and cannot choose"
    assert found == Choice(NAMED[DEFAULT], f"{DEFAULT} is the default: {said}")


@pytest.mark.parametrize(("half", "shipped"), [(SEEN, DEFAULT), (UNSEEN, "late_hybrid")])
def test_only_questions_that_training_did_not_see_prove_the_tuned_model(half: frozenset[str], shipped: str) -> None:
    scores = [0.9 if query_id in half else 0.45 for query_id in TWENTY]

    assert _choose(_dev(TWENTY, late_hybrid=scores)).system.name == shipped


def test_the_tuned_model_must_beat_what_the_untrained_one_can_do_not_the_default_alone() -> None:
    found = _choose(_dev(TWENTY, late_base=0.8, late_hybrid=0.75))

    assert found.system.name == "late_base"
    assert "against late_base on questions that training did not see: not proved" in found.reason


def test_a_large_group_that_fills_a_half_proves_nothing() -> None:
    groups = {**{f"large{i}": "large0" for i in range(100)}, **{f"q{i}": f"q{i}" for i in range(11)}}
    seed = next(seed for seed in range(100) if {groups[i] for i in halves(groups, seed)[1]} == {"large0"})

    assert _choose(_dev(groups, late_hybrid=0.9), seed=seed) == Choice(NAMED[DEFAULT], BY_DEV)


def test_a_gain_of_training_too_small_to_matter_is_none() -> None:
    assert _choose(_dev(TWENTY, late_hybrid=0.504)).system.name == DEFAULT
    assert _choose(_dev(TWENTY, late_hybrid=0.506)).system.name == "late_hybrid"


@pytest.mark.parametrize(("better", "shipped"), [("late_hybrid", DEFAULT), ("late_base", "late_base")])
def test_only_the_tuned_model_has_the_noise_of_seeds(better: str, shipped: str) -> None:
    assert _choose(_dev(TWENTY, **{better: 0.75}), noise=0.3).system.name == shipped


@pytest.mark.parametrize(
    ("size", "shipped"),
    [(0.0175, "hybrid_base"), (0.1, DEFAULT)],  # standard errors of 0.004 and 0.023
)
def test_fewer_parts_are_shipped_where_a_loss_that_matters_is_excluded(size: float, shipped: str) -> None:
    found = _choose(_dev(TWENTY, hybrid_base=_spread(TWENTY, 0.499, size)))

    assert found.system.name == shipped
    assert found.reason.startswith(
        "hybrid_base, which dev questions choose, has" if shipped == "hybrid_base" else f"{DEFAULT} stays: hybrid_base"
    )


@pytest.mark.parametrize(("mean", "shipped"), [(0.5, DEFAULT), (0.501, "late_base")])
def test_as_many_parts_are_shipped_only_if_they_gain(mean: float, shipped: str) -> None:
    assert _choose(_dev(TWENTY, late_base=mean)).system.name == shipped


@pytest.mark.parametrize(
    ("equals", "shipped"),
    [
        (["late_base", "hybrid_base"], "hybrid_base"),
        (["hybrid_base", "base"], "base"),
        (["late_hybrid", "hybrid_tuned", "tuned"], "tuned"),
        (["late_hybrid", "hybrid_tuned"], "hybrid_tuned"),
        (["late_hybrid", "base"], "base"),
    ],
)
def test_of_equals_the_simplest_and_the_untrained(equals: list[str], shipped: str) -> None:
    assert _choose(_dev(TWENTY, **dict.fromkeys(equals, 0.75))).system.name == shipped


@pytest.mark.parametrize(("base", "bm25", "shipped"), [(0.701, 0.7, "base"), (0.7, 0.701, "bm25"), (0.7, 0.7, "bm25")])
def test_of_equally_simple_ones_the_best_and_of_ties_the_first(base: float, bm25: float, shipped: str) -> None:
    dev = _dev(TWENTY, base=_spread(TWENTY, base, 0.1), bm25=_spread(TWENTY, bm25, -0.1))

    assert _choose(dev).system.name == shipped


@pytest.mark.parametrize(("loss", "shipped"), [(0.0399, "tuned"), (0.0401, "late_hybrid")])
def test_within_one_standard_error_of_the_best_is_as_good(loss: float, shipped: str) -> None:
    """Ten groups choose, whose losses are 0.12 more and less than their mean in turn: s.e. 0.12 / √(10 − 1) = 0.04."""
    dev = _dev(TWENTY, late_hybrid=0.9, tuned=_spread(TWENTY, 0.9 - loss, 0.12))

    assert _choose(dev).system.name == shipped


def test_the_standard_error_goes_by_groups() -> None:
    """Of ten groups it is 0.12 / √9 = 0.04; were their thirty questions independent, 0.12 / √29 = 0.022."""
    alone = {query_id: query_id for query_id in TWENTY}

    found = [
        _choose(_dev(groups, late_hybrid=0.9, tuned=_spread(groups, 0.87, 0.12))).system.name
        for groups in (TWENTY, alone)
    ]

    assert found == ["tuned", "late_hybrid"]


def test_the_luck_of_one_question_proves_nothing() -> None:
    """`base` gains 1 on one question of ten, BM25 0.05 on each. Without that question the others choose BM25.

    So it is judged with BM25's 0.05 and the nine with base's 0: a gain of 0.005, where choice and proof on the same
    questions would say 0.1.
    """
    groups = _groups(10, 1)
    dev = _dev(groups, late_hybrid_base=0.0, base=[1.0] + [0.0] * 9, bm25=0.05)

    found, proof = cross_fitted(dev, [NAMED["bm25"], NAMED["base"]], NAMED[DEFAULT], PARAMS)

    assert found.name == "base"
    assert (proof.delta, proof.n, proof.groups) == (pytest.approx(0.005), 10, 10)
    assert difference(dev, "base", DEFAULT, PARAMS).delta == pytest.approx(0.1)


def test_a_group_is_judged_as_a_whole() -> None:
    """Three questions about one passage are one piece of luck: none of them chooses how the others are judged."""
    groups = _groups(10, 3)
    dev = _dev(groups, late_hybrid_base=0.0, base=[1.0] * 3 + [0.0] * 27, bm25=0.05)

    _, proof = cross_fitted(dev, [NAMED["bm25"], NAMED["base"]], NAMED[DEFAULT], PARAMS)

    assert (proof.delta, proof.n, proof.groups) == (pytest.approx(0.005), 30, 10)


@pytest.mark.parametrize(
    ("budget_kb", "shipped"), [(None, "late_hybrid"), (6.0, "late_hybrid"), (5.9, "hybrid_tuned"), (1.4, "bm25")]
)
def test_a_budget_leaves_out_what_stores_more(budget_kb: float | None, shipped: str) -> None:
    offered = Offered(SYSTEMS, STORED, budget_kb, True)

    assert _choose(_dev(TWENTY, late_hybrid=0.9, hybrid_tuned=0.8, bm25=0.7), offered).system.name == shipped


@pytest.mark.parametrize(("budget_kb", "default"), [(6.0, DEFAULT), (5.9, "hybrid_base"), (1.4, "bm25")])
def test_a_default_beyond_the_budget_gives_way_to_what_comes_nearest(budget_kb: float, default: str) -> None:
    found = choose(_dev(TWENTY), Offered(SYSTEMS, STORED, budget_kb, True), True, PARAMS)

    assert found.system.name == default


def test_where_passages_have_aliases_the_default_and_what_stands_in_for_it_index_them() -> None:
    systems = family(aliases=True, params=SearchParams())
    stored = {system.name: STORED[system.name.removesuffix("_aliases")] for system in systems}

    defaults = [choose(_dev(TWENTY), Offered(systems, stored, kb, True), True, PARAMS) for kb in (None, 5.9, 1.4)]

    assert [found.system.name for found in defaults] == [
        "late_hybrid_base_aliases", "hybrid_base_aliases", "bm25_aliases",
    ]  # fmt: skip


def test_where_the_guard_objects_no_system_of_the_tuned_model_is_shipped() -> None:
    dev = _dev(TWENTY, late_hybrid=0.9, late_base=0.6)

    assert _choose(dev).system.name == "late_hybrid"
    assert _choose(dev, Offered(SYSTEMS, STORED, None, False)).system.name == "late_base"


def test_the_order_of_rows_does_not_matter() -> None:
    draw = np.random.default_rng(0)
    dev = _dev(TWENTY, **{name: draw.normal(0.5, 0.1, len(TWENTY)) for name in NAMED})

    found = {_choose(dev.sample(frac=1, random_state=seed)).reason for seed in range(5)}

    assert found == {_choose(dev).reason}


FIVE = (DEFAULT, "tuned", "hybrid_tuned", "late_tuned", "late_hybrid")
FIRST = 100
"""Draws in which `choose` is asked whatever is proved."""


def _draw(
    generator: np.random.Generator, groups: Mapping[str, str], sees: NDArray[np.bool_], correlation: float
) -> dict[str, Values]:
    """Scores of systems that do not differ; two questions of a group have differences of this correlation.

    The half that training sees is used twice before a system is chosen: the tuned model is the best of three
    checkpoints there, and then of this and two other shares of it. Each scores as if it were another model.
    """

    def scores() -> Values:
        shared, own = generator.normal(size=len(set(groups.values()))).repeat(9), generator.normal(size=len(groups))
        return 0.5 + 0.2 * (math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * own)

    def best(found: Iterable[Values]) -> Values:
        return max(found, key=lambda each: each[sees].mean())

    tuned = {name: best([best(scores() for _ in range(3)), scores(), scores()]) for name in FIVE[1:]}
    return {DEFAULT: scores(), **tuned}


def _improved_by_luck(count: int, correlation: float, draws: int) -> tuple[float, float]:
    """The shares of draws that ship a tuned system: by `choose`, and if all questions both chose and proved.

    `choose` is asked of the first draws, and of those in which a gain of some tuned system is proved on the half that
    training does not see: what is not proved there is never shipped, as the first draws show.
    """
    groups, generator = _groups(count, 9), np.random.default_rng(0)
    seen, _ = halves(groups, PARAMS.seed)
    sees, names = np.array([query_id in seen for query_id in groups]), list(groups.values())
    unseen = [group for query_id, group in groups.items() if query_id not in seen]
    offered = Offered([NAMED[name] for name in FIVE], STORED, None, True)
    table = _dev(groups)
    table = table[table["arm"].isin(FIVE)].sort_values("arm", kind="stable")
    ours = theirs = 0
    for number in range(draws):
        drawn = _draw(generator, groups, sees, correlation)
        gains = {name: drawn[name] - drawn[DEFAULT] for name in FIVE[1:]}
        proved = any(_is_proved(gain[~sees], unseen) for gain in gains.values())
        if proved or number < FIRST:
            dev = table.assign(**{METRIC: np.concatenate([drawn[name] for name in sorted(FIVE)])})
            shipped = _choose(dev, offered).system.model == "tuned"
            assert proved or not shipped
            ours += shipped
        theirs += _is_proved(max(gains.values(), key=lambda gain: gain.mean()), names)
    return ours / draws, theirs / draws


def _is_proved(gain: Values, groups: Sequence[str]) -> bool:
    return interval(gain, PARAMS.resamples, PARAMS.seed, groups)[0] > 0 and float(gain.mean()) >= PARAMS.min_delta


@pytest.mark.slow
@pytest.mark.parametrize(("count", "correlation", "draws"), [(17, 0.1, 2000), (17, 0.3, 2000), (34, 0.3, 600)])
def test_without_a_true_difference_the_tuned_model_is_rarely_proved(count: int, correlation: float, draws: int) -> None:
    apart, together = _improved_by_luck(count, correlation, draws)

    assert apart <= 0.03
    assert together > 0.1
