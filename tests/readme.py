"""The README's tables of results, from metrics/.

python -m tests.readme    # writes them (`make readme`)
"""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
ARMS = ("bm25", "base", "tuned", "hybrid_base", "hybrid_tuned", "late_base", "late_tuned", "late_hybrid")
COLUMNS = ("ndcg@10", "recall@1", "recall@5", "recall@10", "mrr@10")


def results() -> str:
    """A Markdown row for every corpus and arm, best value of a corpus's column in bold."""
    lines = ["| corpus | arm | " + " | ".join(COLUMNS) + " |", "|---|---|" + "---|" * len(COLUMNS)]
    for path in sorted(ROOT.glob("metrics/*/evaluate.json")):
        arms = json.loads(path.read_text(encoding="utf-8"))
        verdict = json.loads((path.parent / "verdict.json").read_text(encoding="utf-8"))
        best = {column: max(row[column] for row in arms.values()) for column in COLUMNS}
        n = next(iter(arms.values()))["n_queries"]
        head = f"{path.parent.name} ({n} questions; {verdict['verdict']}, promoted: {verdict['promoted']})"
        for arm in (arm for arm in ARMS if arm in arms):
            cells = [_cell(arms[arm][column], best[column]) for column in COLUMNS]
            lines.append(f"| {head} | `{arm}` | " + " | ".join(cells) + " |")
            head = ""
    return "\n".join(lines) + "\n"


def _cell(value: float, best: float) -> str:
    return f"**{value:.3f}**" if value == best else f"{value:.3f}"


def anomalies() -> str:
    """A Markdown column for every corpus: what is flagged by mistake, what is found, which checks passed."""
    found = {path.parent.name: json.loads(path.read_text()) for path in sorted(ROOT.glob("metrics/*/anomaly.json"))}
    rows: dict[str, list[str]] = {"": list(found), "---": ["---"] * len(found)}
    rows["shipped detector"] = [f"`{one['chosen']['detector']}`" for one in found.values()]
    for label, kind in (("test questions by people, flagged by mistake", "test_questions"), ("odd but fine", "odd")):
        rows[label] = [_share(one["false_positives"][kind], "rate") for one in found.values()]
    for label, kind in (
        ("prompt injection, flagged", "adversarial/prompt_injection"),
        ("all eight adversarial categories", "adversarial"),
        ("far from any corpus", "far"),
        ("neighbouring field", "near"),
    ):
        rows[label] = [_share(one["sets"][kind], "flagged") for one in found.values()]
    rows["weakest category"] = [_weakest(one["sets"]) for one in found.values()]
    tests = [json.loads((ROOT / "metrics" / corpus / "robustness.json").read_text()) for corpus in found]
    rows["robustness checks passed"] = [f"{one['passed']} of {one['total']}" for one in tests]
    return "".join(f"| {label} | {' | '.join(cells)} |\n" for label, cells in rows.items())


def _share(row: dict[str, Any], key: str) -> str:
    return f"{row[key]:.1%} of {row['n']}"


def _weakest(sets: dict[str, Any]) -> str:
    """The adversarial category of which least is flagged."""
    shares = {kind: row["flagged"] for kind, row in sets.items() if kind.startswith("adversarial/")}
    kind = min(shares, key=lambda one: (shares[one], one))
    return f"{kind.split('/')[1].replace('_', ' ')}, {shares[kind]:.0%}"


TABLES = {"results": results, "anomaly": anomalies}
"""What stands between `<!-- name -->` and `<!-- /name -->`."""


def with_tables(readme: str) -> str:
    """The README's text with the present tables."""
    for name, table in TABLES.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, rest = readme.split(start)
        readme = before + start + table() + end + rest.split(end)[1]
    return readme


def main() -> None:
    """Rewrite the tables in README.md."""
    path = ROOT / "README.md"
    path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
