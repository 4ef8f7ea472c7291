"""The commands search, index, compare, rollback, serve: what they say, and their exit status."""

import json
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from domain_embeddings.commands.cli import app
from domain_embeddings.core.beir_files import write_jsonl
from domain_embeddings.core.errors import DEBUG, DataError
from tests.packaged import NAME, copy_models
from tests.searching import PASSAGES
from tests.serving.stub import PATIENCE, answers, free_port, process

pytestmark = pytest.mark.slow

QUESTION = "how do I bleed the brakes"


@pytest.fixture
def place(tmp_path: Path, models: Path) -> list[str]:
    """Options that lead to a small corpus, packaged models and an empty place for the index."""
    passages = [
        {"_id": p.id, "title": p.title, "text": p.text, "domain": p.domain, "type": p.type, **p.extra} for p in PASSAGES
    ]
    write_jsonl(tmp_path / "tiny/corpus.jsonl", passages)
    write_jsonl(tmp_path / "tiny/queries.jsonl", [{"_id": "q1", "text": QUESTION}])
    (tmp_path / "tiny/qrels").mkdir()
    (tmp_path / "tiny/qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tp1\t1\nq1\tp2\t0\n")
    return [
        *("--corpus", "tiny", "--passages", str(tmp_path / "tiny/corpus.jsonl"), "--root", str(models)),
        *("--folder", str(tmp_path / "index"), "--params", str(tmp_path / "none.yaml")),
    ]


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments)
    return result.exit_code, result.output


def rows(*arguments: str) -> list[dict[str, Any]]:
    """The results that a search prints as JSON."""
    result = CliRunner().invoke(app, ["search", "--json", *arguments])
    assert result.exit_code == 0
    return [json.loads(line) for line in result.stdout.splitlines()]


def _changed(place: list[str], option: str, value: str) -> list[str]:
    """The options, one of them changed."""
    found = list(place)
    found[found.index(option) + 1] = value
    return found


def test_the_first_search_indexes_and_the_second_does_not(place: list[str]) -> None:
    first, second = run("search", QUESTION, *place), run("search", QUESTION, *place)

    assert (first[0], second[0]) == (0, 0)
    assert "indexing tiny-53aa51172d14-384" in first[1]
    assert "indexing" not in second[1]
    assert f"tiny, {NAME}" in second[1]
    assert second[1].index("Brakes > Bleeding") < second[1].index("Engine > Oil")


def test_results_as_json(place: list[str]) -> None:
    run("index", *place)

    (row,) = rows("overcurrent", "--limit", "1", "--filter", "page=9", "--no-hybrid", *place)

    assert (row["id"], row["dense_rank"], row["sparse_rank"], row["degraded"]) == ("p4", 1, None, [])


def test_a_filter_given_twice_may_have_either_value(place: list[str]) -> None:
    run("index", *place)

    found = rows("truck", "--filter", "domain=truck", "--filter", "domain=lift", *place)

    assert {row["id"] for row in found} == {"p1", "p2", "p3"}


def test_index_brings_up_to_date(place: list[str], tmp_path: Path) -> None:
    assert "5 added, 0 changed, 0 unchanged, 0 removed; 5 passages" in run("index", *place)[1]
    lines = (tmp_path / "tiny/corpus.jsonl").read_text().splitlines()
    new = '{"_id": "p6", "text": "A new one."}'
    (tmp_path / "tiny/corpus.jsonl").write_text("\n".join([lines[0].replace("bleeder", "drain"), *lines[2:], new]))

    status, said = run("index", *place)

    assert (status, f"tiny, {NAME}: 1 added, 1 changed, 3 unchanged, 1 removed; 5 passages" in said) == (0, True)


def test_compare_marks_answers_and_says_when_both_sides_are_one(place: list[str]) -> None:
    status, said = run("compare", QUESTION, *place)

    assert status == 0
    assert said.count("✓ Brakes > Bleeding") == 2
    assert "✓ Engine" not in said
    assert "Both sides are the base model" in said


