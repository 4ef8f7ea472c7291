"""Work for requests: in few threads, with a bound on what waits, a deadline, and none for a client that has left."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from fastapi import HTTPException

from domain_embeddings.serving.limits import Limits

T = TypeVar("T")

Check = Callable[[], None]
"""Raises once nobody waits for the answer any more."""


class Desk:
    """Where requests for work wait and are worked on. Safe to use from threads."""

    def __init__(self, limits: Limits) -> None:
        """Threads are started as they are needed."""
        self._limits = limits
        self._threads = ThreadPoolExecutor(limits.workers, "work")
        self._lock = threading.Lock()
        self._open = 0

    @property
    def open(self) -> int:
        """Requests that wait or are being worked on; of a client that left, until its work has noticed."""
        return self._open

    async def run(self, work: Callable[[Check], T]) -> T:
        """What `work` returns; it is to call its argument now and then, between steps.

        503 where too many wait already, and after the deadline. Cancelled, work that has not begun never does.
        """
        with self._lock:
            if self._open >= self._limits.at_once:
                raise HTTPException(503, "too many requests at once", {"Retry-After": "1"})
            self._open += 1
        job = _Job(work)
        done = self._threads.submit(job)
        done.add_done_callback(self._leave)
        try:
            async with asyncio.timeout(self._limits.deadline_s):
                return await asyncio.wrap_future(done)
        except TimeoutError as error:
            said = f"no answer within {self._limits.deadline_s:g} seconds: ask for less at once, or again later"
            raise HTTPException(503, said, {"Retry-After": "1"}) from error
        finally:
            job.drop()

    def _leave(self, _: Future[Any]) -> None:
        with self._lock:
            self._open -= 1


class _DroppedError(Exception):
    """Nobody waits for this any more."""


class _Job(Generic[T]):
    """Work that can be dropped: what waits in the queue of threads then holds no request."""

    def __init__(self, work: Callable[[Check], T]) -> None:
        self._work: Callable[[Check], T] | None = work

    def __call__(self) -> T:
        work = self._work
        if work is None:
            raise _DroppedError
        return work(self._check)

    def drop(self) -> None:
        self._work = None

    def _check(self) -> None:
        if self._work is None:
            raise _DroppedError
