"""The evaluate stage: every arm's ranking of every test question, scored."""

import gc
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dvc.utils.hydra import apply_overrides

from domain_embeddings.commands.workspace import MODELS, PARAMS, section, seed_models, tuned_model
from domain_embeddings.core.beir_files import read_dataset, read_jsonl
from domain_embeddings.core.dataset import Query, Run
from domain_embeddings.core.errors import DataError
from domain_embeddings.encoding.encoder import Model, encode
from domain_embeddings.encoding.endpoint import EndpointError
from domain_embeddings.evaluation.arms import (
    LATE_HYBRID,
    Encoded,
    Encoder,
    chosen_weights,
    encoders,
    own,
    rankings,
    rows,
    with_late,
)
from domain_embeddings.params.evaluate import EvaluateParams
from domain_embeddings.params.strict import ParamsError, validate
from scripts.dependencies import ROOT
from tests.knobs import knobs
from tests.stages.conftest import SILENT, Pipeline

ARMS = ["bm25", "base", "tuned", "hybrid_base", "hybrid_tuned"]
LATE = ["late_base", "late_tuned", "late_hybrid"]


def _encoders(corpus: str, baselines: dict[str, Any]) -> dict[str, Encoder]:
    models = MODELS / "base", tuned_model(corpus), seed_models(corpus)
    return encoders(*models, 256, baselines, MODELS / "endpoint_cache")


def test_a_row_has_the_metrics_and_ten_passages() -> None:
    run = {"q": {f"p{i}": 1.0 / i for i in range(1, 15)}}

    (row,) = rows({"bm25": run}, {"q": {"p2": 1, "p12": 1, "p3": 0}})

    ideal = 1 + 0.6309297535714575  # 1/log2(2) + 1/log2(3)
    assert row == {
        "arm": "bm25", "query_id": "q", "recall@1": 0.0, "recall@5": 0.5, "recall@10": 0.5, "mrr@10": 0.5,
        "ndcg@10": pytest.approx(0.6309297535714575 / ideal), "found": [f"p{i}" for i in range(1, 11)],
        "ranks": [2, 12], "relevant": 2,
    }  # fmt: skip


def test_relevant_passages_beyond_the_depth_have_no_rank() -> None:
    (row,) = rows({"bm25": {"q": {"a": 2.0, "b": 1.0}}}, {"q": {"b": 2, "z": 1}})

    assert (row["ranks"], row["relevant"]) == ([2], 2)


def test_every_arm_ranks_and_the_fused_ones_fuse(base_folder: Path, base: Model) -> None:
    passages = {"brakes": "Bleed the brakes.", "mast": "Grease the mast chains.", "fuse": "The fuse box is here."}
    queries = {"q": Query("q", "stop the vehicle: brakes")}

    arms = {"base": with_late(base_folder, 256)}
    found, skipped = rankings(passages, queries, arms, 100, 60)

    assert (list(found), skipped) == (["bm25", "base", "hybrid_base", "late_base"], {})
    assert next(iter(found["late_base"]["q"])) == "brakes"
    assert list(found["bm25"]["q"]) == ["brakes"]  # the others share no word with it
    cosines = dict(
        zip(passages, encode(base, list(passages.values())) @ encode(base, [queries["q"].text])[0], strict=True)
    )
    assert list(found["base"]["q"]) == sorted(passages, key=lambda name: -cosines[name])
    assert next(iter(found["base"]["q"])) == "brakes"
    assert found["hybrid_base"]["q"]["brakes"] == pytest.approx(1 / (60 + 1) + 1 / (60 + 1))


def _pointing(*angles: float) -> Any:
    """An arm whose passages point that way, and whose questions point to 0 degrees."""

    def vectors(passages: Sequence[str], queries: Sequence[str]) -> Encoded:
        turns = np.radians(angles)[: len(passages)]
        found = np.stack([np.cos(turns), np.sin(turns)], axis=1).astype(np.float32)
        return Encoded(found, np.array([[1, 0]] * len(queries), dtype=np.float32))

    return vectors


