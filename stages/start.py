"""How every stage starts, and how it ends where something it was given is wrong."""

import importlib
from collections.abc import Callable

from domain_embeddings.errors import TOLD, give_up


def start() -> None:
    """Check all of params.yaml, so that a slip in a late stage's section costs no hours.

    The check can only stop a run, never change an out. It is therefore imported by name: DVC's dependencies are read
    from import statements, and with one a new key in any section would make every stage run again.
    """
    importlib.import_module("stages.check_params").check()


def run_stage(main: Callable[[], None], *, then: str | None = None) -> None:
    """A stage as a command: start, main, and what checks its outs, the module `then` (by name, as in `start`).

    What the user can put right ends with status 1 and a message, without a traceback.
    """
    try:
        start()
        main()
        if then:
            importlib.import_module(then).main()
    except TOLD as error:
        give_up(error)
