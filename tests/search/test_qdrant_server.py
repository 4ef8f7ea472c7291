"""A Qdrant server: the same search with the same code (the client's own engine in memory), and servers that fail."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from qdrant_client import QdrantClient

from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from domain_embeddings.params.search import Server
from domain_embeddings.search.index_protocol import IndexUnavailableError
from domain_embeddings.search.qdrant_server import ServerIndex, connect
from domain_embeddings.search.retrieval import FineTunedRetrieval
from tests.searching import PASSAGES, in_folder, search_params, searching

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect", "ignore:Local mode performs exact"),
]


@pytest.fixture
def memory() -> ServerIndex:
    return ServerIndex(QdrantClient(":memory:"), search_params(), "memory", 0)


@pytest.fixture(scope="module")
def both(
    packaged: VersionedEmbeddings, tmp_path_factory: pytest.TempPathFactory
) -> tuple[FineTunedRetrieval, FineTunedRetrieval]:
    """Search on a server and in a folder, filled alike, which no test may change."""
    server = ServerIndex(QdrantClient(":memory:"), search_params(), "memory", 0)
    on_server, embedded = (searching(packaged, i) for i in (server, in_folder(tmp_path_factory.mktemp("index"))))
    for retrieval in (on_server, embedded):
        retrieval.index(PASSAGES)
        retrieval.delete(["p3"])
    return on_server, embedded


@pytest.mark.parametrize("filters", [{}, {"domain": ["drive", "truck"]}, {"page": {"gt": 3}}])
@pytest.mark.parametrize("use_hybrid", [True, False])
def test_a_server_finds_what_a_folder_finds(
    both: tuple[FineTunedRetrieval, FineTunedRetrieval], filters: dict[str, object], use_hybrid: bool
) -> None:
    queries = ["how do I bleed the brakes", "F30001 overcurrent", "5W-30", ""]

    found, expected = (each.search_batch(queries, use_hybrid=use_hybrid, filters=filters) for each in both)

    for results, others in zip(found, expected, strict=True):
        assert [(r.id, r.dense_rank, r.sparse_rank) for r in results] == [
            (o.id, o.dense_rank, o.sparse_rank) for o in others
        ]
        assert [r.similarity for r in results] == pytest.approx([o.similarity for o in others], abs=1e-5)


def test_versions_by_alias(packaged: VersionedEmbeddings, memory: ServerIndex) -> None:
    retrieval = searching(packaged, memory)
    retrieval.index(PASSAGES)
    live, before = memory.live("tiny")
    assert live is not None
    assert (live, before) == (retrieval.identity.collection("tiny"), None)
    metadata = memory.metadata(live)
    assert metadata is not None

    memory.create("tiny-other-384", metadata)
    memory.switch("tiny", "tiny-other-384", live)
    assert memory.live("tiny") == ("tiny-other-384", live)
    memory.switch("tiny", live, "tiny-other-384")
    assert memory.live("tiny") == (live, "tiny-other-384")
    assert memory.metadata("tiny-none-384") is None


def test_indexing_again_changes_nothing(packaged: VersionedEmbeddings, memory: ServerIndex) -> None:
    retrieval = searching(packaged, memory)

    first, second = retrieval.index(PASSAGES), retrieval.index(PASSAGES)

    assert (first.added, second.unchanged, retrieval.count()) == (5, 5, 5)


def test_the_threshold_on_a_server(packaged: VersionedEmbeddings, memory: ServerIndex) -> None:
    retrieval = searching(packaged, memory)
    retrieval.index(PASSAGES)

    assert [each.id for each in retrieval.search("how do I bleed the brakes", threshold=0.5)] == ["p1"]


Serve = Callable[..., str]


@pytest.fixture
def serving() -> Iterator[Serve]:
    """Starts a server that answers with these statuses one after the other, the last one for ever; gives its URL."""
    servers = []

    def start(*statuses: int, body: bytes = b"{}") -> str:
        left = list(statuses)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(left.pop(0) if len(left) > 1 else left[0])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing on the screen."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _index(url: str, retries: int = 2) -> ServerIndex:
    return ServerIndex(connect(Server(url=url, timeout_s=2.0)), search_params(), url, retries)


ALIASES = (
    b'{"result": {"aliases": [{"alias_name": "tiny", "collection_name": "tiny-a-384"}]}, "status": "ok", "time": 0}'
)


def test_a_busy_server_is_asked_again(serving: Serve) -> None:
    assert _index(serving(503, 500, 200, body=ALIASES)).live("tiny") == ("tiny-a-384", None)


def test_a_server_that_stays_busy_is_an_error(serving: Serve) -> None:
    with pytest.raises(IndexUnavailableError, match=r"no answer in 3 attempts: .*503"):
        _index(serving(503)).live("tiny")


def test_a_wrong_key_is_not_tried_again(serving: Serve) -> None:
    with pytest.raises(IndexUnavailableError, match=r"401 .*name the variable with a valid key in search\.server\.key"):
        _index(serving(401, 200, body=ALIASES)).live("tiny")


def test_something_else_at_that_address_is_named(serving: Serve) -> None:
    with pytest.raises(IndexUnavailableError, match=r"what answers there is no Qdrant \(correct the URL\)"):
        _index(serving(200, body=b"<html>")).live("tiny")


def test_an_unset_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEARCH_KEY", raising=False)

    with pytest.raises(IndexUnavailableError, match="the environment variable SEARCH_KEY is not set"):
        connect(Server(url="http://127.0.0.1:1", key_env="SEARCH_KEY"))
