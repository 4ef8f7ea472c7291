"""A service over a search that does as its texts say, in this process or, `python -m tests.serving.stub`, in its own.

A text "wait" waits until it is let go, "break" is an error, "much" has an answer of megabytes.
"""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import httpx
import numpy as np
from fastapi import FastAPI

from domain_embeddings.search.index_protocol import ModelIdentity
from domain_embeddings.search.retrieval import FineTunedRetrieval
from domain_embeddings.serving.connection import create_server
from domain_embeddings.serving.limits import Limits
from domain_embeddings.serving.service import create_app
from scripts.dependencies import ROOT
from tests.searching import HYBRID

PATIENCE = 120.0
"""Seconds until a test takes what does not end for endless."""


class Stub:
    """In place of a FineTunedRetrieval and of its model."""

    corpus, identity, system = "tiny", ModelIdentity("stub", "0" * 64, 1, "torch"), HYBRID

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.begun: list[str] = []
        self.asked_how_it_is = 0
        self.index_hangs = False

    @property
    def model(self) -> "Stub":
        return self

    def encode(self, texts: Sequence[str], **_: Any) -> np.ndarray:
        self._do(texts[0])
        return np.full((len(texts), 500_000 if texts[0] == "much" else 1), 1 / 3)

    encode_query = encode_passage = encode

    def search_batch(self, queries: Sequence[str], *options: Any) -> list[list[Any]]:
        check: Callable[[], None] = options[-1]
        for query in queries:
            check()
            self._do(query)
        return [[] for _ in queries]

    def count(self) -> int:
        self.asked_how_it_is += 1
        if self.index_hangs:
            self.let_go.wait(PATIENCE)
        return 5

    def shortcomings(self) -> tuple[str, ...]:
        return ()

    def _do(self, text: str) -> None:
        self.begun.append(text)
        if text == "wait":
            self.let_go.wait(PATIENCE)
        if text == "break":
            raise RuntimeError("broken on purpose")
        if text.startswith("sleep "):
            time.sleep(float(text.removeprefix("sleep ")))


def stub_app(stub: Stub, limits: Limits, key: str | None = None) -> FastAPI:
    retrieval = cast(FineTunedRetrieval, stub)
    return create_app(retrieval, retrieval, key, limits)


@contextmanager
def running(app: FastAPI, limits: Limits | None = None) -> Iterator[int]:
    """The service on a port of its own, which it gives."""
    server = create_server(app, "127.0.0.1", 0, limits or Limits())
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def process(module: str, *arguments: str, port: int) -> Iterator[subprocess.Popen[str]]:
    """A command that serves at this port, once it does."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as started:
        try:
            until(lambda: answers(port))
            yield started
        finally:
            started.kill()


def answers(port: int) -> bool:
    """Whether a service is there, and well."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", timeout=PATIENCE).status_code == 200
    except httpx.ConnectError:
        return False


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def main(port: str, key: str, limits: str) -> None:
    """Serve until a signal."""
    bounds = Limits(**json.loads(limits))
    create_server(stub_app(Stub(), bounds, key), "127.0.0.1", int(port), bounds).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
