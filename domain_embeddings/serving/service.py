"""Search over HTTP: /search, /encode, /health, /metrics, and at / a page to search with.

What can be asked for is bounded, so that no request can take the service down: bytes of a body, texts of a request,
characters of a text, requests at once. Beyond the bounds the answer is 413, 422, or 503 with Retry-After.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, HTTPException, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.security import APIKeyHeader
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from domain_embeddings.core.errors import UserError
from domain_embeddings.encoding.roles import Role
from domain_embeddings.search.hybrid import QueryError, Result
from domain_embeddings.search.index_protocol import SearchError
from domain_embeddings.search.retrieval import FineTunedRetrieval

LOG = logging.getLogger(__name__)

MAX_BODY = 1_000_000
MAX_TEXTS = 64
MAX_CHARS = 10_000
MAX_AT_ONCE = 64
"""Bytes, texts of a request, characters of a text, requests at once."""
REFRESH_S = 30.0
"""So often the service looks whether another index has gone live."""
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"

_TOO_LARGE = JSONResponse({"detail": f"a body may have at most {MAX_BODY} bytes"}, 413)

Query = Annotated[str, Field(max_length=MAX_CHARS)]
Answer = Callable[[Request], Awaitable[Response]]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SearchRequest(_Body):
    """What to look for."""

    queries: list[Query] = Field(min_length=1, max_length=MAX_TEXTS)
    limit: int = Field(default=10, ge=1, le=100)
    threshold: FiniteFloat | None = None
    """The least cosine of query and passage."""
    hybrid: bool = True
    explain: bool = False
    """Whether to tell which words late interaction matched, where the system has it."""
    filters: dict[str, Any] = Field(default={}, max_length=10)
    """Field → value, list of values, or range such as {"gte": 3}."""
    model: Literal["live", "base"] = "live"


class SearchAnswer(BaseModel):
    """For each query its passages, best first."""

    model: str
    results: list[list[Result]]


class EncodeRequest(_Body):
    """Texts to encode."""

    texts: list[Query] = Field(min_length=1, max_length=MAX_TEXTS)
    role: Role | None = None
    """What the texts are; it may be left out where the model encodes both alike, else the answer is 422."""


class EncodeAnswer(BaseModel):
    """A vector of length 1 for each text."""

    model: str
    dimension: int
    vectors: list[list[float]]


class Health(BaseModel):
    """Whether search answers, and with what."""

    status: Literal["ok", "degraded", "down"]
    corpus: str
    model: str
    system: str
    """Its arm in the evaluation."""
    weights_sha256: str
    passages: int | None
    reason: str | None


class _Metrics:
    """What /metrics tells. A registry of its own: several services may live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("requests", "Requests answered", ["path", "status"], registry=self.registry)
        self.seconds = Histogram("request_seconds", "Seconds to an answer", ["path"], registry=self.registry)
        self.at_once = Gauge("requests_in_progress", "Requests being answered", registry=self.registry)
        self.degraded = Counter("degraded_results", "Results that are not as asked for", registry=self.registry)


