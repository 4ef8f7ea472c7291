"""The Markdown report: what it says, and that no text of a corpus breaks out of its place."""

from dataclasses import replace

from markdown_it import MarkdownIt

from domain_embeddings.reporting.markdown_report import markdown
from tests.summaries import summary

REPORT = markdown(summary())
LINES = REPORT.splitlines()


def test_it_starts_with_the_verdict_and_what_is_kept() -> None:
    assert LINES[0] == "# manuals: improved"
    assert "+0.050, 95% interval [+0.020, +0.080], p = 0.002: improved." in LINES[2]
    assert LINES[4].startswith("**Kept: base.** The guard: the tuned model forgets. The tuned model's weights are")


def test_its_tables_hold_the_figures() -> None:
    assert "| `tuned` | " + " | ".join(["0.650 ± 0.040"] * 5) + " |" in LINES
    assert "| all questions | +0.050 [+0.020, +0.080] | **0.002** | 346 | ▲ improved |" in LINES
    assert "| manuals | +0.040 [+0.010, +0.070] | 150 dev questions (synthetic queries) | improved |" in LINES
    assert "| memories | −0.030 [−0.050, −0.010] | 160 dev questions | guard objects |" in LINES
    assert "late_hybrid is 0.8 × late_tuned + 0.2 × bm25, each brought to 0..1: fixed weights, for want of" in REPORT
    assert "2 training seeds gain +0.050 (seed 42), +0.047 (seed 43): standard deviation 0.002." in LINES


def test_it_says_which_baseline_is_missing_and_why() -> None:
    missing = markdown(replace(summary(), skipped={"nomic": "http://a/v1 (b): cannot | be reached."}))

    assert (
        "\n\nNot compared: nomic: http://a/v1 (b): cannot \\| be reached. "
        "Once it can be: dvc repro -sf evaluate@manuals, then dvc repro.\n\n" in missing
    )
    assert "Not compared" not in REPORT


def test_no_text_breaks_out_of_its_cell() -> None:
    rendered = MarkdownIt("commonmark").enable("table").render(REPORT)

    assert "<script" not in rendered
    assert "<a " not in rendered
    assert rendered.count("<td>domain: a|b &lt;script&gt;") == 1
    assert all(line.replace(r"\|", "").count("|") == 6 for line in LINES if line.startswith("| domain"))


def test_three_wins_and_losses_with_what_was_found() -> None:
    many = markdown(replace(summary(), wins=[*summary().wins] * 5, losses=[]))

    assert many.count("- +0.750 (0.25 → 1.00): a\\|b") == 3
    assert "  - tuned finds: **p1**, p2\n  - base finds: p2" in many
    assert many.endswith("## Losses of tuned\n\nNone.\n")
