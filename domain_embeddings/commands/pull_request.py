"""What a change does to search, as a comment for its pull request.

Compares the working tree (run `dvc repro` first) with a base revision: verdicts and arms from metrics/, the gate on
per-query results, `dvc params diff` and `dvc metrics diff`. Writes the comment and its pictures beside each other,
data/pull_request/comment.md by default. What cannot be compared is said in the comment: it is never empty, and the
exit status is 0 whatever it says (the gate is what stops a change).

    python -m domain_embeddings pr-report main               # or: make pr-report BASE=main
    python -m domain_embeddings pr-report main report.md
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from domain_embeddings.commands.gate import REMEDY, acceptance, conclusion, counts, fallen_slices, judge, said, verdict
from domain_embeddings.commands.git_revision import Revision, find, working_tree
from domain_embeddings.commands.workspace import metrics_folder, section
from domain_embeddings.core.errors import TOLD, message
from domain_embeddings.core.markup import escape, table
from domain_embeddings.core.metrics import METRICS
from domain_embeddings.evaluation.promotion import METRIC
from domain_embeddings.evaluation.regression_gate import CannotCompareError, Gate
from domain_embeddings.params.gate import GateParams
from domain_embeddings.reporting import revision_plots
from domain_embeddings.reporting.phrases import gain, metric_name, signed

MARKER = "<!-- domain-embeddings-report -->"
"""The first line: by it the workflow finds its comment again."""
OUT = Path("data/pull_request/comment.md")
TITLE = "## Effect on search"
MOST_ROWS = 150
"""Of a table of DVC's: a comment on GitHub holds 65,536 characters."""

Arms = dict[str, dict[str, float]]
"""The content of evaluate.json: arm → metric → value."""


def metrics(revision: Revision, corpus: str, name: str) -> Any:
    """A JSON file of metrics/<corpus>/; None where the revision has none."""
    text = revision.text(metrics_folder(corpus) / name)
    return json.loads(text) if text is not None else None


def verdicts(base: Revision, now: Revision, corpora: Sequence[str]) -> str:
    """A row a corpus: the verdict there and here."""
    rows, unknown = [], []
    for corpus in corpora:
        found = [metrics(revision, corpus, "verdict.json") for revision in (base, now)]
        rows.append([escape(corpus), *(_verdict(one) for one in found)])
        unknown += [f"{corpus} of {where}" for where, one in zip((base, now), found, strict=True) if one is None]
    note = (
        f"\n\nNo verdict is known for {escape(', '.join(unknown))}: a corpus that is new, or one for which "
        "`dvc repro` was not run, or its `metrics/` not committed."
        if unknown
        else ""
    )
    return f"### Verdicts, tuned against base model\n\n{table(['corpus', f'`{base.name}`', 'this'], rows)}{note}"


def _verdict(found: dict[str, Any] | None) -> str:
    if found is None:
        return "–"
    delta = gain(found["delta"], *found["ci95"])
    shipped = f"ships {escape(found['shipped'])}" if "shipped" in found else f"keeps {found['promoted']}"
    return f"**{found['verdict']}**, {metric_name(found['metric'])} {delta}, {shipped}"


def gate(result: Gate) -> str:
    """The gate's result."""
    rows = [
        [
            f"`{change.name}`",
            f"{change.before:.3f} → {change.after:.3f}",
            gain(change.difference.delta, change.difference.low, change.difference.high),
            f"{change.tolerance:g}",
            f"**{word}**" if (word := verdict(result, change)) == "fell" else word,
            escape("; ".join(said(part) for part in fallen_slices(change))),
        ]
        for change in result.changes
    ]
    header = ["metric", "before → this", "difference [95% interval]", "tolerance", "result", "fell most on"]
    lines = [f"- {escape(line)}" for line in (*map(counts, result.compared), *result.notes)]
    lines += [f"- **Could not compare.** {problem}" for problem in result.problems]
    accept = f"{REMEDY}\n\n```yaml\n{lines_to_add}\n```" if (lines_to_add := acceptance(result)) else ""
    found = [table(header, rows), "![Differences with their intervals](gate.png)"] if rows else []
    parts = ["### Gate", f"**{conclusion(result)}**", accept, *found, "\n".join(lines)]
    return "\n\n".join(filter(None, parts))


