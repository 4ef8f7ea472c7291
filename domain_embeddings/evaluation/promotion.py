"""From measured differences to a word. Test questions are only reported on: they choose nothing and veto nothing."""

from domain_embeddings.evaluation.report_model import DevResult, Guard, Model, Verdict, Word
from domain_embeddings.evaluation.significance import LEVEL, Difference
from domain_embeddings.params.report import ReportParams

METRIC = "ndcg@10"
DIGITS = 6


def word(difference: Difference, params: ReportParams, noise: float = 0.0) -> Word:
    """The interval rule.

    improved or regressed: the 95% interval excludes zero, and the difference is at least `min_delta` and `noise`, what
    another training seed would change; underpowered: nothing was found, with fewer than `min_queries` questions or
    `min_groups` groups of them, or by a set too small to show `wanted_delta`; unchanged: all else.

    With five groups no sign-flip test is significant, as 2 of 2^5 flips are as extreme as what was found. So few show
    nothing, though their interval has no width where all scores changed alike.
    """
    if 2 ** (1 - difference.groups) >= LEVEL:
        return "underpowered"
    least = max(params.min_delta, noise)
    if difference.low > 0 and difference.delta >= least:
        return "improved"
    if difference.high < 0 and -difference.delta >= least:
        return "regressed"
    small = difference.n < params.min_queries or difference.groups < params.min_groups
    missed = small or difference.detectable > params.wanted_delta
    return "underpowered" if missed and difference.low <= 0 <= difference.high else "unchanged"


def dev_result(difference: Difference, synthetic: bool, asked_by: str, params: ReportParams) -> DevResult:
    """What dev questions say of tuned − base; `synthetic`: they were made from passages."""
    low, high = round(difference.low, DIGITS), round(difference.high, DIGITS)
    said = word(difference, params)
    return DevResult(
        said, round(difference.delta, DIGITS), low, high, difference.n, difference.groups, synthetic, asked_by
    )


def guard(corpus: str, difference: Difference, params: ReportParams) -> Guard:
    """What a collection of another field says: it holds where the 95% interval excludes a loss beyond `max_loss`.

    A non-inferiority test: a collection too small to exclude such a loss does not hold.
    """
    holds = difference.low >= -params.max_loss
    delta, low, high = (round(value, DIGITS) for value in (difference.delta, difference.low, difference.high))
    return Guard(corpus, delta, low, high, difference.n, difference.groups, holds)


def verdict(difference: Difference, found: Word, promoted: Model, shipped: str, gain: Difference) -> Verdict:
    """The content of verdict.json; `gain` is shipped − base."""
    delta, low, high, p = (
        round(value, DIGITS) for value in (difference.delta, difference.low, difference.high, difference.p)
    )
    span = round(gain.low, DIGITS), round(gain.high, DIGITS)
    return Verdict(found, METRIC, delta, (low, high), p, promoted, shipped, round(gain.delta, DIGITS), span)
