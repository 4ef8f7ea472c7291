"""The server: uvicorn, with a time-out for each thing that it waits for a client to do.

uvicorn bounds the size of headers, the idle time between requests and its shutdown, and leaves waiting for headers and
for readers of answers to a proxy. Bodies are read, and timed, by `domain_embeddings.serving.door`.
"""

import asyncio
from collections.abc import Callable
from typing import cast

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from domain_embeddings.serving.limits import Limits

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_AT_ONCE = 16_384
"""Bytes of a connection that are read before it is another one's turn."""


class Connection(H11Protocol, asyncio.BufferedProtocol):
    """A connection that is closed when its client lets it wait too long.

    It takes turns with others: what is read at once is little, for a body may come in chunks of one byte each.
    """

    limits = Limits()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Expect headers, and make room where there are too many connections."""
        super().connection_made(transport)
        self.since = self.loop.time()
        self._buffer = bytearray(_AT_ONCE)
        self._headers = _Clock(self.loop, self.limits.headers_s, self._give_up)
        self._reader = _Clock(self.loop, self.limits.send_s, transport.abort)
        self._headers.start()
        transport.set_write_buffer_limits(high=0)  # `pause_writing` tells of the first byte that the client leaves
        connections = cast("set[Connection]", self.connections)
        if len(connections) > self.limits.connections:
            min((each for each in connections if each.is_waiting), key=lambda each: each.since).transport.abort()

    @property
    def is_waiting(self) -> bool:
        """Whether the client has yet to send a whole request."""
        return self._is_between_requests or self.cycle.more_body

    @property
    def _is_between_requests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where the next bytes go."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """There they are."""
        self.data_received(bytes(self._buffer[:nbytes]))

    def data_received(self, data: bytes) -> None:
        """Stop the clock at the end of headers; start it at what comes after an answer, be it an unread body's rest."""
        super().data_received(data)
        if self._is_between_requests:
            self._headers.start()
        else:
            self._headers.stop()

    def pause_writing(self) -> None:
        """The client has not read all of its answer."""
        super().pause_writing()
        self._reader.start()

    def resume_writing(self) -> None:
        """The client has read all of its answer."""
        super().resume_writing()
        self._reader.stop()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all clocks."""
        super().connection_lost(exc)
        self._headers.stop()
        self._reader.stop()

    def send_400_response(self, msg: str) -> None:
        """Say what is no HTTP; where an answer was begun before, only close."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()
        if self.cycle is not None:  # what was under way is told that nobody takes its answer any more
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def _give_up(self) -> None:
        if self.conn.our_state is h11.IDLE and self.conn.trailing_data[0]:
            self.transport.write(_TOO_SLOW)
        self.transport.close()


class _Clock:
    """Does something after a while, unless it is stopped."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, then: Callable[[], None]) -> None:
        self._loop, self._seconds, self._then = loop, seconds, then
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Where it runs already, it runs on."""
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._then)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def create_server(app: FastAPI, host: str, port: int, limits: Limits) -> uvicorn.Server:
    """A server for the service; `run` ends at SIGTERM or SIGINT, at the latest `limits.shutdown_s` after it."""
    connection = type("BoundedConnection", (Connection,), {"limits": limits})
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host,
            port,
            http=connection,
            ws="none",
            log_level="warning",
            timeout_keep_alive=limits.idle_s,
            timeout_graceful_shutdown=limits.shutdown_s,
        )
    )
