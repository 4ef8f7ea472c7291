"""The collection in use: an embedded Qdrant whose answers are known by hand, and servers that do not answer."""

import socket
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from qdrant_client import QdrantClient, models

from domain_embeddings.params.mine import QdrantCollection
from domain_embeddings.training.qdrant_candidates import CollectionError, Found, search

KNOWN = ("brakes", "7", "rudder")
EAST, NORTH = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]
QUERIES = np.array([EAST, NORTH], dtype=np.float32)
POINTS: list[tuple[Any, dict[str, Any]]] = [  # vector, payload
    ([1.0, 0.1, 0.0], {"doc": "brakes", "lang": "en"}),
    ([1.0, 0.2, 0.0], {"doc": "brakes"}),  # a second piece of it
    ([1.0, 0.3, 0.0], {"doc": 7}),
    ([0.1, 1.0, 0.0], {"doc": "rudder"}),
    ([0.0, 1.0, 0.1], {"doc": "of another corpus"}),
    ([0.0, 0.0, 1.0], {"lang": "en"}),
]
Vectors = models.VectorParams | dict[str, models.VectorParams]


def size(dimensions: int) -> models.VectorParams:
    return models.VectorParams(size=dimensions, distance=models.Distance.COSINE)


VECTORS = size(3)


def collection(folder: Path, **changes: Any) -> QdrantCollection:
    return QdrantCollection(**{"path": str(folder), "collection": "docs", "id_field": "doc", **changes})


def index(folder: Path, points: Sequence[tuple[Any, dict[str, Any]]] = POINTS, vectors: Vectors = VECTORS) -> None:
    client = QdrantClient(path=str(folder))
    client.create_collection("docs", vectors_config=vectors)
    if points:
        rows = [models.PointStruct(id=i, vector=vector, payload=payload) for i, (vector, payload) in enumerate(points)]
        client.upsert("docs", rows)
    client.close()


def refused(params: QdrantCollection, dimensions: int = 3) -> str:
    with pytest.raises(CollectionError) as error:
        search(params, np.ones((1, dimensions), dtype=np.float32), 10, KNOWN)
    return str(error.value)


def test_known_passages_are_ranked_once_and_others_counted(tmp_path: Path) -> None:
    index(tmp_path)

    found = search(collection(tmp_path), QUERIES, 6, KNOWN)

    assert found == Found([["brakes", "7", "rudder"], ["rudder", "7", "brakes"]], unknown=4)


def test_no_more_points_than_asked_for(tmp_path: Path) -> None:
    index(tmp_path)

    assert search(collection(tmp_path), QUERIES, 2, KNOWN) == Found([["brakes"], ["rudder"]], unknown=1)


def test_queries_beyond_one_request_keep_their_order(tmp_path: Path) -> None:
    index(tmp_path)

    found = search(collection(tmp_path), np.tile(QUERIES, (50, 1)), 1, (*KNOWN, "of another corpus"))

    assert found.rankings == [["brakes"], ["of another corpus"]] * 50


def test_a_named_vector_and_an_id_inside_the_payload(tmp_path: Path) -> None:
    points = [
        ({"text": EAST, "image": [0.0, 1.0]}, {"metadata": {"id": "brakes", "page": 1}}),
        ({"text": NORTH, "image": [1.0, 0.0]}, {"metadata": {"id": "rudder", "page": 2}}),
    ]
    index(tmp_path, points, {"text": size(3), "image": size(2)})

    found = search(collection(tmp_path, vector="text", id_field="metadata.id"), QUERIES, 1, KNOWN)

    assert found == Found([["brakes"], ["rudder"]], unknown=0)


def test_vectors_of_another_size_are_refused(tmp_path: Path) -> None:
    index(tmp_path)

    assert "(docs): its vectors have 3 dimensions, the base model's have 384" in refused(collection(tmp_path), 384)


@pytest.mark.parametrize(
    ("vectors", "vector", "said"),
    [
        ({"text": size(3), "image": size(2)}, None, "no vector null (mine.qdrant.vector; there are: image, text)"),
        ({"text": size(3)}, "txt", "no vector txt (mine.qdrant.vector; there are: text)"),
        (size(3), "text", "no vector text (mine.qdrant.vector; there are: null)"),
        ({}, None, "no vector null (mine.qdrant.vector; there are: none)"),
    ],
)
def test_a_vector_that_is_not_there(tmp_path: Path, vectors: Vectors, vector: str | None, said: str) -> None:
    index(tmp_path, [], vectors)

    assert said in refused(collection(tmp_path, vector=vector))


def test_a_collection_that_is_not_there(tmp_path: Path) -> None:
    index(tmp_path)

    said = refused(collection(tmp_path, collection="dosc"))

    assert said == f"{tmp_path} (dosc): no such collection (mine.qdrant.collection; there are: docs)"


@pytest.mark.parametrize(
    ("field", "example", "payload"),
    [("id", None, {"doc": "brakes", "lang": "en"}), ("lang", "en", {"doc": "brakes", "lang": "en"}), ("id", None, {})],
)
def test_a_field_that_holds_no_ids(tmp_path: Path, field: str, example: str | None, payload: dict[str, str]) -> None:
    index(tmp_path, [(EAST, payload)])

    said = refused(collection(tmp_path, id_field=field))

    assert f"no point found has a passage's id in {field!r}: there a point has {example!r}" in said
    assert "a passage's id is like 'brakes'" in said
    assert f"that point's payload has: {', '.join(payload) or 'nothing'}" in said


def test_an_empty_collection(tmp_path: Path) -> None:
    index(tmp_path, [])

    assert "it holds no points (index the corpus, or take qdrant out" in refused(collection(tmp_path))


def test_a_folder_without_qdrant_stays_as_it_is(tmp_path: Path) -> None:
    assert "this folder is no embedded Qdrant" in refused(collection(tmp_path))
    assert "this folder is no embedded Qdrant" in refused(collection(tmp_path / "nowhere"))
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"

    said = refused(collection(tmp_path, path=None, url=url))

    assert said.startswith(f"{url} (docs): no answer from Qdrant: ")
    assert said.endswith("(start it, or correct mine.qdrant.url)")


@pytest.fixture
def other_server() -> Iterator[str]:
    """Wants a key, which is `right`, and is no Qdrant."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404 if self.headers["api-key"] == "right" else 403)
            self.end_headers()
            self.wfile.write(b"away with you")

        def log_message(self, *_: Any) -> None:
            """Every request would be a line on stderr."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")
@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("wrong", "the server answered 403 Forbidden: away with you (name the variable with a valid key"),
        ("right", "the server answered 404 Not Found: away with you (mine.qdrant.url must be that of a Qdrant"),
    ],
)
def test_a_server_that_refuses(other_server: str, key: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEARCH_KEY", key)

    assert said in refused(collection(Path(), path=None, url=other_server, key_env="SEARCH_KEY"))


def test_a_key_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEARCH_KEY", raising=False)

    said = refused(collection(Path(), path=None, url="http://127.0.0.1:6333", key_env="SEARCH_KEY"))

    assert "the environment variable SEARCH_KEY is not set (export SEARCH_KEY=…)" in said


@pytest.mark.parametrize("changes", [{"url": "http://127.0.0.1:6333"}, {"path": None}])
def test_a_collection_has_one_place(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="a collection is at a url or in a path: give one of the two"):
        collection(tmp_path, **changes)
