"""Reading a file so that it cannot hurt the run: in another process, which may fail, run away or crash.

The process is used again for the next file, and replaced where it has ended. Of the environment it gets what Python
needs to start, and nothing else.
"""

import atexit
import importlib
import os
import select
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, cast

from domain_embeddings.core.errors import DEBUG
from domain_embeddings.ingest.formats.blocks import UnreadableError
from domain_embeddings.ingest.reading.frames import OVER_MEMORY, receive, send
from domain_embeddings.ingest.section_types import SectionType
from domain_embeddings.ingest.sections import Piece
from domain_embeddings.params.ingest import IngestParams

_MODULE = f"{__package__}.reading_process"
_KEPT = ("DYLD_FALLBACK_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH",
         "PYTHONHOME", "PYTHONUTF8")  # fmt: skip
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_EVERY = 1.0
"""Seconds between two calls of what shows that a file is still being read."""


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}


def _reason(status: int) -> str:
    """Why a process has ended while it read a file, by its status."""
    if status == OVER_MEMORY:
        return "takes too much memory (ingest.reading.memory_mb)"
    if status == -signal.SIGPROF:
        return "takes too much CPU time (ingest.reading.cpu_seconds)"
    how = signal.Signals(-status).name if status < 0 else f"status {status}"
    why = ", as where memory runs out" if -status in (signal.SIGABRT, signal.SIGKILL) else ""
    return f"its reader crashed{why} ({how})"


class _Process:
    """A reading process. Raises an ImportError or `ChildProcessError` where it does not start."""

    def __init__(self) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-P", "-B", "-m", _MODULE, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            cwd="/",
        )
        self._requests, self._answers = cast(BinaryIO, self._popen.stdin), cast(BinaryIO, self._popen.stdout)
        if receive(self._answers) is None:
            importlib.import_module(_MODULE)  # says what is missing
            raise ChildProcessError(f"the process that reads files does not start ({self.end()})")

    def runs(self) -> bool:
        """Whether it can be asked."""
        return self._popen.poll() is None

    def ask(self, request: Mapping[str, Any], waiting: Callable[[], object]) -> dict[str, Any] | None:
        """Its answer; None where it has ended instead."""
        try:
            send(self._requests, request)
        except BrokenPipeError:
            return None
        while not select.select([self._answers], [], [], _EVERY)[0]:
            waiting()
        found: dict[str, Any] | None = receive(self._answers)
        return found

    def end(self) -> int:
        """End it, whatever it does; its status, which is its own where it had ended before."""
        self._popen.kill()
        with suppress(BrokenPipeError):
            self._requests.close()
        self._answers.close()
        return self._popen.wait()


class FileReader:
    """Reads a file at a time, in a process that starts with the first."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._process: _Process | None = None
        self._owner = os.getpid()
        self._lock = threading.Lock()

    def pieces(
        self, path: Path, params: IngestParams, waiting: Callable[[], object]
    ) -> tuple[list[Piece], Counter[str]]:
        """The sections of a file as pieces, and counts, as `pieces_of` gives them; `waiting` is called every second.

        Raises an `UnreadableError` with the reason where there are none, whatever happened.
        """
        request = {"path": os.path.abspath(path), "shortest": params.min_chars, "longest": params.max_chars}
        with self._lock:
            answer = self._ask({**request, "limits": params.reading.model_dump()}, waiting)
        if "trace" in answer and os.environ.get(DEBUG):
            print(answer["trace"], file=sys.stderr)
        if "reason" in answer:
            raise UnreadableError(answer["reason"])
        return [_piece(row) for row in answer["pieces"]], Counter(answer["counts"])

    def _ask(self, request: Mapping[str, Any], waiting: Callable[[], object]) -> dict[str, Any]:
        if self._owner != os.getpid():  # a fork: the process is its parent's
            self._process, self._owner = None, os.getpid()
        if self._process is None or not self._process.runs():
            self.stop()
            self._process = _Process()
        try:
            answer = self._process.ask(request, waiting)
        except BaseException:
            self.stop()
            raise
        if answer is None:
            ended, self._process = self._process, None
            return {"reason": _reason(ended.end())}
        return answer

    def stop(self) -> None:
        """End the process, whatever it does."""
        if self._process is not None and self._owner == os.getpid():
            self._process.end()
        self._process = None


def _piece(row: dict[str, Any]) -> Piece:
    row |= {"path": tuple(row["path"]), "headings": tuple(row["headings"]), "type": SectionType(row["type"])}
    return Piece(**row)


@cache
def file_reader() -> FileReader:
    """The one reader of this process, which ends with it."""
    reader = FileReader()
    atexit.register(reader.stop)
    return reader
