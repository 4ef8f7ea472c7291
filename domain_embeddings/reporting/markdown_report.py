"""A corpus's results as short Markdown, kept in Git beside the figures: a pull request shows what it changed."""

from collections.abc import Sequence

from domain_embeddings.core.markup import escape, table
from domain_embeddings.evaluation.report_model import Case, Comparison, Hit, Row, Summary
from domain_embeddings.reporting import phrases

_CASES = 3


def markdown(summary: Summary) -> str:
    """The whole report; every text of the corpus is escaped."""
    parts = [
        f"# {escape(summary.corpus)}: {summary.promotion.shipped.arm}",
        f"**{escape(phrases.shipped_sentence(summary))}** {escape(phrases.reason(summary.promotion))}",
        f"{phrases.headline(summary)}. {phrases.verdict_sentence(summary)} {_weights(summary)}",
        f"## Arms\n\n{escape(summary.split)}",
        _arms(summary),
        *(escape(phrases.skipped_sentence(arm, why, summary.corpus)) for arm, why in summary.skipped.items()),
        *(part for comparison in summary.comparisons for part in _slices(comparison, summary.verdict.metric)),
        "## Dev questions, guard, seeds",
        _evidence(summary),
        phrases.seeds_sentence(summary.seeds, summary.seed_spread),
        "## Wins of tuned",
        _cases(summary.wins),
        "## Losses of tuned",
        _cases(summary.losses),
    ]
    return "\n\n".join(parts) + "\n"


def _weights(summary: Summary) -> str:
    learned = phrases.learned_sentence(summary.training, summary.promotion.dev.asked_by)
    return f"{phrases.share_sentence(summary.promotion)} {escape(learned)}".strip()


def _arms(summary: Summary) -> str:
    metrics = list(next(iter(summary.arms.values())))

    def cell(arm: str, metric: str) -> str:
        value = f"{summary.arms[arm][metric]:.3f}"
        interval = summary.intervals.get(arm, {}).get(metric)
        return f"{value} ± {phrases.half_width(interval):.3f}" if interval else value

    header = ["arm", *(phrases.metric_name(metric) for metric in metrics)]
    return table(header, ([f"`{arm}`", *(cell(arm, metric) for metric in metrics)] for arm in summary.arms))


def _slices(comparison: Comparison, metric: str) -> list[str]:
    title = f"## {comparison.name}, {phrases.metric_name(metric)}"
    rows = (_slice(row) for row in (comparison.overall, *comparison.slices))
    return [
        title,
        phrases.MANY_SLICES,
        table(["questions", "gain [95% interval]", "Holm p", "n (groups)", "result"], rows),
    ]


def _slice(row: Row) -> list[str]:
    name = f"{row.slice}: {row.value}" if row.slice else "all questions"
    word = ", ".join(part for part in (f"{phrases.SIGNS[row.word]} {row.word}", phrases.detects(row)) if part)
    gain, p = phrases.gain(row.delta, row.low, row.high), escape(phrases.p_value(row.p_holm))
    return [escape(name), gain, f"**{p}**" if row.p_holm < phrases.SURE else p, f"{row.n:,} ({row.groups:,})", word]


def _evidence(summary: Summary) -> str:
    dev = summary.promotion.dev
    own = [
        escape(summary.corpus),
        phrases.gain(dev.delta, dev.low, dev.high),
        escape(phrases.asked(dev.n, dev.groups, dev.asked_by)),
    ]
    others = (
        [
            escape(guard.corpus),
            phrases.gain(guard.delta, guard.low, guard.high),
            f"{guard.n:,} questions in {guard.groups:,} groups",
            "guard holds" if guard.holds else "guard objects",
        ]
        for guard in summary.promotion.guard
    )
    return table(["corpus", "tuned − base", "asked", "says"], [[*own, dev.word], *others])


def _cases(cases: Sequence[Case]) -> str:
    return "\n".join(_case(case) for case in cases[:_CASES]) or "None."


def _case(case: Case) -> str:
    gain = f"{phrases.signed(case.ours - case.theirs)} ({case.theirs:.2f} → {case.ours:.2f})"
    return "\n".join(
        [
            f"- {gain}: {escape(case.query)} ({escape(case.query_id)})",
            f"  - answers: {_names(case.relevant)}",
            f"  - tuned finds: {_names(case.ours_found)}",
            f"  - base finds: {_names(case.theirs_found)}",
        ]
    )


def _names(hits: Sequence[Hit]) -> str:
    """Ids of passages, those that answer the question in bold."""
    return ", ".join(f"**{escape(hit.id)}**" if hit.relevant else escape(hit.id) for hit in hits) or "nothing"
