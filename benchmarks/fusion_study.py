"""Where the default weights of the fusion come from: late interaction, single vectors and BM25 in every mix of tenths.

Each mix is tried twice: as it is, and with BM25's weight multiplied by the question's squared coverage.

The untouched base model, judged by train and dev questions of labelled BEIR folders; test questions choose nothing. As
in search, the first 100 of the reciprocal rank fusion of dense and BM25 are the candidates for every mix in which late
interaction counts, and for late interaction alone. Shortfall is what a mix loses in nDCG@10 against the best of the
three alone and of that fusion. Of the mixes whose worst shortfall is within the tolerance (where none is: of those with
the least) the one with the best mean nDCG@10 is chosen; of equals the one nearest to equal weights.

Reads models/base (`dvc repro base_model`). What is encoded is kept in --cache, so that a killed run goes on.

    python -m benchmarks.fusion_study ../emanual ../cranfield ../epqa --json fusion.json
    python -m benchmarks.fusion_study ../emanual --questions 30 --passages 200    # seconds, to try it
"""

import argparse
import functools
import hashlib
import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain_embeddings.commands.workspace import BASE_MODEL, load_params
from domain_embeddings.core.beir_files import read_dataset, write_json
from domain_embeddings.core.dataset import Dataset, Qrels, Query, Run
from domain_embeddings.core.errors import TOLD, UserError, give_up
from domain_embeddings.core.lexical import BM25, words
from domain_embeddings.core.metrics import METRICS
from domain_embeddings.core.ranking import Scores, fuse, fuse_scores, rank
from domain_embeddings.encoding import late
from domain_embeddings.encoding.dev_set import Dev
from domain_embeddings.encoding.encoder import Model, load
from domain_embeddings.encoding.encoder_config import EncoderConfig
from domain_embeddings.systems.coverage import coverage, leaders

DEPTH, RRF_K, LOOKALIKES = 100, 60, 20
MEASURES = ("ndcg@10", "recall@5")
"""The first one chooses."""
TENTHS = 10
"""Weights are tried in steps of a tenth; they sum to 1."""

Floats = NDArray[np.float64]

PARTS = ("late", "dense", "bm25")
WEIGHTS: Floats = np.array([row for row in product(range(TENTHS, -1, -1), repeat=3) if sum(row) == TENTHS]) / TENTHS
"""(weights, parts). A mix is a row of it; from `len(WEIGHTS)` on the same rows once more, by coverage."""
ALONE = {part: int(np.argmax(WEIGHTS[:, i])) for i, part in enumerate(PARTS)}
"""The mix that is one part alone."""
WITH_LATE = int(np.sum(WEIGHTS[:, 0] > 0))
"""So many of the weights, the first ones, have late interaction; dense alone is the next, BM25 alone the last."""
UNEVEN: Floats = np.tile(np.sum(WEIGHTS**2, axis=1).round(9), 2)
"""Of each mix: least for equal weights, and more the farther from them."""


class PartScores(NamedTuple):
    """What each part says, (questions, passages)."""

    late: Scores
    dense: Scores
    bm25: Scores


@dataclass(frozen=True)
class Measured:
    """Means over a collection's questions, a column for each of `MEASURES`."""

    name: str
    mixes: Floats
    """(mixes, measures)."""
    hybrid: Floats
    """(measures,), of the reciprocal rank fusion of dense and BM25."""

    @property
    def ndcg(self) -> Floats:
        """Of each mix."""
        return self.mixes[:, 0]

    @property
    def shortfalls(self) -> Floats:
        """What each mix loses in nDCG@10 against the best part alone or the hybrid; below 0 where it gains."""
        return np.asarray(max(float(self.hybrid[0]), *(self.ndcg[mix] for mix in ALONE.values())) - self.ndcg)


def read(folders: Sequence[Path]) -> dict[str, Dataset]:
    """The collections by their folders' names; those without a question to judge by are named and left out.

    A UserError where a folder cannot be used, a name comes twice, or nothing is left.
    """
    named = {folder.resolve().name: folder for folder in folders}
    if len(named) < len(folders):
        raise UserError("two of the folders have the same name, by which collections are told apart")
    found = {name: read_dataset(folder) for name, folder in named.items()}
    for name in found:
        if not questions_of(found[name]):
            print(f"{name}: left out, no train or dev question with a relevant passage")
    kept = {name: dataset for name, dataset in found.items() if questions_of(dataset)}
    if not kept:
        raise UserError("no folder has a train or dev question with a relevant passage")
    return kept


