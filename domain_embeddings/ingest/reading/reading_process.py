"""The process that reads files: a request a file on its standard input, until that ends; answers on standard output.

    python -m domain_embeddings.ingest.reading.reading_process PARENT

It can write no file and start no process. The kernel ends it by SIGPROF at the CPU time that a file may take, and
refuses it memory; where the kernel does not (macOS), a thread ends it. The thread also ends it when PARENT, the id of
the process that asks, is no longer its parent.
"""

import os
import resource
import signal
import stat
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain_embeddings.core.optional import why
from domain_embeddings.ingest.formats.blocks import UnreadableError
from domain_embeddings.ingest.formats.readers import read_document
from domain_embeddings.ingest.formats.word.word_markup import unpacked_size
from domain_embeddings.ingest.reading.frames import OVER_MEMORY, receive, send
from domain_embeddings.ingest.sections import pieces_of
from domain_embeddings.params.ingest import ReadingParams

MB = 1_000_000
_PACKED = (".pdf", ".docx")
"""Formats whose text is packed, and which may be large for their pictures; in others all is text."""
_TEXT_SHARE = 0.1
"""Of the CPU time for a megabyte of a packed format, what one of text gets."""
_EVERY = 0.2
"""Seconds between two looks at memory and parent."""
_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in which `ru_maxrss` counts."""


def _peak() -> int:
    """The most memory that the process ever had, in bytes; on Linux at least what its parent had at its start."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT


@dataclass
class _Watch:
    """Ends the process when its parent has ended, or when it takes more memory than `most` bytes."""

    parent: int
    most: int = sys.maxsize

    def start(self) -> None:
        """Watch from now on."""
        threading.Thread(target=self._run, daemon=True).start()

    def allow(self, memory: int) -> None:
        """Set what may be taken; what has been taken before does not count."""
        self.most = max(memory, _peak())

    def _run(self) -> None:
        while os.getppid() == self.parent:
            if _peak() > self.most:
                os._exit(OVER_MEMORY)
            time.sleep(_EVERY)
        os._exit(0)


def _confine() -> None:
    """Give up writing files, leaving a core and starting processes."""
    for what in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE, resource.RLIMIT_NPROC):
        resource.setrlimit(what, (0, 0))


def _allow(limits: ReadingParams, size: int, packed: bool, watch: _Watch) -> None:
    """Set memory and CPU time for a file of `size` bytes."""
    memory = limits.memory_mb * MB
    watch.allow(memory)
    with suppress(ValueError, OSError):  # macOS refuses what it would not enforce
        resource.setrlimit(resource.RLIMIT_AS, (memory, resource.RLIM_INFINITY))
    each = limits.cpu_seconds_per_mb * (1 if packed else _TEXT_SHARE)
    signal.setitimer(signal.ITIMER_PROF, limits.cpu_seconds + each * size / MB)


def _check(path: Path, size: int, packed: bool, limits: ReadingParams) -> None:
    """Raise an `UnreadableError` for a file that is larger than is read, or would be when unpacked."""
    name, most = ("file_mb", limits.file_mb) if packed else ("text_mb", limits.text_mb)
    if size > most * MB:
        raise UnreadableError(f"larger than {most:g} MB (ingest.reading.{name})")
    if path.suffix.lower() == ".docx" and unpacked_size(path) > limits.unpacked_mb * MB:
        raise UnreadableError(f"larger than {limits.unpacked_mb:g} MB when unpacked (ingest.reading.unpacked_mb)")


def _pieces(request: Mapping[str, Any], watch: _Watch) -> dict[str, Any]:
    path, limits = Path(request["path"]), ReadingParams.model_validate(request["limits"])
    try:
        status = path.stat()
    except OSError as error:
        raise UnreadableError("cannot be opened") from error
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableError("no regular file")
    packed = path.suffix.lower() in _PACKED
    _allow(limits, status.st_size, packed, watch)
    _check(path, status.st_size, packed, limits)
    found, counts = pieces_of(read_document(path), request["shortest"], request["longest"])
    return {"pieces": [vars(piece) for piece in found], "counts": counts}


def _answer(request: Mapping[str, Any], watch: _Watch) -> dict[str, Any]:
    """The pieces of a file with their counts, or why there are none."""
    try:
        return _pieces(request, watch)
    except UnreadableError as reason:
        return {"reason": str(reason)}
    except MemoryError:
        raise
    except RecursionError:
        return {"reason": "nested too deeply"}
    except Exception as error:
        return {"reason": f"its reader failed: {why(error)}", "trace": traceback.format_exc()}


def main() -> None:
    """Answer requests. Where memory is short the process ends, for what is left of it is no measure for other files."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with os.fdopen(os.dup(0), "rb") as requests, os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # what a library prints is no answer
        watch = _Watch(int(sys.argv[1]))
        watch.start()
        _confine()
        send(answers, "ready")
        while request := receive(requests):
            try:
                send(answers, _answer(request, watch))
            except MemoryError:
                os._exit(OVER_MEMORY)
            signal.setitimer(signal.ITIMER_PROF, 0)


if __name__ == "__main__":
    main()
