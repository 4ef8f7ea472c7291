"""The evaluate stage: every system's and every other arm's ranking of every question, scored."""

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
from domain_embeddings.core.dataset import Passage, Query
from domain_embeddings.core.errors import DataError
from domain_embeddings.encoding.encoder import Model, encode
from domain_embeddings.encoding.endpoint import EndpointError
from domain_embeddings.encoding.roles import Role
from domain_embeddings.evaluation.arms import Encoded, Encoder, encoders, own, rankings, rows, with_late
from domain_embeddings.evaluation.question_groups import groups_of
from domain_embeddings.params.evaluate import EvaluateParams
from domain_embeddings.params.search import LateStorage, SearchParams
from domain_embeddings.params.strict import ParamsError, validate
from domain_embeddings.systems.system import System, family
from domain_embeddings.systems.token_vectors import score
from scripts.dependencies import ROOT
from tests.knobs import all_params, knobs
from tests.stages.conftest import SILENT, TINY, Pipeline

SYSTEMS = family(aliases=False, params=SearchParams())
ARMS = [system.name for system in SYSTEMS]
OF_BASE = [system.name for system in SYSTEMS if system.model == "base"]
BRAKES = {"a": Passage("a", "", "grease"), "b": Passage("b", "", "brakes")}
ASKED = {"q": Query("q", "brakes")}


def _encoders(corpus: str, baselines: dict[str, Any]) -> dict[str, Encoder]:
    models = MODELS / "base", tuned_model(corpus), seed_models(corpus)
    return encoders(*models, LateStorage(), baselines, MODELS / "endpoint_cache")


def test_a_row_has_the_metrics_and_ten_passages() -> None:
    run = {"q": {f"p{i}": 1.0 / i for i in range(1, 15)}}

    (row,) = rows({"bm25": run}, {"q": {"p2": 1, "p12": 1, "p3": 0}})

    ideal = 1 + 0.6309297535714575  # 1/log2(2) + 1/log2(3)
    assert row == {
        "arm": "bm25", "query_id": "q", "group": "q", "recall@1": 0.0, "recall@5": 0.5, "recall@10": 0.5, "mrr@10": 0.5,
        "ndcg@10": pytest.approx(0.6309297535714575 / ideal), "found": [f"p{i}" for i in range(1, 11)],
        "ranks": [2, 12], "relevant": 2,
    }  # fmt: skip


def test_relevant_passages_beyond_the_depth_have_no_rank() -> None:
    (row,) = rows({"bm25": {"q": {"a": 2.0, "b": 1.0}}}, {"q": {"b": 2, "z": 1}})

    assert (row["ranks"], row["relevant"]) == ([2], 2)


def test_questions_of_one_passage_are_of_one_group() -> None:
    run = {query_id: {"a": 1.0} for query_id in ("q3", "q1", "q2")}

    found = list(rows({"bm25": run, "base": run}, {"q1": {"a": 1}, "q2": {"b": 1}, "q3": {"a": 1}}))

    assert {(row["query_id"], row["group"]) for row in found} == {("q1", "q1"), ("q2", "q2"), ("q3", "q1")}


def test_every_system_of_a_model_ranks(base_folder: Path, base: Model) -> None:
    texts = {"brakes": "Bleed the brakes.", "mast": "Grease the mast chains.", "fuse": "The fuse box is here."}
    passages = {name: Passage(name, "", text) for name, text in texts.items()}
    queries = {"q": Query("q", "stop the vehicle: brakes")}

    found = rankings(passages, queries, {"base": with_late(base_folder, LateStorage())}, SYSTEMS, 100)

    assert (list(found.runs), found.skipped) == (OF_BASE, {})
    assert list(found.runs["bm25"]["q"]) == ["brakes"]  # the others share no word with it
    scored = score(base, list(texts.values()), ["stop the vehicle: brakes"], LateStorage())
    for arm, scores in {"base": scored.passages @ scored.questions[0], "late_base": scored.late[0]}.items():
        by_score = dict(zip(texts, scores, strict=True))
        assert list(found.runs[arm]["q"]) == sorted(texts, key=lambda name: -by_score[name])
    assert found.runs["hybrid_base"]["q"]["brakes"] == pytest.approx(1 / (60 + 1) + 1 / (60 + 1))
    # first by all three; it holds one of the question's three stems
    assert found.runs["late_hybrid_base"]["q"]["brakes"] == pytest.approx(0.5 + 0.1 + 0.4 * (1 / 3) ** 2)
    vector = 4 * 384
    assert found.stored == {
        "bm25": 0,
        "base": vector,
        "hybrid_base": vector,
        "late_base": vector + round(scored.stored / 3),
        "late_hybrid_base": vector + round(scored.stored / 3),
    }


