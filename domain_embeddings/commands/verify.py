"""The commands that check what was packaged or written: verify, verify-log."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from domain_embeddings.anomaly import query_log
from domain_embeddings.commands.workspace import MODELS
from domain_embeddings.core.errors import TOLD, IntegrityError, UserError, give_up
from domain_embeddings.packaging.verification import WITNESSES, model_name
from domain_embeddings.packaging.verification import verify as verify_folder

Corpus = Annotated[str, typer.Option(help="The corpus that the model is for.")]
Version = Annotated[str, typer.Option(help="Its version, such as 1.1.")]
Root = Annotated[Path, typer.Option(help="The folder that the models lie in.")]
Require = Annotated[
    list[str] | None, typer.Option(help=f"Of {', '.join(WITNESSES)}: refuse what was not checked against it.")
]
Key = Annotated[Path | None, typer.Option(help="PEM file: the model must be signed by this key's owner.")]


def verify(
    corpus: Corpus, version: Version, root: Root = MODELS, public_key: Key = None, require: Require = None
) -> None:
    """Check a packaged model. Exit status 0: it is what was packaged; 1: it is not; 2: the question makes no sense."""
    try:
        folder = root / model_name(corpus, version)
        if public_key is not None and not public_key.is_file():
            raise UserError(f"{public_key}: no such file")
        with tempfile.TemporaryDirectory(prefix="domain-embeddings-") as copy:
            verified = verify_folder(folder, Path(copy), public_key, require or ())
    except IntegrityError as error:
        give_up(error, 1, "refused: ")
    except (*TOLD, ValueError) as error:
        give_up(error, 2)
    checked = ", ".join(verified.witnesses)
    missed = ", ".join(each for each in WITNESSES if each not in verified.witnesses)
    against = f"{checked}, not against {missed}" if missed else checked
    typer.echo(f"{folder}: as packaged; checked against {against}; SHA-256 of the weights {verified.sha256}")


def verify_log(
    file: Annotated[Path, typer.Argument(help="A log that an anomaly detector wrote.")],
    head: Annotated[str | None, typer.Option(help="Hash of what was the last line once: it must be there.")] = None,
) -> None:
    """Check a log's hash chain. Exit status 0: it is as it was written; 1: it is not; 2: there is no log."""
    try:
        number, last = query_log.check(file, head)
    except query_log.ChainError as error:
        give_up(error, 1, "refused: ")
    except TOLD as error:
        give_up(error, 2)
    typer.echo(f"{file}: {number} lines, as they were written; hash of the last {last}")
