"""Errors that whoever runs a command can put right, and how a command ends with one: its message, no traceback.

A traceback is for bugs, which keep theirs, and for who asks: DOMAIN_EMBEDDINGS_DEBUG=1 brings it back.
"""

import os
import sys
from pathlib import Path
from typing import NoReturn

from pydantic import ValidationError
from ruamel.yaml.error import YAMLError

DEBUG = "DOMAIN_EMBEDDINGS_DEBUG"


class UserError(ValueError):
    """What was given cannot be used. The message names it, says what is wrong and, where there is one, the remedy."""


class DataError(UserError):
    """Input that cannot be used. The message names the place, what is wrong and the remedy."""

    def __init__(self, place: Path | str, problem: str, *, line: int | None = None, remedy: str = "") -> None:
        """`place:line: problem (remedy)`."""
        where = f"{place}:{line}" if line else f"{place}"
        super().__init__(f"{where}: {problem}" + (f" ({remedy})" if remedy else ""))


class IntegrityError(DataError):
    """A model that is not what was packaged, or cannot be shown to be. The message names the file."""


TOLD = (UserError, ValidationError, YAMLError, OSError)
"""What a command ends with by its message alone; an OSError names a file, folder or address that is not as expected."""


def give_up(error: Exception, status: int = 1, verdict: str = "") -> NoReturn:
    """End the program with a status and the error's message on stderr; with its traceback where that is asked for."""
    if os.environ.get(DEBUG):
        raise error
    print(f"{verdict}{message(error)}", file=sys.stderr)
    sys.exit(status)


def message(error: Exception) -> str:
    """What went wrong, without Python's words for it."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)