def test_no_system_finds_the_passage_that_is_the_question_itself(base_folder: Path) -> None:
    texts = {"q": "How are brakes bled?", "brakes": "Bleed the brakes.", "mast": "Grease the mast chains."}
    passages = {name: Passage(name, "", text) for name, text in texts.items()}
    queries = {
        "test q": Query("q", texts["q"], extra={"own_passage": "q"}),
        "test other": Query("other", texts["q"]),
    }

    found = rankings(passages, queries, {"base": with_late(base_folder, 256, LateStorage())}, SYSTEMS, 100)

    for arm in OF_BASE:
        assert "q" not in found.runs[arm]["test q"], arm
        assert next(iter(found.runs[arm]["test q"])) == "brakes", arm
        assert next(iter(found.runs[arm]["test other"])) == "q", arm


def _pointing(*angles: float) -> Any:
    """An arm whose passages point that way, and whose questions point to 0 degrees."""

    def vectors(passages: Sequence[str], queries: Sequence[str]) -> Encoded:
        turns = np.radians(angles)[: len(passages)]
        found = np.stack([np.cos(turns), np.sin(turns)], axis=1).astype(np.float32)
        return Encoded(found, np.array([[1, 0]] * len(queries), dtype=np.float32))

    return vectors


def test_models_of_others_and_further_seeds_are_ranked_and_not_fused() -> None:
    arms = {arm: _pointing(0, 90) for arm in ("nomic", "base", "tuned")} | {"tuned_seed7": _pointing(9, 5)}

    found = rankings(BRAKES, ASKED, arms, SYSTEMS, 100)

    assert list(found.runs) == [*ARMS, "nomic", "tuned_seed7"]
    assert [list(found.runs[arm]["q"]) for arm in ("nomic", "tuned_seed7")] == [["a", "b"], ["b", "a"]]
    assert list(found.stored) == [*OF_BASE, *(arm for arm in ARMS if arm not in OF_BASE)]


def test_aliases_are_read_by_the_systems_that_index_them_alone() -> None:
    passages = {
        "a": Passage("a", "Ossel comb", "Its teeth bend inward.", extra={"aliases": ["the grey nun"]}),
        "b": Passage("b", "Nun's walk", "A path."),
    }
    read: dict[str, list[list[str]]] = {}

    def reading(arm: str) -> Encoder:
        def vectors(texts: Sequence[str], queries: Sequence[str]) -> Encoded:
            read.setdefault(arm, []).append(list(texts))
            result: Encoded = _pointing(0, 90)(texts, queries)
            return result

        return vectors

    systems = family(aliases=True, params=SearchParams())
    arms = {arm: reading(arm) for arm in ("nomic", "base", "tuned")}
    found = rankings(passages, {"q": Query("q", "grey")}, arms, systems, 100)

    plain = [passage.content for passage in passages.values()]
    named = ["Ossel comb (the grey nun) Its teeth bend inward.", plain[1]]
    assert read == {"nomic": [plain], "base": [plain, named], "tuned": [plain, named]}
    assert (found.runs["bm25"]["q"], list(found.runs["bm25_aliases"]["q"])) == ({}, ["a"])
    assert list(found.runs) == [*(system.name for system in systems), "nomic"]


def test_no_ranking_is_deeper_than_the_systems(base_folder: Path) -> None:
    """Thirty passages, all of one word: ten by meaning and ten others by words make twenty candidates."""
    passages = {f"p{i}": Passage(f"p{i}", "", "brakes " * (i + 1)) for i in range(30)}
    systems = family(aliases=False, params=SearchParams(depth=10))

    found = rankings(passages, ASKED, {"base": with_late(base_folder, LateStorage())}, systems, 10)

    assert {arm: len(run["q"]) for arm, run in found.runs.items()} == dict.fromkeys(OF_BASE, 10)


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

    found, wanted, *late = arms["mine"](["Bleed the brakes."], ["brakes"])

    assert late == [None, 0]  # a model of somebody else is compared by its single vectors
    np.testing.assert_allclose(found, encode(base, ["passage: Bleed the brakes."], Role.PASSAGE), atol=1e-6)
    np.testing.assert_allclose(wanted, encode(base, ["query: brakes"], Role.PASSAGE), atol=1e-6)


