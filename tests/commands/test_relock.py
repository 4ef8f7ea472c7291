"""The lock's hashes of code, renewed where the code means what it meant."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from domain_embeddings.commands.relock import LOCK, meaning, relock, relocked
from domain_embeddings.core.errors import UserError

CODE = '''"""What it does."""

LIMIT = 3
"""Of what."""


def double(x):
    """Twice."""
    return 2 * x  # not thrice
'''
SAME = {
    "a docstring": CODE.replace("Twice", "Two times"),
    "no docstring": CODE.replace('    """Twice."""\n', ""),
    "an attribute's": CODE.replace("Of what", "Of that"),
    "a comment": CODE.replace("# not thrice", "# twice"),
    "format": CODE.replace("2 * x", "(2\n        * x)"),
}
OTHER = {
    "a literal": CODE.replace("LIMIT = 3", "LIMIT = 4"),
    "a name": CODE.replace("double", "twice"),
    "an order": CODE.replace("2 * x", "x * 2"),
    "a string that is used": CODE.replace("LIMIT = 3", 'LIMIT = "3"'),
}


def _row(path: str, content: bytes) -> str:
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return f"    - path: {path}\n      hash: md5\n      md5: {digest}\n      size: {len(content)}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one file that the lock has, twice, beside data that it has as well."""
    monkeypatch.chdir(tmp_path)
    Path("code.py").write_text(CODE)
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "code.py"], ["commit", "-qm", "A first version"]):
        subprocess.run([*git, *command], check=True)
    row = _row("code.py", CODE.encode())
    LOCK.write_text(f"stages:\n  a:\n    deps:\n{row}{_row('data.csv', b'1')}  b:\n    deps:\n{row}    outs: []\n")
    return tmp_path


@pytest.mark.parametrize("changed", SAME.values(), ids=SAME)
@pytest.mark.usefixtures("folder")
def test_what_means_the_same_is_renewed_everywhere(changed: str) -> None:
    before = LOCK.read_text()
    Path("code.py").write_text(changed)

    relock()

    assert LOCK.read_text() == before.replace(_row("code.py", CODE.encode()), _row("code.py", changed.encode()))


@pytest.mark.parametrize("changed", OTHER.values(), ids=OTHER)
@pytest.mark.usefixtures("folder")
def test_what_means_something_else_is_refused_and_nothing_written(
    changed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = LOCK.read_text()
    Path("code.py").write_text(changed)

    with pytest.raises(SystemExit) as ended:
        relock()

    assert ended.value.code == 1
    assert "code.py: means something else now" in capsys.readouterr().err
    assert LOCK.read_text() == before


@pytest.mark.usefixtures("folder")
def test_a_version_that_git_does_not_have_is_refused() -> None:
    LOCK.write_text(LOCK.read_text().replace(_row("code.py", CODE.encode()), _row("code.py", b"x = 1")))

    with pytest.raises(UserError, match=r"code\.py: Git has no version with the lock's hash"):
        relocked(LOCK.read_text())


@pytest.mark.usefixtures("folder")
def test_a_file_that_is_gone_or_broken_is_named() -> None:
    text = LOCK.read_text()
    Path("code.py").write_text("def (")
    with pytest.raises(UserError, match=r"code\.py: line 1: "):
        relocked(text)

    Path("code.py").unlink()
    with pytest.raises(UserError, match=r"code\.py: is not there any more"):
        relocked(text)


@pytest.mark.usefixtures("folder")
def test_without_a_change_the_lock_stays(capsys: pytest.CaptureFixture[str]) -> None:
    before = LOCK.read_text()

    relock()

    assert LOCK.read_text() == before
    assert "as it is" in capsys.readouterr().out


def test_a_docstring_that_is_printed_counts() -> None:
    printed = CODE.encode() + b"print(__doc__)\n"

    assert meaning(printed) != meaning(printed.replace(b"What it does", b"What it did"))
