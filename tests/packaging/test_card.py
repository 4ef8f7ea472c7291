"""The cards of a packaged model: what they say, and where they have it from."""

import json
import shutil
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from huggingface_hub import ModelCard
from ruamel.yaml import YAML

from domain_embeddings.core.beir_files import write_json
from domain_embeddings.packaging.card import markdown, readme, with_intervals
from domain_embeddings.params.base_model import BaseModelParams
from domain_embeddings.params.package import PackageParams
from scripts.dependencies import ROOT
from stages import package as stage
from tests.knobs import all_params, knobs
from tests.packaged import INTERVALS, MEANS, card

EXPORT = {
    "quantized": "weights", "passages": 128, "queries": 60, "cosine": 0.9975, "cosine_low": 0.9925,
    "overlap": 0.95, "overlap_ci95": [0.94, 0.96],
}  # fmt: skip
SEARCH = {"name": "late_hybrid", "model": "tuned", "late": 0.5, "dense": 0.2, "bm25": 0.3}
SKIPPED = {"int8 export": "RuntimeError: no | such", "baseline nomic": "cannot be reached"}


def test_an_arm_has_each_metric_with_its_interval() -> None:
    arms = with_intervals(MEANS, INTERVALS)

    assert arms["base"]["recall@5"] == {"value": 0.5, "ci95": [0.4, 0.6]}
    assert arms["tuned"]["recall@5"] == {"value": 0.75, "ci95": None}
    assert arms["base"]["n_queries"] == 60


def test_recall_and_mrr_of_base_and_tuned_stand_at_the_top(base_folder: Path) -> None:
    found = card(base_folder).to_json()

    assert found["recall@5"] == {"base": 0.5, "tuned": 0.75}
    assert found["mrr@10"] == {"base": 0.25, "tuned": 0.5}


def test_the_readme_says_how_near_the_export_is(base_folder: Path) -> None:
    text = readme(card(base_folder, int8_export=EXPORT), "tiny", "mit")

    assert "weights in int8. On 128 passages and 60 training queries its vectors have a mean cosine of 0.9975" in text
    assert "(0.9925 at the first percentile), and of a query's first ten passages 95.0% [94.0%, 96.0%] are" in text
    assert "int8" not in readme(card(base_folder), "tiny", "mit")


def test_what_was_left_out_is_said_everywhere(base_folder: Path) -> None:
    found = card(base_folder, skipped=SKIPPED)

    assert found.to_json()["skipped"] == SKIPPED
    text = readme(found, "tiny", "mit")
    assert "## Left out\n\n- baseline nomic: cannot be reached\n- int8 export: RuntimeError: no | such\n" in text
    assert "Left out" not in readme(card(base_folder), "tiny", "mit")


def test_the_report_beside_the_figures_is_short(base_folder: Path) -> None:
    whole = markdown(card(base_folder, int8_export=EXPORT))
    without = markdown(card(base_folder, promoted="base", skipped=SKIPPED))

    head = "# tiny-embeddings v1.0\n\nPackaged: "
    assert whole.startswith(f"{head}the tuned weights.\n\n`int8/` holds the same model for OpenVINO, weights in int8.")
    assert without == (
        f"{head}the base's weights, unchanged.\n\nNo int8 export.\n\n"
        "Left out: baseline nomic: cannot be reached\n\nLeft out: int8 export: RuntimeError: no \\| such\n"
    )


def test_the_hub_reads_the_readme(base_folder: Path) -> None:
    data: Any = ModelCard(readme(card(base_folder), "tiny", "mit")).data

    assert (data.base_model, data.license, data.library_name) == ("owner/base", "mit", "sentence-transformers")
    assert data.pipeline_tag == "sentence-similarity"
    found = {result.metric_type: result.metric_value for result in data.eval_results}
    assert found == {"recall@5": 0.75, "mrr@10": 0.5, "ndcg@10": 0.625}


def test_people_read_what_was_measured_and_what_not_to_expect(base_folder: Path) -> None:
    text = readme(card(base_folder, notes="Ask Ann."), "tiny", "mit")

    assert "# tiny-embeddings v1.0\n" in text
    assert "improved, ndcg@10 +0.250 [+0.125, +0.375]" in text.replace("\n[", " [")
    assert "| `base` | 0.500 [0.400, 0.600] | 0.250 [0.200, 0.300] | 0.375 [0.300, 0.450] |" in text
    assert "- English.\n\n## Notes\n\nAsk Ann.\n" in text


