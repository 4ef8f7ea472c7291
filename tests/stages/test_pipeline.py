"""What DVC runs again and what not, how a slip in params.yaml ends, and a corpus added from outside."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain_embeddings.core.beir_files import read_dataset, read_jsonl, write_dataset, write_jsonl
from domain_embeddings.core.dataset import Dataset
from domain_embeddings.params.train import TrainParams
from tests.stages.conftest import STAGES, Pipeline, ran, set_params


@pytest.fixture
def params(pipeline: Pipeline) -> Iterator[Path]:
    """params.yaml, put back after the test, with the outs that DVC removed for a stage that then failed."""
    path = pipeline.root / "params.yaml"
    before = path.read_bytes()
    yield path
    path.write_bytes(before)
    pipeline.dvc("checkout")


def _changed(pipeline: Pipeline) -> list[str]:
    """The stages whose params, data or code are not those of their last run."""
    return sorted(re.findall(r"^(\w+(?:@\w+)?):$", pipeline.dvc("status"), re.MULTILINE))


def test_every_stage_ran_once(pipeline: Pipeline) -> None:
    assert sorted(ran(pipeline.first_run)) == sorted(["base_model", *(f"{stage}@tiny" for stage in STAGES)])


def test_a_second_run_does_nothing(pipeline: Pipeline) -> None:
    assert ran(pipeline.dvc("repro")) == []


def test_a_beir_folder_with_test_questions_alone_trains_without_labels(pipeline: Pipeline, params: Path) -> None:
    everything = sorted(f"{stage}@mine" for stage in STAGES)
    dataset = read_dataset(pipeline.root / "data/ingest/tiny")
    test_only = Dataset(dataset.corpus, dataset.judged("test"), {"test": dataset.qrels["test"]})
    write_dataset(pipeline.root.parent / "elsewhere", test_only)
    logged = [dataset.queries[i] for split, qrels in dataset.qrels.items() if split != "test" for i in qrels]
    write_jsonl(pipeline.root.parent / "elsewhere/dev_log.jsonl", [{"text": query.text} for query in logged])

    before = params.read_bytes()
    set_params(pipeline.root, {"corpora": {"mine": {"kind": "beir", "path": "../elsewhere"}}})
    assert _changed(pipeline) == everything  # and none of tiny: corpora are independent
    params.write_bytes(before)
    settings = ["+corpora.mine={kind: beir, path: ../elsewhere}", "train.further_seeds=[]", "package.export=null"]
    options = [part for setting in settings for part in ("--set-param", setting)]

    output = pipeline.dvc("exp", "run", *options, "anomaly@mine")  # the last stage, so that tiny has nothing to run

    assert sorted(ran(output)) == everything
    statistics = pipeline.json("data/synthesize/mine/statistics.json")
    assert (statistics["labelled"]["train"], statistics["dev"]["origin"]) == (0, "synthetic")
    assert statistics["dev"]["passages_held_out"] > 0
    assert pipeline.json("metrics/mine/evaluate.json")["tuned"]["n_queries"] == 23
    promotion = pipeline.json("metrics/mine/promotion.json")
    assert (promotion["dev"]["synthetic"], promotion["dev"]["asked_by"]) == (True, "rules")
    unchosen = TrainParams.model_fields["interpolate_unlabelled"].default
    assert promotion["share"] == unchosen  # no dev question chose it
    rows = [row for _, row in read_jsonl(pipeline.root / "data/evaluate/mine/log.jsonl")]
    taken = pipeline.json("data/ingest/mine/report.json")["counts"]["dev_log.questions"]
    assert 0 < taken <= len(logged)
    for arm in ("bm25", "base", "tuned", "late_hybrid", "late_hybrid_base"):
        assert len({row["query_id"] for row in rows if row["arm"] == arm}) == taken
    decided = ("not proved", "proved", "(report.min_groups)", "the tuned model may not be used")
    assert promotion["reason"].endswith(decided)
    assert [found["corpus"] for found in promotion["guard"]] == ["all together", "pumps"]


def test_a_late_knob_touches_the_late_stages_alone(pipeline: Pipeline, params: Path) -> None:
    set_params(pipeline.root, {"search": {"depth": 10}})

    assert _changed(pipeline) == ["evaluate@tiny", "report@tiny"]


def test_a_slip_in_a_late_section_stops_the_first_stage(pipeline: Pipeline, params: Path) -> None:
    set_params(pipeline.root, {"ingest": {"min_chars": 101}, "report": {"resample": 200}})

    output = pipeline.dvc("repro", fails=True)

    assert "report.resample: unknown key, allowed are seed, resamples" in output
    assert ran(output) == ["ingest@tiny"]  # begun by DVC, stopped by its check
