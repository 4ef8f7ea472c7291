"""What each source of synthetic queries brings: one training without it, judged by questions that people asked.

Every labelled BEIR collection is trained on label-free, once with all sources, once without each, and once with the
headings as they are in place of what the English rules make of them (templates, questions, cleaned phrases). Its train
and dev questions judge; test questions are never read. As many pairs are drawn in each case. Rows are written as they
come, and a killed run goes on from there.

    python -m benchmarks.query_sources ../emanual ../cranfield --json sources.json
    python -m benchmarks.query_sources ../emanual --pairs 256 --questions 50      # minutes, to try it
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np

from domain_embeddings.commands.workspace import BASE_MODEL, section
from domain_embeddings.core.beir_files import read_dataset, write_json
from domain_embeddings.core.dataset import Dataset, Passage, Qrels
from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding.dev_set import Dev
from domain_embeddings.encoding.encoder import Model, encode, load
from domain_embeddings.encoding.roles import Role
from domain_embeddings.params.mine import MineParams
from domain_embeddings.params.synthesize import SourceWeights, SynthesizeParams
from domain_embeddings.params.train import TrainParams
from domain_embeddings.synthesis import queries as synthesis
from domain_embeddings.synthesis.candidates import Candidate, Candidates, candidates_of
from domain_embeddings.synthesis.keyphrases import Statistics
from domain_embeddings.synthesis.query_sources import Source
from domain_embeddings.training import fine_tuning
from domain_embeddings.training.inverse_cloze import positive_of
from domain_embeddings.training.losses import Example
from domain_embeddings.training.negatives import Miner

ALL, AS_THEY_ARE = "all sources", "headings as they are"
METRIC = "dev_ndcg@10"
SELDOM = 10**6
"""Steps between evaluations: more than there are, so that training is judged in the middle and at its end."""


class Case(NamedTuple):
    """What queries are made of."""

    weights: Mapping[str, float]
    """Of the sources that do not weigh 1."""
    candidates: Callable[[Passage, Statistics], Candidates]


def headings_as_they_are(passage: Passage, statistics: Statistics) -> Candidates:
    """A passage's candidates without any rule of English for headings: no templates, the last heading word for word."""
    heading = passage.title.split(" > ")[-1].strip()
    plain = (Candidate(heading, Source.HEADING, (heading.casefold(),)),) if heading else ()
    return {**candidates_of(passage, statistics), Source.TEMPLATE: (), Source.HEADING: plain}


def cases() -> dict[str, Case]:
    """Name → what is tried."""
    without = {f"without {source}": Case({str(source): 0.0}, candidates_of) for source in Source}
    return {ALL: Case({}, candidates_of), **without, AS_THEY_ARE: Case({"template": 0.0}, headings_as_they_are)}


def judges(dataset: Dataset, most: int, seed: int, pool: int) -> Dev:
    """Questions of the train and dev splits, drawn, with the passages that they are ranked against."""
    qrels: Qrels = {**dataset.qrels.get("train", {}), **dataset.qrels.get("dev", {})}
    asked = {**dataset.judged("train"), **dataset.judged("dev")}
    drawn = sorted(np.random.default_rng(seed).permutation(sorted(asked))[:most].tolist())
    return Dev.sample(dataset.corpus, {i: asked[i] for i in drawn}, {i: qrels[i] for i in drawn}, pool, seed)


def judged(
    dataset: Dataset,
    base: Model,
    vectors: Scores,
    dev: Dev,
    case: Case,
    pairs: int,
    states: Path,
) -> dict[str, float]:
    """Train on what the case's sources give; how many queries that was, and nDCG@10 of the base and of the mix kept."""
    params = section("synthesize", SynthesizeParams)
    params = params.model_copy(update={"sources": SourceWeights(**case.weights), "pairs_per_domain": 10**9})
    train, mine = section("train", TrainParams), section("mine", MineParams)
    with patch.object(synthesis, "candidates_of", case.candidates):
        found = synthesis.synthesize(dataset.corpus, params, {i: query.text for i, query in dev.queries.items()})
    order = np.random.default_rng(params.seed).permutation(len(found.queries))[:pairs]
    drawn = {found.queries[i].id: found.queries[i] for i in sorted(order.tolist())}
    asked = encode(base, [query.text for query in drawn.values()], Role.QUERY, exact=False)
    qrels = {i: found.qrels["train"][i] for i in drawn}
    examples = [
        Example(
            triplet.query,
            positive_of(dataset.corpus[triplet.positive], drawn[triplet.query_id], train.cloze, train.seed),
            tuple(dataset.corpus[i].content for i in triplet.negatives),
            whole=dataset.corpus[triplet.positive].content,
        )
        for triplet in Miner(dataset.corpus, vectors, mine).mine(list(drawn.values()), asked, qrels)
    ]
    train = train.model_copy(update={"interpolate": [train.interpolate_unlabelled], "eval_steps": SELDOM})
    with tempfile.TemporaryDirectory() as checkpoints:
        model = fine_tuning.load(BASE_MODEL)
        history = fine_tuning.fine_tune(model, examples, dev, train, train.seed, Path(checkpoints), states)
    return {"pairs": len(drawn), "base": history.dev[0][METRIC], "tuned": history.shares[0][METRIC]}


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: the gain over the base of each case and collection, and the mean's distance from all sources."""
    names = list(dict.fromkeys(row["collection"] for row in rows))
    gain = {(row["case"], row["collection"]): row["tuned"] - row["base"] for row in rows}
    lines = [f"| case | {' | '.join(names)} | mean | against all |", f"|---{'|---' * (len(names) + 2)}|"]
    for case in cases():
        if all((case, name) in gain and (ALL, name) in gain for name in names):
            found = [gain[case, name] for name in names]
            against = float(np.mean(found) - np.mean([gain[ALL, name] for name in names]))
            lines.append(
                f"| {case} | {' | '.join(f'{each:+.4f}' for each in found)} | {np.mean(found):+.4f} | {against:+.4f} |"
            )
    return "\n".join(lines)


def main() -> None:
    """Train, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+", type=Path, help="BEIR folders with train or dev questions")
    parser.add_argument("--pairs", type=int, default=2048, help="synthetic queries that are trained on, at most")
    parser.add_argument("--questions", type=int, default=300, help="that judge, at most")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows: list[dict[str, Any]] = json.loads(asked.json.read_text()) if asked.json and asked.json.exists() else []
    done = {(row["case"], row["collection"]) for row in rows}
    train = section("train", TrainParams)
    base = load(BASE_MODEL)
    for folder in asked.collections:
        missing = {name: case for name, case in cases().items() if (name, folder.name) not in done}
        if not missing:
            continue
        dataset = read_dataset(folder)
        dev = judges(dataset, asked.questions, train.seed, train.dev_pool)
        vectors = encode(
            base, [passage.content for passage in dataset.corpus.values()], Role.PASSAGE, progress=True, exact=False
        )
        with tempfile.TemporaryDirectory() as states:
            for name, case in missing.items():
                found = judged(dataset, base, vectors, dev, case, asked.pairs, Path(states))
                rows.append({"case": name, "collection": folder.name, "questions": len(dev.queries), **found})
                print(json.dumps(rows[-1]), flush=True)
                if asked.json:
                    write_json(asked.json, rows)
    print(table(rows))


if __name__ == "__main__":
    main()
