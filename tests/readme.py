"""The README's table of results, from metrics/.

python -m tests.readme    # writes it (`make readme`)
"""

import json
from pathlib import Path

ROOT = Path(__file__).parent.parent
START, END = "<!-- results -->\n", "<!-- /results -->"
COLUMNS = ("ndcg@10", "recall@1", "recall@5", "recall@10", "mrr@10")


def table() -> str:
    """A Markdown row for every corpus and arm, best value of a corpus's column in bold."""
    lines = ["| corpus | arm | " + " | ".join(COLUMNS) + " |", "|---|---|" + "---|" * len(COLUMNS)]
    for path in sorted(ROOT.glob("metrics/*/evaluate.json")):
        arms = json.loads(path.read_text(encoding="utf-8"))
        verdict = json.loads((path.parent / "verdict.json").read_text(encoding="utf-8"))
        best = {column: max(row[column] for row in arms.values()) for column in COLUMNS}
        n = next(iter(arms.values()))["n_queries"]
        head = f"{path.parent.name} ({n} questions; {verdict['verdict']}, promoted: {verdict['promoted']})"
        for arm in ("bm25", "base", "tuned", "hybrid_base", "hybrid_tuned"):
            cells = [_cell(arms[arm][column], best[column]) for column in COLUMNS]
            lines.append(f"| {head} | `{arm}` | " + " | ".join(cells) + " |")
            head = ""
    return "\n".join(lines) + "\n"


def _cell(value: float, best: float) -> str:
    return f"**{value:.3f}**" if value == best else f"{value:.3f}"


def with_table(readme: str) -> str:
    """The README's text with the present table."""
    before, rest = readme.split(START)
    return before + START + table() + END + rest.split(END)[1]


def main() -> None:
    """Rewrite the table in README.md."""
    path = ROOT / "README.md"
    path.write_text(with_table(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
