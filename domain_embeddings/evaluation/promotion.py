"""From measured differences to a word, and to the model that is kept.

The word for the test questions is only reported. What is kept is chosen on dev questions; the test may veto a choice
that it shows to be harmful, and never makes one.
"""

from collections.abc import Sequence

from domain_embeddings.evaluation.report_model import DevResult, Guard, Model, Promotion, Verdict, Word
from domain_embeddings.evaluation.significance import Difference
from domain_embeddings.params.report import ReportParams

METRIC = "ndcg@10"
DIGITS = 6


def word(difference: Difference, params: ReportParams, noise: float = 0.0) -> Word:
    """The interval rule.

    improved or regressed: the 95% interval excludes zero, and the difference is at least `min_delta` and above `noise`,
    what another training seed would change; underpowered: fewer than `min_queries` questions, or nothing was found by a
    set too small to show `wanted_delta`; unchanged: all else.
    """
    if difference.n < params.min_queries:
        return "underpowered"
    least = max(params.min_delta, noise)
    if difference.low > 0 and difference.delta >= least:
        return "improved"
    if difference.high < 0 and -difference.delta >= least:
        return "regressed"
    missed = difference.low <= 0 <= difference.high and difference.detectable > params.wanted_delta
    return "underpowered" if missed else "unchanged"


def dev_result(difference: Difference, synthetic: bool, params: ReportParams) -> DevResult:
    """What dev questions say; `synthetic`: they were made from passages, not asked by people."""
    low, high = round(difference.low, DIGITS), round(difference.high, DIGITS)
    return DevResult(word(difference, params), round(difference.delta, DIGITS), low, high, difference.n, synthetic)


def guard(corpus: str, difference: Difference, params: ReportParams) -> Guard:
    """What a collection of another field says: a loss beyond `max_loss` that is more than luck does not hold."""
    holds = difference.high >= 0 or -difference.delta <= params.max_loss
    delta, low, high = (round(value, DIGITS) for value in (difference.delta, difference.low, difference.high))
    return Guard(corpus, delta, low, high, difference.n, holds)


def promote(dev: DevResult, guards: Sequence[Guard], test: Word, share: float) -> Promotion:
    """Keep the tuned model if dev questions show a gain, no other corpus suffers, and the test shows no harm."""
    promoted, reason = _choice(dev, guards, test)
    return Promotion(promoted, reason, dev, guards, share)


def _choice(dev: DevResult, guards: Sequence[Guard], test: Word) -> tuple[Model, str]:
    where = f"{dev.n} dev questions" + (" (on synthetic queries)" if dev.synthetic else "")
    said = f"{dev.word} on {where}: {_span(dev)}"
    if dev.word != "improved":
        return "base", said
    if harmed := [f"{found.corpus} {_span(found)}" for found in guards if not found.holds]:
        return "base", f"{said}; but the guard shows forgetting on other corpora: {'; '.join(harmed)}"
    if test == "regressed":
        return "base", f"{said}; but the test questions veto it: regressed there"
    return "tuned", said


def _span(found: DevResult | Guard) -> str:
    return f"{METRIC} {found.delta:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"


def verdict(difference: Difference, found: Word, promoted: Model) -> Verdict:
    """The content of verdict.json."""
    delta, low, high, p = (
        round(value, DIGITS) for value in (difference.delta, difference.low, difference.high, difference.p)
    )
    return Verdict(found, METRIC, delta, (low, high), p, promoted)
