"""A slip anywhere in params.yaml stops the first stage, with the key, the value and what is allowed."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from domain_embeddings.commands import check_params
from domain_embeddings.commands.workspace import section
from domain_embeddings.core.errors import DataError
from domain_embeddings.params.strict import ParamsError
from domain_embeddings.params.train import TrainParams
from scripts.dependencies import ROOT

_MISSING = object()
ASKED = ["docs"]


def _changed(changes: dict[str, Any]) -> dict[str, Any]:
    """The repo's params with the corpus `docs` alone, and some values replaced or (_MISSING) removed."""
    values = YAML(typ="safe").load(ROOT / "params.yaml")
    values["corpora"] = {"docs": {"kind": "manuals", "path": "docs"}}
    for key, value in changes.items():
        *above, last = key.split("/")
        inner = values
        for part in above:
            inner = inner.setdefault(part, {})
        if value is _MISSING:
            del inner[last]
        else:
            inner[last] = value
    return values


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _refused(folder: Path, changes: dict[str, Any]) -> str:
    YAML().dump(_changed(changes), folder / "params.yaml")
    with pytest.raises(ParamsError) as stop:
        check_params.check(ASKED)
    return str(stop.value)


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"train/epoch": 2}, ["train.epoch: unknown key, allowed are seed, further_seeds, threads, precision", "(is 2)"]),
    ({"reprot": {"seed": 1}}, ["reprot: unknown key, allowed are corpora, seed, base_model, ingest"]),
    ({"corpora/docs/folder": "x"}, ["corpora.docs.folder: unknown key, allowed are kind, path (is 'x')"]),
    ({"synthesize/sources/llm": 1.0}, ["synthesize.sources.llm: unknown key, allowed are template, heading"]),
    ({"train/further_seeds": _MISSING}, ["train.further_seeds: Field required"]),
    ({"train/further_seeds": [42]}, ["seeds must be different and not negative, are [42, 42]"]),
    ({"train/interpolate": [0.0]}, ["interpolate takes shares above 0 and up to 1, not [0.0]"]),
    ({"mine": _MISSING}, ["mine: Field required"]),
    ({"train/epochs": "two"}, ["train.epochs: ", "valid number (is 'two')"]),
    ({"train/batch_size": 64.5}, ["train.batch_size: ", "valid integer", "(is 64.5)"]),
    ({"mine/negatives": "4"}, ["mine.negatives: ", "valid integer (is '4')"]),
    ({"train/batch_size": True}, ["train.batch_size: ", "valid integer (is True)"]),
    ({"train/batch_size": 1}, ["train.batch_size: ", "greater than or equal to 2 (is 1)"]),
    ({"train/learning_rate": 0.0}, ["train.learning_rate: ", "greater than 0 (is 0.0)"]),
    ({"train/warmup": 1.0}, ["train.warmup: ", "less than 1 (is 1.0)"]),
    ({"train/frozen_blocks": -1}, ["train.frozen_blocks: ", "greater than or equal to 0 (is -1)"]),
    ({"train/negatives": 5}, ["train.negatives is 5, but mine.negatives finds only 4"]),
    ({"train/negatives": 11}, ["train.negatives: ", "less than or equal to 10 (is 11)"]),
    ({"mine/same_domain": 1.5}, ["mine.same_domain: ", "less than or equal to 1 (is 1.5)"]),
    ({"mine/max_score_share": 1.1}, ["mine.max_score_share: ", "less than or equal to 1 (is 1.1)"]),
    ({"mine/candidates": ["base", "qdrant"]}, ["mine: ", "candidates hold qdrant, so mine.qdrant must say which"]),
    ({"mine/candidates": ["bm52"]}, ["mine.candidates.0: ", "'bm25', 'base' or 'qdrant' (is 'bm52')"]),
    (
        {"mine/qdrant": {"path": "search", "collection": "docs", "id_field": "id", "vectr": "text"}},
        ["mine.qdrant.vectr: unknown key, allowed are url, path, collection, vector, id_field, key_env (is 'text')"],
    ),
    ({"ingest/splits": ["train", "dev"]}, ["ingest: ", "splits must hold 'test'"]),
    ({"ingest/splits": ["test", "valid"]}, ["ingest: ", "splits may hold train, dev and test, not valid"]),
    ({"ingest/splits": []}, ["ingest.splits: ", "at least 1 item", "(is [])"]),
    ({"ingest/min_chars": 2000}, ["ingest: ", "min_chars (2000) must be below max_chars (2000)"]),
    ({"synthesize/dev_passages": 0.5}, ["synthesize.dev_passages: ", "less than 0.5 (is 0.5)"]),
    ({"synthesize/labelled_leaks": "ignore"}, ["synthesize.labelled_leaks: ", "'fail' or 'drop' (is 'ignore')"]),
    ({"synthesize/sources/span": -1.0}, ["synthesize.sources.span: ", "greater than or equal to 0 (is -1.0)"]),
    (
        {f"synthesize/sources/{name}": 0.0 for name in ("template", "heading", "sentence", "span", "keyphrase")},
        ["synthesize.sources: ", "at least one source needs a weight above 0"],
    ),
    ({"base_model/source": "web"}, ["base_model.source: ", "'package', 'hub' or 'folder' (is 'web')"]),
    ({"base_model/source": "hub", "base_model/revision": "main"}, ["base_model: ", "revision must be a full commit"]),
    ({"base_model/sha256": {}}, ["base_model.sha256: ", "at least 1 item"]),
    ({"base_model/sha256": {"tokenizer.json": "a" * 64}}, ["base_model: ", "sha256 must pin the weights"]),
    ({"base_model/sha256": {"model.safetensors": "abc"}}, ["model.safetensors must have 64 hex digits, has 3"]),
    ({"search/depth": 5}, ["search.depth: ", "greater than or equal to 10 (is 5)"]),
    ({"search/rrf_k": 60}, ["search.rrf_k: unknown key, allowed are depth, late, budget_kb, max_query_chars"]),
    ({"search/late": None}, ["search.late: ", "LateStorage (is None)"]),
    ({"search/late/bits": 3}, ["search.late.bits: ", "1, 2 or 4 (is 3)"]),
    ({"search/budget_kb": 0}, ["search.budget_kb: ", "greater than 0 (is 0)"]),
    ({"report/min_groups": 1}, ["report.min_groups: ", "greater than or equal to 2 (is 1)"]),
    ({"report/min_queries": 1}, ["report.min_queries: ", "greater than or equal to 2 (is 1)"]),
    (
        {"anomaly/detector": "forest"},
        ["anomaly.detector: no such detector, there are auto, exposure, ", "(is 'forest')"],
    ),
    ({"corpora": {}}, ["corpora: ", "at least 1 item"]),
    (
        {"corpora": {"x; touch y": {"kind": "manuals", "path": "docs"}}},
        ["corpora.x; touch y.[key]: String should match pattern '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$' (is 'x; touch y')"],
    ),
    (
        {"evaluate/baselines": {"a b": {"kind": "folder", "path": "m"}}},
        ["evaluate.baselines.a b.[key]: ", "(is 'a b')"],
    ),
    ({"gate/arms": ["tuned", "$(id)"]}, ["gate.arms.1: String should match pattern", "(is '$(id)')"]),
    ({"anomaly/extra_sets": {"../up": "x.jsonl"}}, ["anomaly.extra_sets.../up.[key]: ", "(is '../up')"]),
    ({"package/version": "1.0; id"}, ["package.version: String should match pattern", "(is '1.0; id')"]),
    ({"package/version": "١.٢"}, ["package.version: String should match pattern"]),
    ({"corpora/docs/kind": "pdf"}, ["corpora.docs.kind: ", "'manuals'", "'beir'", "(is 'pdf')"]),
    ({"corpora/docs/path": ""}, ["corpora.docs.path: ", "at least 1 character (is '')"]),
    ({"corpora/docs/path": "../nowhere"}, ["corpora.docs.path: no such folder (is '../nowhere', looked in /"]),
]


