"""Did a change make search worse? Compare the per-query results of a base revision with those of the working tree.

Reads data/evaluate/<corpus>/per_query.jsonl, metrics/<corpus>/verdict.json and data/ingest/<corpus>/queries.jsonl of
the working tree (run `dvc repro` first) or of a second revision, the same results of the base revision from DVC's cache
or remote, and `gate:` of the working tree's params.yaml. Writes nothing. Exit code 1: a metric fell by more than its
tolerance and the paired 95% interval excludes zero; 2: something could not be compared; 0: neither.

    python -m domain_embeddings gate main           # or: make gate BASE=main
    python -m domain_embeddings gate main HEAD
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from domain_embeddings.commands.git_revision import Revision, find, working_tree
from domain_embeddings.commands.workspace import metrics_folder, section, stage_folder
from domain_embeddings.core.beir_files import read_jsonl, read_queries
from domain_embeddings.core.errors import TOLD, DataError, give_up
from domain_embeddings.evaluation.regression_gate import (
    CannotCompareError,
    Change,
    Compared,
    Gate,
    Part,
    acceptances,
    compare,
    stale,
)
from domain_embeddings.evaluation.summarizing import with_shipped
from domain_embeddings.params.gate import GateParams
from domain_embeddings.reporting.phrases import gain, p_value, signed

SHOWN_SLICES = 3
REMEDY = "To accept a fall on purpose, add its line to params.yaml with the reason; the reviewer sees it in the diff:"


def judge(base: Revision, after: Revision, params: GateParams) -> Gate:
    """Compare every corpus that both revisions have. Raises CannotCompareError where that has no meaning."""
    if base.commit == after.commit:
        raise CannotCompareError(f"{base} and {after} are the same commit: compare with an older one, such as main~1")
    before, here = base.corpora(), after.corpora()
    compared, problems = _compare_all([name for name in here if name in before], base, after, params)
    if not compared and not problems:
        problems = [f"{base} and {after} have no corpus in common: compare with a revision that has one"]
    notes = _corpus_notes(base, before, here)
    of_base = base.accepted()
    if not problems:
        changes = [change for found in compared for change in found.changes]
        notes += [f"gate.accept in params.yaml, {line}" for line in stale(params.accept, of_base, changes)]
        if not any(change.difference.detectable for change in changes):
            notes.append(f"no result of the compared arms differs from {base}; is that the base you meant?")
    return Gate(compared, problems, notes, acceptances(params.accept, of_base), params.slices)


def _compare_all(
    corpora: Sequence[str], base: Revision, after: Revision, params: GateParams
) -> tuple[list[Compared], list[str]]:
    """What was compared, and why the rest was not."""
    compared, problems = [], []
    with tempfile.TemporaryDirectory() as folder:
        for corpus in corpora:
            asked = stage_folder("ingest", corpus) / "queries.jsonl"
            try:
                tables = [_rows(revision, corpus, Path(folder)) for revision in (base, after)]
                queries = read_queries(after.out(asked, Path(folder)))
                compared.append(compare(corpus, tables[0], tables[1], queries, params))
            except (CannotCompareError, DataError) as error:
                problems.append(str(error))
    return compared, problems


def _rows(revision: Revision, corpus: str, folder: Path) -> pd.DataFrame:
    """Per-query results, those of what the revision shipped once more as the arm `shipped`."""
    path = revision.out(stage_folder("evaluate", corpus) / "per_query.jsonl", folder)
    rows = pd.DataFrame([row for _, row in read_jsonl(path)])
    verdict = json.loads(revision.text(metrics_folder(corpus) / "verdict.json") or "{}")
    return with_shipped(rows, verdict["shipped"]) if "shipped" in verdict else rows


def _corpus_notes(base: Revision, before: Sequence[str], here: Sequence[str]) -> list[str]:
    return [f"{name} is a new corpus: {base} has no results to compare with" for name in here if name not in before] + [
        f"{name} is a corpus no more: if that is not meant, put it back under corpora: in params.yaml"
        for name in before
        if name not in here
    ]


def verdict(result: Gate, change: Change) -> str:
    """What became of a metric, in a few words."""
    if change.fell:
        return "fell" if result.stopping(change) else "fell, accepted"
    if change.difference.low > 0:
        return "rose"
    return "lower, within luck" if change.difference.delta < -change.tolerance else "held"


def fallen_slices(change: Change) -> list[Part]:
    """The slices to show: those that fell beyond luck, and where the whole fell, those that fell most."""
    return [part for part in change.slices if part.fell or (change.fell and part.difference.delta < 0)][:SHOWN_SLICES]


def said(part: Part) -> str:
    """`domain hvac −0.120 (n = 40, Holm p 0.003)`."""
    found = part.difference
    return f"{part.slice} {part.value} {signed(found.delta)} (n = {found.n}, Holm p {p_value(part.p_holm)})"


def counts(compared: Compared) -> str:
    """On which questions a corpus was compared."""
    arms = "".join(f", arm {arm} is new" for arm in compared.new_arms)
    return (
        f"{compared.corpus}: {compared.common:,} questions in both, {compared.added:,} added, "
        f"{compared.removed:,} removed{arms}"
    )


def conclusion(result: Gate) -> str:
    """The result in a sentence."""
    if fallen := result.fallen:
        return f"Worse: {len(fallen)} of the metrics fell by more than the tolerance and more than luck."
    if result.problems:
        return "Not everything could be compared." if result.compared else "Nothing could be compared."
    return "No fall beyond tolerance and luck" + (" but the accepted ones." if result.accepted else ".")


def acceptance(result: Gate) -> str:
    """What params.yaml needs for the falls to be accepted; empty where there is none."""
    lines = "".join(f'\n  - "{name} (why)"' for name in result.fallen)
    return f"gate:\n  accept:{lines}" if lines else ""


def text(base: Revision, after: Revision, result: Gate) -> str:
    """The result for a terminal."""
    return "\n".join(_lines(base, after, result))


def _lines(base: Revision, after: Revision, result: Gate) -> Iterator[str]:
    yield f"{base} → {after}"
    for compared in result.compared:
        yield counts(compared)
        for change in compared.changes:
            found = change.difference
            yield (
                f"  {change.arm} {change.metric}: {change.before:.3f} → {change.after:.3f}, "
                f"{gain(found.delta, found.low, found.high)}, n = {found.n}, tolerance {change.tolerance:g}: "
                f"{verdict(result, change)}"
            )
            yield from (f"    most on {said(part)}" for part in fallen_slices(change))
    yield from (f"Could not compare: {problem}" for problem in result.problems)
    yield from (f"Note: {note}" for note in result.notes)
    yield conclusion(result)
    if lines := acceptance(result):
        yield from (REMEDY, lines)


def gate(
    base: Annotated[str, typer.Argument(help="The revision to compare with: a branch, tag or commit.")],
    revision: Annotated[str | None, typer.Argument(help="The revision to judge; else the working tree.")] = None,
) -> None:
    """Did a change make search worse? Exit code 1: a metric fell; 2: something could not be compared; 0: neither."""
    try:
        params = section("gate", GateParams)
        found = find(base)
        after = find(revision) if revision else working_tree()
        result = judge(found, after, params)
    except TOLD as error:
        give_up(error, 2)
    typer.echo(text(found, after, result))
    raise typer.Exit(result.status)
