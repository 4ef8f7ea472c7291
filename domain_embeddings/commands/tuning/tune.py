"""Search for better params with `dvc exp` runs, judged by dev questions; a test figure is neither read nor shown.

Each trial runs the pipeline of one corpus up to `evaluate` in the workspace, which is put back afterwards. Half of the
dev questions, the one that training takes its checkpoint by, chooses; the other half proves. Trials are kept in
data/tune/<corpus>/trials.jsonl, so that a killed run goes on where it was; the table goes to docs/log.md.

    domain-embeddings tune manuals --trials 20 --time 2h
"""

import difflib
import io
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from ruamel.yaml import YAML
from tqdm import tqdm

from domain_embeddings.commands.tuning.experiments import begin, git, put_back, put_back_tracked, run
from domain_embeddings.commands.workspace import PARAMS, load_params, section, stage_folder
from domain_embeddings.core.errors import TOLD, UserError, give_up
from domain_embeddings.packaging.dvc_lock import LOCK
from domain_embeddings.params.report import ReportParams
from domain_embeddings.reporting.phrases import gain
from domain_embeddings.tuning.space import DEFAULT, Space, Value
from domain_embeddings.tuning.trials import Journal, Outcome, Trial, outcome, propose

LOG = Path("docs/log.md")
BEGUN = "begun.json"
"""The values of the trial that runs."""
MOST_FAILED = 3
"""Trials that fail one after the other, after which something else must be wrong."""
_UNITS = {"s": 1, "m": 60, "h": 3600}


def seconds_of(text: str) -> float:
    """`90m`, `2h` or `45s` in seconds; a UserError for anything else."""
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)([smh])", text.strip())
    if not found:
        raise UserError(f"--time {text!r}: write a number and s, m or h, such as 90m or 2h")
    return float(found[1]) * _UNITS[found[2]]


def table(trials: Sequence[Trial], found: Outcome | None) -> Iterator[str]:
    """The trials as Markdown; the best in bold."""
    names = list(trials[0].values)
    yield f"| trial | {' | '.join(f'`{name}`' for name in names)} | system | ndcg@10 | minutes |"
    yield f"|---|{'---|' * len(names)}---|---|---|"
    for trial in trials:
        bold = "**" if found and trial is found.best else ""
        score = f"failed: {trial.failed}".replace("|", "/") if trial.failed else f"{bold}{trial.mean:.3f}{bold}"
        values = " | ".join("default" if value is None else str(value) for value in trial.values.values())
        yield f"| {trial.number} | {values} | {trial.system} | {score} | {trial.seconds / 60:.1f} |"


def suggestion(values: Mapping[str, Value]) -> str:
    """The change of params.yaml as a diff."""
    yaml = YAML()
    yaml.width, yaml.preserve_quotes = 4096, True
    texts: list[list[str]] = []
    loaded = yaml.load(PARAMS)
    for changes in ({}, values):
        for name, value in changes.items():
            *sections, last = name.split(".")
            place = loaded
            for part in sections:
                place = place[part]
            place[last] = value
        stream = io.StringIO()
        yaml.dump(loaded, stream)
        texts.append(stream.getvalue().splitlines(keepends=True))
    return "".join(difflib.unified_diff(texts[0], texts[1], f"a/{PARAMS}", f"b/{PARAMS}", n=0))


def report(corpus: str, trials: Sequence[Trial], found: Outcome) -> str:
    """What was tried and what follows, in Markdown."""
    whole = [trial for trial in trials if not trial.failed]
    half = len(whole[0].scores or {})
    proof = gain(found.proof.delta, found.proof.low, found.proof.high)
    lines = [
        f"**Tuning {corpus}** (`domain-embeddings tune {corpus}`, {len(trials)} trials, {len(trials) - len(whole)} "
        f"failed). ndcg@10 of the tuned model's system on {half} dev questions, asked by {whole[0].asked_by}; trial 0 "
        "has the params as they are.",
        "",
        *table(trials, found),
        "",
    ]
    if not found.best.number:
        lines.append("No trial is better than trial 0 by more than one standard error: the params stay.")
    else:
        said = "proved" if found.proved else "not proved, so the params stay"
        lines.append(
            f"Trial {found.best.number} is the best. On {found.proof.n} further dev questions it has {proof} ndcg@10 "
            f"against trial 0: {said}."
        )
    return "\n".join(lines) + "\n"


def write_down(text: str, today: date) -> None:
    """Put a text at the top of the log, under today's heading."""
    heading = f"## {today.day} {today:%B %Y}"
    before, _, after = LOG.read_text(encoding="utf-8").partition("\n## ")
    after = f"## {after}" if after else ""
    if after.startswith(f"{heading}\n"):
        after = after.removeprefix(f"{heading}\n").lstrip("\n")
    LOG.write_text(f"{before.rstrip()}\n\n{heading}\n\n{text}\n{after}", encoding="utf-8")


def tune(
    corpus: Annotated[str, typer.Argument(help="A corpus of params.yaml.")],
    trials: Annotated[int, typer.Option(min=1, help="Trials in all, those of an earlier call among them.")] = 20,
    time_: Annotated[str, typer.Option("--time", help="No trial begins after this: 45s, 90m, 2h.")] = "2h",
    space: Annotated[Path, typer.Option(help="YAML: the params to try, and their values.")] = DEFAULT,
) -> None:
    """Search for better params of a corpus. Exit code 1: a trial could not be judged; 2: it cannot begin."""
    try:
        end = time.monotonic() + seconds_of(time_)
        folder = stage_folder("tune", corpus)
        begin(corpus, folder / BEGUN)
        params = load_params()
        if corpus not in params["corpora"]:
            raise UserError(f"{corpus}: no corpus of {PARAMS}, which has {', '.join(params['corpora'])}")
        tried, judging = Space.read(space, params), section("report", ReportParams)
        identity = {
            "params": params,
            "space": {name: values.model_dump() for name, values in tried.tried.items()},
            "lock": git("rev-parse", f"HEAD:./{LOCK}").strip(),
        }
        journal = Journal(folder / "trials.jsonl", identity)
    except TOLD as error:
        give_up(error, 2)
    try:
        _run_all(corpus, journal, tried, params, judging.seed, trials, end)
    except TOLD as error:
        give_up(error, 1)
    found = outcome(journal.trials, judging)
    text = report(corpus, journal.trials, found)
    write_down(text, date.today())
    typer.echo(text)
    if found.best.number:
        diff = suggestion(found.best.values)
        (folder / "params.diff").write_text(diff, encoding="utf-8")
        typer.echo(f"{diff}\nTo take it: dvc exp apply tune-{corpus}-{found.best.number}")


def _run_all(
    corpus: str, journal: Journal, space: Space, params: Mapping[str, Any], seed: int, most: int, end: float
) -> None:
    """Run the trials that are left, and put the workspace back; a UserError where the params as they are fail."""
    begun = journal.file.with_name(BEGUN)
    try:
        for number in tqdm(range(len(journal.trials), most), "trials", initial=len(journal.trials), total=most):
            if number and time.monotonic() > end:
                break
            values = propose(journal.trials, space, seed) if number else space.of(params)
            begun.write_text(json.dumps(values if number else {}), encoding="utf-8")
            journal.add(run(corpus, number, values, params, seed))
            put_back_tracked()
            if journal.trials[0].failed or all(trial.failed for trial in journal.trials[-MOST_FAILED:]):
                raise UserError(f"trial {number} failed: {journal.trials[-1].failed}")
    finally:
        put_back(corpus)
        begun.unlink(missing_ok=True)
