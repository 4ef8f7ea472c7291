"""What clients do that are broken, slow or hostile, and that others are served all the same."""

import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import httpx
import pytest

from domain_embeddings.serving.limits import MAX_BODY, Limits
from tests.serving.stub import PATIENCE, Stub, answers, free_port, process, running, stub_app, until

KEY = "geheim"
KEYED = f"X-API-Key: {KEY}\r\n"


def head(length: str = "Content-Length: 100\r\n", path: str = "/encode", method: str = "POST") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{length}\r\n".encode()


@contextmanager
def connected(port: int, sent: bytes = b"") -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
        client.sendall(sent)
        yield client


def to_the_end(client: socket.socket) -> bytes:
    """All that the service says until it closes the connection."""
    said = bytearray()
    with suppress(ConnectionError):
        while some := client.recv(65536):
            said += some
    return bytes(said)


def first_line(client: socket.socket) -> bytes:
    said = bytearray()
    while b"\r\n" not in said and (some := client.recv(65536)):
        said += some
    return bytes(said).partition(b"\r\n")[0]


def drip(client: socket.socket) -> None:
    """Send a byte now and then, for as long as a test has patience."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        client.sendall(b"x")
        time.sleep(0.05)


@contextmanager
def client_of(port: int) -> Iterator[httpx.Client]:
    address, headers = f"http://127.0.0.1:{port}", {"X-API-Key": KEY}
    with httpx.Client(base_url=address, headers=headers, timeout=PATIENCE) as client:
        yield client


def encode(client: httpx.Client, text: str) -> httpx.Response:
    return client.post("/encode", json={"texts": [text]})


def metric(client: httpx.Client, name: str) -> float:
    lines = [line for line in client.get("/metrics").text.splitlines() if line.startswith(name)]
    return float(lines[0].rpartition(" ")[2]) if lines else 0.0


@pytest.fixture
def stub() -> Iterator[Stub]:
    stub = Stub()
    yield stub
    stub.let_go.set()


@pytest.fixture
def serve(stub: Stub) -> Iterator[Callable[..., int]]:
    """Starts the service with some limits and gives its port."""
    with ExitStack() as stack:

        def start(**changes: Any) -> int:
            limits = Limits(**changes)
            port = stack.enter_context(running(stub_app(stub, limits, KEY), limits))
            stack.callback(stub.let_go.set)
            return port

        yield start


HALF = [
    b"",
    b"POST /enc",
    head()[:-2],
    head() + b'{"texts"',
    head("Transfer-Encoding: chunked\r\n") + b"5\r\n{",
    head(KEYED + "Content-Length: 100\r\n") + b'{"texts"',
]


def test_others_are_served_beside_half_open_clients(serve: Callable[..., int]) -> None:
    port = serve(at_once=2, workers=1)

    with ExitStack() as stack, client_of(port) as client:
        for i in range(64):
            stack.enter_context(connected(port, HALF[i % len(HALF)]))

        assert client.get("/health").status_code == 200
        assert encode(client, "x").json()["vectors"] == [[1 / 3]]


def test_where_connections_are_too_many_the_oldest_unfinished_goes(serve: Callable[..., int]) -> None:
    port = serve(connections=4, headers_s=10 * PATIENCE)

    with ExitStack() as stack, client_of(port) as client:
        waiting = [stack.enter_context(connected(port, HALF[i % len(HALF)])) for i in range(12)]

        assert client.get("/health").status_code == 200
        assert to_the_end(waiting[0]) == b""


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (head(), b"401"),
        (head("Content-Length: 100\r\nX-API-Key: g\xc3\xa9\r\n"), b"401"),
        (head("Content-Length: 100\r\nExpect: 100-continue\r\n"), b"401"),
        (head(f"{KEYED}Content-Length: {MAX_BODY + 1}\r\n"), b"413"),
        (head(f"{KEYED}Content-Length: {MAX_BODY + 1}\r\nExpect: 100-continue\r\n"), b"413"),
        (head(f"{KEYED}Content-Length: 1\r\nContent-Length: 2\r\n"), b"400"),
        (head(f"{KEYED}Content-Length: -1\r\n"), b"400"),
        (head(f"{KEYED}Content-Length: {'9' * 5000}\r\n"), b"400"),
    ],
)
def test_what_the_headers_tell_is_answered_before_the_body(
    serve: Callable[..., int], sent: bytes, status: bytes
) -> None:
    with connected(serve(), sent) as client:
        assert first_line(client).split()[1] == status


def test_a_body_that_is_too_long_is_read_no_further(serve: Callable[..., int]) -> None:
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"

    with connected(serve(), head(KEYED + "Transfer-Encoding: chunked\r\n") + 16 * chunk) as client:
        assert first_line(client).split()[1] == b"413"


def test_chunks_that_nobody_reads_end_the_connection(serve: Callable[..., int]) -> None:
    with connected(serve(), head("Transfer-Encoding: chunked\r\n") + 1000 * b"1\r\nx\r\n") as client:
        assert to_the_end(client).startswith(b"HTTP/1.1 401")


@pytest.mark.parametrize("sent", [b"", b"POST /enc", head()[:-2]])
def test_headers_that_do_not_come_end_the_connection(serve: Callable[..., int], sent: bytes) -> None:
    with connected(serve(headers_s=0.3), sent) as client:
        assert to_the_end(client)[:12] == (b"HTTP/1.1 408" if sent else b"")


def test_a_body_that_does_not_come_is_given_up(serve: Callable[..., int]) -> None:
    with connected(serve(body_s=0.3), head(KEYED + "Content-Length: 100\r\n") + b'{"texts"') as client:
        said = to_the_end(client)

    assert said.startswith(b"HTTP/1.1 408")
    assert b"the body did not come in time" in said


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /",  # headers
        head("Content-Length: 0\r\n", "/health", "GET") + b"GET /",  # headers of a second request
        head(KEYED + "Content-Length: 100000\r\n"),  # a body
        head("Content-Length: 100000\r\n"),  # a body that nobody reads any more
    ],
)
def test_a_client_that_sends_byte_by_byte_does_not_stay(serve: Callable[..., int], sent: bytes) -> None:
    with connected(serve(headers_s=0.5, body_s=0.5), sent) as client, pytest.raises(ConnectionError):
        drip(client)


def test_a_client_that_does_not_read_its_answer_does_not_stay(serve: Callable[..., int]) -> None:
    port = serve(send_s=0.5)

    with socket.socket() as client, client_of(port) as other:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(PATIENCE)
        client.connect(("127.0.0.1", port))
        body = json.dumps({"texts": ["much"]}).encode()
        client.sendall(head(f"{KEYED}Content-Length: {len(body)}\r\n") + body)
        until(lambda: metric(other, 'requests_total{path="/encode"') == 1)
        time.sleep(2)
        said = to_the_end(client)

    headers, _, content = said.partition(b"\r\n\r\n")
    assert headers.startswith(b"HTTP/1.1 200")
    assert not content.endswith(b"}")


def test_a_client_that_leaves_within_its_body_is_counted(serve: Callable[..., int]) -> None:
    port = serve()

    with client_of(port) as client:
        with connected(port, head(KEYED + "Content-Length: 100\r\n") + b"{"):
            pass
        until(lambda: metric(client, 'requests_total{path="/encode",status="499"}') == 1)


def test_work_for_a_client_that_left_is_not_begun(serve: Callable[..., int], stub: Stub) -> None:
    port = serve(workers=1)
    body = json.dumps({"texts": ["never"]}).encode()

    with client_of(port) as client, ThreadPoolExecutor(1) as pool:
        first = pool.submit(encode, client, "wait")
        until(lambda: stub.begun == ["wait"])
        with connected(port, head(f"{KEYED}Content-Length: {len(body)}\r\n") + body):
            until(lambda: metric(client, "requests_in_progress") == 2)
        until(lambda: metric(client, "requests_in_progress") == 1)
        stub.let_go.set()
        assert first.result().status_code == 200
        assert encode(client, "after").status_code == 200

    assert stub.begun == ["wait", "after"]


def test_work_ends_at_its_next_step_when_the_client_leaves(serve: Callable[..., int], stub: Stub) -> None:
    port = serve(workers=1)
    body = json.dumps({"queries": ["wait", "never"]}).encode()

    with client_of(port) as client:
        with connected(port, head(f"{KEYED}Content-Length: {len(body)}\r\n", "/search") + body):
            until(lambda: stub.begun == ["wait"])
        until(lambda: metric(client, 'requests_total{path="/search",status="499"}') == 1)
        assert metric(client, "requests_in_progress") == 1
        stub.let_go.set()
        until(lambda: metric(client, "requests_in_progress") == 0)

    assert stub.begun == ["wait"]


def test_after_the_deadline_the_work_is_given_up(serve: Callable[..., int], stub: Stub) -> None:
    with client_of(serve(workers=1, deadline_s=0.3)) as client:
        answers = [encode(client, text) for text in ("wait", "queued")]
        health = client.get("/health")
        stub.let_go.set()
        until(lambda: metric(client, "requests_in_progress") == 0)

    assert [answer.status_code for answer in answers] == [503, 503]
    assert "no answer within 0.3 seconds" in answers[0].json()["detail"]
    assert health.status_code == 200
    assert stub.begun == ["wait"]


def test_too_many_at_once_are_told_to_come_again_and_health_is_not_among_them(
    serve: Callable[..., int], stub: Stub
) -> None:
    with client_of(serve(at_once=2, workers=1)) as client, ThreadPoolExecutor(2) as pool:
        working = [pool.submit(encode, client, "wait") for _ in range(2)]
        until(lambda: metric(client, "requests_in_progress") == 2)
        refused, health = encode(client, "x"), client.get("/health")
        stub.let_go.set()

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert health.status_code == 200
    assert [each.result().status_code for each in working] == [200, 200]


def test_an_index_that_hangs_is_down_and_asked_for_all_together(serve: Callable[..., int], stub: Stub) -> None:
    stub.index_hangs = True

    with client_of(serve(health_s=0.3)) as client, ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: client.get("/health"), range(16)))
        stub.let_go.set()
        until(lambda: client.get("/health").status_code == 200)

    assert {answer.status_code for answer in answers} == {503}
    assert answers[0].json()["reason"] == "the index has not answered for 0.3 seconds"
    assert stub.asked_how_it_is < 16


def test_an_error_of_the_service_is_counted(serve: Callable[..., int]) -> None:
    with client_of(serve()) as client:
        assert encode(client, "break").status_code == 500
        assert metric(client, 'requests_total{path="/encode",status="500"}') == 1
        assert encode(client, "x").status_code == 200


RUDE = [
    *HALF,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
    b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 100,
    b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    head("Transfer-Encoding: chunked\r\n") + b"no size\r\n",
    head(KEYED + "Transfer-Encoding: chunked\r\n") + b"no size\r\n",
    head(KEYED + "Content-Length: 2\r\n") + b"{}" + b"too much\r\n\r\n",
    head("Content-Length: 2\r\n") + b"{}" + b"too much\r\n\r\n",
]


@contextmanager
def stub_process(**limits: Any) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The service in a process of its own, and its port."""
    port = free_port()
    with process("tests.serving.stub", str(port), KEY, json.dumps(limits), port=port) as started:
        yield started, port


