"""Passages indexed in a folder, by Qdrant's own engine within this process.

    <folder>/<corpus>.alias.json         which collection is live, and which was before
    <folder>/<collection>/metadata.json  the model, and what the sparse weights assume
    <folder>/<collection>/shard/         the engine's files

A folder's collection can be open in one process at a time. Every small file is replaced in one step, so that a reader,
or a process killed at any moment, finds the old one or the new one.

The engine writes each change to its log before it makes it. The log is a mapped file, so that a kill of the process
takes nothing from it; when the collection is next opened, what the other files lack is made from it again. Only a power
cut, or a crash of the whole system, can take what was not flushed: `_UNFLUSHED` passages, and none after `settle`.
"""

import json
import os
import shutil
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import qdrant_edge as edge

from domain_embeddings.params.search import SearchParams
from domain_embeddings.search.index_protocol import (
    DENSE,
    FILTERED,
    SPARSE,
    Entry,
    Filters,
    Hit,
    IndexMissingError,
    IndexUnavailableError,
    Metadata,
    Rankings,
    Wanted,
    payload_filter,
)
from domain_embeddings.search.sparse import Sparse

_SCAN = 1000
_OVERSAMPLING = 2.0
_UNFLUSHED = 10_000
"""Changes that may be in the log alone. Flushing takes 4 ms and more; making so many again takes seconds."""


