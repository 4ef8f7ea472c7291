"""The tables of results in README.md and docs/anomaly.md, from metrics/.

python -m scripts.readme    # writes them (`make readme`)
"""

import json
from pathlib import Path
from typing import Any

from domain_embeddings.evaluation.report_model import SHIPPED
from domain_embeddings.params.search import SearchParams
from domain_embeddings.systems.system import family

ROOT = Path(__file__).parent.parent
ARMS = [*(system.name for system in family(aliases=True, params=SearchParams())), SHIPPED]
COLUMNS = ("ndcg@10", "recall@5")
PEOPLE = "metrics/untrained_systems.json"
"""Written by `python -m benchmarks.untrained_systems FOLDER … --written-by people --json` and this path."""


def results() -> str:
    """A Markdown row for every arm, two columns for every corpus; a column's best value in bold."""
    found = {
        path.parent: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(ROOT.glob("metrics/*/evaluate.json"))
    }
    heads = [f"{_head(folder, arms)}: {COLUMNS[0]} | {COLUMNS[1]}" for folder, arms in found.items()]
    lines = ["| arm | " + " | ".join(heads) + " |", "|---|" + "---|" * len(COLUMNS) * len(found)]
    for arm in ARMS:
        cells = [_cell(arms, arm, column) for arms in found.values() for column in COLUMNS]
        lines.append(f"| `{arm}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _head(folder: Path, arms: dict[str, Any]) -> str:
    """A corpus, how many questions were asked of it, and the verdict."""
    verdict = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    return f"{folder.name} (n = {arms['base']['n_queries']}, {verdict['verdict']})"


def _cell(arms: dict[str, Any], arm: str, column: str) -> str:
    if arm not in arms:
        return ""
    value, best = arms[arm][column], max(row[column] for row in arms.values())
    return f"**{value:.3f}**" if value == best else f"{value:.3f}"


def people() -> str:
    """A Markdown row for every collection that people asked questions of, a column for every system."""
    found = json.loads((ROOT / PEOPLE).read_text(encoding="utf-8"))
    systems = list(dict.fromkeys(row["system"] for row in found))
    cells: dict[str, dict[str, list[str]]] = {}
    for row in found:
        place = cells.setdefault(f"{row['collection']} (n = {row['questions']:,})", {})
        place.setdefault(row["system"], []).append(f"{row['peer']:.3f}")
        if row["system"] == systems[0]:
            place.setdefault("default", []).append(f"{row['ours']:.3f}")
    columns = [*systems, "default"]
    heads = " | ".join(f"`{name}`" if name in systems else name for name in columns)
    lines = [f"| {COLUMNS[0]} / {COLUMNS[1]} | {heads} |", "|---" * (len(columns) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(' / '.join(row[each]) for each in columns)} |" for name, row in cells.items()]
    return "\n".join(lines) + "\n"


def anomalies() -> str:
    """A Markdown column for every corpus: what is flagged by mistake, what is found, which checks passed."""
    found = {path.parent.name: json.loads(path.read_text()) for path in sorted(ROOT.glob("metrics/*/anomaly.json"))}
    rows: dict[str, list[str]] = {"": list(found), "---": ["---"] * len(found)}
    rows["shipped detector"] = [f"`{one['chosen']['detector']}`" for one in found.values()]
    for label, kind in (("test questions, flagged by mistake", "test_questions"), ("odd but fine", "odd")):
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


TABLES = {"README.md": {"results": results, "people": people}, "docs/anomaly.md": {"anomaly": anomalies}}
"""File → what stands between each `<!-- name -->` and `<!-- /name -->` there."""


def with_tables(file: str, text: str) -> str:
    """A file's text with its present tables."""
    for name, table in TABLES[file].items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, rest = text.split(start)
        text = before + start + table() + end + rest.split(end)[1]
    return text


def main() -> None:
    """Rewrite the tables."""
    for file in TABLES:
        path = ROOT / file
        path.write_text(with_tables(file, path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
