"""The service: what it answers, and that nothing that is sent to it takes it down."""

import json
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from playwright.sync_api import sync_playwright
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok

from benchmarks.service_load import ask
from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from domain_embeddings.packaging.manifest import write_manifest
from domain_embeddings.search.retrieval import FineTunedRetrieval
from domain_embeddings.serving.service import create_app
from tests.base_models import LEAF, make_folder
from tests.packaged import NAME
from tests.searching import LATE, PASSAGES, in_folder, searching
from tests.serving.stub import running

QUERY = "how do I bleed the brakes"
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)


@pytest.fixture(scope="module")
def live(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FineTunedRetrieval]:
    hostile = [
        *PASSAGES[1:],
        PASSAGES[0].__class__("p1", "<img src=x onerror=document.title='owned'>", PASSAGES[0].text),
    ]
    with searching(models, in_folder(tmp_path_factory.mktemp("index"))) as retrieval:
        retrieval.index(hostile)
        yield retrieval


@pytest.fixture(scope="module")
def app(live: FineTunedRetrieval) -> FastAPI:
    return create_app(live, live.with_base())


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_search_answers_as_the_library(client: TestClient, live: FineTunedRetrieval) -> None:
    answer = client.post("/search", json={"queries": [QUERY, ""], "limit": 2, "filters": {"domain": ["", "drive"]}})

    assert answer.status_code == 200
    said = answer.json()
    expected = live.search(QUERY, limit=2, filters={"domain": ["", "drive"]})
    assert said["model"] == NAME
    assert said["results"][1] == []
    assert said["results"][0] == [json.loads(json.dumps(vars(result))) for result in expected]


def test_a_search_can_be_ended_before_each_query(live: FineTunedRetrieval) -> None:
    asked = 0

    def check() -> None:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        live.search_batch(["brake", "oil", "chain"], check=check)
    assert asked == 2


def test_encode(client: TestClient, live: FineTunedRetrieval) -> None:
    said = client.post("/encode", json={"texts": ["brake"]}).json()

    assert (said["model"], said["dimension"]) == (NAME, 384)
    assert said["vectors"][0] == pytest.approx(live.model.encode(["brake"])[0].tolist())


def test_encode_is_told_what_the_texts_are_where_it_matters(base_folder: Path, tmp_path: Path) -> None:
    make_folder(LEAF, base_folder, tmp_path / "base")
    write_manifest(tmp_path / "base", tmp_path / "base.manifest.json")
    model = VersionedEmbeddings(None, "tiny", root=tmp_path)

    with searching(model, in_folder(tmp_path / "index")) as live, TestClient(create_app(live, live)) as client:
        roles = ("query", "passage", None)
        asked, told, neither = (client.post("/encode", json={"texts": ["brake"], "role": role}) for role in roles)

    assert asked.json()["vectors"][0] == pytest.approx(model.encode_query(["brake"])[0].tolist())
    assert told.json()["vectors"][0] == pytest.approx(model.encode_passage(["brake"])[0].tolist())
    assert neither.status_code == 422
    assert neither.json()["detail"].endswith("call encode_query or encode_passage (role: query or passage)")


def test_health_says_what_serves(client: TestClient) -> None:
    answer = client.get("/health")

    assert answer.status_code == 200
    assert answer.json() | {"weights_sha256": ""} == {
        "status": "ok", "corpus": "tiny", "model": NAME, "system": "hybrid_tuned", "weights_sha256": "",
        "passages": 5, "reason": None,
    }  # fmt: skip


def test_without_an_index_it_is_down_and_says_why(models: Path, tmp_path: Path) -> None:
    empty = searching(models, in_folder(tmp_path))

    with TestClient(create_app(empty, empty.with_base())) as client:
        health, search = client.get("/health"), client.post("/search", json={"queries": [QUERY]})

    assert (health.status_code, health.json()["status"], search.status_code) == (503, "down", 503)
    assert "no index of tiny" in health.json()["reason"]
    assert "no index of tiny" in search.json()["detail"]


def test_a_model_that_stands_in_is_degraded(models: Path, tmp_path: Path) -> None:
    with searching(models, in_folder(tmp_path), version="9.9") as retrieval:
        retrieval.index(PASSAGES)
        with TestClient(create_app(retrieval, retrieval.with_base())) as client:
            assert client.get("/health").json()["status"] == "degraded"
            (results,) = client.post("/search", json={"queries": [QUERY]}).json()["results"]
            told = client.get("/metrics").text

    assert all("no such folder" in result["degraded"][0] for result in results)
    assert "degraded_results_total 5.0" in told


def test_another_backends_index_is_degraded(models: Path, tmp_path: Path) -> None:
    with searching(models, in_folder(tmp_path), backend="torch") as retrieval:
        retrieval.index(PASSAGES)
    with searching(models, in_folder(tmp_path), backend="bfloat16") as retrieval:
        app = create_app(retrieval, retrieval.with_base())
        with TestClient(app) as client:
            health = client.get("/health").json()

    assert (health["status"], health["passages"]) == ("degraded", 5)
    assert "encoded with torch, the queries are with bfloat16" in health["reason"]