def create_app(live: FineTunedRetrieval, base: FineTunedRetrieval, key: str | None = None) -> FastAPI:
    """The service over a corpus; `base` is what the page compares with. With a `key`, callers must send it."""
    metrics = _Metrics()
    app = FastAPI(title="Domain embeddings", version="1", lifespan=_refreshing(live))
    app.add_exception_handler(RequestValidationError, _invalid)
    app.middleware("http")(_bounded(metrics))
    guarded = [Depends(_guard(key))]

    @app.post("/search", dependencies=guarded, responses={503: {"description": "No index, or too busy"}})
    def search(wanted: SearchRequest) -> SearchAnswer:
        """Passages that answer the queries."""
        retrieval = live if wanted.model == "live" else base
        try:
            found = retrieval.search_batch(
                wanted.queries, wanted.limit, wanted.threshold, wanted.hybrid, wanted.filters, wanted.explain
            )
        except QueryError as error:
            raise HTTPException(422, str(error)) from error
        except SearchError as error:
            LOG.warning("%s", error)
            raise HTTPException(503, str(error)) from error
        metrics.degraded.inc(sum(bool(result.degraded) for results in found for result in results))
        return SearchAnswer(model=retrieval.identity.name, results=found)

    @app.post("/encode", dependencies=guarded, responses={503: {"description": "Too busy"}})
    def encode(wanted: EncodeRequest) -> EncodeAnswer:
        """The texts' vectors."""
        ways = {Role.QUERY: live.model.encode_query, Role.PASSAGE: live.model.encode_passage, None: live.model.encode}
        try:
            vectors = ways[wanted.role](wanted.texts)
        except UserError as error:
            raise HTTPException(422, f"{error} (role: query or passage)") from error
        return EncodeAnswer(model=live.identity.name, dimension=vectors.shape[1], vectors=vectors.tolist())

    @app.get("/health", responses={503: {"model": Health, "description": "Search does not answer"}})
    def health(response: Response) -> Health:
        """Whether search answers; needs no key."""
        found = _health(live)
        response.status_code = 503 if found.status == "down" else 200
        return found

    @app.get("/metrics", dependencies=guarded, response_class=Response)
    def told() -> Response:
        """For Prometheus."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    def page() -> HTMLResponse:
        content = (files(__package__) / "service.html").read_text(encoding="utf-8")
        return HTMLResponse(content, headers={"Content-Security-Policy": _PAGE_POLICY})

    return app


def _health(live: FineTunedRetrieval) -> Health:
    status: Literal["ok", "degraded", "down"] = "ok"
    passages = reason = None
    try:
        passages = live.count()
        reason = "; ".join(live.shortcomings()) or None
        status = "degraded" if reason else "ok"
    except SearchError as error:
        status, reason = "down", str(error)
        with suppress(SearchError):  # the index that stands by may answer
            live.search("health")
            status = "degraded"
    identity = live.identity
    return Health(
        status=status,
        corpus=live.corpus,
        model=identity.name,
        system=live.system.name,
        weights_sha256=identity.sha256,
        passages=passages,
        reason=reason,
    )


def _guard(key: str | None) -> Callable[..., None]:
    """Refuses who does not send the key; where there is none, nobody."""
    header = APIKeyHeader(name="X-API-Key", auto_error=False)

    def check(sent: Annotated[str | None, Security(header)]) -> None:
        if key is not None and not secrets.compare_digest((sent or "").encode(), key.encode()):
            raise HTTPException(401, "send the API key in the header X-API-Key")

    return check


def _refreshing(live: FineTunedRetrieval) -> Callable[[FastAPI], Any]:
    """While the service runs, serve what goes live."""

    async def refresh() -> None:
        while True:
            await asyncio.sleep(REFRESH_S)
            try:
                await asyncio.to_thread(live.refresh)
            except SearchError as error:
                LOG.warning("which index is live cannot be asked: %s", error)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(refresh())
        yield
        task.cancel()

    return lifespan


def _bounded(metrics: _Metrics) -> Callable[[Request, Answer], Awaitable[Response]]:
    """Turns away what is too large or too much, and counts."""
    running = 0

    async def answer(request: Request, call_next: Answer) -> Response:
        nonlocal running
        started = time.perf_counter()
        if running >= MAX_AT_ONCE:
            response: Response = JSONResponse({"detail": "too many requests at once"}, 503, {"Retry-After": "1"})
        else:
            running += 1
            metrics.at_once.set(running)
            try:
                response = _TOO_LARGE if await _too_large(request) else await call_next(request)
            finally:
                running -= 1
                metrics.at_once.set(running)
        route = request.scope.get("route")
        path = getattr(route, "path", "other")  # never what the caller made up: each label is kept for ever
        metrics.requests.labels(path, response.status_code).inc()
        metrics.seconds.labels(path).observe(time.perf_counter() - started)
        return response

    return answer


async def _too_large(request: Request) -> bool:
    """Reads the body, but no further than the bound; what was read is kept for the endpoint."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return True
    request._body = bytes(body)  # where Starlette itself keeps a body that was read
    return False


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    """Where a request is wrong and why, but not what was sent: that may be what no answer can hold."""
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    shown = [{"loc": [str(part)[:100] for part in each["loc"]], "msg": each["msg"]} for each in problems]
    content = {"detail": [{**each, "loc": [_speakable(part) for part in each["loc"]]} for each in shown]}
    return JSONResponse(content, 422)


def _speakable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
