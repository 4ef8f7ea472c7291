"""The Markdown report: what it says, and that no text of a corpus breaks out of its place."""

from dataclasses import replace

from markdown_it import MarkdownIt

from domain_embeddings.reporting.markdown_report import markdown
from tests.summaries import summary

REPORT = markdown(summary())
LINES = REPORT.splitlines()


def test_it_starts_with_what_is_shipped_and_why_then_the_verdict_on_the_training() -> None:
    assert LINES[0] == "# manuals: late_hybrid_base"
    assert LINES[2].startswith(
        r"**Search answers with late_hybrid_base: nDCG@10 0.750, +0.150 \[+0.110, +0.190\] over base"
    )
    assert LINES[2].endswith("** late_hybrid_base is the default: the others prove no better.")
    assert "+0.050, 95% interval [+0.020, +0.080], p = 0.002: improved. The tuned model's weights are" in LINES[4]


def test_its_tables_hold_the_figures() -> None:
    assert "| `tuned` | " + " | ".join(["0.650 ± 0.040"] * 5) + " |" in LINES
    assert "| all questions | +0.050 [+0.020, +0.080] | **0.002** | 346 (51) | ▲ improved |" in LINES
    assert "| manuals | +0.040 [+0.010, +0.070] | 150 dev questions in 40 groups, by rules | improved |" in LINES
    assert "| all together | −0.020 [−0.030, −0.010] | 360 questions in 90 groups | guard objects |" in LINES
    assert "| memories | −0.030 [−0.050, −0.010] | 160 questions in 31 groups | guard objects |" in LINES
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
