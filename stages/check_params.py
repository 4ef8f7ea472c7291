"""Check all of params.yaml before a stage starts, so that a slip in a late stage's section costs no hours.

Runs first in every stage's command. It can only stop a run, never change an out, and so is no dependency.

    python -m stages.check_params
"""

import sys
from pathlib import Path

from domain_embeddings.params.whole import Params
from stages.workspace import ParamsError, load_params, validate


def missing_paths(params: Params) -> list[str]:
    """A line for every corpus whose folder does not exist."""
    return [
        f"  corpora.{name}.path: no such folder (is {corpus.path!r}, looked in {Path(corpus.path).resolve()})"
        for name, corpus in params.corpora.items()
        if not Path(corpus.path).is_dir()
    ]


def main() -> None:
    """Exit with status 1 and a line for every wrong key."""
    try:
        params = validate(Params, load_params())
        if missing := missing_paths(params):
            raise ParamsError("params.yaml is not valid:\n" + "\n".join(missing))
    except ParamsError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
