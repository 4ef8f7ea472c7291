"""How the untrained systems do on labelled collections: what a corpus gets before anything is learned from it.

Ranks the test questions of BEIR folders with every system of the base model, as `evaluate` does, and prints nDCG@10
and recall@5 by collection, the default's distance from the best of base, BM25, hybrid_base and late_base, and mean
gains over the base's single vectors. Test questions choose nothing here; collections that are looked at are validation.

    python -m benchmarks.untrained_systems ../emanual ../cranfield --written-by people --json untrained.json
    python -m benchmarks.untrained_systems ../emanual --questions 30    # a minute or two, to try it
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from domain_embeddings.commands.workspace import BASE_MODEL, section
from domain_embeddings.core.beir_files import read_dataset, write_json
from domain_embeddings.core.dataset import Author, Dataset, Query
from domain_embeddings.core.metrics import score
from domain_embeddings.evaluation.arms import rankings, with_late
from domain_embeddings.params.search import SearchParams
from domain_embeddings.systems.system import aliases_of, default_of, family

METRICS = ("ndcg@10", "recall@5")
SIMPLE = ("base", "bm25", "hybrid_base", "late_base")
DEFAULT = "default"
"""What is shipped where nobody asked dev questions."""

Figures = dict[str, dict[str, float]]
"""System → metric → mean."""


def measured(dataset: Dataset, queries: Mapping[str, Query]) -> Figures:
    """Every untrained system on a collection's test questions."""
    params = section("search", SearchParams)
    systems = family(any(map(aliases_of, dataset.corpus.values())), params)
    own = [system for system in systems if system.model == "base"]
    base = with_late(BASE_MODEL, params.late)
    runs = rankings(dataset.corpus, queries, {"base": base}, own, params.depth).runs
    runs[DEFAULT] = runs[default_of(systems).name]
    found: Figures = {}
    for name, run in runs.items():
        rows = [score(list(run[i]), dataset.qrels["test"][i]) for i in queries]
        found[name] = {metric: float(np.mean([row[metric] for row in rows])) for metric in METRICS}
    return found


def table(figures: Mapping[str, Figures]) -> str:
    """Markdown: a row for each collection, nDCG@10/recall@5, and the mean gains over base."""
    names = [*dict.fromkeys(name for found in figures.values() for name in found if name != DEFAULT), DEFAULT]
    lines = [f"| collection | {' | '.join(names)} | default − best simple |", f"|---{'|---' * (len(names) + 1)}|"]
    for collection, found in figures.items():
        cells = [_cell(found[name]) if name in found else "" for name in names]
        short = found[DEFAULT][METRICS[0]] - max(found[name][METRICS[0]] for name in SIMPLE)
        lines.append(f"| {collection} | {' | '.join(cells)} | {short:+.3f} |")
    gains = [_gain(figures.values(), name) for name in names]
    return "\n".join([*lines, f"| mean gain over base | {' | '.join(gains)} | |"])


def _cell(row: Mapping[str, float]) -> str:
    return " / ".join(f"{row[metric]:.3f}" for metric in METRICS)


def _gain(figures: Any, name: str) -> str:
    """Relative gain of the means over the collections that have the system."""
    having = [found for found in figures if name in found]
    shares = [np.mean([f[name][m] for f in having]) / np.mean([f["base"][m] for f in having]) - 1 for m in METRICS]
    return " / ".join(f"{share:+.1%}" for share in shares)


def rows(figures: Mapping[str, Figures], asked: Mapping[str, int], author: Author) -> Sequence[Mapping[str, Any]]:
    """As all benchmarks write them: the default beside each simple system; `asked` are how many questions."""
    return [
        {
            "name": f"{collection}: {metric}, the default; peer: {peer}",
            "unit": metric,
            "ours": round(found[DEFAULT][metric], 4),
            "peer": round(found[peer][metric], 4),
            "ratio": round(found[DEFAULT][metric] / found[peer][metric], 4),
            "collection": collection,
            "system": peer,
            "questions": asked[collection],
            "written_by": author,
        }
        for collection, found in figures.items()
        for metric in METRICS
        for peer in SIMPLE
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+", type=Path, help="BEIR folders with test questions")
    parser.add_argument("--questions", type=int, help="of each, at most")
    parser.add_argument("--written-by", type=Author, choices=list(Author), default=Author.UNKNOWN, help="who asked")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    figures: dict[str, Figures] = {}
    counts: dict[str, int] = {}
    for folder in asked.collections:
        dataset, name = read_dataset(folder), folder.resolve().name
        queries = dict(list(dataset.judged("test").items())[: asked.questions])
        figures[name], counts[name] = measured(dataset, queries), len(queries)
        print(json.dumps({name: figures[name]}), flush=True)
        if asked.json:
            write_json(asked.json, rows(figures, counts, asked.written_by))
    print(table(figures))


if __name__ == "__main__":
    main()
