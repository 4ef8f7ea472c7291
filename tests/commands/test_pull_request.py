"""The comment on a pull request, in a repository with two commits."""

import shutil
from pathlib import Path

import pytest

from domain_embeddings.commands.pull_request import MARKER
from tests import two_revisions
from tests.two_revisions import command, commit, copy, git, write_results

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`main` and the worse `change`, with the comment on it in data/pull_request/."""
    root = tmp_path_factory.mktemp("pull_request") / "two"
    two_revisions.make(root)
    two_revisions.set_gate(root, slices=True)
    assert command(root, "pr-report", "main") == (0, "wrote data/pull_request/comment.md\n")
    return root


@pytest.fixture(scope="module")
def comment(two: Path) -> str:
    return (two / "data/pull_request/comment.md").read_text(encoding="utf-8")


def _report(root: Path, base: str) -> str:
    assert command(root, "pr-report", base, "report.md")[0] == 0
    return (root / "report.md").read_text(encoding="utf-8")


def test_the_comment_begins_with_the_marker_and_has_every_section(comment: str) -> None:
    headings = [line for line in comment.splitlines() if line.startswith("#")]

    assert comment.splitlines()[0] == MARKER
    assert headings == [
        "## Effect on search",
        "### Verdicts, tuned against base model",
        "### Gate",
        "### Arms",
        "### Params",
        "### Metrics",
    ]


def test_the_figures_are_those_of_both_revisions(comment: str) -> None:
    delta = "nDCG@10 −0.250 [−0.250, −0.250], ships hybrid_tuned"

    before = "**unchanged**, nDCG@10 0.000 [0.000, 0.000], ships hybrid_tuned"
    assert f"| tiny | {before} | **regressed**, {delta} |" in comment
    assert "| `tiny/tuned/ndcg@10` | 1.000 → 0.750 | −0.250 [" in comment
    assert "| tiny | `tuned` | 0.750 (−0.250) |" in comment
    assert "| tiny | `base` | 1.000 | 1.000 |" in comment
    assert '  - "tiny/tuned/ndcg@10 (why)"\n  - "tiny/tuned/ndcg@10/domain=pumps (why)"' in comment
    assert "| params.yaml | gate.slices | False" in comment
    assert "tuned.ndcg@10" in comment.partition("### Metrics")[2]


def test_the_pictures_lie_beside_it(two: Path, comment: str) -> None:
    for name in ("gate.png", "arms.png"):
        assert f"]({name})" in comment
        assert (two / "data/pull_request" / name).read_bytes().startswith(b"\x89PNG")


def test_a_second_run_gives_the_same_bytes(two: Path, comment: str) -> None:
    assert _report(two, "main") == comment
    for name in ("gate.png", "arms.png"):
        assert (two / name).read_bytes() == (two / "data/pull_request" / name).read_bytes()


def test_without_a_change_it_says_so(two: Path, tmp_path: Path) -> None:
    root = copy(two, tmp_path / "copy")
    git(root, "checkout", "--quiet", "--", "params.yaml")

    said = _report(root, "HEAD")

    assert "`HEAD` is the very commit that is checked out" in said
    assert "No param changed." in said
    assert "No metric changed." in said


def test_a_revision_that_shipped_nothing_tells_which_model_it_keeps(two: Path, tmp_path: Path) -> None:
    root = copy(two, tmp_path / "copy")
    git(root, "checkout", "--quiet", "-b", "earlier", "main")
    write_results(root, 0, shipped=None)
    commit(root)
    git(root, "switch", "--quiet", "change")

    said = _report(root, "earlier")

    assert "| tiny | **unchanged**, nDCG@10 0.000 [0.000, 0.000], keeps base | **regressed**" in said
    assert "arm shipped is new" in said


def test_what_is_missing_is_said_with_the_remedy(two: Path, tmp_path: Path) -> None:
    root = copy(two, tmp_path / "copy")
    shutil.rmtree(root / ".dvc/cache")
    git(root, "checkout", "--quiet", "-b", "bare", "main")
    git(root, "rm", "--quiet", "-r", "metrics")
    git(root, "commit", "--quiet", "--message", "No figures")
    git(root, "switch", "--quiet", "change")

    said = _report(root, "bare")

    assert "No verdict is known for tiny of bare (" in said
    assert "**Nothing could be compared.**" in said
    assert "**Could not compare.** data/evaluate/tiny/per_query.jsonl of bare (" in said
    assert "`dvc push --all-commits`" in said
    assert "| tiny | `tuned` | 0.750 (new) |" in said


def test_a_shallow_clone_is_said(two: Path, tmp_path: Path) -> None:
    git(two, "clone", "--quiet", "--depth", "1", two.as_uri(), str(tmp_path / "shallow"))

    said = _report(tmp_path / "shallow", "main")

    assert said.startswith(f"{MARKER}\n## Effect on search\n\nThere is nothing to report: 'main' is not in this")
    assert "`fetch-depth: 0`" in said
