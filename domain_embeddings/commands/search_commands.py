"""The commands that search: search, index, compare, rollback, serve.

python -m domain_embeddings search "how do I bleed the brakes" --corpus manuals
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from ruamel.yaml import YAML

from domain_embeddings.commands.workspace import MODELS, PARAMS, stage_folder
from domain_embeddings.core.beir_files import read_corpus, read_dataset
from domain_embeddings.core.errors import TOLD, DataError, IntegrityError, UserError, give_up
from domain_embeddings.params.search import SearchParams
from domain_embeddings.params.strict import validate
from domain_embeddings.search.hybrid import QueryError, Result
from domain_embeddings.search.index_protocol import SearchError
from domain_embeddings.search.late_search import Match
from domain_embeddings.search.retrieval import FineTunedRetrieval, create_finetuned_retrieval
from domain_embeddings.search.versions import latest_version

_SHOWN = 160
"""Characters of a passage in a table."""
_FOUND = 3
"""Words of a passage that are told for one of the question."""

Question = Annotated[str, typer.Argument(help="What to look for.")]
Corpus = Annotated[str, typer.Option(help="The corpus to search in.")]
Version = Annotated[str | None, typer.Option(help="The model's version; else that of the live index, else the latest.")]
Passages = Annotated[Path | None, typer.Option(help="corpus.jsonl; else data/ingest/<corpus>/corpus.jsonl.")]
Models = Annotated[Path, typer.Option("--root", help="The folder that the models lie in.")]
Folder = Annotated[Path, typer.Option(help="The folder that the index lies in, without a server.")]
ParamsFile = Annotated[Path, typer.Option("--params", help="Whose section `search` counts; need not exist.")]
Limit = Annotated[int, typer.Option(help="Passages to show.")]
Threshold = Annotated[float | None, typer.Option(help="The least cosine of question and passage.")]
Hybrid = Annotated[bool, typer.Option(help="Search as the packaged system does, or go by meaning alone.")]
Filter = Annotated[list[str] | None, typer.Option("--filter", help="field=value; may be given several times.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the results as JSON lines.")]
KeyEnv = Annotated[str | None, typer.Option(help="Environment variable with the API key that callers must send.")]

FOLDER = Path("data/index")


def search(
    question: Question,
    corpus: Corpus,
    version: Version = None,
    passages: Passages = None,
    root: Models = MODELS,
    folder: Folder = FOLDER,
    params: ParamsFile = PARAMS,
    limit: Limit = 10,
    threshold: Threshold = None,
    hybrid: Hybrid = True,
    filters: Filter = None,
    as_json: AsJson = False,
) -> None:
    """Search in a corpus's passages. The index is built on first use; `index` brings it up to date."""
    with _errors(), create_finetuned_retrieval(corpus, version, _params(params), root, folder) as retrieval:
        _index_once(retrieval, passages)
        found = retrieval.search(question, limit, threshold, hybrid, _filters(filters), explain=True)
        if as_json:
            for result in found:
                typer.echo(json.dumps(asdict(result), ensure_ascii=False))
        else:
            _print_results(retrieval, found)


def index(
    corpus: Corpus,
    version: Version = None,
    passages: Passages = None,
    root: Models = MODELS,
    folder: Folder = FOLDER,
    params: ParamsFile = PARAMS,
) -> None:
    """Bring the index up to date with corpus.jsonl and let it go live; of what is unchanged nothing is encoded again.

    Without a version, with the latest one. A new version is indexed beside the old one, which serves until the end.
    """
    wanted = version or latest_version(root, corpus)
    with (
        _errors(),
        create_finetuned_retrieval(corpus, wanted, _params(params), root, folder) as retrieval,
    ):
        corpus_file = _corpus_file(corpus, passages)
        current = read_corpus(corpus_file)
        done = retrieval.index(list(current.values()))
        gone = retrieval.keep_only(current)
        typer.echo(
            f"{corpus}, {retrieval.identity.name}: {done.added} added, {done.changed} changed, {done.unchanged} "
            f"unchanged, {gone} removed; {retrieval.count()} passages"
        )


