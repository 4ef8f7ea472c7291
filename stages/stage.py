"""What every stage shares: how it starts, what it is asked for, and how it ends where something is wrong."""

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

from domain_embeddings.commands.workspace import stage_folder
from domain_embeddings.core.errors import TOLD, give_up


def start() -> None:
    """Check all of params.yaml, so that a slip in a late stage's section costs no hours.

    The check can only stop a run, never change an out. It is therefore imported by name: DVC's dependencies are read
    from import statements, and with one a new key in any section would make every stage run again.
    """
    importlib.import_module("domain_embeddings.commands.check_params").check(sys.argv[1:])


def run_stage(main: Callable[[], None], *, then: str | None = None) -> None:
    """A stage as a command: start, main, and what checks its outs, the module `then` (by name, as in `start`).

    What the user can put right ends with status 1 and a message, without a traceback.
    """
    try:
        start()
        main()
        if then:
            importlib.import_module(then).check(corpus_argument())
    except TOLD as error:
        give_up(error)


def corpus_argument() -> str:
    """The corpus's name: a stage's only argument."""
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: python -m stages.{Path(sys.argv[0]).stem} CORPUS")
    return sys.argv[1]


def asks_synthetic(corpus: str) -> bool:
    """Whether a corpus's dev questions were made from its passages, not asked by people."""
    statistics = json.loads((stage_folder("synthesize", corpus) / "statistics.json").read_text(encoding="utf-8"))
    return bool(statistics["dev"]["origin"] == "synthetic")