@pytest.mark.parametrize(("changes", "fragments"), WRONG, ids=["+".join(changes) for changes, _ in WRONG])
def test_a_wrong_value_is_named(folder: Path, changes: dict[str, Any], fragments: list[str]) -> None:
    message = _refused(folder, changes)

    assert message.startswith("params.yaml is not valid:\n")
    for fragment in fragments:
        assert fragment in message
    assert len(message.splitlines()) == 2  # nothing else is complained of


@pytest.mark.parametrize("name", ["-rf", "a.b", "a/b", "a\n", "", "a" * 65, "ä", "a'b", "${seed}", "a b"])
def test_a_corpus_has_a_name_that_a_shell_a_path_and_dvc_take_as_it_is(folder: Path, name: str) -> None:
    assert "[key]: String should " in _refused(folder, {"corpora": {name: {"kind": "manuals", "path": "docs"}}})


def test_every_wrong_key_has_a_line(folder: Path) -> None:
    message = _refused(folder, {"train/epoch": 2, "mine/depth": 3, "guard/path": _MISSING})

    assert [line.split(":")[0].strip() for line in message.splitlines()[1:]] == [
        "mine.depth",
        "train.epoch",
        "guard.path",
    ]


@pytest.mark.parametrize("content", ["", "- a list\n", "just text\n"])
def test_a_file_without_sections_is_refused(folder: Path, content: str) -> None:
    (folder / "params.yaml").write_text(content)

    with pytest.raises(ParamsError, match="the whole file: holds no sections"):
        check_params.check(ASKED)