def test_models_of_others_and_further_seeds_are_ranked_and_not_fused() -> None:
    arms = {arm: _pointing(0, 90) for arm in ("nomic", "base", "tuned")} | {"tuned_seed7": _pointing(9, 5)}
    passages, queries = {"a": "grease", "b": "brakes"}, {"q": Query("q", "brakes")}

    found, _ = rankings(passages, queries, arms, 100, 60)

    assert list(found) == [*ARMS, "nomic", "tuned_seed7"]
    assert [list(found[arm]["q"]) for arm in ("nomic", "tuned_seed7")] == [["a", "b"], ["b", "a"]]


def _runs(**scores: dict[str, float]) -> dict[str, Run]:
    return {arm: {"q": found} for arm, found in scores.items()}


@pytest.mark.parametrize(
    ("tuned", "bm25", "weights"),
    [
        ({"b": 1.0, "a": 0.0}, {"a": 1.0, "b": 0.0}, (0.8, 0.0, 0.2)),  # BM25 knows
        ({"a": 1.0, "b": 0.0}, {"b": 1.0, "a": 0.0}, (0.8, 0.2, 0.0)),  # the dense arm knows
        ({"b": 1.0, "a": 0.0}, {"b": 1.0, "a": 0.0}, (1.0, 0.0, 0.0)),  # nobody does
    ],
)
def test_dev_questions_choose_the_most_late_interaction_that_is_best(
    tuned: dict[str, float], bm25: dict[str, float], weights: tuple[float, float, float]
) -> None:
    runs = _runs(late_tuned={"b": 0.5, "a": 0.4, "c": 0.0}, tuned=tuned, bm25=bm25)

    assert chosen_weights(runs, {"q": {"a": 1}}, 10) == dict(zip(LATE_HYBRID, weights, strict=True))


def test_without_dev_questions_late_interaction_stands_alone() -> None:
    assert chosen_weights(_runs(late_tuned={}, tuned={}, bm25={}), {}, 10) == {"late_tuned": 1, "tuned": 0, "bm25": 0}