class EmbeddedIndex:
    """A folder of collections. Safe to use from threads."""

    def __init__(self, folder: Path, params: SearchParams) -> None:
        """Nothing is made or opened before it is needed."""
        self.place = str(folder)
        self._folder, self._params = folder, params
        self._shards: dict[str, edge.EdgeShard] = {}
        self._unflushed: Counter[str] = Counter()
        self._lock = threading.Lock()
        rescored = edge.QuantizationSearchParams(rescore=True, oversampling=_OVERSAMPLING)
        self._search = {  # the int8 vectors find, the whole ones decide; idf over what is there, not what was deleted
            DENSE: edge.SearchParams(hnsw_ef=params.hnsw_ef, quantization=rescored),
            SPARSE: edge.SearchParams(idf=edge.IdfParams(corpus=edge.Filter())),
        }

    def live(self, corpus: str) -> tuple[str | None, str | None]:
        """The collections that the alias leads to, and led to before."""
        found = _read(self._alias(corpus)) or {}
        return found.get("live"), found.get("previous")

    def switch(self, corpus: str, live: str, previous: str | None) -> None:
        """Let the alias lead elsewhere, at once for everybody."""
        _replace(self._alias(corpus), {"live": live, "previous": previous})

    def metadata(self, collection: str) -> Metadata | None:
        """What is stored with a collection; None if it does not exist."""
        found = _read(self._folder / collection / "metadata.json")
        return None if found is None else Metadata.of_json(found)

    def create(self, collection: str, metadata: Metadata) -> None:
        """Make an empty collection; what a process left that was killed here is replaced."""
        folder = self._folder / collection / "shard"
        with self._lock:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            shard = edge.EdgeShard.create(str(folder), _config(metadata.model.dimension, self._params))
            for field in FILTERED:
                shard.update(edge.UpdateOperation.create_field_index(field, edge.PayloadSchemaType.Keyword))
            shard.flush()
            self._shards[collection] = shard
            self.describe(collection, metadata)

    def describe(self, collection: str, metadata: Metadata) -> None:
        """Store other metadata."""
        _replace(self._folder / collection / "metadata.json", metadata.as_json())

    def count(self, collection: str) -> int:
        """How many passages it holds."""
        return int(self._shard(collection).count(edge.CountRequest(exact=True)))

    def put(self, collection: str, entries: Sequence[Entry]) -> None:
        """Add passages or replace those of the same ids; when it returns they are in the log."""
        points = [edge.Point(each.id, _vectors(each), each.payload) for each in entries]
        self._change(collection, edge.UpdateOperation.upsert_points(points), len(points))

    def reweigh(self, collection: str, sparse: Mapping[str, Sparse]) -> None:
        """Replace the sparse vectors of these points."""
        points = [edge.PointVectors(each, {SPARSE: _native(weights)}) for each, weights in sparse.items()]
        self._change(collection, edge.UpdateOperation.update_vectors(points), len(points))

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        """Remove points, past any power cut; ids that are not there are ignored."""
        self._change(collection, edge.UpdateOperation.delete_points(list(ids)), _UNFLUSHED)

    def settle(self, collection: str) -> None:
        """Flush, build the graph of neighbours where the collection has grown large, and drop what was deleted."""
        shard = self._shard(collection)
        shard.flush()
        shard.optimize()

    def payloads(self, collection: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Point id → these fields of its payload; ids that are not there are left out."""
        found = self._shard(collection).retrieve(list(ids), with_payload=list(fields), with_vector=False)
        return {str(record.id): record.payload or {} for record in found}

    def scan(self, collection: str, fields: Sequence[str]) -> Iterator[dict[str, dict[str, Any]]]:
        """All points, page by page."""
        offset = None
        while True:
            request = edge.ScrollRequest(offset=offset, limit=_SCAN, with_payload=list(fields))
            records, offset = self._shard(collection).scroll(request)
            yield {str(record.id): record.payload or {} for record in records}
            if offset is None:
                return

    def rank(self, collection: str, queries: Sequence[Wanted], filters: Filters, depth: int) -> list[Rankings]:
        """The best `depth` points of both kinds for each query, one query at a time: the same whatever the batch."""
        shard = self._shard(collection)
        condition = payload_filter(filters, edge, edge.RangeFloat) if filters else None
        return [
            Rankings(
                self._query(shard, query.dense, DENSE, condition, depth),
                self._query(shard, _native(query.sparse), SPARSE, condition, depth) if query.sparse.indices else [],
            )
            for query in queries
        ]

    def similarities(self, collection: str, dense: list[float], ids: Sequence[str]) -> dict[str, float]:
        """The cosine of each of these points."""
        condition = edge.Filter(must=[edge.HasIdCondition(set(ids))])
        return dict(self._query(self._shard(collection), dense, DENSE, condition, len(ids)))

    def close(self) -> None:
        """Close all collections; one that is asked for again is opened again."""
        with self._lock:
            while self._shards:
                self._shards.popitem()[1].close()

    def _query(
        self, shard: edge.EdgeShard, vector: Any, name: str, condition: edge.Filter | None, limit: int
    ) -> list[Hit]:
        request = edge.QueryRequest(
            limit=limit, query=edge.Query.Nearest(vector, using=name), filter=condition, params=self._search[name]
        )
        return [(str(hit.id), hit.score) for hit in shard.query(request)]

    def _change(self, collection: str, operation: edge.UpdateOperation, size: int) -> None:
        shard = self._shard(collection)
        shard.update(operation)
        self._unflushed[collection] += size
        if self._unflushed[collection] >= _UNFLUSHED:
            self._unflushed[collection] = 0
            shard.flush()

    def _alias(self, corpus: str) -> Path:
        return self._folder / f"{corpus}.alias.json"

    def _shard(self, collection: str) -> edge.EdgeShard:
        with self._lock:
            if collection not in self._shards:
                self._shards[collection] = self._opened(self._folder / collection / "shard")
            return self._shards[collection]

    def _opened(self, folder: Path) -> edge.EdgeShard:
        if not folder.is_dir():
            raise IndexMissingError(f"{folder}: no index there (index the passages)")
        try:
            return edge.EdgeShard.load(str(folder))
        except Exception as error:  # the engine knows no narrower class
            if "WouldBlock" not in str(error):
                raise IndexUnavailableError(
                    f"{folder}: cannot be opened: {error} (remove it and index again)"
                ) from error
            raise IndexUnavailableError(
                f"{folder}: another process has it open (ask that one's service, or end it; a server takes many)"
            ) from error


def _config(dimension: int, params: SearchParams) -> edge.EdgeConfig:
    """Whole vectors and texts on disk, their int8 copies and the words in memory."""
    cold, cached = edge.Memory.Cold, edge.Memory.Cached
    return edge.EdgeConfig(
        vectors={DENSE: edge.EdgeVectorParams(size=dimension, distance=edge.Distance.Cosine, memory=cold)},
        sparse_vectors={SPARSE: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf, memory=cached)},
        payload_memory=cold,
        hnsw_config=edge.HnswIndexConfig(
            m=params.hnsw_m, ef_construct=params.hnsw_ef_construct, full_scan_threshold=10_000
        ),
        quantization_config=edge.ScalarQuantizationConfig(type=edge.ScalarType.Int8, memory=cached),
    )


def _vectors(entry: Entry) -> dict[str, Any]:
    return {DENSE: entry.dense, SPARSE: _native(entry.sparse)}


def _native(sparse: Sparse) -> edge.SparseVector:
    return edge.SparseVector(indices=sparse.indices, values=sparse.values)


def _read(path: Path) -> dict[str, Any] | None:
    """A small JSON file; None if there is none."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return found


def _replace(path: Path, values: Mapping[str, Any]) -> None:
    """Write a small JSON file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    with new.open("w", encoding="utf-8") as file:
        json.dump(values, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
