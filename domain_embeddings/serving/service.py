"""Search over HTTP: /search, /encode, /health, /metrics, /docs, and at / a page to search with.

What can be asked for is bounded, so that no request can take the service down: see `domain_embeddings.serving.limits`.
Beyond the bounds the answer is 401, 408, 413, 422, or 503 with Retry-After.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from domain_embeddings.core.errors import UserError
from domain_embeddings.encoding.roles import Role
from domain_embeddings.search.hybrid import QueryError, Result
from domain_embeddings.search.index_protocol import SearchError
from domain_embeddings.search.retrieval import FineTunedRetrieval
from domain_embeddings.serving.door import Door
from domain_embeddings.serving.limits import MAX_CHARS, MAX_FIELDS, MAX_SUM, MAX_TEXTS, MAX_VALUES, Limits
from domain_embeddings.serving.work import Check, Desk

LOG = logging.getLogger(__name__)

REFRESH_S = 30.0
"""So often the service looks whether another index has gone live."""
_REFUSED: dict[int | str, dict[str, Any]] = {
    401: {"description": "Not the key"},
    408: {"description": "Too slow a body"},
    413: {"description": "Too large a body"},
}
FREE = {"/", "/health"}
"""What needs no key."""
_TOLD = 20
"""Errors of a request that are told."""
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"


def _not_too_long(texts: list[str]) -> list[str]:
    if sum(map(len, texts)) > MAX_SUM:
        raise ValueError(f"a request's texts may have at most {MAX_SUM} characters together")
    return texts


Texts = Annotated[
    list[Annotated[str, Field(max_length=MAX_CHARS)]],
    Field(min_length=1, max_length=MAX_TEXTS),
    AfterValidator(_not_too_long),
]
Value = str | int | float | bool | None
Wanted = (
    Value
    | Annotated[list[Value], Field(max_length=MAX_VALUES)]
    | Annotated[dict[str, Value], Field(max_length=MAX_VALUES)]
)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _few(cls, sent: Any) -> Any:
        """Each unknown field would be an error of its own."""
        if isinstance(sent, dict) and len(sent) > MAX_FIELDS:
            raise ValueError(f"a request has at most {MAX_FIELDS} fields")
        return sent


class SearchRequest(_Body):
    """What to look for."""

    queries: Texts
    limit: int = Field(default=10, ge=1, le=100)
    threshold: FiniteFloat | None = None
    """The least cosine of query and passage."""
    hybrid: bool = True
    explain: bool = False
    """Whether to tell which words late interaction matched, where the system has it."""
    filters: dict[str, Wanted] = Field(default={}, max_length=10)
    """Field → value, list of values, or range such as {"gte": 3}."""
    model: Literal["live", "base"] = "live"


class SearchAnswer(BaseModel):
    """For each query its passages, best first."""

    model: str
    results: list[list[Result]]


class EncodeRequest(_Body):
    """Texts to encode."""

    texts: Texts
    role: Role | None = None
    """What the texts are; it may be left out where the model encodes both alike, else the answer is 422."""


class EncodeAnswer(BaseModel):
    """A vector of length 1 for each text."""

    model: str
    dimension: int
    vectors: list[list[float]]


Status = Literal["ok", "degraded", "down"]


class Health(BaseModel):
    """Whether search answers, and with what."""

    status: Status
    corpus: str
    model: str
    system: str
    """Its arm in the evaluation."""
    weights_sha256: str
    passages: int | None
    reason: str | None


class _Metrics:
    """What /metrics tells. A registry of its own: several services may live in one process."""

    def __init__(self, desk: Desk) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("requests", "Requests, 499 for who left", ["path", "status"], registry=self.registry)
        self.seconds = Histogram("request_seconds", "Seconds to an answer", ["path"], registry=self.registry)
        at_once = Gauge("requests_in_progress", "Requests that wait or are being worked on", registry=self.registry)
        at_once.set_function(lambda: desk.open)
        self.degraded = Counter("degraded_results", "Results that are not as asked for", registry=self.registry)

    def count(self, path: str, status: int, seconds: float) -> None:
        """A request, under its path if there is such a one, never under what the caller made up: each is kept."""
        self.requests.labels(path, status).inc()
        self.seconds.labels(path).observe(seconds)


def create_app(
    live: FineTunedRetrieval, base: FineTunedRetrieval, key: str | None = None, limits: Limits | None = None
) -> FastAPI:
    """The service over a corpus; `base` is what the page compares with. With a `key`, callers must send it."""
    limits = limits or Limits()
    desk = Desk(limits)
    metrics = _Metrics(desk)
    pulse = _Pulse(live, limits)
    app = FastAPI(title="Domain embeddings", version="1", docs_url=None, redoc_url=None, lifespan=_refreshing(live))
    app.router.route_class = _JsonRoute
    app.add_exception_handler(RequestValidationError, _invalid)
    guarded = [Security(APIKeyHeader(name="X-API-Key", auto_error=False))]  # for /docs: the door looks at it

    @app.post("/search", dependencies=guarded, responses={**_REFUSED, 503: {"description": "No index, or too busy"}})
    async def search(wanted: SearchRequest) -> SearchAnswer:
        """Passages that answer the queries."""
        retrieval = live if wanted.model == "live" else base
        answer = await desk.run(lambda check: _found(retrieval, wanted, check))
        metrics.degraded.inc(sum(bool(result.degraded) for results in answer.results for result in results))
        return answer

    @app.post("/encode", dependencies=guarded, responses={**_REFUSED, 503: {"description": "Too busy"}})
    async def encode(wanted: EncodeRequest) -> EncodeAnswer:
        """The texts' vectors."""
        ways = {Role.QUERY: live.model.encode_query, Role.PASSAGE: live.model.encode_passage, None: live.model.encode}
        try:
            vectors = await desk.run(lambda _: ways[wanted.role](wanted.texts))
        except UserError as error:
            raise HTTPException(422, f"{error} (role: query or passage)") from error
        return EncodeAnswer(model=live.identity.name, dimension=vectors.shape[1], vectors=vectors.tolist())

    @app.get("/health", responses={503: {"model": Health, "description": "Search does not answer"}})
    async def health(response: Response) -> Health:
        """Whether search answers; needs no key, and no place among the requests at once."""
        found = await pulse.taken()
        response.status_code = 503 if found.status == "down" else 200
        return found

    @app.get("/metrics", dependencies=guarded, response_class=Response)
    async def told() -> Response:
        """For Prometheus."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    async def page() -> HTMLResponse:
        return _page("service.html")

    @app.get("/docs", response_class=HTMLResponse, include_in_schema=False)
    async def docs() -> HTMLResponse:
        return _page("docs.html")

    paths = {getattr(route, "path", None) for route in app.routes}

    def count(path: str, status: int, seconds: float) -> None:
        metrics.count(path if path in paths else "other", status, seconds)

    app.add_middleware(Door, key=key, free=FREE, limits=limits, count=count)
    return app


def _page(name: str) -> HTMLResponse:
    content = (files(__package__) / name).read_text(encoding="utf-8")
    return HTMLResponse(content, headers={"Content-Security-Policy": _PAGE_POLICY})


def _found(retrieval: FineTunedRetrieval, wanted: SearchRequest, check: Check) -> SearchAnswer:
    try:
        found = retrieval.search_batch(
            wanted.queries, wanted.limit, wanted.threshold, wanted.hybrid, wanted.filters, wanted.explain, check
        )
    except QueryError as error:
        raise HTTPException(422, str(error)) from error
    except SearchError as error:
        LOG.warning("%s", error)
        raise HTTPException(503, str(error)) from error
    return SearchAnswer(model=retrieval.identity.name, results=found)


class _Pulse:
    """Asks how search is, once at a time, whoever and how many want to know: a slow index holds one thread."""

    def __init__(self, live: FineTunedRetrieval, limits: Limits) -> None:
        self._live, self._limits = live, limits
        self._thread = ThreadPoolExecutor(1, "health")
        self._asking: Future[Health] | None = None

    async def taken(self) -> Health:
        if self._asking is None or self._asking.done():
            self._asking = self._thread.submit(_health, self._live)
        try:
            async with asyncio.timeout(self._limits.health_s):
                return await asyncio.shield(asyncio.wrap_future(self._asking))
        except TimeoutError:
            said = f"the index has not answered for {self._limits.health_s:g} seconds"
            return _as_health(self._live, "down", None, said)


def _health(live: FineTunedRetrieval) -> Health:
    status: Status = "ok"
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
    return _as_health(live, status, passages, reason)


def _as_health(live: FineTunedRetrieval, status: Status, passages: int | None, reason: str | None) -> Health:
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


class _JsonRequest(Request):
    """Whatever is no JSON, or none that can be read, is one kind of error."""

    async def json(self) -> Any:
        try:
            return await super().json()
        except (ValueError, RecursionError) as error:  # no UTF-8, a number of 5,000 digits, 100,000 brackets
            raise json.JSONDecodeError(str(error), "", 0) from error


class _JsonRoute(APIRoute):
    """A route whose request that is."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def read(request: Request) -> Response:
            return await handle(_JsonRequest(request.scope, request.receive))

        return read


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    """Where a request is wrong and why, but not what was sent: that may be what no answer can hold."""
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    shown = [{"loc": [str(part)[:100] for part in each["loc"]], "msg": each["msg"]} for each in problems[:_TOLD]]
    content = {"detail": [{**each, "loc": [_speakable(part) for part in each["loc"]]} for each in shown]}
    return JSONResponse(content, 422)


def _speakable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
