"""A stage takes the corpus's name and nothing else."""

import pytest

from stages import stage


def test_the_only_argument_is_the_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["stages/train.py", "manuals"])

    assert stage.corpus_argument() == "manuals"


@pytest.mark.parametrize("argv", [["stages/train.py"], ["stages/train.py", "manuals", "--fast"]])
def test_anything_else_is_refused(argv: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", argv)

    with pytest.raises(SystemExit, match=r"usage: python -m stages\.train CORPUS"):
        stage.corpus_argument()
