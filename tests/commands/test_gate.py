"""The gate in a repository with two commits: what stops a change, and what it says where it cannot compare."""

import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError

from domain_embeddings.core.metrics import METRICS
from domain_embeddings.params.gate import GateParams
from tests import two_revisions
from tests.knobs import knobs
from tests.two_revisions import command, commit, copy, git, set_gate, write_results

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`main` and the worse `change`; no test changes it."""
    root = tmp_path_factory.mktemp("gate") / "two"
    two_revisions.make(root)
    return root


def test_a_fall_beyond_tolerance_and_luck_stops_a_change(two: Path) -> None:
    status, said = command(two, "gate", "main")

    assert status == 1
    assert "tiny: 60 questions in both, 0 added, 0 removed" in said
    assert "tuned ndcg@10: 1.000 → 0.750, −0.250 [" in said
    assert "n = 60, tolerance 0.01: fell\n    most on domain pumps −0.500 (n = 30, Holm p " in said
    assert "  shipped ndcg@10: 1.000 → 1.000, 0.000 [0.000, 0.000], n = 60, tolerance 0.01: held" in said
    assert said.endswith('gate:\n  accept:\n  - "tiny/tuned/ndcg@10 (why)"\n  - "tiny/tuned/recall@5 (why)"\n')


def test_what_each_revision_ships_is_compared_whatever_its_name(two: Path, tmp_path: Path) -> None:
    root = copy(two, tmp_path / "copy")
    write_results(root, 15, shipped="tuned")

    status, said = command(root, "gate", "main")

    assert status == 1
    assert "  shipped ndcg@10: 1.000 → 0.750, −0.250 [" in said  # hybrid_tuned there, tuned here
    assert '"tiny/shipped/ndcg@10 (why)"' in said


def test_a_revision_that_shipped_nothing_has_no_such_arm(two: Path, tmp_path: Path) -> None:
    root = copy(two, tmp_path / "copy")
    git(root, "checkout", "--quiet", "-b", "earlier", "main")
    write_results(root, 0, shipped=None)
    commit(root)
    write_results(root, 0)

    status, said = command(root, "gate", "earlier")
    later, complaint = command(root, "gate", "main", "earlier")

    assert status == 0
    assert "tiny: 60 questions in both, 0 added, 0 removed, arm shipped is new" in said
    assert later == 2
    assert "no results of shipped after the change, there are base, hybrid_tuned, tuned" in complaint


def test_a_second_revision_is_compared_instead_of_the_working_tree(two: Path, tmp_path: Path) -> None:
    root = copy(two, tmp_path / "copy")
    shutil.rmtree(root / "data")

    assert command(root, "gate", "main", "change")[0] == 1
    assert command(root, "gate", "change", "main")[0] == 0
    status, said = command(root, "gate", "main")
    assert (status, "per_query.jsonl is not there: run `dvc repro`" in said) == (2, True)


def test_accepted_falls_pass_once_and_stale_lines_are_named(two: Path, tmp_path: Path) -> None:
    root = copy(two, tmp_path / "copy")
    wanted = ["tiny/tuned/ndcg@10 (half the size)", "tiny/tuned/recall@5"]
    set_gate(root, accept=[*wanted, "tiny/shipped/ndcg@10"])

    status, said = command(root, "gate", "main")

    assert status == 0
    assert said.count(": fell, accepted\n") == 2
    assert "tiny/shipped/ndcg@10: nothing of that name falls: remove the line" in said

    commit(root)
    write_results(root, 30)
    status, said = command(root, "gate", "HEAD")
    assert status == 1
    assert "tiny/tuned/ndcg@10 (half the size): accepted before the base revision" in said


def test_only_common_questions_are_compared(two: Path, tmp_path: Path) -> None:
    root = copy(two, tmp_path / "copy")
    set_gate(root, min_queries=20)
    write_results(root, 15, first=30)  # q31 to q59 stay, and none of q0 to q29

    status, said = command(root, "gate", "main")

    assert status == 0
    assert "tiny: 30 questions in both, 30 added, 30 removed" in said


def test_without_enough_common_questions_nothing_is_decided(two: Path, tmp_path: Path) -> None:
    root = copy(two, tmp_path / "copy")
    write_results(root, 15, first=30)
    assert "30 questions are in both revisions, gate.min_queries asks for 50" in command(root, "gate", "main")[1]

    write_results(root, 15, first=100)
    status, said = command(root, "gate", "main")

    assert status == 2
    assert "of 60 questions before and 60 after the change none has the same id; keep the ids" in said


def test_new_and_removed_corpora_are_said(two: Path, tmp_path: Path) -> None:
    root = copy(two, tmp_path / "copy")
    set_gate(root, corpora=("mine",))
    write_results(root, 0, corpus="mine")

    status, said = command(root, "gate", "main")

    assert status == 2
    assert "have no corpus in common" in said
    assert "mine is a new corpus: main (" in said
    assert "tiny is a corpus no more: if that is not meant, put it back" in said


def test_the_same_revision_is_nothing_to_compare(two: Path) -> None:
    status, said = command(two, "gate", "HEAD", "change")

    assert status == 2
    assert "are the same commit: compare with an older one" in said


def test_unchanged_results_raise_the_question_of_the_base(two: Path) -> None:
    status, said = command(two, "gate", "HEAD")

    assert status == 0
    assert "no result of the compared arms differs from HEAD (" in said


def test_an_unknown_revision_is_named_with_the_remedy(two: Path, tmp_path: Path) -> None:
    git(two, "clone", "--quiet", str(two), str(tmp_path / "clone"))

    status, said = command(two, "gate", "mian")
    assert (status, "no revision 'mian': `git branch --all`" in said) == (2, True)
    status, said = command(tmp_path / "clone", "gate", "main")
    assert (status, "no local branch 'main', but origin/main" in said) == (2, True)


def test_a_shallow_clone_says_how_to_deepen_it(two: Path, tmp_path: Path) -> None:
    git(two, "clone", "--quiet", "--depth", "1", two.as_uri(), str(tmp_path / "shallow"))

    status, said = command(tmp_path / "shallow", "gate", "main")

    assert status == 2
    assert "'main' is not in this shallow clone: `git fetch --unshallow`" in said


def test_results_in_no_cache_or_remote_are_named_with_the_remedy(two: Path, tmp_path: Path) -> None:
    root = copy(two, tmp_path / "copy")
    shutil.rmtree(root / ".dvc/cache")

    status, said = command(root, "gate", "main")

    assert status == 2
    assert "data/evaluate/tiny/per_query.jsonl of main (" in said
    assert "is neither in DVC's cache nor in a remote that can be read" in said
    assert "Traceback" not in said


def test_the_metrics_are_the_pipelines() -> None:
    assert knobs("gate", GateParams, tolerance=dict.fromkeys(METRICS, 0.01)).tolerance.keys() == set(METRICS)


@pytest.mark.parametrize("line", ["tuned/ndcg@10", "manuals/tuned/ndcg@10 why", "manuals/tuned/ndcg@10/hvac"])
def test_a_line_that_can_accept_nothing_is_refused(line: str) -> None:
    with pytest.raises(ValidationError, match=r"accept\.0"):
        knobs("gate", GateParams, accept=[line])


def test_a_line_may_name_a_slice_and_a_reason() -> None:
    lines = ["manuals/tuned/ndcg@10", "manuals/tuned/ndcg@10/domain=air brakes (a/b = c)"]

    assert knobs("gate", GateParams, accept=lines).accept == lines