@pytest.fixture
def folder(tmp_path: Path, base_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace where base, tuned, two further seeds and a model of somebody else are all the base model."""
    for name in ("models/base", "models/tuned/tiny", "models/seeds/tiny/10", "models/seeds/tiny/7", "theirs"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(base_folder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _baselines(**baselines: dict[str, Any]) -> Any:
    return knobs("evaluate", EvaluateParams, baselines=baselines).baselines


@pytest.mark.usefixtures("folder")
def test_the_dense_arms() -> None:
    baselines = _baselines(
        ollama={"kind": "endpoint", "url": "http://127.0.0.1:9/v1", "model": "nomic-embed-text"},
        hub={"kind": "hub", "model": "intfloat/e5-small-v2", "revision": "f" * 40},
        mine={"kind": "folder", "path": "theirs"},
    )

    arms = ["hub", "mine", "ollama", "base", "tuned", "tuned_seed7", "tuned_seed10"]
    assert list(_encoders("tiny", baselines)) == arms


@pytest.mark.usefixtures("folder")
def test_without_further_seeds_there_are_two_dense_arms() -> None:
    assert list(_encoders("other", {})) == ["base", "tuned"]


@pytest.mark.usefixtures("folder")
def test_a_folder_is_encoded_with_its_prefixes(base: Model) -> None:
    prefixes = {"query_prefix": "query: ", "passage_prefix": "passage: "}
    arms = _encoders("tiny", _baselines(mine={"kind": "folder", "path": "theirs", **prefixes}))

    found, wanted, _ = arms["mine"](["Bleed the brakes."], ["brakes"])

    np.testing.assert_allclose(found, encode(base, ["passage: Bleed the brakes."]), atol=1e-6)
    np.testing.assert_allclose(wanted, encode(base, ["query: brakes"]), atol=1e-6)


def test_a_models_own_prompts_are_used_where_no_prefix_is_given(folder: Path, base: Model) -> None:
    shutil.copytree(folder / "models/base", folder / "prompted")
    config = folder / "prompted/config_sentence_transformers.json"
    config.write_text('{"prompts": {"query": "ask: ", "document": "doc: "}}')
    given = {"kind": "folder", "path": "prompted"}
    arms = _encoders("tiny", _baselines(named=given, bare={**given, "query_prefix": "", "passage_prefix": ""}))

    for arm, texts in {"named": ("doc: Bleed.", "ask: brakes"), "bare": ("Bleed.", "brakes")}.items():
        vectors = np.concatenate(arms[arm](["Bleed."], ["brakes"])[:2])
        np.testing.assert_allclose(vectors, encode(base, texts), atol=1e-6)


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_one_model_at_a_time_is_loaded() -> None:
    gc.collect()
    before = _loaded_models()
    counts: list[int] = []

    def counting(passages: Sequence[str], queries: Sequence[str]) -> Encoded:
        counts.append(_loaded_models() - before)
        result: Encoded = _pointing(0)(passages, queries)
        return result

    arms = {"first": own(Path("models/base"), 256), "second": counting}
    rankings({"a": "x"}, {"q": Query("q", "x")}, arms, 100, 60)

    assert counts == [0]


def _loaded_models() -> int:
    return sum(isinstance(found, Model) for found in gc.get_objects())


def test_a_folder_that_is_not_there_stops_before_anything_is_encoded() -> None:
    with pytest.raises(DataError, match=r"nowhere: no such folder \(see evaluate\.baselines\.mine\.path in params"):
        _encoders("tiny", _baselines(mine={"kind": "folder", "path": "nowhere"}))


def test_an_unset_key_stops_before_anything_is_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEAM_KEY", raising=False)
    served = {"kind": "endpoint", "url": "https://api.openai.com/v1", "model": "text-embedding-3-small"}

    with pytest.raises(EndpointError, match="TEAM_KEY is not set"):
        _encoders("tiny", _baselines(openai={**served, "key_env": "TEAM_KEY"}))


def test_a_hub_or_server_that_does_not_answer_is_left_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    given = _baselines(hub={"kind": "hub", "model": "nobody/nothing", "revision": "f" * 40}, off=SILENT)
    theirs = {arm: encoder for arm, encoder in _encoders("tiny", given).items() if arm in given}
    passages, queries = {"a": "grease", "b": "brakes"}, {"q": Query("q", "brakes")}

    arms = {**theirs, "base": _pointing(0, 90)}
    found, skipped = rankings(passages, queries, arms, 100, 60)

    assert list(found) == ["bm25", "base", "hybrid_base"]
    assert skipped.keys() == given.keys()
    assert skipped["hub"].startswith("nobody/nothing: ")
    assert skipped["off"].startswith(f"{SILENT['url']} (nomic): cannot be reached: ")
    said = {arm: reason.removeprefix("nobody/nothing: ") for arm, reason in skipped.items()}
    assert all("\n" not in reason and len(reason) <= 502 for reason in said.values())


def test_a_baseline_of_broken_files_ends_the_stage(folder: Path) -> None:
    (folder / "broken").mkdir()
    (folder / "broken/config.json").write_text("{")
    arm = _encoders("tiny", _baselines(mine={"kind": "folder", "path": "broken"}))["mine"]

    with pytest.raises((OSError, ValueError), match="broken"):
        rankings({"a": "grease"}, {"q": Query("q", "brakes")}, {"mine": arm}, 100, 60)


def test_a_model_of_our_own_that_fails_ends_the_stage(folder: Path) -> None:
    (folder / "models/tuned/tiny").unlink()
    arms = _encoders("tiny", {})

    with pytest.raises(OSError, match="models/tuned/tiny"):
        rankings({"a": "grease"}, {"q": Query("q", "brakes")}, {"tuned": arms["tuned"]}, 100, 60)


def test_a_missing_baseline_is_in_the_report_and_on_the_card(pipeline: Pipeline) -> None:
    (reason,) = pipeline.json("data/evaluate/tiny/skipped.json").values()

    assert reason.startswith(f"{SILENT['url']} (nomic): cannot be reached: ")
    assert f"tiny: baseline absent is not compared: {reason}" in pipeline.first_run
    report = (pipeline.root / "metrics/tiny/report.md").read_text(encoding="utf-8")
    assert "Not compared: absent: " in report
    assert "Not compared: absent: " in (pipeline.root / "data/report/tiny/report.html").read_text(encoding="utf-8")
    (card,) = pipeline.root.glob("models/tiny-embeddings-v*/model_card.json")
    assert json.loads(card.read_text())["skipped"] == {"baseline absent": reason}


@pytest.mark.parametrize("name", ["bm25", "base", "tuned", "hybrid_base", "hybrid_nomic", "late_base", "tuned_seed7"])
def test_a_baseline_takes_no_arm_of_ours(name: str) -> None:
    with pytest.raises(ValueError, match=f"no baseline may be named '{name}'"):
        _baselines(**{name: {"kind": "folder", "path": "x"}})


@pytest.mark.parametrize("name", ["Nomic", "a b", "a.b", ""])
def test_a_name_that_no_file_could_bear_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"not '{name}'"):
        _baselines(**{name: {"kind": "folder", "path": "x"}})


WRONG = [
    ({"kind": "hub", "model": "a/b", "revision": "main"}, r"baselines\.x\.hub\.revision: .*\(is 'main'\)"),
    ({"kind": "folder", "path": "a", "url": "b"}, r"unknown key, allowed are query_prefix, passage_prefix, kind, path"),
    ({"kind": "web"}, r"baselines\.x: Input tag 'web' .* 'hub', 'folder', 'endpoint'"),
]


@pytest.mark.parametrize(("baseline", "message"), WRONG, ids=[str(baseline["kind"]) for baseline, _ in WRONG])
def test_a_wrong_baseline_is_named(baseline: dict[str, Any], message: str) -> None:
    with pytest.raises(ParamsError, match=message):
        validate(EvaluateParams, {"baselines": {"x": baseline}}, PARAMS, "evaluate")


def test_an_experiment_adds_a_baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)
    given = "{kind: endpoint, url: http://localhost:11434/v1, model: nomic-embed-text, query_prefix: 'search_query: '}"

    apply_overrides("params.yaml", [f"+evaluate.baselines.nomic={given}"])

    nomic = section("evaluate", EvaluateParams).baselines["nomic"]
    assert nomic.model_dump(include={"url", "model", "query_prefix"}) == {
        "url": "http://localhost:11434/v1", "model": "nomic-embed-text", "query_prefix": "search_query: ",
    }  # fmt: skip


def test_the_stage_writes_a_row_for_each_arm_and_question(pipeline: Pipeline) -> None:
    dataset = read_dataset(pipeline.root / "data/ingest/tiny")
    written = [row for _, row in read_jsonl(pipeline.root / "data/evaluate/tiny/per_query.jsonl")]

    expected = [(arm, query_id) for arm in [*ARMS, *LATE] for query_id in dataset.qrels["test"]]
    assert [(row["arm"], row["query_id"]) for row in written if row["arm"] in [*ARMS, *LATE]] == expected
    for row in written:
        relevant = {p for p, grade in dataset.qrels["test"][row["query_id"]].items() if grade > 0}
        assert row["recall@10"] == len(relevant & set(row["found"])) / len(relevant)
        assert len(row["found"]) == len(set(row["found"])) <= 10
        assert {row["found"][rank - 1] for rank in row["ranks"] if rank <= 10} == relevant & set(row["found"])
        assert row["relevant"] == len(relevant) >= len(row["ranks"])


def test_the_weights_that_are_written_are_the_best_of_those_tried_on_dev(pipeline: Pipeline) -> None:
    weights = pipeline.json("data/evaluate/tiny/late_hybrid.json")
    written = [row for _, row in read_jsonl(pipeline.root / "data/evaluate/tiny/dev.jsonl")]

    total = {arm: sum(row["ndcg@10"] for row in written if row["arm"] == arm) for arm in LATE}
    assert weights.keys() == set(LATE_HYBRID)
    assert total["late_hybrid"] >= total["late_tuned"] > 0  # weight 1 for late_tuned alone was tried
