"""Formats that are zip archives: what is no archive, or far larger than it looks, is refused before it is read."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from xml.parsers.expat import ExpatError

from domain_embeddings.ingest.formats.blocks import UnreadableError

_LARGEST = 200_000_000
"""The most bytes that an archive's parts may have when unpacked, beyond those that it has packed."""
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_BAD_ARCHIVE = (zipfile.BadZipFile, zlib.error, ExpatError, SyntaxError, OSError, EOFError)
_BAD_PARTS = (LookupError, ValueError, TypeError, AttributeError, RuntimeError, AssertionError)
"""What libraries raise, having no error of their own, when a part is missing or not what it should be."""


def check_archive(data: bytes, kind: str) -> None:
    """Raise `UnreadableError` for data that is no zip archive, is encrypted, or is too large when unpacked."""
    if data.startswith(_OLD_OFFICE):
        raise UnreadableError(f"encrypted or no {kind} but an older format")
    with corrupt_if_broken(kind), zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
    if any(part.flag_bits & 1 for part in parts):
        raise UnreadableError("encrypted")
    if sum(part.file_size for part in parts) - len(data) > _LARGEST:
        raise UnreadableError("too large when unpacked")


@contextmanager
def corrupt_if_broken(kind: str) -> Iterator[None]:
    """Turn whatever a library raises for damaged data into an `UnreadableError`."""
    try:
        yield
    except (*_BAD_ARCHIVE, *_BAD_PARTS) as error:
        raise UnreadableError(f"corrupt {kind}") from error
