"""The README says what metrics/ says."""

from tests.readme import ROOT, with_table


def test_the_table_of_results_is_current() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert with_table(readme) == readme  # else: make readme
