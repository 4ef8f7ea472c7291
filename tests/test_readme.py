"""The README says what metrics/ says."""

from tests.readme import ROOT, with_tables


def test_the_tables_of_results_are_current() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert with_tables(readme) == readme  # else: make readme