def arms(base: Revision, now: Revision, corpora: Sequence[str]) -> str:
    """Every arm of every corpus, each value with its change."""
    rows = []
    for corpus in corpora:
        old, new = (metrics(revision, corpus, "evaluate.json") or {} for revision in (base, now))
        for arm in [*new, *(arm for arm in old if arm not in new)]:
            cells = [_cell(old.get(arm, {}).get(metric), new.get(arm, {}).get(metric)) for metric in METRICS]
            rows.append([escape(corpus), f"`{arm}`", *cells])
    header = ["corpus", "arm", *(metric_name(metric) for metric in METRICS)]
    note = "Means over all questions of a revision. The gate compares the questions that both have."
    return f"### Arms\n\n{note}\n\n{table(header, rows)}"


def _cell(before: float | None, after: float | None) -> str:
    """`0.717 (+0.032)`."""
    if after is None:
        return "–" if before is None else f"– (was {before:.3f})"
    if before is None:
        return f"{after:.3f} (new)"
    change = signed(after - before)
    return f"{after:.3f}" + (f" ({change})" if change != "0.000" else "")


def dvc_table(command: str, base: Revision) -> tuple[int, str]:
    """`dvc <command> diff` against the base as Markdown: how many rows, and the table or what DVC complains of."""
    done = subprocess.run(
        [sys.executable, "-m", "dvc", command, "diff", "--md", base.commit],
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    if done.returncode:
        return 1, f"`dvc {command} diff` says:\n\n```\n{done.stderr.strip()}\n```"
    lines = [line.replace(base.commit, base.name) for line in done.stdout.splitlines() if line.startswith("|")]
    rows = sorted(lines[2:])  # DVC's own order differs from run to run
    cut = f"\n\n{len(rows) - MOST_ROWS:,} more: `dvc {command} diff {base.name}`." if len(rows) > MOST_ROWS else ""
    return len(rows), "\n".join([*lines[:2], *rows[:MOST_ROWS]]) + cut


def params_changes(base: Revision) -> str:
    """The params that changed."""
    count, found = dvc_table("params", base)
    return "### Params\n\n" + (found if count else "No param changed.")


def metrics_changes(base: Revision) -> str:
    """All metrics that changed, folded away."""
    count, found = dvc_table("metrics", base)
    if not count:
        return "### Metrics\n\nNo metric changed."
    return f"### Metrics\n\n<details><summary>{count:,} changed metrics</summary>\n\n{found}\n\n</details>"


def plotted(base: Revision, now: Revision, corpora: Sequence[str]) -> bytes | None:
    """The picture of all arms in the verdict's metric; None where no figures are known."""
    values = [
        {
            corpus: {arm: row[METRIC] for arm, row in found.items()}
            for corpus in corpora
            if (found := metrics(revision, corpus, "evaluate.json"))
        }
        for revision in (base, now)
    ]
    return revision_plots.arms(values[0], values[1], metric_name(METRIC), base.name) if values[1] else None


def head(base: Revision) -> str:
    """What is compared with what."""
    current = find("HEAD")
    lines = f"{TITLE}\n\n{base} → the working tree on {current.commit[:7]}"
    if base.commit == current.commit:
        lines += (
            f"\n\n`{base.name}` is the very commit that is checked out, so that only changes not committed can show. "
            "Compare with an older revision: `make pr-report BASE=main~1`."
        )
    return lines


def write_comment(name: str, out: Path) -> str:
    """Write the pictures, and return the comment."""
    base, now = find(name), working_tree()
    corpora = sorted({*base.corpora(), *now.corpora()})
    parts = [head(base), verdicts(base, now, corpora)]
    try:
        result = judge(base, now, section("gate", GateParams))
        parts.append(gate(result))
        if result.changes:
            (out.parent / "gate.png").write_bytes(revision_plots.changes(result.changes))
    except CannotCompareError as error:
        parts.append(f"### Gate\n\nCould not compare: {error}")
    parts.append(arms(base, now, corpora))
    if picture := plotted(base, now, corpora):
        (out.parent / "arms.png").write_bytes(picture)
        parts.append(f"![{metric_name(METRIC)} of every arm](arms.png)")
    return "\n\n".join([*parts, params_changes(base), metrics_changes(base)])


def pr_report(
    base: Annotated[str, typer.Argument(help="The revision to compare with: a branch, tag or commit.")],
    out: Annotated[Path, typer.Argument(help="The Markdown file.")] = OUT,
) -> None:
    """Write what a change does to search, as a comment for its pull request."""
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        body = write_comment(base, out)
    except TOLD as error:
        body = f"{TITLE}\n\nThere is nothing to report: {message(error)}"
    out.write_text(f"{MARKER}\n{body}\n", encoding="utf-8")
    typer.echo(f"wrote {out}")
