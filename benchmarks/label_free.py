"""What training without a label brings to search, judged by questions that people asked.

Each labelled BEIR folder goes label-free through the stages up to `train`, with the params as they are, in a temporary
copy. Then its train and dev questions, of which the stages saw none, judge every system of the base and of the tuned
model: by people's judgements, and by silver labels, as if the questions came from a log. Test questions are never read.
Rows are written as they come, and a killed run goes on from there.

    python -m benchmarks.label_free ../emanual ../cranfield --json label_free.json
    python -m benchmarks.label_free ../emanual --questions 50     # some ten minutes on two cores
"""

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from benchmarks.query_sources import judges
from domain_embeddings.commands.workspace import BASE_MODEL, PARAMS, load_params, section, tuned_model
from domain_embeddings.core.beir_files import read_dataset, write_json
from domain_embeddings.core.dataset import Dataset
from domain_embeddings.core.errors import TOLD, UserError, give_up
from domain_embeddings.core.metrics import score
from domain_embeddings.encoding.dev_set import Dev
from domain_embeddings.evaluation.arms import rankings, with_late
from domain_embeddings.evaluation.silver_labels import silver_qrels
from domain_embeddings.params.search import SearchParams
from domain_embeddings.systems.system import ALIASES, aliases_of, family
from scripts.pipeline_copy import copy_of, measured
from scripts.sealed import Collection, label_free

METRIC = "ndcg@10"
STAGES = ("ingest", "synthesize", "mine", "train")
PAIRS = (
    ("tuned", "base"),
    ("late_tuned", "late_base"),
    ("late_hybrid", "late_hybrid_base"),
    ("late_hybrid_aliases", "late_hybrid_base_aliases"),
)
"""Systems that differ in the model alone."""


def train(folder: Path, copy: Path) -> Path:
    """Run the stages up to `train`, label-free, in `copy`; where the tuned model is."""
    collection = Collection(folder.resolve().name, folder.resolve(), "")
    YAML().dump(label_free(copy_of(Path.cwd(), copy), collection), copy / PARAMS)
    for found in measured(copy, STAGES, [collection.name]):
        print(f"{found.stage:11} {found.seconds:7.1f} s", flush=True)
    return copy / tuned_model(collection.name)


def judged(dataset: Dataset, dev: Dev, tuned: Path) -> dict[str, dict[str, list[float]]]:
    """By whom → system → nDCG@10 of each question."""
    params = section("search", SearchParams)
    corpus = {passage_id: dataset.corpus[passage_id] for passage_id in dev.passages}
    models = {name: with_late(folder, params.late) for name, folder in (("base", BASE_MODEL), ("tuned", tuned))}
    systems = family(any(map(aliases_of, corpus.values())), params)
    runs = rankings(corpus, dev.queries, models, systems, params.depth).runs
    silver = silver_qrels(runs, ALIASES if any(system.aliases for system in systems) else "")
    return {
        who: {name: [score(list(run[i]), qrels[i])[METRIC] for i in qrels] for name, run in runs.items()}
        for who, qrels in (("people", dev.qrels), ("silver", silver))
    }


def gain(row: Mapping[str, Any], who: str, pair: tuple[str, str]) -> tuple[float, float]:
    """What the tuned model adds to a system in a row's judgement, and twice its standard error."""
    tuned, base = (np.array(row[who][name]) for name in pair)
    return float((tuned - base).mean()), 2 * float((tuned - base).std(ddof=1)) / len(base) ** 0.5


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: for each collection and pair, the base's nDCG@10 and what training adds, by people and by silver."""
    lines = [f"| collection | n | {' | '.join(tuned for tuned, _ in PAIRS)} |", f"|---|---|{'---|' * len(PAIRS)}"]
    for row in rows:
        cells = []
        for pair in PAIRS:
            if pair[0] in row["people"]:
                people, silver = gain(row, "people", pair), gain(row, "silver", pair)
                base = np.mean(row["people"][pair[1]])
                cells.append(
                    f"{base:.3f} {people[0]:+.3f} ± {people[1]:.3f}; silver {silver[0]:+.3f} ± {silver[1]:.3f}"
                )
            else:
                cells.append("")
        lines.append(f"| {row['collection']} | {row['questions']} | {' | '.join(cells)} |")
    means = [[gain(row, "people", pair)[0] for row in rows if pair[0] in row["people"]] for pair in PAIRS]
    said = [f"{np.mean(found):+.4f}, worst {min(found):+.3f}" if found else "" for found in means]
    return "\n".join([*lines, f"| mean gain | | {' | '.join(said)} |"])


def figures(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """As all benchmarks write them; `row` is what a killed run goes on with."""
    found = []
    for row in rows:
        for tuned, base in (pair for pair in PAIRS if pair[0] in row["people"]):
            ours, peer = (float(np.mean(row["people"][name])) for name in (tuned, base))
            values = {"ours": round(ours, 4), "peer": round(peer, 4), "ratio": round(ours / peer, 4)}
            found.append({"name": f"{row['collection']}: {tuned}; peer: {base}", "unit": METRIC, **values, "row": row})
    return found


def main() -> None:
    """Train, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+", type=Path, help="BEIR folders with train or dev questions")
    parser.add_argument("--questions", type=int, default=300, help="that judge, at most")
    parser.add_argument("--passages", type=int, default=3000, help="that are ranked, at most; all judged ones are")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    known = json.loads(asked.json.read_text("utf-8")) if asked.json and asked.json.exists() else []
    rows = list({each["row"]["collection"]: each["row"] for each in known}.values())
    seed = int(load_params()["seed"])
    for folder in asked.collections:
        name = folder.resolve().name
        if any(row["collection"] == name for row in rows):
            continue
        try:
            dataset = read_dataset(folder)
            dev = judges(dataset, asked.questions, seed, asked.passages)
            if not dev.queries:
                raise UserError(f"{name}: no train or dev question with a relevant passage")
        except TOLD as error:
            give_up(error)
        with tempfile.TemporaryDirectory() as copy:
            found = judged(dataset, dev, train(folder, Path(copy)))
        rows.append({"collection": name, "questions": len(dev.queries), **found})
        print(table(rows[-1:]), flush=True)
        if asked.json:
            write_json(asked.json, figures(rows))
    print(table(rows))


if __name__ == "__main__":
    main()