def test_a_models_own_prompts_are_used_where_no_prefix_is_given(folder: Path, base: Model) -> None:
    shutil.copytree(folder / "models/base", folder / "prompted")
    config = folder / "prompted/config_sentence_transformers.json"
    config.write_text('{"prompts": {"query": "ask: ", "document": "doc: "}}')
    given = {"kind": "folder", "path": "prompted"}
    arms = _encoders("tiny", _baselines(named=given, bare={**given, "query_prefix": "", "passage_prefix": ""}))

    for arm, texts in {"named": ("doc: Bleed.", "ask: brakes"), "bare": ("Bleed.", "brakes")}.items():
        vectors = np.concatenate(arms[arm](["Bleed."], ["brakes"])[:2])
        np.testing.assert_allclose(vectors, encode(base, texts, Role.PASSAGE), atol=1e-6)


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_one_model_at_a_time_is_loaded() -> None:
    gc.collect()
    before = _loaded_models()
    counts: list[int] = []

    def counting(passages: Sequence[str], queries: Sequence[str]) -> Encoded:
        counts.append(_loaded_models() - before)
        result: Encoded = _pointing(0, 90)(passages, queries)
        return result

    arms = {"first": own(Path("models/base")), "second": counting}
    rankings(BRAKES, ASKED, arms, SYSTEMS, 100)

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
    found = rankings(BRAKES, ASKED, {**theirs, "base": _pointing(0, 90)}, SYSTEMS, 100)

    skipped = found.skipped
    assert list(found.runs) == OF_BASE
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
        rankings(BRAKES, ASKED, {"mine": arm}, SYSTEMS, 100)


def test_a_model_of_our_own_that_fails_ends_the_stage(folder: Path) -> None:
    (folder / "models/tuned/tiny").unlink()
    arms = _encoders("tiny", {})

    with pytest.raises(DataError, match="models/tuned/tiny: no such folder"):
        rankings(BRAKES, ASKED, {"tuned": arms["tuned"]}, SYSTEMS, 100)


def test_a_missing_baseline_is_in_the_report_and_on_the_card(pipeline: Pipeline) -> None:
    (reason,) = pipeline.json("data/evaluate/tiny/skipped.json").values()

    assert reason.startswith(f"{SILENT['url']} (nomic): cannot be reached: ")
    assert f"tiny: baseline absent is not compared: {reason}" in pipeline.first_run
    report = (pipeline.root / "metrics/tiny/report.md").read_text(encoding="utf-8")
    assert "Not compared: absent: " in report
    assert "Not compared: absent: " in (pipeline.root / "data/report/tiny/report.html").read_text(encoding="utf-8")
    (card,) = pipeline.root.glob("models/tiny-embeddings-v*/model_card.json")
    assert json.loads(card.read_text())["skipped"] == {"baseline absent": reason}


@pytest.mark.parametrize(
    "name", [*(system.name for system in family(True, SearchParams())), "shipped", "hybrid_nomic", "tuned_seed7"]
)
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

    expected = [(arm, query_id) for arm in [*ARMS, "tuned_seed7"] for query_id in dataset.qrels["test"]]
    assert [(row["arm"], row["query_id"]) for row in written] == expected
    groups = groups_of(dataset.qrels["test"])
    for row in written:
        relevant = {p for p, grade in dataset.qrels["test"][row["query_id"]].items() if grade > 0}
        assert row["recall@10"] == len(relevant & set(row["found"])) / len(relevant)
        assert len(row["found"]) == len(set(row["found"])) <= 10
        assert {row["found"][rank - 1] for rank in row["ranks"] if rank <= 10} == relevant & set(row["found"])
        assert row["relevant"] == len(relevant) >= len(row["ranks"])
        assert max(row["ranks"], default=0) <= TINY["search"]["depth"]
        assert row["group"] == groups[row["query_id"]]


def test_the_stage_writes_the_same_of_the_dev_questions(pipeline: Pipeline) -> None:
    written = [row for _, row in read_jsonl(pipeline.root / "data/evaluate/tiny/dev.jsonl")]
    judged = (pipeline.root / "data/synthesize/tiny/qrels/dev.tsv").read_text(encoding="utf-8").splitlines()[1:]

    asked = {line.split("\t")[0] for line in judged}
    assert {(row["arm"], row["query_id"]) for row in written} == {
        (arm, query_id) for arm in [*ARMS, "tuned_seed7"] for query_id in asked
    }


def test_the_stage_writes_the_systems_and_what_they_store(pipeline: Pipeline) -> None:
    written = pipeline.json("data/evaluate/tiny/systems.json")

    params = SearchParams.model_validate({**all_params()["search"], **TINY["search"]})
    assert [System.model_validate(each["system"]) for each in written] == family(aliases=False, params=params)
    stored = {each["system"]["name"]: each["bytes"] for each in written}
    assert (stored["bm25"], stored["base"], stored["hybrid_tuned"]) == (0, 4 * 384, 4 * 384)
    assert stored["late_base"] == stored["late_hybrid_base"] > 4 * 384
