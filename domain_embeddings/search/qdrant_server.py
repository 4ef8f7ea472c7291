"""Passages indexed in a Qdrant server or cluster: the same collections, vectors and payloads as in a folder.

A request that fails for a reason that can pass (no connection, time-out, 429, 5xx) is sent again, each time after twice
the wait. When the server has not answered at all, it is left alone for a few seconds, so that not every search waits.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from json import JSONDecodeError
from typing import Any, TypeVar

from pydantic import ValidationError
from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from domain_embeddings.params.search import SearchParams, Server
from domain_embeddings.search.index_protocol import (
    DENSE,
    FILTERED,
    SPARSE,
    Entry,
    Filters,
    Hit,
    IndexUnavailableError,
    Metadata,
    Rankings,
    Wanted,
    payload_filter,
)
from domain_embeddings.search.sparse import Sparse

T = TypeVar("T")

_FIRST_WAIT_S = 0.1
_LEFT_ALONE_S = 5.0
_SCAN = 1000
_OVERSAMPLING = 2.0
_FAILURES = (ResponseHandlingException, UnexpectedResponse, ResourceExhaustedResponse, JSONDecodeError)
_BUSY = (500, 502, 503, 504)


def connect(server: Server) -> QdrantClient:
    """A client for the server; nothing is sent yet. IndexUnavailableError if the key's variable is not set."""
    key = os.environ.get(server.key_env, "").strip() if server.key_env else None
    if key == "":
        raise IndexUnavailableError(f"{server.url}: the environment variable {server.key_env} is not set (export it)")
    return QdrantClient(url=server.url, api_key=key, timeout=max(1, round(server.timeout_s)), check_compatibility=False)


