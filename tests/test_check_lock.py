"""What of DVC's status shows a lock of another commit."""

from typing import Any

from scripts.check_lock import stale


def test_outs_that_a_fresh_clone_lacks_do_not_count() -> None:
    status: dict[str, Any] = {
        "mine@a": [{"changed outs": {"data/mine/a": "not in cache"}}, {"changed deps": {"data/ingest/a": "deleted"}}],
        "train@a": [{"changed deps": {"models/base": "deleted"}}],
    }

    assert stale(status) == {}


def test_code_params_data_and_commands_count() -> None:
    status: dict[str, Any] = {
        "mine@a": [{"changed deps": {"stages/mine.py": "modified", "data/ingest/a": "deleted"}}],
        "train@a": [{"changed deps": {"params.yaml": {"train.epochs": "modified"}}}],
        "ingest@a": [{"changed deps": {"data/raw/a": "deleted"}}, {"changed deps": {"data/raw/b": "modified"}}],
        "report@a": ["changed command", {"changed outs": {"metrics/a": "modified"}}],
        "guard@a": [{"changed deps": {"data/ingest/a": "modified"}}],
    }

    assert stale(status) == {
        "mine@a": ["stages/mine.py (modified)"],
        "train@a": ["params.yaml ({'train.epochs': 'modified'})"],
        "ingest@a": ["data/raw/a (deleted)", "data/raw/b (modified)"],
        "report@a": ["changed command", "metrics/a (modified)"],
        "guard@a": ["data/ingest/a (modified)"],
    }
