"""What a command says of an error, and when it shows the traceback."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from domain_embeddings.core.errors import DEBUG, TOLD, UserError, give_up, message


def caught(action: Callable[[], object]) -> Exception:
    """What `action` raises, which must be of the errors that are told."""
    with pytest.raises(TOLD) as raised:
        action()
    return raised.value


def test_a_file_is_named_without_pythons_words(tmp_path: Path) -> None:
    assert message(caught((tmp_path / "x.json").read_bytes)) == f"{tmp_path}/x.json: No such file or directory"
    assert message(caught(tmp_path.read_bytes)) == f"{tmp_path}: Is a directory"


def test_other_errors_are_their_own_message() -> None:
    assert message(UserError("mine.negatives is 9: lower it")) == "mine.negatives is 9: lower it"
    assert message(OSError("no answer from the hub")) == "no answer from the hub"
    assert "Input should be a valid integer" in message(caught(lambda: TypeAdapter(int).validate_python("two")))


def test_the_message_goes_to_stderr_with_the_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(DEBUG, raising=False)

    with pytest.raises(SystemExit, match="2"):
        give_up(UserError("what is wrong"), 2, "refused: ")

    assert capsys.readouterr() == ("", "refused: what is wrong\n")


def test_the_traceback_comes_back_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DEBUG, "1")

    with pytest.raises(UserError, match="what is wrong"):
        give_up(UserError("what is wrong"), 2)