def test_a_corpus_that_is_asked_for_must_be_there(folder: Path) -> None:
    YAML().dump(_changed({}), folder / "params.yaml")

    with pytest.raises(ParamsError, match=r"  corpora\.doks: no such corpus, there are docs$"):
        check_params.check(["doks"])


@pytest.mark.parametrize("frozen", [6, 10])
def test_a_block_must_learn(folder: Path, frozen: int) -> None:
    (folder / "models/base").mkdir(parents=True)
    (folder / "models/base/config.json").write_text('{"num_hidden_layers": 6}')

    assert f"train.frozen_blocks is {frozen}, allowed are 0 to 5" in _refused(folder, {"train/frozen_blocks": frozen})


def test_a_base_model_that_cannot_be_read_is_told(folder: Path) -> None:
    (folder / "models/base").mkdir(parents=True)
    (folder / "models/base/config.json").write_text('{"num_hidden_layers": ')
    YAML().dump(_changed({}), folder / "params.yaml")

    with pytest.raises(DataError, match=r"^models/base/config\.json:1: not valid JSON"):
        check_params.check(ASKED)


def test_a_wrong_seed_is_named(folder: Path) -> None:
    assert "\n  seed: Input should be greater than or equal to 0 (is -1)\n" in _refused(folder, {"seed": -1})


def test_every_section_has_the_one_seed(folder: Path) -> None:
    YAML().dump(_changed({"seed": 7, "train/further_seeds": [9]}), folder / "params.yaml")
    assert section("train", TrainParams).seeds == [7, 9]

    assert "there is one seed, of every draw: train.seed must go" in _refused(folder, {"train/seed": 8})


def test_the_repos_own_params_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    check_params.check(["manuals"])


def test_a_stage_names_its_own_section(folder: Path) -> None:
    YAML().dump(_changed({"train/epochs": 0.0}), folder / "params.yaml")

    with pytest.raises(ParamsError, match=r"train\.epochs: Input should be greater than 0 \(is 0\.0\)"):
        section("train", TrainParams)