def questions_of(dataset: Dataset) -> dict[str, Query]:
    """Train and dev questions; test questions choose nothing."""
    return {**dataset.judged("train"), **dataset.judged("dev")}


def sampled(dataset: Dataset, questions: int, passages: int, seed: int) -> Dev:
    """At most so many questions, and so many passages: more only where more are judged."""
    asked = questions_of(dataset)
    drawn = sorted(random.Random(seed).sample(sorted(asked), min(questions, len(asked))))
    every: Qrels = {**dataset.qrels.get("train", {}), **dataset.qrels.get("dev", {})}
    qrels = {i: every[i] for i in drawn}
    judged = {passage for grades in qrels.values() for passage in grades}
    lookalikes = min(LOOKALIKES, max(0, passages - len(judged)) // len(drawn))
    return Dev.sample(dataset.corpus, {i: asked[i] for i in drawn}, qrels, passages, seed, lookalikes)


def part_scores(dev: Dev, stem: str, cache: Path, weights: str, base: Callable[[], Model]) -> PartScores:
    """Encode, or read what was encoded of these very texts with these `weights` (their SHA-256); BM25 is quick."""
    passages, questions = list(dev.passages.values()), [query.text for query in dev.queries.values()]
    content = json.dumps([weights, EncoderConfig.of(BASE_MODEL).max_seq_length, passages, questions]).encode()
    path = cache / f"{stem}-{hashlib.sha256(content).hexdigest()[:16]}.npz"
    if not path.is_file():
        found = late.score(base(), passages, questions)
        unfinished = path.with_suffix(".part.npz")
        np.savez(unfinished, late=found.late, dense=found.questions @ found.passages.T)
        unfinished.replace(path)
    with np.load(path) as encoded:
        return PartScores(encoded["late"], encoded["dense"], BM25(passages).scores(questions))


def rankings(dev: Dev, scores: PartScores) -> dict[str, Run]:
    """A run of each part and of "hybrid", whose passages are the candidates that late interaction ranks."""
    questions, passages = list(dev.queries), list(dev.passages)
    dense, bm25 = (rank(questions, passages, each.__getitem__, DEPTH) for each in (scores.dense, scores.bm25))
    hybrid = fuse([dense, bm25], RRF_K, DEPTH)
    nearest: Run = {}
    for question, row in zip(questions, scores.late, strict=True):
        score = dict(zip(passages, row.tolist(), strict=True))
        nearest[question] = {i: score[i] for i in sorted(hybrid[question], key=score.__getitem__, reverse=True)}
    return {"late": nearest, "dense": dense, "bm25": bm25, "hybrid": hybrid}


def covered(dev: Dev, bm25: Run) -> dict[str, float]:
    """Question → its coverage."""
    texts = dict(zip(dev.passages, map(frozenset, words(list(dev.passages.values()))), strict=True))
    asked = words([query.text for query in dev.queries.values()])
    return {
        question: coverage(stems, [texts[passage] for passage in leaders(bm25[question])])
        for question, stems in zip(dev.queries, asked, strict=True)
    }


def by_coverage(shares: Sequence[Mapping[str, float]], share: float) -> list[Mapping[str, float]]:
    """One question's rankings, BM25's, the last, less by its squared coverage."""
    *others, bm25 = shares
    return [*others, {passage: score * share**2 for passage, score in bm25.items()}]


def tops(shares: Sequence[Mapping[str, float]]) -> list[list[str]]:
    """The first ten passages of each of `WEIGHTS`, as `fuse_scores` and search's second stage order them.

    `shares` are one question's rankings by each of `PARTS`, best first, scores brought to 0..1.
    """
    candidates, dense, bm25 = map(list, shares)
    both = _tops(list(dict.fromkeys(dense + bm25)), shares[1:], WEIGHTS[WITH_LATE + 1 : -1, 1:])
    return [*_tops(candidates, shares, WEIGHTS[:WITH_LATE]), dense[:10], *both, bm25[:10]]


def _tops(ids: Sequence[str], shares: Sequence[Mapping[str, float]], weights: Floats) -> list[list[str]]:
    """The first ten of `ids` by weighted sum; ties keep the order of `ids`.

    Added part by part, as `fuse_scores` adds, and not as a matrix product: so equal sums are equal to the last bit.
    """
    scores = np.zeros((len(weights), len(ids)))
    for share, weight in zip(shares, weights.T, strict=True):
        scores += np.outer(weight, [share.get(i, 0.0) for i in ids])
    best = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    return [[ids[i] for i in row] for row in best]


def measure(name: str, dev: Dev, scores: PartScores) -> Measured:
    """Every mix, and the hybrid, on the questions."""
    runs = rankings(dev, scores)
    shares = [fuse_scores([runs[part]], [1.0], DEPTH) for part in PARTS]
    coverages = covered(dev, runs["bm25"])
    values = []
    for question, grades in dev.qrels.items():
        own = [share[question] for share in shares]
        found = [*tops(own), *tops(by_coverage(own, coverages[question])), list(runs["hybrid"][question])]
        values.append([[METRICS[each](ranking, grades) for each in MEASURES] for ranking in found])
    means = np.mean(values, axis=0)
    return Measured(name, means[:-1], means[-1])


def choose(collections: Sequence[Measured], tolerance: float) -> int:
    """The mix that the rule picks; with an endless tolerance, the best mean."""
    worst = np.max([one.shortfalls for one in collections], axis=0).round(9)
    mean = np.mean([one.ndcg for one in collections], axis=0).round(9)
    allowed = np.flatnonzero(worst <= max(tolerance, worst.min()))
    return int(min(allowed, key=lambda mix: (-mean[mix], UNEVEN[mix])))


def left_out(collections: Sequence[Measured], tolerance: float) -> list[int]:
    """For each collection the mix that the others choose; none where there are no others."""
    others = [[one for one in collections if one is not left] for left in collections]
    return [choose(those, tolerance) for those in others if those]


def told(mix: int) -> str:
    """Weights in words."""
    weights = ", ".join(f"{part} {weight:.1f}" for part, weight in zip(PARTS, WEIGHTS[mix % len(WEIGHTS)], strict=True))
    return f"{weights} by coverage" if mix >= len(WEIGHTS) else weights


def columns(one: Measured, chosen: int) -> dict[str, Floats]:
    """Column of the tables → figures, one for each of `MEASURES`."""
    alone = {part: one.mixes[ALONE[part]] for part in ("dense", "bm25", "late")}
    own = one.mixes[choose([one], np.inf)]
    return {**alone, "hybrid": one.hybrid, "chosen on all": one.mixes[chosen], "best of its own": own}


def table(collections: Sequence[Measured], chosen: int, column: int) -> str:
    """Markdown: a row for each collection and their mean; the last column says which mix is best by nDCG@10."""
    figures = [{name: its[column] for name, its in columns(one, chosen).items()} for one in collections]
    rows = [
        f"| {one.name} | {_cells(its.values())} | {told(choose([one], np.inf))} |"
        for one, its in zip(collections, figures, strict=True)
    ]
    means = _cells(np.mean([list(its.values()) for its in figures], axis=0))
    head = f"| {MEASURES[column]} | {' | '.join(figures[0])} | its weights |"
    return "\n".join([head, "|---" * (len(figures[0]) + 2) + "|", *rows, f"| mean | {means} | |"])


def _cells(values: Iterable[float]) -> str:
    return " | ".join(f"{value:.3f}" for value in values)


def left_out_table(collections: Sequence[Measured], mixes: Sequence[int]) -> str:
    """Markdown: what the weights that the others chose do on each collection."""
    lines = ["| left out | weights of the others | ndcg@10 | shortfall |", "|---|---|---|---|"]
    for one, mix in zip(collections, mixes, strict=True):
        lines.append(f"| {one.name} | {told(mix)} | {one.ndcg[mix]:.3f} | {one.shortfalls[mix]:+.3f} |")
    return "\n".join(lines)


def gains(collections: Sequence[Measured], chosen: int, mixes: Sequence[int]) -> str:
    """How much better than dense the columns of the tables are, and what the others chose: mean ratio, less 1."""
    figures = [{name: its[0] for name, its in columns(one, chosen).items()} for one in collections]
    for its, one, mix in zip(figures, collections, mixes, strict=False):
        its["chosen on the others"] = one.ndcg[mix]
    ratios = {name: np.mean([its[name] / its["dense"] - 1 for its in figures if its["dense"]]) for name in figures[0]}
    return "mean gain over dense: " + ", ".join(f"{name} {gain:+.1%}" for name, gain in ratios.items())


def outcome(collections: Sequence[Measured], chosen: int, mixes: Sequence[int]) -> str:
    """One line: the weights, and their mean nDCG@10 and worst shortfall, chosen on all and on the others."""
    parts = [told(chosen)]
    for name, those in {"on all": [chosen] * len(collections), "on the others": mixes}.items():
        pairs = list(zip(collections, those, strict=False))
        if pairs:
            mean, worst = np.mean([one.ndcg[i] for one, i in pairs]), max(one.shortfalls[i] for one, i in pairs)
            parts.append(f"chosen {name}: mean ndcg@10 {mean:.4f}, worst shortfall {worst:+.4f}")
    return "; ".join(parts)


def rows(collections: Sequence[Measured], chosen: int, mixes: Sequence[int]) -> list[dict[str, Any]]:
    """Lines of the JSON file: the weights chosen on all, and those chosen on the others, beside dense alone."""
    figures = [(one, chosen, "all") for one in collections]
    figures += [(one, mix, "the others") for one, mix in zip(collections, mixes, strict=False)]
    found: list[dict[str, Any]] = []
    for one, mix, on in figures:
        ours, peer = float(one.ndcg[mix]), float(one.ndcg[ALONE["dense"]])
        values = {"ours": round(ours, 4), "peer": round(peer, 4), "ratio": round(ours / peer, 4) if peer else None}
        name = f"{one.name}: fusion, weights chosen on {on} ({told(mix)}); peer: dense"
        found.append({"name": name, "unit": MEASURES[0], **values})
    return found


def report(collections: Sequence[Measured], tolerance: float) -> list[dict[str, Any]]:
    """Print what was found; the lines of the JSON file."""
    chosen, mixes = choose(collections, tolerance), left_out(collections, tolerance)
    for column in range(len(MEASURES)):
        print(f"\n{table(collections, chosen, column)}")
    if mixes:
        print(f"\n{left_out_table(collections, mixes)}")
    print(f"\nchosen, worst shortfall at most {tolerance}: {outcome(collections, chosen, mixes)}")
    print(f"by the mean alone: {outcome(collections, choose(collections, np.inf), left_out(collections, np.inf))}")
    print(gains(collections, chosen, mixes))
    return rows(collections, chosen, mixes)


def main() -> None:
    """Check, encode, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+", type=Path, help="BEIR folders with train or dev questions")
    parser.add_argument("--questions", type=int, default=300, help="of a collection, at most")
    parser.add_argument("--passages", type=int, default=3000, help="of a collection, at most; all judged ones are kept")
    parser.add_argument("--tolerance", type=float, default=0.02, help="worst shortfall in nDCG@10 that is borne")
    parser.add_argument("--cache", type=Path, default=Path("data/fusion_study"), help="where scores are kept; delete "
                        "it when the code that encodes or scores has changed")  # fmt: skip
    parser.add_argument("--json", type=Path, help="where to write the figures")
    asked = parser.parse_args()
    try:
        if min(asked.questions, asked.passages) < 1 or not asked.tolerance >= 0:
            raise UserError("--questions and --passages must be at least 1, --tolerance at least 0")
        weights = hashlib.sha256((BASE_MODEL / "model.safetensors").read_bytes()).hexdigest()
        seed, base = int(load_params()["seed"]), functools.cache(lambda: load(BASE_MODEL))
        datasets = read(asked.collections)
        asked.cache.mkdir(parents=True, exist_ok=True)
    except TOLD as error:
        give_up(error)
    collections = []
    for name, dataset in datasets.items():
        dev = sampled(dataset, asked.questions, asked.passages, seed)
        print(f"{name}: {len(dev.queries)} questions, {len(dev.passages)} passages", flush=True)
        collections.append(measure(name, dev, part_scores(dev, name, asked.cache, weights, base)))
    figures = report(collections, asked.tolerance)
    if asked.json:
        write_json(asked.json, figures)


if __name__ == "__main__":
    main()
