"""Checking rows of JSON against a model, with errors that name the place."""

from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain_embeddings.core.dataset import Author
from domain_embeddings.core.errors import DataError

M = TypeVar("M", bound=BaseModel)

WrittenBy = Annotated[Author, Field(strict=False)] | None
"""The type of a key `written_by`: the name of an author, in strict models too, or None where nobody is named."""


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