def test_a_packaged_base_says_so(base_folder: Path) -> None:
    assert "unchanged: no system of a model tuned on the corpus `tiny` proved better" in readme(
        card(base_folder, promoted="base"), "tiny", "mit"
    )


def test_the_system_that_answers_is_said_everywhere(base_folder: Path) -> None:
    found, alone = card(base_folder, search=SEARCH), card(base_folder)

    assert found.to_json()["search"] == SEARCH
    said = " ".join(readme(found, "tiny", "mit").split())
    assert "answers with `late_hybrid` (`search.json`): nDCG@10 +0.500 [+0.438, +0.562] against the base's" in said
    assert "Search answers with `late_hybrid`." in markdown(found)
    assert "search.json" not in readme(alone, "tiny", "mit")
    assert "Search answers" not in markdown(alone)


@pytest.fixture
def workspace(base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The figures of this repository's manuals, which lie in Git, with the base model; no corpus but a line."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models/base").symlink_to(base_folder)
    shutil.copytree(ROOT / "metrics/manuals", tmp_path / "metrics/manuals")
    statistics = {**_metrics("significance.json"), "skipped": {"nomic": "cannot be reached"}}
    write_json(tmp_path / "metrics/manuals/significance.json", statistics)
    (tmp_path / "data/ingest/manuals").mkdir(parents=True)
    (tmp_path / "data/ingest/manuals/corpus.jsonl").write_bytes(b"abc")
    YAML().dump(all_params(), tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _described() -> dict[str, Any]:
    described = stage.describe("manuals", knobs("package", PackageParams), knobs("base_model", BaseModelParams))
    return json.loads(json.dumps(described.to_json()))


def _metrics(name: str) -> Any:
    return json.loads((ROOT / "metrics/manuals" / name).read_text(encoding="utf-8"))


def test_every_number_of_the_card_is_the_one_in_metrics(workspace: Path) -> None:
    found, means, spans = _described(), _metrics("evaluate.json"), _metrics("significance.json")["intervals"]

    assert set(found["arms"]) == set(means)
    for arm, row in means.items():
        assert found["arms"][arm].pop("n_queries") == row.pop("n_queries")
        assert {metric: cell["value"] for metric, cell in found["arms"][arm].items()} == row
        assert {metric: cell["ci95"] for metric, cell in found["arms"][arm].items()} == spans[arm]
        if arm in ("base", "tuned"):
            assert (found["recall@5"][arm], found["mrr@10"][arm]) == (row["recall@5"], row["mrr@10"])
    assert found["verdict"] == _metrics("verdict.json")
    promotion = _metrics("promotion.json")
    assert {**found["promotion"], "guard": ANY, "shipped": ANY} == promotion  # the guard's rows are the report's
    assert found["search"] == promotion["shipped"]["system"]
    assert found["skipped"] == {"baseline nomic": "cannot be reached"}


def test_the_card_names_what_the_model_was_made_of(workspace: Path) -> None:
    found = _described()

    pinned = all_params()["base_model"]
    assert found["base_model"] == {
        "name": "sentence-transformers/all-MiniLM-L6-v2",
        "revision": pinned["revision"],
        "weights_sha256": pinned["sha256"]["model.safetensors"],
    }
    assert found["training_corpus_sha256"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (found["dimension"], found["parameters"]["total"]) == (384, 22_713_216)
    tests = _metrics("robustness.json")
    assert found["adversarial_tests"] == {"passed": tests["passed"], "total": tests["total"]}


def test_the_card_says_where_the_model_failed() -> None:
    groups = {"case": {"passed": 80, "total": 80}, "typo": {"passed": 117, "total": 120}}

    failed = stage.limits("tiny", 60, 256, {"groups": groups})
    passed = stage.limits("tiny", 60, 256, {"groups": {"case": groups["case"]}})

    assert failed[0] == "Failed adversarial tests: typo 3 (metrics/tiny/robustness_failures.json names them)."
    assert failed[1:] == passed
