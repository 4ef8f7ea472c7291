"""The client of embedding servers, against a real HTTP server on this machine."""

import json
import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest

from domain_embeddings.encoding.endpoint import EndpointEncoder, EndpointError
from domain_embeddings.params.evaluate import Endpoint

Answer = tuple[int, Any]


def vector(text: str) -> list[float]:
    """3, 4 and the text's length, so that a test knows the answer."""
    return [3.0, 4.0, float(len(text))]


def items(texts: list[str]) -> dict[str, Any]:
    """An answer as the API gives it, last text first."""
    return {"data": [{"index": i, "embedding": vector(text)} for i, text in enumerate(texts)][::-1]}


class Server:
    """Answers as its `answers` say, one each, and then properly; remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.paths: list[str] = []
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"

    def texts(self) -> list[list[str]]:
        return [body["input"] for body in self.asked]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.asked.append(body)
                server.keys.append(self.headers["Authorization"])
                server.paths.append(self.path)
                status, content = server.answers.pop(0) if server.answers else (200, items(body["input"]))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("retry-after-ms", "1")
                self.end_headers()
                self.wfile.write(json.dumps(content).encode())

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.http.shutdown()
    thread.join()
    server.http.server_close()


@pytest.fixture
def encoder(server: Server, tmp_path: Path) -> Callable[..., EndpointEncoder]:
    """Makes encoders that share a cache."""

    def make(**changes: Any) -> EndpointEncoder:
        values = {"kind": "endpoint", "url": server.url, "model": "m", "retries": 2, **changes}
        return EndpointEncoder(Endpoint.model_validate(values), tmp_path / "cache")

    return make


def test_vectors_come_in_the_order_of_the_texts(encoder: Callable[..., EndpointEncoder]) -> None:
    found = encoder().encode(["", "x" * 12])

    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[3 / 5, 4 / 5, 0], [3 / 13, 4 / 13, 12 / 13]], rtol=1e-6)


def test_texts_go_in_batches_and_equal_ones_once(server: Server, encoder: Callable[..., EndpointEncoder]) -> None:
    found = encoder(batch_size=2).encode(["a", "bb", "a", "ccc", "bb"])

    assert server.texts() == [["a", "bb"], ["ccc"]]
    assert server.paths == ["/v1/embeddings"] * 2
    assert [body["model"] for body in server.asked] == ["m", "m"]
    assert [round(float(row[2] / row[0] * 3)) for row in found] == [1, 2, 1, 3, 2]


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again(status: int, server: Server, encoder: Callable[..., EndpointEncoder]) -> None:
    server.answers = [(status, {}), (status, {})]

    assert len(encoder().encode(["a"])) == 1
    assert server.texts() == [["a"]] * 3


def test_nothing_is_asked_twice(server: Server, encoder: Callable[..., EndpointEncoder]) -> None:
    first = encoder().encode(["a", "bb"])
    again = encoder().encode(["bb", "a", "ccc"])

    assert server.texts() == [["a", "bb"], ["ccc"]]
    np.testing.assert_array_equal(again[[1, 0]], first)


def test_another_model_has_other_vectors(server: Server, encoder: Callable[..., EndpointEncoder]) -> None:
    encoder().encode(["a"])
    encoder(model="other").encode(["a"])

    assert [body["model"] for body in server.asked] == ["m", "other"]


def test_a_killed_run_goes_on_where_it_was(server: Server, encoder: Callable[..., EndpointEncoder]) -> None:
    server.answers = [(200, items(["a"])), (400, {"error": {"message": "out of memory"}})]
    with pytest.raises(EndpointError, match=r"answered 400: .*out of memory.*what came is kept"):
        encoder(batch_size=1).encode(["a", "bb"])

    encoder(batch_size=1).encode(["a", "bb"])

    assert server.texts() == [["a"], ["bb"], ["bb"]]


def test_the_key_is_sent_as_bearer(
    server: Server, encoder: Callable[..., EndpointEncoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_KEY", "secret-1")
    encoder(key_env="TEAM_KEY").encode(["a"])

    assert server.keys == ["Bearer secret-1"]


def test_a_key_that_was_not_named_stays_here(
    server: Server, encoder: Callable[..., EndpointEncoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret-2")
    encoder().encode(["a"])

    assert server.keys == ["Bearer none"]


@pytest.mark.parametrize("value", [None, " "])
def test_an_unset_key_is_named_before_anything_is_asked(
    value: str | None, encoder: Callable[..., EndpointEncoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEAM_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("TEAM_KEY", value)

    with pytest.raises(EndpointError, match=r"the environment variable TEAM_KEY is not set \(export TEAM_KEY=…\)"):
        encoder(key_env="TEAM_KEY")


WRONG: list[tuple[Answer, dict[str, Any], str]] = [
    ((401, {}), {"key_env": "TEAM_KEY"}, r"the key in TEAM_KEY was refused \(401\)"),
    ((403, {}), {}, r"a request without a key was refused \(403\)"),
    ((404, {"error": {"message": "'m' not found"}}), {}, r"no such model or address \(404: .*'m' not found"),
    ((429, {}), {"retries": 0}, r"still too busy after 0 retries \(429"),
    ((200, items(["a"])), {"dimension": 4}, r"vectors of 3 dimensions, expected 4"),
    ((200, items(["a", "b"])), {}, r"2 vectors for 1 texts"),
    ((200, {"data": [{"index": 1, "embedding": [1.0]}]}), {}, r"1 vectors for 1 texts, or not one for each"),
    ((200, {"data": [{"index": 0, "embedding": [1.0, float("nan")]}]}), {}, r"not finite.* for the text 'a'"),
    ((200, {"data": [{"index": 0, "embedding": [1.0, None]}]}), {}, r"not finite"),
    ((200, {"data": [{"index": 0, "embedding": [0.0, 0.0]}]}), {}, r"nothing but zeros"),
    ((200, {"embeddings": [[1.0]]}), {}, r"the answer is no list of embeddings \(`url` must end in /v1\)"),
]


@pytest.mark.parametrize(("answer", "changes", "message"), WRONG, ids=[message for *_, message in WRONG])
def test_a_wrong_answer_is_told_and_not_kept(
    answer: Answer, changes: dict[str, Any], message: str, server: Server,
    encoder: Callable[..., EndpointEncoder], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("TEAM_KEY", "secret-3")
    server.answers = [answer]
    with pytest.raises(EndpointError, match=message) as error:
        encoder(**changes).encode(["a"])

    assert str(error.value).startswith(f"{server.url} (m): ")
    assert "secret" not in str(error.value)
    encoder().encode(["a"])
    assert len(server.asked) == 2


def test_another_model_under_the_old_name_is_noticed(server: Server, encoder: Callable[..., EndpointEncoder]) -> None:
    encoder().encode(["a"])
    server.answers = [(200, {"data": [{"index": 0, "embedding": [1.0, 1.0]}]})]

    with pytest.raises(EndpointError, match=r"vectors of 2 and 3 dimensions .*remove .*vectors\.sqlite"):
        encoder().encode(["a", "bb"])


def test_a_server_that_is_not_there_is_named(encoder: Callable[..., EndpointEncoder]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"

    with pytest.raises(EndpointError, match=r"cannot be reached: .*start the server") as error:
        encoder(url=url, retries=0).encode(["a"])

    assert str(error.value).startswith(url)