def test_a_refused_model_is_told(place: list[str], models: Path, tmp_path: Path) -> None:
    root = copy_models(models, tmp_path / "models")
    (root / NAME / "vocab.txt").unlink()

    status, said = run("search", QUESTION, *_changed(place, "--root", str(root)))

    assert status == 0
    assert "tiny, base" in said
    assert f"Not as asked for: {root / NAME}/vocab.txt" in said


@pytest.mark.parametrize(
    ("option", "value", "status", "message"),
    [
        ("--corpus", "../tiny", 2, "is no name"),
        ("--passages", "none.jsonl", 2, "none.jsonl: file not found (dvc repro ingest@tiny, or --passages FILE)"),
        ("--root", "nowhere", 1, "nowhere/base"),
    ],
)
def test_what_cannot_be_is_one_line(place: list[str], option: str, value: str, status: int, message: str) -> None:
    found, said = run("search", QUESTION, *_changed(place, option, value))

    assert (found, message in said) == (status, True)
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("search: {depht: 5}", " is not valid:\n  search.depht: unknown key, allowed are depth, late, budget_kb, "),
        ("search: {depth: many}", "  search.depth: Input should be a valid integer (is 'many')\n"),
        ("search: {depth", 'params.yaml", line 1'),
    ],
)
def test_wrong_params_are_named(place: list[str], tmp_path: Path, written: str, message: str) -> None:
    (tmp_path / "params.yaml").write_text(written)

    status, said = run("search", QUESTION, *_changed(place, "--params", str(tmp_path / "params.yaml")))

    assert (status, message in said) == (2, True)


def test_the_traceback_can_be_asked_for(place: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DEBUG, "1")

    found = CliRunner().invoke(app, ["search", QUESTION, *_changed(place, "--passages", "none.jsonl")])

    assert isinstance(found.exception, DataError)


@pytest.mark.parametrize("filters", ["domain", "page[=1"])
def test_a_filter_that_is_none(place: list[str], filters: str) -> None:
    status, said = run("search", QUESTION, "--filter", filters, *place)

    assert (status, "filter" in said) == (2, True)


def test_a_rollback_without_anything_to_go_back_to(place: list[str]) -> None:
    run("index", *place)
    options = [part for i, part in enumerate(place) if "--passages" not in place[max(0, i - 1) : i + 1]]

    status, said = run("rollback", *options)

    assert (status, "has no collection before this one to go back to" in said) == (1, True)


def test_serve_without_its_key_is_refused(place: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEARCH_KEY", raising=False)

    status, said = run("serve", *place, "--key-env", "SEARCH_KEY")

    assert (status, "the environment variable SEARCH_KEY is not set" in said) == (2, True)


@pytest.mark.timeout(400)
def test_serve_ends_at_sigterm_whoever_is_half_way(place: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEARCH_KEY", "geheim")
    port = free_port()
    options = ("--port", str(port), "--key-env", "SEARCH_KEY", "--grace", "2")

    with process("domain_embeddings", "serve", *place, *options, port=port) as service, ExitStack() as stack:
        for half in (b"", b"POST /search HTTP/1.1\r\nHost: x\r\nX-API-Key: geheim\r\nContent-Length: 9\r\n\r\n{") * 32:
            rude = stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE))
            rude.sendall(half)
        with httpx.Client(headers={"X-API-Key": "geheim"}, timeout=PATIENCE) as client:
            found = client.post(f"http://127.0.0.1:{port}/search", json={"queries": [QUESTION]}).json()
        well = answers(port)
        service.terminate()
        _, told = service.communicate(timeout=PATIENCE)

    assert well
    assert found["results"][0][0]["id"] == "p1"
    assert "Traceback" not in told


def test_late_interaction_shows_which_words_matched(place: list[str]) -> None:
    status, said = run("search", QUESTION, *place)
    (row,) = rows(QUESTION, "--limit", "1", *place)

    assert status == 0
    assert "Not as asked for" not in said
    assert [match["word"] for match in row["matches"]] == ["bleed", "brakes"]
    content = PASSAGES[0].content
    for match in row["matches"]:
        assert match["found"] == [content[start:end] for start, end in match["spans"]]
        assert f"{match['word']} → {', '.join(match['found'][:3])} {match['similarity']:.2f}" in said