def compare(
    question: Question,
    corpus: Corpus,
    version: Version = None,
    passages: Passages = None,
    root: Models = MODELS,
    folder: Folder = FOLDER,
    params: ParamsFile = PARAMS,
    limit: Limit = 10,
    hybrid: Hybrid = True,
) -> None:
    """Show what the base and the tuned model find, side by side.

    A + marks a passage that only this side found; a ✓ one that the corpus's labels call an answer, where the question
    is one of its labelled ones.
    """
    with _errors(), create_finetuned_retrieval(corpus, version, _params(params), root, folder) as tuned:
        base = tuned.with_base()
        for retrieval in (tuned, base):
            _index_once(retrieval, passages, activate=retrieval is tuned)
        sides = [retrieval.search(question, limit, use_hybrid=hybrid) for retrieval in (base, tuned)]
        answers = _answers(_corpus_file(corpus, passages).parent, question)
        Console().print(_side_by_side(sides, [base.identity.name, tuned.identity.name], answers))
        if base.identity.sha256 == tuned.identity.sha256:
            typer.echo("Both sides are the base model: it is what this version holds, or what stands in for it.")
        _warn(tuned, sides)


def rollback(corpus: Corpus, root: Models = MODELS, folder: Folder = FOLDER, params: ParamsFile = PARAMS) -> None:
    """Let the index that was live before go live again."""
    with _errors(), create_finetuned_retrieval(corpus, None, _params(params), root, folder) as retrieval:
        typer.echo(f"{corpus}: {retrieval.rollback()} is live")


def serve(
    corpus: Corpus,
    version: Version = None,
    passages: Passages = None,
    root: Models = MODELS,
    folder: Folder = FOLDER,
    params: ParamsFile = PARAMS,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    key_env: KeyEnv = None,
    deadline: Annotated[float, typer.Option(help="Seconds within which a request is answered.", min=0.1)] = 30.0,
    grace: Annotated[int, typer.Option(help="Seconds that SIGTERM leaves to what is under way.", min=0)] = 8,
) -> None:
    """Serve search, encoding, health, metrics, docs and a page to search with."""
    from domain_embeddings.serving.connection import create_server  # the other commands need no
    from domain_embeddings.serving.limits import Limits  # `domain-embeddings[serve]`
    from domain_embeddings.serving.service import create_app

    limits = Limits(deadline_s=deadline, shutdown_s=grace)
    with _errors(), create_finetuned_retrieval(corpus, version, _params(params), root, folder) as tuned:
        base = tuned.with_base()
        for retrieval in (tuned, base):
            _index_once(retrieval, passages, activate=retrieval is tuned)
        with suppress(KeyboardInterrupt):
            create_server(create_app(tuned, base, _key(key_env), limits), host, port, limits).run()


@contextmanager
def _errors() -> Iterator[None]:
    """Exit status 2 for what the caller can put right, 1 for what is broken; a message each."""
    try:
        yield
    except (SearchError, IntegrityError) as error:
        give_up(error, 1)
    except (*TOLD, ValueError) as error:
        give_up(error, 2)


def _params(path: Path) -> SearchParams:
    """The section `search`; the defaults where there is no such file or section."""
    if not path.is_file():
        return SearchParams()
    return validate(SearchParams, (YAML(typ="safe").load(path) or {}).get("search", {}), path, "search")


def _key(variable: str | None) -> str | None:
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key:
        raise UserError(f"the environment variable {variable} is not set (export it, or leave --key-env out)")
    return key


def _filters(given: Sequence[str] | None) -> dict[str, Any]:
    """field=value → value, a whole number where it looks like one; a field given twice may have either value."""
    found: dict[str, list[Any]] = {}
    for each in given or []:
        field, equals, value = each.partition("=")
        if not equals:
            raise QueryError(f"filter {each!r}: expected field=value")
        found.setdefault(field, []).append(int(value) if value.isdecimal() else value)
    return {field: values if len(values) > 1 else values[0] for field, values in found.items()}


