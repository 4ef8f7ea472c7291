"""`tune` with real experiments of DVC, over a stage of a moment: what is planted is found, and no trial is lost."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from domain_embeddings.commands.tuning.tune import seconds_of
from domain_embeddings.core.errors import UserError
from scripts.dependencies import ROOT
from tests.knobs import all_params
from tests.two_revisions import command, git

pytestmark = pytest.mark.slow

STAGE = """
import json, time
from pathlib import Path
from ruamel.yaml import YAML
params = YAML(typ="safe").load(Path("params.yaml"))
Path("data/running").touch()
time.sleep(params["train"]["warmup"])
score = 0.9 - abs(params["train"]["cloze"] - 0.3)
folder = Path("data/evaluate/tiny")
folder.mkdir(parents=True, exist_ok=True)
rows = [
    {"arm": arm, "query_id": f"q{i}", "group": f"q{i}", "ndcg@10": score - 0.01 * (i % 2) if arm == "tuned" else 0.5}
    for arm in ("base", "tuned") for i in range(40)
]
(folder / "dev.jsonl").write_text("".join(json.dumps(row) + "\\n" for row in rows))
(folder / "log.jsonl").write_text("")
systems = [{"name": "tuned", "model": "tuned", "dense": 1.0}, {"name": "base", "model": "base", "dense": 1.0}]
(folder / "systems.json").write_text(json.dumps([{"system": each, "bytes": 1536} for each in systems]))
"""
PIPELINE = {
    "evaluate": {
        "foreach": "${corpora}",
        "do": {
            "cmd": f"{sys.executable} stage.py",
            "deps": ["stage.py"],
            "params": ["train"],
            "outs": ["data/evaluate/${key}"],
        },
    }
}
ASKED = [{"_id": f"q{i}", "text": "where?", "written_by": "people"} for i in range(40)]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A committed repository whose params are far from the best, which is at train.cloze = 0.3."""
    root = tmp_path / "repo"
    (root / ".dvc").mkdir(parents=True)
    (root / ".dvc/config").write_text("[core]\n    analytics = false\n    check_update = false\n")
    (root / ".dvc/.gitignore").write_text("/cache\n/tmp\n")
    (root / ".gitignore").write_text("/data/\n")
    (root / "docs").mkdir()
    (root / "docs/log.md").write_text("# Log\n\nNewest first.\n\n## 1 January 2026\n\nNothing.\n")
    (root / "stage.py").write_text(STAGE)
    (root / "space.yaml").write_text("train.cloze: {low: 0.0, high: 1.0, step: 0.1}\n")
    made = root / "data/synthesize/tiny"
    made.mkdir(parents=True)
    (made / "statistics.json").write_text(json.dumps({"dev": {"origin": "labelled"}}))
    (made / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ASKED))
    params = all_params()
    params["corpora"] = {"tiny": {"kind": "beir", "path": "tiny"}}
    params["train"] |= {"cloze": 1.0, "warmup": 0.0}
    YAML().dump(params, root / "params.yaml")
    YAML().dump({"stages": PIPELINE}, root / "dvc.yaml")
    git(root, "init", "--quiet", "--initial-branch", "main")
    assert command(root, "dvc", "repro", "--quiet")[0] == 0
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Before")
    return root


def tracked(root: Path) -> str:
    """What Git sees as changed."""
    return subprocess.run(["git", "status", "--porcelain"], cwd=root, capture_output=True, text=True, check=True).stdout


def numbers(root: Path) -> list[int]:
    lines = (root / "data/tune/tiny/trials.jsonl").read_text().splitlines()[1:]
    return [json.loads(line)["number"] for line in lines]


def test_the_planted_value_is_found_and_the_workspace_is_as_before(repo: Path) -> None:
    status, said = command(repo, "tune", "tiny", "--trials", "5", "--time", "2m", "--space", "space.yaml")
    assert status == 0, said
    assert "proved" in said
    assert "asked by people" in said
    assert "+  cloze: " in said
    assert tracked(repo) == " M docs/log.md\n"
    text = (repo / "docs/log.md").read_text()
    assert text.index("**Tuning tiny**") < text.index("## 1 January 2026")
    best = float(said.split("+  cloze: ")[1].split()[0])
    assert abs(best - 0.3) < 0.4  # it was 1.0
    assert (
        abs(json.loads((repo / "data/evaluate/tiny/dev.jsonl").read_text().splitlines()[-1])["ndcg@10"] - 0.19) < 1e-9
    )
    git(repo, "checkout", "--", "docs/log.md")
    status, again = command(repo, "tune", "tiny", "--trials", "5", "--time", "2m", "--space", "space.yaml")
    assert status == 0
    assert again.split("| trial")[1].split("To take")[0] in said


def test_a_killed_run_loses_no_trial(repo: Path) -> None:
    params = (repo / "params.yaml").read_text()
    (repo / "params.yaml").write_text(params.replace("warmup: 0.0", "warmup: 0.9"))
    git(repo, "commit", "--quiet", "--all", "--message", "Slower")
    arguments = ["tune", "tiny", "--trials", "3", "--time", "5m", "--space", "space.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DVC_SITE_CACHE_DIR": str(repo.parent / "site")}
    process = subprocess.Popen(
        [sys.executable, "-m", "domain_embeddings", *arguments], cwd=repo, env=environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    file = repo / "data/tune/tiny/trials.jsonl"
    running = repo / "data/running"
    while not (file.exists() and numbers(repo) and running.stat().st_mtime > file.stat().st_mtime):
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert numbers(repo) == [0]
    status, said = command(repo, *arguments)
    assert status == 0, said
    assert numbers(repo) == [0, 1, 2]
    assert tracked(repo) == " M docs/log.md\n"


def test_changes_of_the_users_are_not_overwritten(repo: Path) -> None:
    (repo / "params.yaml").write_text((repo / "params.yaml").read_text().replace("epochs: 1", "epochs: 2"))
    status, said = command(repo, "tune", "tiny", "--space", "space.yaml")
    assert status == 2
    assert "params.yaml: changed since the last commit" in said
    assert "epochs: 2" in (repo / "params.yaml").read_text()


def test_questions_that_nobody_asked_judge_nothing(repo: Path) -> None:
    (repo / "data/synthesize/tiny/statistics.json").write_text(json.dumps({"dev": {"origin": "synthetic"}}))
    status, said = command(repo, "tune", "tiny", "--trials", "2", "--space", "space.yaml")
    assert status == 1
    assert "nobody asked dev questions that could judge" in said
    assert tracked(repo) == ""


@pytest.mark.parametrize(("text", "seconds"), [("45s", 45), ("90m", 5400), ("1.5h", 5400)])
def test_a_time(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "2", "h", "-1h", "1e9h", "2d"])
def test_no_time(text: str) -> None:
    with pytest.raises(UserError, match="90m or 2h"):
        seconds_of(text)
