"""Check all of params.yaml before a stage starts, so that a slip in a late stage's section costs no hours.

Every stage runs it first (`workspace.execute`). It also removes what a corpus that is no longer in params.yaml left in
data/ingest/, data/synthesize/ and data/mine/, which the guard reads whole.
"""

import shutil
from collections.abc import Collection
from pathlib import Path

from domain_embeddings.params.whole import Params
from stages.workspace import ParamsError, load_params, stage_folder, validate

READ_WHOLE = ("ingest", "synthesize", "mine")


def missing_paths(params: Params) -> list[str]:
    """A line for every corpus whose folder does not exist."""
    return [
        f"  corpora.{name}.path: no such folder (is {corpus.path!r}, looked in {Path(corpus.path).resolve()})"
        for name, corpus in params.corpora.items()
        if not Path(corpus.path).is_dir()
    ]


def remove_leftovers(corpora: Collection[str]) -> None:
    """Remove the folders that the guard would read of what is no corpus; DVC's cache keeps the bytes."""
    for folder in sorted(path for stage in READ_WHOLE for path in stage_folder(stage, "").glob("*/")):
        if folder.name not in corpora:
            print(f"removed {folder}: params.yaml has no corpus {folder.name!r} (its bytes stay in DVC's cache)")
            shutil.rmtree(folder)


def main() -> None:
    """Raise a ParamsError with a line for every wrong key."""
    params = validate(Params, load_params())
    if missing := missing_paths(params):
        raise ParamsError("params.yaml is not valid:\n" + "\n".join(missing))
    remove_leftovers(params.corpora)