def _corpus_file(corpus: str, given: Path | None) -> Path:
    return given or stage_folder("ingest", corpus) / "corpus.jsonl"


def _index_once(retrieval: FineTunedRetrieval, passages: Path | None, activate: bool = True) -> None:
    if not retrieval.is_indexed():
        path = _corpus_file(retrieval.corpus, passages)
        if not path.is_file():
            raise DataError(path, "file not found", remedy=f"dvc repro ingest@{retrieval.corpus}, or --passages FILE")
        retrieval.index(list(read_corpus(path).values()), activate)


def _answers(folder: Path, question: str) -> set[str]:
    """The passages that a dataset's labels call answers to the question; none where it is not in there."""
    if not (folder / "queries.jsonl").is_file():
        return set()
    dataset = read_dataset(folder)
    asked = {query.id for query in dataset.queries.values() if query.text.strip() == question.strip()}
    return {
        passage
        for qrels in dataset.qrels.values()
        for query, grades in qrels.items()
        for passage, grade in grades.items()
        if query in asked and grade > 0
    }


def _print_results(retrieval: FineTunedRetrieval, found: Sequence[Result]) -> None:
    table = Table(title=f"{retrieval.corpus}, {retrieval.identity.name}, {retrieval.system.name}")
    for column in ("", "passage", "score", "by meaning", "by words"):
        table.add_column(column, overflow="fold")
    for number, result in enumerate(found, start=1):
        ranks = [str(rank) if rank else "–" for rank in (result.dense_rank, result.sparse_rank)]
        table.add_row(str(number), _shown(result), f"{result.score:.4f}", *ranks)
    Console().print(table if found else "nothing found")
    _warn(retrieval, [found])


def _warn(retrieval: FineTunedRetrieval, sides: Sequence[Sequence[Result]]) -> None:
    """What is amiss: the results say it, or where there are none the model."""
    told = {reason for found in sides for result in found for reason in result.degraded}
    for each in sorted(told) or filter(None, [retrieval.reason]):
        typer.echo(f"Not as asked for: {each}", err=True)


def _shown(result: Result, mark: str = "") -> Text:
    """Title, the text's beginning and the id, as plain text: what documents hold is no markup."""
    text = " ".join(result.text.split())
    text = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    shown = Text.assemble(mark, (result.title, "bold"), "\n" if result.title else "", text, "\n", (result.id, "dim"))
    return Text.assemble(shown, "\n", _heat_map(result.matches)) if result.matches else shown


def _heat_map(matches: Sequence[Match]) -> Text:
    """Each word of the question, what it found, and how near that is: the darker the nearer."""
    cells = []
    for match in matches:
        found = ", ".join(list(dict.fromkeys(match.found))[:_FOUND])
        cells.append(Text(f" {match.word} → {found} {match.similarity:.2f} ", _heat(match.similarity)))
    return Text(" ").join(cells)


def _heat(similarity: float) -> str:
    """A colour for 0.3 and less, pale, to 1, orange; black on it can be read."""
    share = min(1.0, max(0.0, (similarity - 0.3) / 0.7))
    return f"black on #ff{round(240 - 90 * share):02x}{round(220 - 220 * share):02x}"


def _side_by_side(sides: Sequence[Sequence[Result]], names: Sequence[str], answers: set[str]) -> Table:
    table = Table()
    table.add_column("")
    for name in names:
        table.add_column(name, ratio=1, overflow="fold")
    found = [{result.id for result in side} for side in sides]
    for i in range(max(map(len, sides))):
        cells = [
            _shown(side[i], _mark(side[i].id, found[1 - number], answers)) if i < len(side) else Text()
            for number, side in enumerate(sides)
        ]
        table.add_row(str(i + 1), *cells)
    return table


def _mark(passage: str, others: set[str], answers: set[str]) -> str:
    return ("✓ " if passage in answers else "") + ("" if passage in others else "+ ")
