"""Check all of params.yaml and the corpus that is asked for, before a stage does anything (stages/start.py).

Also removes what a corpus that is no longer in params.yaml left in data/ingest/, data/synthesize/ and
data/vectors/, which the guard reads whole.
"""

import shutil
import sys
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from domain_embeddings.params.strict import ParamsError, validate
from domain_embeddings.params.whole import Params
from stages.workspace import PARAMS, load_params, stage_folder

READ_WHOLE = ("ingest", "synthesize", "vectors")


def missing(params: Params) -> Iterator[str]:
    """A line for every corpus whose folder does not exist, and for a corpus that is asked for and not there."""
    for name, corpus in params.corpora.items():
        if not Path(corpus.path).is_dir():
            yield f"corpora.{name}.path: no such folder (is {corpus.path!r}, looked in {Path(corpus.path).resolve()})"
    for name in sys.argv[1:]:
        if name not in params.corpora:
            yield f"corpora.{name}: no such corpus, there are {', '.join(params.corpora)}"


def remove_leftovers(corpora: Collection[str]) -> None:
    """Remove the folders that the guard would read of what is no corpus; DVC's cache keeps the bytes."""
    for folder in sorted(path for stage in READ_WHOLE for path in stage_folder(stage, "").glob("*/")):
        if folder.name not in corpora:
            print(f"removed {folder}: params.yaml has no corpus {folder.name!r} (its bytes stay in DVC's cache)")
            with suppress(FileNotFoundError):  # a training on several GPUs starts as often
                shutil.rmtree(folder)


def check() -> None:
    """Raise a ParamsError with a line for everything that is wrong."""
    params = validate(Params, load_params(), PARAMS)
    if lines := list(missing(params)):
        raise ParamsError(PARAMS, lines)
    remove_leftovers(params.corpora)
