"""Rows of JSON: checked against a model, with errors that name the place, and freed of keys with a meaning of ours."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain_embeddings.core.dataset import Author, Reject
from domain_embeddings.core.errors import DataError
from domain_embeddings.params.ingest import IngestParams

M = TypeVar("M", bound=BaseModel)

WrittenBy = Annotated[Author, Field(strict=False)] | None
"""The type of a key `written_by`: the name of an author, in strict models too, or None where nobody is named."""


PASSAGE_KEYS = (
    "entity", "entity_kind", "mentions", "mention_aliases", "temporal_order", "held_out", "listed_synonyms"
)  # fmt: skip
"""Keys of a passage's `extra` by which later stages go, and which in what others wrote mean something else."""


class QuestionFile(BaseModel):
    """What a file says of all its questions: who wrote those that do not say so themselves."""

    model_config = ConfigDict(extra="ignore", strict=True)
    written_by: WrittenBy = None


def checked(model: type[M], row: Any, path: Path, *, line: int | None = None, place: str = "", remedy: str = "") -> M:
    """`row` as a `model`, or a DataError naming file, line or place in it, and every field that is wrong."""
    try:
        return model.model_validate(row)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'the row'}: {e['msg']}, found {str(e['input'])[:80]!r}"
            for e in error.errors()
        )
        raise DataError(path, f"{place}: {problems}" if place else problems, line=line, remedy=remedy) from error


def excess(text: str, params: IngestParams) -> str:
    """What is wrong with a text that is larger than any file of text may be; "" of others."""
    most = params.reading.text_mb
    return f"a text of more than {most:g} MB (ingest.reading.text_mb)" if len(text) > most * 1_000_000 else ""


def freed(extra: Mapping[str, Any], taken: tuple[str, ...], renamed: Counter[str]) -> dict[str, Any]:
    """What a row says beside the known keys, those that later stages go by under other names, which are counted."""
    found = dict(extra)
    for key in taken:
        if key in found:
            name = f"x_{key}"
            while name in found:
                name = f"x_{name}"
            found[name] = found.pop(key)
            renamed[key] += 1
    return found


def renamings(place: str, renamed: Mapping[str, int]) -> list[Reject]:
    """A `Reject` for each key that had to be renamed in some rows."""
    return [
        Reject(place, f"the key {key!r} of {times} rows means something else here, and is kept with 'x_' before it")
        for key, times in renamed.items()
    ]