def test_metrics_count_requests_by_route_and_status(app: FastAPI, live: FineTunedRetrieval) -> None:
    with TestClient(create_app(live, live)) as client:
        for path in ("/health", "/health", "/made-up-1", "/made-up-2"):
            client.get(path)
        client.post("/search", json={})
        told = client.get("/metrics").text

    assert 'requests_total{path="/health",status="200"} 2.0' in told
    assert 'requests_total{path="other",status="404"} 2.0' in told
    assert 'requests_total{path="/search",status="422"} 1.0' in told
    assert 'request_seconds_count{path="/health"} 2.0' in told


def test_a_key_is_asked_for(live: FineTunedRetrieval) -> None:
    with TestClient(create_app(live, live, key="geheim")) as client:
        statuses = [
            client.post("/search", json={"queries": [QUERY]}, headers=headers).status_code
            for headers in ({}, {"X-API-Key": "wrong"}, {"X-API-Key": "geheim"})
        ]
        assert statuses == [401, 401, 200]
        paths = ("/health", "/", "/metrics", "/docs", "/openapi.json", "/made-up")
        assert [client.get(path).status_code for path in paths] == [200, 200, 401, 401, 401, 401]
        assert client.post("/encode", json={"texts": ["x"]}).status_code == 401


def test_a_browser_is_asked_for_the_key_of_docs(live: FineTunedRetrieval) -> None:
    with TestClient(create_app(live, live, key="geheim")) as client:
        asked, opened, wrong = (
            client.get("/docs"),
            client.get("/docs", auth=("anybody", "geheim")),
            client.get("/docs", auth=("geheim", "anything")),
        )
        odd = client.get("/docs", headers={"Authorization": "Basic ???"})
        searched = client.post("/search", json={"queries": [QUERY]})

    assert [answer.status_code for answer in (asked, opened, wrong, odd)] == [401, 200, 401, 401]
    assert asked.headers["WWW-Authenticate"].startswith("Basic ")
    assert not searched.headers["WWW-Authenticate"].startswith("Basic ")  # the page has a field for the key


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"queries": []}, 422, "at least 1"),
        ({"queries": ["x"] * 65}, 422, "at most 64"),
        ({"queries": ["x"] * 10_000}, 422, "at most 64"),
        ({"queries": ["x" * 10_001]}, 422, "at most 10000"),
        ({"queries": ["x" * 10_000] * 11}, 422, "at most 100000 characters together"),
        ({"queries": ["x" * 2**20]}, 413, "at most 1000000 bytes"),
        ({"queries": ["x"], "limit": 101}, 422, "less than or equal to 100"),
        ({"queries": ["x"], "unknown": 1}, 422, "Extra inputs"),
        ({str(i): 1 for i in range(1000)}, 422, "at most 20 fields"),
        ({"queries": ["x"], "filters": {"page": [1] * 1001}}, 422, "at most 1000"),
        ({"queries": ["x"], "filters": {"page": None}}, 422, "filter 'page' is None: allowed are"),
        ({"queries": ["x"], "filters": {"a[": 1}}, 422, "is no field"),
        ({"queries": ["x"], "filters": {"page": 2**70}}, 422, "allowed are"),
    ],
)
def test_what_is_too_much_or_makes_no_sense(client: TestClient, body: dict[str, Any], status: int, said: str) -> None:
    answer = client.post("/search", json=body)

    assert answer.status_code == status
    assert said in answer.text


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"\xff", b'{"queries": ["\\ud800"]}', b'{"queries": ["x"], "threshold": NaN}', b'{"\\ud800": 1}',
     b'{"queries": ["x"], "filters": {"\\ud800": 1}}', b'{"queries": ["x"], "filters": {"page": "\\ud800"}}',
     b'{"queries": ["x"], "filters": {"page": {"gte": 1e999}}}', b"[" * 100_000,
     b'{"queries": [' + b"1," * 1000 + b"1]}"],
)  # fmt: skip
def test_bodies_that_are_no_question(client: TestClient, body: bytes) -> None:
    answer = client.post("/search", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422
    assert len(answer.content) < 10_000


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "1" * 400, "-" + "1" * 400, "1" * 5000])
@pytest.mark.parametrize(
    "place", ['"threshold": %s', '"limit": %s', '"filters": {"page": %s}', '"filters": {"page": [1, %s]}',
              '"filters": {"page": {"gte": %s}}', '"filters": {"page": {"gte": 1, "lt": %s}}', '"queries": [%s]']
)  # fmt: skip
def test_numbers_that_no_search_can_take(client: TestClient, place: str, number: str) -> None:
    body = f'{{"queries": ["x"], {place % number}}}'
    answer = client.post("/search", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422


def test_control_characters_are_blanks(client: TestClient) -> None:
    odd, plain = (
        client.post("/search", json={"queries": [q]}).json() for q in ("bleed\0the\x1bbrakes", "bleed the brakes")
    )

    assert odd == plain


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_schemathesis_finds_no_server_error(app: FastAPI, mode: schemathesis.GenerationMode) -> None:
    statuses: Counter[tuple[str, int]] = Counter()
    for operation in schemathesis.openapi.from_asgi("/openapi.json", app).get_all_operations():
        assert isinstance(operation, Ok)

        @given(case=operation.ok().as_strategy(generation_mode=mode))
        @settings(max_examples=60, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        def probe(case: schemathesis.Case[Any]) -> None:
            answer = case.call()
            statuses[case.path, answer.status_code] += 1
            case.validate_response(answer, checks=[not_a_server_error])

        with suppress(Unsatisfiable):  # what takes nothing cannot be asked wrongly
            probe()
    assert {path for path, _ in statuses} >= {"/search", "/encode"}


@pytest.mark.slow
def test_many_clients_lose_no_request(app: FastAPI) -> None:
    with running(app) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:

        def ask(number: int) -> tuple[int, str]:
            answer = client.post("/search", json={"queries": [f"brake {number % 10}"], "limit": 1})
            return answer.status_code, answer.text

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, range(400)))

    assert {status for status, _ in answers} == {200}
    assert len({answers[i] for i in range(400)}) == len({answers[i] for i in range(10)})


