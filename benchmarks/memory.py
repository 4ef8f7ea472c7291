"""Peak memory of every stage, each in a process of its own as DVC runs it.

Runs the stages of the corpora of params.yaml in a copy of this working tree, or, with --passages, those from ingest to
report of a made collection of so many passages: words of the sample manuals, drawn anew, 30 a passage, and as many test
questions as --questions says. Prints each stage's seconds and the most memory it held at once.

    python -m benchmarks.memory --json memory.json
    python -m benchmarks.memory --passages 1000                        # two minutes, to try it
    python -m benchmarks.memory --passages 100000 --json memory.json   # an hour on two cores
"""

import argparse
import random
import tempfile
from pathlib import Path

from ruamel.yaml import YAML

from domain_embeddings.core.beir_files import write_dataset, write_json
from domain_embeddings.core.dataset import Dataset, Passage, Query
from scripts.pipeline_copy import ALL, TO_REPORT, Measured, copy_of, measured

SAMPLES, LARGE = 3.0, 8.0
"""GiB that training on a sample corpus, and any stage over 100,000 passages, may take."""
WORDS, ASKED = 30, 6
"""Words of a made passage, and of a question about it."""


def made(source: Path, passages: int, questions: int) -> Dataset:
    """A collection of made passages with test questions alone, each made of its passage's words."""
    draw = random.Random(42)
    words = sorted({word for file in source.rglob("*.md") for word in file.read_text(encoding="utf-8").split()})
    texts = [" ".join(draw.sample(words, WORDS)) + "." for _ in range(passages)]
    corpus = {f"p{i}": Passage(f"p{i}", "", text) for i, text in enumerate(texts)}
    asked = draw.sample(range(passages), questions)
    queries = {f"q{i}": Query(f"q{i}", " ".join(draw.sample(texts[i].split(), ASKED))) for i in asked}
    return Dataset(corpus, queries, {"test": {f"q{i}": {f"p{i}": 1} for i in asked}})


def limit_of(found: Measured, large: bool) -> float | None:
    """GiB that a run may take; None where nothing is promised."""
    if large:
        return LARGE
    return SAMPLES if found.stage == "train" else None


def main() -> None:
    """Copy, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, help="of a made collection, in place of the corpora of params.yaml")
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--stages", nargs="+", choices=ALL)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        params = copy_of(Path.cwd(), folder)
        if asked.passages:
            write_dataset(folder / "made", made(folder / "data/raw/manuals", asked.passages, asked.questions))
            params["corpora"] = {"made": {"kind": "beir", "path": "made"}}
            YAML().dump(params, folder / "params.yaml")
        stages = asked.stages or (TO_REPORT if asked.passages else ALL)
        for found in measured(folder, stages, list(params["corpora"])):
            print(f"{found.stage:11} {found.corpus:13} {found.seconds:7.1f} s {found.peak:6.2f} GiB", flush=True)
            limit = limit_of(found, bool(asked.passages))
            bounds = {"peer": limit, "ratio": limit / found.peak} if limit else {"peer": None, "ratio": None}
            name = f"peak memory, {found.stage}@{found.corpus}"
            rows.append({"name": name, "unit": "GiB", "ours": found.peak, **bounds, "seconds": found.seconds})
    if asked.json:
        write_json(asked.json, rows)


if __name__ == "__main__":
    main()