class ServerIndex:
    """Collections behind a client. Safe to use from threads."""

    def __init__(self, client: QdrantClient, params: SearchParams, place: str, retries: int) -> None:
        """`place` names the server in messages; `retries` is how often a request is sent again."""
        self.place = place
        self._client, self._params, self._retries = client, params, retries
        self._down_until = 0.0

    def live(self, corpus: str) -> tuple[str | None, str | None]:
        """The collections that the alias leads to, and led to before."""
        found = {each.alias_name: each.collection_name for each in self._ask(self._client.get_aliases).aliases}
        return found.get(corpus), found.get(_previous(corpus))

    def switch(self, corpus: str, live: str, previous: str | None) -> None:
        """Let the alias lead elsewhere: one request, which the server carries out as a whole."""
        before = dict(zip((corpus, _previous(corpus)), self.live(corpus), strict=True))
        changes: list[Any] = [
            models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias))
            for alias, collection in before.items()
            if collection is not None
        ]
        changes += [
            models.CreateAliasOperation(create_alias=models.CreateAlias(alias_name=alias, collection_name=collection))
            for alias, collection in ((corpus, live), (_previous(corpus), previous))
            if collection is not None
        ]
        self._ask(lambda: self._client.update_collection_aliases(changes))

    def metadata(self, collection: str) -> Metadata | None:
        """What is stored with a collection; None if it does not exist or was not made here."""
        if not self._ask(lambda: self._client.collection_exists(collection)):
            return None
        found = self._ask(lambda: self._client.get_collection(collection)).config.metadata
        return Metadata.of_json(found) if found else None

    def create(self, collection: str, metadata: Metadata) -> None:
        """Make an empty collection."""
        params = self._params
        self._ask(
            lambda: self._client.create_collection(
                collection,
                vectors_config={
                    DENSE: models.VectorParams(
                        size=metadata.model.dimension, distance=models.Distance.COSINE, on_disk=True
                    )
                },
                sparse_vectors_config={SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
                hnsw_config=models.HnswConfigDiff(m=params.hnsw_m, ef_construct=params.hnsw_ef_construct),
                quantization_config=models.ScalarQuantization(
                    scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, always_ram=True)
                ),
                on_disk_payload=True,
                metadata=metadata.as_json(),
            )
        )
        for field in FILTERED:
            index = partial(self._client.create_payload_index, collection, field, models.PayloadSchemaType.KEYWORD)
            self._ask(index)

    def describe(self, collection: str, metadata: Metadata) -> None:
        """Store other metadata."""
        self._ask(lambda: self._client.update_collection(collection, metadata=metadata.as_json()))

    def count(self, collection: str) -> int:
        """How many passages it holds."""
        return self._ask(lambda: self._client.count(collection, exact=True)).count

    def put(self, collection: str, entries: Sequence[Entry]) -> None:
        """Add passages or replace those of the same ids; returns when the server has them on disk."""
        points = [
            models.PointStruct(
                id=each.id, vector={DENSE: each.dense, SPARSE: _native(each.sparse)}, payload=each.payload
            )
            for each in entries
        ]
        self._ask(lambda: self._client.upsert(collection, points, wait=True))

    def reweigh(self, collection: str, sparse: Mapping[str, Sparse]) -> None:
        """Replace the sparse vectors of these points."""
        points = [models.PointVectors(id=each, vector={SPARSE: _native(sparse[each])}) for each in sparse]
        self._ask(lambda: self._client.update_vectors(collection, points, wait=True))

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        """Remove points; ids that are not there are ignored."""
        self._ask(lambda: self._client.delete(collection, models.PointIdsList(points=list(ids)), wait=True))

    def settle(self, collection: str) -> None:
        """Nothing: the server does it by itself."""

    def payloads(self, collection: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Point id → these fields of its payload; ids that are not there are left out."""
        found = self._ask(lambda: self._client.retrieve(collection, list(ids), with_payload=list(fields)))
        return {str(record.id): record.payload or {} for record in found}

    def scan(self, collection: str, fields: Sequence[str]) -> Iterator[dict[str, dict[str, Any]]]:
        """All points, page by page."""
        offset: Any = None
        while True:
            page = partial(self._client.scroll, collection, limit=_SCAN, offset=offset, with_payload=list(fields))
            records, offset = self._ask(page)
            yield {str(record.id): record.payload or {} for record in records}
            if offset is None:
                return

    def rank(self, collection: str, queries: Sequence[Wanted], filters: Filters, depth: int) -> list[Rankings]:
        """The best `depth` points of both kinds for each query, in one request."""
        condition = payload_filter(filters, models, models.Range) if filters else None
        requests, wanted = [], []
        for number, query in enumerate(queries):
            for name, vector in ((DENSE, query.dense), (SPARSE, query.sparse)):
                if isinstance(vector, list) or vector.indices:
                    requests.append(self._request(vector, name, condition, depth))
                    wanted.append((number, name))
        answers = self._ask(lambda: self._client.query_batch_points(collection, requests)) if requests else []
        hits: dict[tuple[int, str], list[Hit]] = {
            key: [(str(point.id), point.score) for point in answer.points]
            for key, answer in zip(wanted, answers, strict=True)
        }
        return [Rankings(hits.get((i, DENSE), []), hits.get((i, SPARSE), [])) for i in range(len(queries))]

    def similarities(self, collection: str, dense: list[float], ids: Sequence[str]) -> dict[str, float]:
        """The cosine of each of these points."""
        condition = models.Filter(must=[models.HasIdCondition(has_id=list(ids))])
        request = self._request(dense, DENSE, condition, len(ids))
        (answer,) = self._ask(lambda: self._client.query_batch_points(collection, [request]))
        return {str(point.id): point.score for point in answer.points}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _request(
        self, vector: list[float] | Sparse, name: str, condition: models.Filter | None, limit: int
    ) -> models.QueryRequest:
        """As in a folder: int8 vectors find, whole ones decide; idf over what is there, not what was deleted."""
        rescored = models.QuantizationSearchParams(rescore=True, oversampling=_OVERSAMPLING)
        params = {
            DENSE: models.SearchParams(hnsw_ef=self._params.hnsw_ef, quantization=rescored),
            SPARSE: models.SearchParams(idf=models.IdfCorpusParams(corpus=models.Filter())),
        }
        query = vector if isinstance(vector, list) else _native(vector)
        return models.QueryRequest(query=query, using=name, filter=condition, limit=limit, params=params[name])

    def _ask(self, request: Callable[[], T]) -> T:
        """Send a request, again where that can help. IndexUnavailableError when it does not."""
        if time.monotonic() < self._down_until:
            raise IndexUnavailableError(f"{self.place}: did not answer a moment ago (start it, or correct the URL)")
        wait, left = _FIRST_WAIT_S, self._retries
        while True:
            try:
                return request()
            except _FAILURES as error:
                if not _passes(error):
                    raise self._refused(error) from error
                if left == 0:
                    self._down_until = time.monotonic() + _LEFT_ALONE_S
                    raise self._gone(error) from error
            time.sleep(wait)
            wait, left = 2 * wait, left - 1

    def _gone(self, error: Exception) -> IndexUnavailableError:
        said = error.source if isinstance(error, ResponseHandlingException) else error
        return IndexUnavailableError(
            f"{self.place}: no answer in {self._retries + 1} attempts: {said} (start it, or correct the URL)"
        )

    def _refused(self, error: Exception) -> IndexUnavailableError:
        if not isinstance(error, UnexpectedResponse):
            return IndexUnavailableError(f"{self.place}: what answers there is no Qdrant (correct the URL)")
        said = error.content.decode("utf-8", "replace")[:200]
        remedy = "is search.server.url that of a Qdrant from 1.16 on?"
        if error.status_code in (401, 403):
            remedy = "name the variable with a valid key in search.server.key_env"
        return IndexUnavailableError(f"{self.place}: {error.status_code} {error.reason_phrase}: {said} ({remedy})")


def _passes(error: Exception) -> bool:
    """Whether the same request may succeed a moment later: a busy server, or none on the line."""
    if isinstance(error, UnexpectedResponse):
        return error.status_code in _BUSY
    source = error.source if isinstance(error, ResponseHandlingException) else error
    return not isinstance(source, ValidationError | JSONDecodeError)


def _previous(corpus: str) -> str:
    return f"{corpus}.previous"


def _native(sparse: Sparse) -> models.SparseVector:
    return models.SparseVector(indices=sparse.indices, values=sparse.values)