@pytest.mark.timeout(400)
@pytest.mark.slow
def test_no_rude_client_brings_a_traceback_or_holds_up_the_end() -> None:
    with stub_process(idle_s=1, headers_s=1, body_s=1, shutdown_s=2) as (service, port), ExitStack() as stack:
        for sent in RUDE:
            with suppress(ConnectionError), connected(port, sent) as leaves_at_once:
                leaves_at_once.shutdown(socket.SHUT_WR)
            with suppress(ConnectionError), connected(port, sent) as stays_to_the_end:
                to_the_end(stays_to_the_end)
        assert answers(port)
        for i in range(64):
            stack.enter_context(connected(port, HALF[i % len(HALF)]))
        service.terminate()
        _, told = service.communicate(timeout=PATIENCE)

    assert service.returncode in (0, -signal.SIGTERM)
    assert "Traceback" not in told


@pytest.mark.timeout(400)
@pytest.mark.slow
def test_what_is_under_way_is_answered_before_the_end_and_what_takes_too_long_told() -> None:
    with stub_process(shutdown_s=5) as (service, port), client_of(port) as client, ThreadPoolExecutor(2) as pool:
        short, long = pool.submit(encode, client, "sleep 1"), pool.submit(encode, client, "wait")
        until(lambda: metric(client, "requests_in_progress") == 2)
        half = socket.create_connection(("127.0.0.1", port), PATIENCE)
        half.sendall(head(KEYED + "Content-Length: 100\r\n") + b"{")
        service.terminate()
        _, told = service.communicate(timeout=PATIENCE)
        statuses = [each.result().status_code for each in (short, long)]
        said = to_the_end(half)
        half.close()

    assert statuses == [200, 503]
    assert said.startswith(b"HTTP/1.1 503")
    assert "Traceback" not in told
