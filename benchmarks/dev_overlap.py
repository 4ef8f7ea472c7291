"""How much of their answers' words dev questions have: people's, and the synthetic ones that stand in for them.

For BEIR folders: the mean share of a question's words, and of those without stopwords, whose stems stand in the
relevant passage that has most of them; the longest run of its words that stands there in the same order, mean and
95th percentile; nDCG@10 of BM25 over all passages. People's questions are those of train and dev, test questions are
never asked; synthetic ones are made from the passages alone. No model is needed.

    python -m benchmarks.dev_overlap ../emanual ../cranfield --json overlap.json
    python -m benchmarks.dev_overlap ../emanual --show 20    # and so many of the synthetic questions, to read them
"""

import argparse
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from domain_embeddings.commands.workspace import load_params
from domain_embeddings.core.beir_files import read_dataset, write_json
from domain_embeddings.core.dataset import Dataset, Qrels, Query
from domain_embeddings.core.lexical import BM25
from domain_embeddings.core.metrics import ndcg
from domain_embeddings.core.ranking import rank
from domain_embeddings.core.text import content_words, stems, words
from domain_embeddings.params.synthesize import SynthesizeParams
from domain_embeddings.synthesis.synthetic_dev import synthetic_dev

DEPTH = 10


class Overlap(NamedTuple):
    """Of one question with its answer."""

    words: float
    """Share of all its words."""
    content: float
    """Share of its distinct stems without stopwords."""
    run: int
    """Words of the longest phrase of the answer that it repeats."""


class Figures(NamedTuple):
    """Of a collection's questions."""

    questions: int
    words: float
    content: float
    run: float
    long_run: float
    bm25: float


UNITS = ("questions", "share", "share", "words", "words, 95th percentile", "ndcg@10")


def overlap(question: str, passage: str) -> Overlap:
    """How much of a question stands in a passage, word by stem."""
    asked, told = stems(words(question)), stems(words(passage))
    known, content = set(told), content_words(question)
    return Overlap(
        float(np.mean([stem in known for stem in asked])),
        float(np.mean([stem in known for stem in content])),
        _longest_run(asked, told),
    )


def _longest_run(asked: Sequence[str], told: Sequence[str]) -> int:
    """The length of the longest sequence that stands in both without a gap."""
    longest, before = 0, [0] * (len(told) + 1)
    for word in asked:
        row = [0, *(before[i] + 1 if word == other else 0 for i, other in enumerate(told))]
        longest, before = max(longest, *row), row
    return longest


def measured(dataset: Dataset, queries: Mapping[str, Query], qrels: Qrels, bm25: BM25) -> Figures:
    """The figures of questions, each beside the relevant passage that has most of its words."""
    found = [
        max(overlap(query.text, dataset.corpus[i].content) for i, grade in qrels[query_id].items() if grade > 0)
        for query_id, query in queries.items()
    ]
    asked = [query.text for query in queries.values()]
    run = rank(list(queries), list(dataset.corpus), lambda rows: bm25.scores(asked[rows]), DEPTH)
    shares, contents, runs = (np.array(column, dtype=np.float64) for column in zip(*found, strict=True))
    gained = [ndcg(list(run[query_id]), qrels[query_id], DEPTH) for query_id in queries]
    means = (shares.mean(), contents.mean(), runs.mean(), np.percentile(runs, 95), np.mean(gained))
    return Figures(len(queries), *(round(float(mean), 3) for mean in means))


def peoples(dataset: Dataset) -> tuple[dict[str, Query], Qrels]:
    """The labelled questions of train and dev with their judgements."""
    queries = {**dataset.judged("train"), **dataset.judged("dev")}
    return queries, {**dataset.qrels.get("train", {}), **dataset.qrels.get("dev", {})}


def synthetic(dataset: Dataset) -> tuple[dict[str, Query], Qrels]:
    """What `synthesize` makes where nobody has labelled dev questions."""
    seed, share = load_params()["seed"], SynthesizeParams.model_fields["dev_passages"].default
    made = synthetic_dev(dataset.corpus, share, {}, seed)
    return made.queries, made.qrels


def rows(name: str, ours: Figures, peer: Figures | None) -> list[dict[str, Any]]:
    """As all benchmarks write them."""
    return [
        {
            "name": f"{name}: {figure}, synthetic dev questions; peer: people's train and dev questions",
            "unit": unit,
            "ours": own,
            "peer": other,
            "ratio": round(own / other, 3) if other else None,
        }
        for figure, unit, own, other in zip(Figures._fields, UNITS, ours, peer or [None] * len(ours), strict=True)
    ]


def line(name: str, ours: Figures, peer: Figures | None) -> str:
    """A row of the table: people's figure / the synthetic questions' figure."""
    cells = [f"{'' if other is None else other} / {own}" for own, other in zip(ours, peer or [None] * 6, strict=True)]
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+", type=Path, help="BEIR folders")
    parser.add_argument("--show", type=int, default=0, help="synthetic questions to print of each")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    print(f"| people's / synthetic | {' | '.join(Figures._fields)} |", "|---" * 7 + "|", sep="\n")
    told: list[dict[str, Any]] = []
    for folder in asked.collections:
        dataset = read_dataset(folder)
        bm25 = BM25([passage.content for passage in dataset.corpus.values()])
        made, by_people = synthetic(dataset), peoples(dataset)
        ours = measured(dataset, *made, bm25)
        peer = measured(dataset, *by_people, bm25) if by_people[0] else None
        print(line(folder.name, ours, peer), flush=True)
        texts = [query.text for query in made[0].values()]
        for text in random.Random(0).sample(texts, min(asked.show, len(texts))):
            print(f"    {text}")
        told += rows(folder.name, ours, peer)
    if asked.json:
        write_json(asked.json, told)


if __name__ == "__main__":
    main()