def test_the_load_benchmark_tells_answers_from_what_is_lost(app: FastAPI) -> None:
    with running(app) as port:
        address = f"http://127.0.0.1:{port}"
        answered = ask(address, ["brake", "oil"], None, time.monotonic() + 0.5)
    lost = ask(address, ["brake"], None, time.monotonic() + 1)

    assert {status for status, _ in answered} == {"200"}
    assert {status for status, _ in lost} == {"ConnectError"}


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_the_pages_need_nothing_from_elsewhere(client: TestClient, path: str) -> None:
    page = client.get(path)

    assert page.status_code == 200
    assert set(re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^\s"'>]+)""", page.text)) <= {"openapi.json"}
    assert "connect-src 'self'" in page.headers["Content-Security-Policy"]


@pytest.fixture
def explained(models: Path, tmp_path: Path) -> Iterator[FastAPI]:
    """A service with late interaction."""
    with searching(models, in_folder(tmp_path), system=LATE) as retrieval:
        retrieval.index(PASSAGES)
        yield create_app(retrieval, retrieval)


def test_matches_are_told_where_they_are_asked_for(explained: FastAPI) -> None:
    client = TestClient(explained)

    (told,), (plain,) = (
        client.post("/search", json={"queries": [QUERY], "limit": 1, "explain": explain}).json()["results"][0]
        for explain in (True, False)
    )

    assert [match["word"] for match in told["matches"]] == ["bleed", "brakes"]
    content = PASSAGES[0].content
    for match in told["matches"]:
        assert match["found"] == [content[start:end] for start, end in match["spans"]]
    assert (plain["matches"], plain["late"]) == ([], told["late"])


@pytest.mark.timeout(120)
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here")
def test_the_page_shows_which_words_matched(explained: FastAPI) -> None:
    with running(explained) as port, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}")
        page.get_by_label("Question").fill(QUERY)
        page.get_by_role("button", name="Search").click()
        best = page.locator("#live li").first
        best.wait_for()

        assert best.locator(".title").inner_text() == PASSAGES[0].title
        assert best.locator(".text").inner_text() == PASSAGES[0].text
        assert [cell.split(" →")[0] for cell in best.locator(".heat mark").all_inner_texts()] == ["bleed", "brakes"]
        marked = best.locator(".title mark, .text mark").all_inner_texts()
        assert {"Bleeding", "bleeder"} & set(marked)
        assert {"Brakes", "brake"} & set(marked)
        colour = best.locator(".heat mark").first.evaluate("each => each.style.backgroundColor")
        assert colour.startswith("rgb")
        browser.close()


@pytest.mark.timeout(120)
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here")
def test_the_page_in_a_browser(app: FastAPI) -> None:
    with running(app) as port, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.goto(f"http://127.0.0.1:{port}")

        page.get_by_label("Question").fill(QUERY)
        page.get_by_role("button", name="Search").click()
        page.wait_for_selector("#live li")

        for side, name in (("base", "base: base"), ("live", f"tuned: {NAME}")):
            assert page.locator(f"#{side} h2").inner_text() == name
            best = page.locator(f"#{side} li").first
            assert best.locator(".title").inner_text() == "<img src=x onerror=document.title='owned'>"
            assert "by meaning 1 · by words 1 · p1" in best.locator(".why").inner_text()
        assert page.locator("#live li").count() == 5
        assert page.title() == "Search"

        page.get_by_label("Question").fill(" ")
        page.keyboard.press("Enter")
        page.get_by_text("Nothing found.").wait_for()
        assert problems == []
        browser.close()
