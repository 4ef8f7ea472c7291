"""The search that is in use today: a Qdrant collection, on a server or in an embedded folder.

What it finds for a query and should not is what its users get to see, and so a good hard negative. It is searched with
the base model's vectors, exactly, so that the same points always give the same rankings.
"""

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse
from tqdm import tqdm

from domain_embeddings.core.errors import UserError
from domain_embeddings.core.ranking import Scores
from domain_embeddings.params.mine import QdrantCollection

_BATCH = 64
"""Queries of one request."""
_TIMEOUT_S = 120


class CollectionError(UserError):
    """A collection that cannot be used. The message names place and collection, what is wrong and the remedy."""

    def __init__(self, params: QdrantCollection, problem: str, remedy: str) -> None:
        """`place (collection): problem (remedy)`."""
        super().__init__(f"{params.url or params.path} ({params.collection}): {problem} ({remedy})")


@dataclass(frozen=True)
class Found:
    """What a collection found: a ranking of passage ids for each query, and how many points were left out."""

    rankings: list[list[str]]
    unknown: int
    """Points whose id is missing or not a passage's."""


def search(params: QdrantCollection, vectors: Scores, depth: int, known: Collection[str]) -> Found:
    """Rank the points nearest to each of the queries' `vectors` (queries, dimensions) by the ids of `known` passages.

    Of a passage with several points the best one counts. CollectionError when the collection cannot be reached or read,
    has vectors of another size, or when no point found is a known passage.
    """
    rankings: list[list[str]] = []
    unknown = 0
    with _opened(params) as client:
        _check_vectors(client, params, vectors.shape[1])
        for ids in _hits(client, params, vectors, depth):
            valid = [passage_id for passage_id in ids if passage_id is not None and passage_id in known]
            unknown += len(ids) - len(valid)
            rankings.append(list(dict.fromkeys(valid)))
        if not any(rankings):
            raise CollectionError(params, *_nothing_known(client, params, known))
    return Found(rankings, unknown)


@contextmanager
def _opened(params: QdrantCollection) -> Iterator[QdrantClient]:
    client = _client(params)
    try:
        yield client
    except ResponseHandlingException as error:
        raise CollectionError(
            params, f"no answer from Qdrant: {error.source}", "start it, or correct mine.qdrant.url"
        ) from error
    except UnexpectedResponse as error:
        said = error.content.decode("utf-8", "replace")[:200]
        remedy = "name the variable with a valid key in mine.qdrant.key_env"
        raise CollectionError(
            params,
            f"the server answered {error.status_code} {error.reason_phrase}: {said}",
            remedy if error.status_code in (401, 403) else "mine.qdrant.url must be that of a Qdrant from 1.10 on",
        ) from error
    finally:
        client.close()


def _client(params: QdrantCollection) -> QdrantClient:
    if params.path is None:
        return QdrantClient(url=params.url, api_key=_key(params), timeout=_TIMEOUT_S, check_compatibility=False)
    if not (Path(params.path) / "meta.json").is_file():  # the client would found an empty one there
        raise CollectionError(
            params, "this folder is no embedded Qdrant (no meta.json)", "correct mine.qdrant.path, or give a url"
        )
    return QdrantClient(path=params.path)


def _key(params: QdrantCollection) -> str | None:
    if params.key_env is None:
        return None
    key = os.environ.get(params.key_env, "").strip()
    if not key:
        raise CollectionError(
            params, f"the environment variable {params.key_env} is not set", f"export {params.key_env}=…"
        )
    return key


def _check_vectors(client: QdrantClient, params: QdrantCollection, dimensions: int) -> None:
    """CollectionError unless the collection exists and holds vectors of that name and size."""
    if not client.collection_exists(params.collection):
        names = ", ".join(sorted(each.name for each in client.get_collections().collections))
        raise CollectionError(params, "no such collection", f"mine.qdrant.collection; there are: {names or 'none'}")
    sizes = _sizes(client.get_collection(params.collection).config.params.vectors)
    if params.vector not in sizes:
        names = ", ".join(sorted(name or "null" for name in sizes)) or "none"
        raise CollectionError(params, f"no vector {params.vector or 'null'}", f"mine.qdrant.vector; there are: {names}")
    if sizes[params.vector] != dimensions:
        raise CollectionError(
            params,
            f"its vectors have {sizes[params.vector]} dimensions, the base model's have {dimensions}",
            "only a collection of the base model's vectors can be searched; take qdrant out of mine.candidates",
        )


def _sizes(config: models.VectorParams | dict[str, models.VectorParams] | None) -> dict[str | None, int]:
    """Name of a dense vector, None for one without, → dimensions."""
    if isinstance(config, models.VectorParams):
        return {None: config.size}
    return {name: vector.size for name, vector in (config or {}).items()}


def _hits(client: QdrantClient, params: QdrantCollection, vectors: Scores, depth: int) -> Iterator[list[str | None]]:
    """The ids of the points nearest to each vector, best first."""
    exact = models.SearchParams(exact=True) if params.path is None else None  # an embedded one knows no other way
    for start in tqdm(range(0, len(vectors), _BATCH), desc="qdrant", unit="batch"):
        requests = [
            models.QueryRequest(
                query=vector.tolist(), using=params.vector, limit=depth, params=exact, with_payload=[params.id_field]
            )
            for vector in vectors[start : start + _BATCH]
        ]
        for answer in client.query_batch_points(params.collection, requests):
            yield [_passage_id(point.payload, params.id_field) for point in answer.points]


def _passage_id(payload: Mapping[str, Any] | None, field: str) -> str | None:
    value: Any = payload
    for key in field.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return None if value is None else str(value)


def _nothing_known(client: QdrantClient, params: QdrantCollection, known: Collection[str]) -> tuple[str, str]:
    """What is wrong with a collection of which no point is a passage, and the remedy."""
    points, _ = client.scroll(params.collection, limit=1, with_payload=True)
    if not points:
        return "it holds no points", "index the corpus, or take qdrant out of mine.candidates"
    payload = points[0].payload or {}
    example = _passage_id(payload, params.id_field)
    return (
        f"no point found has a passage's id in {params.id_field!r}: there a point has {example!r}, a passage's id is "
        f"like {next(iter(known))!r}",
        f"mine.qdrant.id_field; that point's payload has: {', '.join(sorted(payload)) or 'nothing'}",
    )
