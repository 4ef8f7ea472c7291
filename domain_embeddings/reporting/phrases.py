"""How results are said: numbers and sentences that the page and the Markdown report share."""

from collections.abc import Sequence

from domain_embeddings.evaluation.report_model import (
    SHIPPED,
    Promotion,
    Row,
    SeedGain,
    Span,
    Summary,
    Training,
    Word,
)

METRIC_NAMES = {
    "recall@1": "Recall@1",
    "recall@5": "Recall@5",
    "recall@10": "Recall@10",
    "mrr@10": "MRR@10",
    "ndcg@10": "nDCG@10",
}
SURE = 0.05
"""A Holm-adjusted p below it is more than luck."""
MANY_SLICES = "A bold Holm p is more than luck even though many slices were looked at."
SIGNS: dict[Word, str] = {"improved": "▲", "unchanged": "●", "regressed": "▼", "underpowered": "◇"}
_HEADLINES: dict[Word, str] = {
    "improved": "Fine-tuning improves search by one vector a text on {}",
    "unchanged": "Fine-tuning makes no difference worth having by one vector a text on {}",
    "regressed": "Fine-tuning makes search by one vector a text worse on {}",
    "underpowered": "Too few questions to tell whether fine-tuning helps by one vector a text on {}",
}


def signed(value: float) -> str:
    """A difference with three digits, a real minus and no sign at zero: `+0.065`, `−0.012`, `0.000`."""
    text = f"{value:+.3f}"
    return "0.000" if float(text) == 0 else text.replace("-", "−")


def span(low: float, high: float) -> str:
    """An interval of differences: `[+0.034, +0.096]`."""
    return f"[{signed(low)}, {signed(high)}]"


def gain(delta: float, low: float, high: float) -> str:
    """A difference and its interval: `+0.065 [+0.034, +0.096]`."""
    return f"{signed(delta)} {span(low, high)}"


def p_value(p: float) -> str:
    """`0.042`, or `<0.001`, for what lies below is not known from so many resamples."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def half_width(interval: Span) -> float:
    """Half the length of an interval, for `0.645 ± 0.031`."""
    return (interval[1] - interval[0]) / 2


def metric_name(metric: str) -> str:
    """`ndcg@10` as people write it."""
    return METRIC_NAMES.get(metric, metric)


def asked(n: int, groups: int, asked_by: str) -> str:
    """`150 dev questions in 40 groups, by people`."""
    return f"{n:,} dev questions in {groups:,} groups, by {asked_by}"


def shipped_sentence(summary: Summary) -> str:
    """What search answers with, and what that gains over the base's vectors and over BM25."""
    shipped = summary.promotion.shipped
    against = f"{SHIPPED} − "
    gains = " and ".join(
        f"{gain(found.overall.delta, found.overall.low, found.overall.high)} over {found.name.removeprefix(against)}"
        for found in summary.comparisons
        if found.name.startswith(against)
    )
    return (
        f"Search answers with {shipped.arm}: {metric_name(summary.verdict.metric)} "
        f"{summary.arms[SHIPPED][summary.verdict.metric]:.3f}, {gains}, on {summary.n_queries:,} test questions by "
        f"{summary.asked_by}. It stores {shipped.kb:g} KB of vectors for a passage."
    )


def headline(summary: Summary) -> str:
    """The verdict in a line."""
    return _HEADLINES[summary.verdict.verdict].format(summary.corpus)


def verdict_sentence(summary: Summary) -> str:
    """What the test questions say of tuned against base."""
    found = summary.verdict
    base, tuned = (summary.arms[arm][found.metric] for arm in ("base", "tuned"))
    p = "p < 0.001" if found.p < 0.001 else f"p = {found.p:.3f}"
    return (
        f"On {summary.n_queries:,} test questions {metric_name(found.metric)} goes from "
        f"{base:.3f} (base) to {tuned:.3f} (tuned): {signed(found.delta)}, 95% interval {span(*found.ci95)}, "
        f"{p}: {found.verdict}."
    )


def reason(promotion: Promotion) -> str:
    """Why that is shipped, with a full stop; it begins with the name of an arm."""
    return f"{promotion.reason.rstrip('.')}."


def share_sentence(promotion: Promotion) -> str:
    """What the tuned model's weights are made of."""
    if promotion.share == 1:
        return "The tuned model's weights are the trained ones alone."
    return f"The tuned model's weights are a mix: {promotion.share:.0%} trained, {1 - promotion.share:.0%} the base's."


def learned_sentence(training: Training, asked_by: str) -> str:
    """That no evaluation in training was better on its dev questions than the base; empty where one was."""
    if not training.dev or max(point.value for point in training.dev) > training.dev[0].value:
        return ""
    return f"Training learned nothing that dev questions by {asked_by} show: none of its checkpoints is above the base."


def skipped_sentence(arm: str, why: str, corpus: str) -> str:
    """That a baseline is missing, why, and how to compare it after all: DVC cannot see that it is there again."""
    return f"Not compared: {arm}: {why.rstrip('.')}. Once it can be: dvc repro -sf evaluate@{corpus}, then dvc repro."


def seeds_sentence(seeds: Sequence[SeedGain], spread: float | None) -> str:
    """What a training seed alone changes."""
    if len(seeds) < 2 or spread is None:
        return "One training seed: what another seed would change was not measured."
    gains = ", ".join(f"{signed(seed.delta)} (seed {seed.seed})" for seed in seeds)
    return f"{len(seeds)} training seeds gain {gains}: standard deviation {spread:.3f}."


def detects(row: Row) -> str:
    """The least difference that an underpowered row detects: `detects ≥ 0.098`; empty for every other row."""
    if row.word != "underpowered":
        return ""
    return f"detects ≥ {row.detectable:.3f}" if row.detectable < 1 else "detects nothing"
