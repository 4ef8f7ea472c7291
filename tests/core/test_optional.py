"""Why a part was left out: one line, the same in every run."""

import tempfile
from pathlib import Path

from domain_embeddings.core.errors import DataError
from domain_embeddings.core.optional import why


def test_our_own_errors_speak_for_themselves_and_others_are_named() -> None:
    assert why(DataError("nowhere", "no such folder")) == "nowhere: no such folder"
    assert why(ModuleNotFoundError("No module named 'nncf'")) == "ModuleNotFoundError: No module named 'nncf'"
    assert why(RuntimeError()) == "RuntimeError"


def test_it_is_one_line_without_what_differs_between_runs() -> None:
    temporary = Path(tempfile.gettempdir()) / "tmpab12cd"
    said = f"404 Client Error. (Request ID: Root=1-6a;b)\n\nNo {temporary}/model.xml,\n  object at 0x7f12ab34cd"

    assert why(OSError(said)) == "OSError: 404 Client Error. No model.xml, object at"


def test_it_is_cut_where_it_goes_on_and_on() -> None:
    assert why(DataError("a", "b" * 1000)) == "a: " + "b" * 497 + " …"
