"""What ends a change: nothing learned is "unchanged", a real training "improved", harm "regressed" and not shipped.

The sample encyclopedia through all of DVC, small; the gate compares each result with the commit before any training.
"""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from scripts.dependencies import ROOT
from tests.knobs import all_params
from tests.stages.conftest import Pipeline, commit, copy_working_tree, run, set_params, write_inputs

pytestmark = pytest.mark.slow

SMALL: dict[str, dict[str, Any]] = {
    "base_model": {"max_seq_length": 64},
    "synthesize": {"queries_per_passage": 1, "synthetic_expansion_factor": 2},
    "mine": {"negatives": 1, "depth": 10},
    "train": {
        "batch_size": 32,
        "dev_pool": 200,
        "eval_steps": 25,
        "epochs": 0.2,
        "negatives": 1,
        "learning_rate": 1.0e-9,
        "interpolate": [0.5, 1.0],
        "threads": 1,
    },
    "guard": {"path": "../guard"},
    "search": {"depth": 20},
    "report": {"resamples": 1000},
    "package": {"version": "1.0.dev0", "export": None},  # a draft, for what is packaged changes from commit to commit
}
PACKAGED = "lore-embeddings-v1.0.dev0"
LATE = ("train", "evaluate", "guard", "report")


@pytest.fixture(scope="module")
def lore(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A clone whose first commit is a training that learns nothing."""
    root = tmp_path_factory.mktemp("verdicts") / "clone"
    copy_working_tree(root)
    write_inputs(root.parent)
    corpus = {"kind": "encyclopedia", "path": str(ROOT / "data/raw/encyclopedia")}
    YAML().dump({**all_params(), "corpora": {"lore": corpus}}, root / "params.yaml")
    set_params(root, SMALL)
    commit(root)
    pipeline = Pipeline(root, run(root, sys.executable, "-m", "dvc", "repro", "report@lore"))
    run(root, "git", "add", "--all")
    run(root, "git", "commit", "--quiet", "--message", "A training that learns nothing")
    return pipeline


@pytest.fixture
def changed(lore: Pipeline) -> Iterator[Pipeline]:
    """The clone, to change; put back afterwards."""
    yield lore
    run(lore.root, "git", "checkout", "--quiet", "--force", "HEAD")
    lore.dvc("checkout", "--force", "--allow-missing")  # no detector was trained


def _gate(pipeline: Pipeline) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "domain_embeddings", "gate", "HEAD"],
        cwd=pipeline.root,
        capture_output=True,
        text=True,
        check=False,
    )


def _shuffle_positives(path: Path) -> None:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    positives = [row["positive"] for row in rows]
    random.Random(1).shuffle(positives)
    path.unlink()  # it may be a link into DVC's cache
    lines = [json.dumps({**row, "positive": positive}) for row, positive in zip(rows, positives, strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _assert_kept_back(pipeline: Pipeline) -> None:
    """Regressed, a system of the base shipped, the gate shut, and the report says why."""
    assert pipeline.json("metrics/lore/verdict.json")["verdict"] == "regressed"
    assert pipeline.json("metrics/lore/verdict.json")["promoted"] == "base"
    promotion = pipeline.json("metrics/lore/promotion.json")
    assert promotion["shipped"]["system"]["model"] == "base"
    report = (pipeline.root / "metrics/lore/report.md").read_text(encoding="utf-8")
    assert promotion["reason"].split(" [")[0] in report.replace("\\", "")
    gate = _gate(pipeline)
    assert gate.returncode == 1
    assert "lore/tuned/ndcg@10" in gate.stdout + gate.stderr


def test_nothing_learned_is_unchanged(lore: Pipeline) -> None:
    found = lore.json("metrics/lore/verdict.json")

    assert (found["verdict"], found["promoted"]) == ("unchanged", "base")
    assert abs(found["delta"]) < 0.005
    assert _gate(lore).returncode == 0


def test_a_real_training_is_improved(changed: Pipeline) -> None:
    set_params(changed.root, {"train": {"epochs": 1, "learning_rate": 2.0e-4}})
    changed.dvc("repro", "report@lore")

    found = changed.json("metrics/lore/verdict.json")
    assert found["verdict"] == "improved"
    assert found["ci95"][0] > 0
    assert found["shipped_ci95"][0] > 0  # what is shipped, tuned or not, beats the base's vectors
    assert _gate(changed).returncode == 0


def test_a_learning_rate_that_destroys_is_kept_back(changed: Pipeline) -> None:
    set_params(changed.root, {"train": {"learning_rate": 0.05}})
    changed.dvc("repro", "package@lore")

    _assert_kept_back(changed)
    assert changed.json("metrics/lore/promotion.json")["dev"]["word"] == "regressed"
    card, system = (changed.json(f"models/{PACKAGED}/{name}") for name in ("model_card.json", "search.json"))
    promotion = changed.json("metrics/lore/promotion.json")
    assert (card["reason"], card["search"], system) == (promotion["reason"], *[promotion["shipped"]["system"]] * 2)
    packaged, base = (changed.root / f"models/{name}/model.safetensors" for name in (PACKAGED, "base"))
    assert packaged.read_bytes() == base.read_bytes()


def test_shuffled_positives_are_kept_back(changed: Pipeline) -> None:
    set_params(changed.root, {"train": {"epochs": 1, "learning_rate": 1.0e-3}})
    _shuffle_positives(changed.root / "data/mine/lore/triplets.jsonl")
    for stage in LATE:
        changed.dvc("repro", "--single-item", f"{stage}@lore")

    _assert_kept_back(changed)
