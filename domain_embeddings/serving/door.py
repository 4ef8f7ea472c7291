"""Who comes in: the key and the length are looked at before the body, and the service sees whole requests alone."""

import asyncio
import base64
import binascii
import logging
import secrets
import time
from collections.abc import Callable, Collection

from fastapi.responses import JSONResponse, Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain_embeddings.serving.limits import MAX_BODY, Limits

LOG = logging.getLogger(__name__)

LEFT = 499
"""The status that is counted where the client left before its answer, as nginx does."""

Count = Callable[[str, int, float], None]
"""Takes the path, the status and the seconds of each request."""


class Door:
    """ASGI middleware: refuses who has no key, what is too large and what is too slow, and counts all requests."""

    def __init__(self, app: ASGIApp, key: str | None, free: Collection[str], limits: Limits, count: Count) -> None:
        """With a `key`, callers must send it, but for the paths `free`."""
        self._app, self._key, self._free, self._limits, self._count = app, key, free, limits, count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on with its body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        answer = _Answer(send)
        try:
            await self._admit(scope, receive, answer)
        except asyncio.CancelledError:  # the server's time to shut down has run out
            if not answer.begun:
                await _refusal(scope, 503, "the service is stopping")(scope, receive, answer)
        except Exception:
            answer.status = 500
            if answer.begun:
                raise
            LOG.exception("%s", scope["path"])
            await _refusal(scope, 500, "the service has an error: its log tells")(scope, receive, answer)
        finally:
            self._count(scope["path"], answer.status, time.perf_counter() - started)

    async def _admit(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        if scope["path"] not in self._free and not self._knows(headers):
            refusal = _refusal(scope, 401, "send the API key in the header X-API-Key")
        elif not length.isdecimal() or int(length) > MAX_BODY:
            refusal = _too_large(scope)
        else:
            await self._read(scope, receive, answer)
            return
        await refusal(scope, receive, answer)

    def _knows(self, headers: Headers) -> bool:
        return self._key is None or secrets.compare_digest(_sent_key(headers), self._key.encode())

    async def _read(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        body, more = bytearray(), True
        try:
            async with asyncio.timeout(self._limits.body_s):
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(body) > MAX_BODY:
                        await _too_large(scope)(scope, receive, answer)
                        return
        except TimeoutError:
            await _refusal(scope, 408, "the body did not come in time")(scope, receive, answer)
            return
        await self._hand_on(scope, bytes(body), receive, answer)

    async def _hand_on(self, scope: Scope, body: bytes, receive: Receive, answer: "_Answer") -> None:
        """Let the service answer, for as long as the client is there."""
        messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def whole() -> Message:
            return messages.pop() if messages else await leaving

        leaving = asyncio.ensure_future(receive())  # which tells of nothing but the client's leaving
        answering = asyncio.ensure_future(self._app(scope, whole, answer))
        try:
            await asyncio.wait({leaving, answering}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.complete:
                answering.cancel()  # to no effect where it ended with an error
            await asyncio.wait({answering})
            if not answering.cancelled():
                answering.result()
        finally:
            leaving.cancel()
            answering.cancel()


class _Answer:
    """Sends an answer on and remembers how far it is."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = LEFT
        self.begun = self.complete = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.begun = message["status"], True
        self.complete = message["type"] == "http.response.body" and not message.get("more_body", False)
        await self._send(message)


def _sent_key(headers: Headers) -> bytes:
    """The header X-API-Key, or the password of HTTP's Basic scheme, which a browser asks for."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if "x-api-key" in headers or scheme.lower() != "basic":
        return headers.get("x-api-key", "").encode("latin-1")
    try:
        return base64.b64decode(credentials, validate=True).partition(b":")[2]
    except binascii.Error:
        return b""


def _too_large(scope: Scope) -> Response:
    return _refusal(scope, 413, f"a body may have at most {MAX_BODY} bytes")


def _refusal(scope: Scope, status: int, detail: str) -> Response:
    """An answer that does not wait for the body, which the server then reads and drops.

    Unless that is not worth it: of chunks nobody knows how many will come.
    """
    headers = {}
    if status in (408, 503) or "transfer-encoding" in Headers(scope=scope):
        headers["Connection"] = "close"
    if status == 401:  # at an address that a browser opens, such as /docs, it asks for a password; the page itself asks
        headers["WWW-Authenticate"] = 'Basic realm="search"' if scope["method"] == "GET" else "X-API-Key"
    if status == 503:
        headers["Retry-After"] = "1"
    return JSONResponse({"detail": detail}, status, headers)
