"""Before a stage does anything (stages/stage.py): check all of params.yaml, the corpus asked for, and dvc.lock."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from domain_embeddings.anomaly.detectors import DETECTORS
from domain_embeddings.commands.workspace import BASE_MODEL, PARAMS, load_params
from domain_embeddings.core.json_files import parse_object, read_text
from domain_embeddings.packaging.dvc_lock import LOCK, read_lock, stages_of
from domain_embeddings.params.strict import ParamsError, validate
from domain_embeddings.params.whole import Params


def missing(params: Params, asked: Sequence[str]) -> Iterator[str]:
    """A line for every corpus whose folder does not exist, and for a corpus that is asked for and not there."""
    for name, corpus in params.corpora.items():
        if not Path(corpus.path).is_dir():
            yield f"corpora.{name}.path: no such folder (is {corpus.path!r}, looked in {Path(corpus.path).resolve()})"
    for name in asked:
        if name not in params.corpora:
            yield f"corpora.{name}: no such corpus, there are {', '.join(params.corpora)}"


def check(asked: Sequence[str]) -> None:
    """Raise a ParamsError with a line for everything that is wrong, an IntegrityError for a lock that is cut."""
    params = validate(Params, load_params(), PARAMS)
    if lines := [*missing(params, asked), *too_many_frozen(params), *unknown_detector(params)]:
        raise ParamsError(PARAMS, lines)
    if (lock := read_lock(Path(LOCK))) is not None:
        stages_of(lock)


def unknown_detector(params: Params) -> Iterator[str]:
    """A line where `anomaly.detector` names none."""
    allowed = ["auto", *DETECTORS]
    if (asked := params.anomaly.detector) not in allowed:
        yield f"anomaly.detector: no such detector, there are {', '.join(allowed)} (is {asked!r})"


def too_many_frozen(params: Params) -> Iterator[str]:
    """A line where all blocks of the base model are frozen; nothing before the model is there."""
    config = BASE_MODEL / "config.json"
    if not config.is_file():
        return
    blocks = parse_object(read_text(config), config).get("num_hidden_layers", 0)
    if 0 < blocks <= params.train.frozen_blocks:
        yield (
            f"train.frozen_blocks is {params.train.frozen_blocks}, allowed are 0 to {blocks - 1}: "
            f"the base model has {blocks} blocks and at least one must learn"
        )
