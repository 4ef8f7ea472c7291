"""What late interaction gains and costs: nDCG@10 and bytes a passage at each compression of its token vectors, beside
one vector a text, BM25 and their fusion; then the time of a search in two stages (`benchmarks.late_speed`).

    python -m benchmarks.late_interaction --also emanual=../emanual --also cranfield=../cranfield --json FILE

Judged by train and dev questions alone, for what is found here chooses the defaults. Reads data/ingest/ and
models/ (`dvc repro`), encodes each collection once with the base model, and takes some two minutes for each 1,000
passages (--corpora without names leaves out those of data/ingest), and some four for the times (--sizes without numbers
leaves them out).
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.late_speed import LATE, Row, measure
from benchmarks.search import SIZES
from domain_embeddings.core import metrics
from domain_embeddings.core.beir_files import read_dataset, write_json
from domain_embeddings.core.dataset import Qrels, Run
from domain_embeddings.core.lexical import BM25
from domain_embeddings.core.ranking import Scores, fuse, rank
from domain_embeddings.encoding import late
from domain_embeddings.encoding.encoder import Model, load
from domain_embeddings.encoding.late import Tokens
from domain_embeddings.encoding.roles import Role
from domain_embeddings.encoding.token_codec import Bits, TokenCodec

MODEL, LENGTH, DEPTH, RRF_K = Path("models/base"), 256, 100, 60
WORDS = 120
"""Of the passage that bytes are told for."""
EXPANDED = 32
"""Tokens of a question that is filled up with [MASK], as ColBERT does."""
SAMPLE = 20_000
"""Token vectors that a projection or a codec is fitted on."""


@dataclass(frozen=True)
class Collection:
    """A collection, its train and dev questions, and what the base model makes of them."""

    passages: dict[str, str]
    questions: dict[str, str]
    qrels: Qrels
    dense: Scores
    """(questions, passages)."""
    asked: Tokens
    expanded: Tokens
    """The questions with [MASK]."""
    told: list[Scores]
    """Each passage's token vectors (tokens, 384)."""
    silent: list[list[bool]]
    """Which of these are stopwords or punctuation."""

    @property
    def words(self) -> int:
        """Of all passages that are not cut."""
        whole = zip(self.passages.values(), self.told, strict=True)
        return sum(len(text.split()) for text, tokens in whole if len(tokens) < LENGTH)

    def vectors_of(self, count: Callable[[Scores], int]) -> float:
        """How many vectors a passage of 120 words has, where one of given tokens has `count`."""
        return WORDS * sum(count(tokens) for tokens in self.told if len(tokens) < LENGTH) / self.words


def encoded(model: Model, folder: Path) -> Collection:
    """Read and encode a BEIR folder; its test questions are left alone."""
    dataset = read_dataset(folder)
    questions = {i: query.text for split in ("train", "dev") for i, query in dataset.judged(split).items()}
    qrels = {i: dataset.qrels[split][i] for split in ("train", "dev") for i in dataset.judged(split)}
    passages = {passage.id: passage.content for passage in dataset.corpus.values()}
    single, tokens = late.encode(model, list(passages.values()), Role.PASSAGE, torch.float32)
    asked_single, asked = late.encode(model, list(questions.values()), Role.QUERY, torch.float32)
    ids = model.ids(list(questions.values()), Role.QUERY)
    filled = [text + " [MASK]" * max(0, EXPANDED - len(its)) for text, its in zip(questions.values(), ids, strict=True)]
    expanded = late.encode(model, filled, Role.QUERY, torch.float32)[1]
    told = [part.numpy() for part in torch.split(tokens.vectors, list(tokens.lengths))]
    silent = [_silent(model, text) for text in passages.values()]
    return Collection(passages, questions, qrels, asked_single @ single.T, asked, expanded, told, silent)


def _silent(model: Model, text: str) -> list[bool]:
    return [not late.tells(token) for token in model.tokenizer.encode(text).tokens]


def ndcg(collection: Collection, run: Run) -> float:
    """Mean nDCG@10."""
    return float(np.mean([metrics.ndcg(list(run[i]), grades, 10) for i, grades in collection.qrels.items()]))


def ranked(collection: Collection, scores: Scores) -> Run:
    """Scores (questions, passages) as rankings."""
    return rank(list(collection.questions), list(collection.passages), scores.__getitem__, DEPTH)


def late_ndcg(collection: Collection, told: Sequence[Scores], asked: Tokens | None = None) -> float:
    """With these vectors in the place of the passages' tokens."""
    return ndcg(collection, ranked(collection, late_scores(collection, told, asked)))


def late_scores(collection: Collection, told: Sequence[Scores], asked: Tokens | None = None) -> Scores:
    """(questions, passages)."""
    joined = Tokens(torch.from_numpy(np.concatenate(told)), [len(vectors) for vectors in told])
    return late.scores(asked or collection.asked, joined)


def second_stage_ndcg(collection: Collection, told: Sequence[Scores]) -> float:
    """Of the hybrid's first hundred alone, in the order of late interaction: what search gives."""
    scores, column = late_scores(collection, told), {each: i for i, each in enumerate(collection.passages)}
    found = {
        i: sorted(run, key=lambda passage: -scores[row, column[passage]])
        for row, (i, run) in enumerate(arms(collection)["hybrid"].items())
    }
    return ndcg(collection, {i: dict.fromkeys(run, 0.0) for i, run in found.items()})


def sampled(collection: Collection) -> Scores:
    """Token vectors, evenly spread over the passages."""
    every = np.concatenate(collection.told)
    return every[:: -(-len(every) // SAMPLE)]


def projected(collection: Collection, dimensions: int) -> tuple[list[Scores], Tokens]:
    """Passages and questions in the directions in which token vectors are longest (PCA without centring)."""
    sample = sampled(collection)
    basis = np.ascontiguousarray(np.linalg.eigh(sample.T @ sample)[1][:, -dimensions:])
    told = [_unit(tokens @ basis) for tokens in collection.told]
    asked = Tokens(collection.asked.vectors @ torch.from_numpy(basis), collection.asked.lengths)
    return told, asked


def _unit(vectors: Scores) -> Scores:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def spoken(collection: Collection) -> list[Scores]:
    """Token vectors without stopwords and punctuation."""
    return [tokens[~np.array(silent)] for tokens, silent in zip(collection.told, collection.silent, strict=True)]


def coded(collection: Collection, told: Sequence[Scores], bits: Bits, factor: int) -> list[Scores]:
    """What the codec makes of token vectors, read back."""
    codec = TokenCodec.fitted(sampled(collection), 384, bits, factor)
    return [codec.vectors(codec.pooled(tokens).codes) for tokens in told]


def arms(collection: Collection) -> dict[str, Run]:
    """The arms that late interaction stands beside."""
    bm25 = ranked(collection, BM25(list(collection.passages.values())).scores(list(collection.questions.values())))
    dense = ranked(collection, collection.dense)
    return {"BM25": bm25, "dense": dense, "hybrid": fuse([dense, bm25], RRF_K, DEPTH)}


CODED: dict[str, tuple[bool, Bits, int]] = {
    "4 bits": (False, 4, 1),
    "2 bits": (False, 2, 1),
    "1 bit": (False, 1, 1),
    "pooled by 2, 1 bit": (False, 1, 2),
    "pooled by 3, 1 bit": (False, 1, 3),
    "pooled by 3, 2 bits": (False, 2, 3),
    "pooled by 4, 2 bits": (False, 2, 4),
    "pooled by 5, 2 bits": (False, 2, 5),
    "no stopwords, pooled by 2, 1 bit": (True, 1, 2),
    "no stopwords, pooled by 2, 2 bits": (True, 2, 2),
    "no stopwords, pooled by 3, 2 bits": (True, 2, 3),
}
"""Whether stopwords and punctuation of a passage are left out, bits of a number, tokens of a vector."""


def compressed(collection: Collection) -> dict[str, tuple[float, float]]:
    """nDCG@10 and bytes of a passage of 120 words at each compression."""
    said, whole = spoken(collection), late_ndcg(collection, collection.told)
    size = collection.vectors_of(len)
    said_size = size * sum(map(len, said)) / sum(map(len, collection.told))
    found = {
        "all tokens, bfloat16": (whole, 768 * size),
        "the same, questions with [MASK]": (late_ndcg(collection, collection.told, collection.expanded), 768 * size),
        "no stopwords, bfloat16": (late_ndcg(collection, said), 768 * said_size),
    }
    for dimensions in (128, 64):
        found[f"{dimensions} dimensions, bfloat16"] = (
            late_ndcg(collection, *projected(collection, dimensions)),
            2 * dimensions * size,
        )
    for name, (pruned, bits, factor) in CODED.items():
        score = late_ndcg(collection, coded(collection, said if pruned else collection.told, bits, factor))
        found[name] = (score, 48 * bits * (said_size if pruned else size) / factor)
    served = coded(collection, collection.told, LATE.bits, LATE.factor)
    found["as served: defaults, hybrid's first 100"] = (
        second_stage_ndcg(collection, served),
        48 * LATE.bits * size / LATE.factor,
    )
    return found


def main() -> None:
    """Measure and print; with --json write the figures as well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--also", action="append", default=[], metavar="NAME=FOLDER", help="a labelled BEIR collection")
    parser.add_argument("--corpora", nargs="*", help="of data/ingest; by default all")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, help="passages to search in, multiples of 1,000")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    asked = parser.parse_args()
    corpora = sorted(path.name for path in Path("data/ingest").glob("*/")) if asked.corpora is None else asked.corpora
    folders = {name: Path("data/ingest") / name for name in corpora}
    folders |= {name: Path(folder) for name, _, folder in (pair.partition("=") for pair in asked.also)}
    model = load(MODEL, LENGTH)
    figures: list[Row] = []
    for name, folder in folders.items():
        collection = encoded(model, folder)
        print(f"\n{name}, {len(collection.questions)} questions\n")
        for arm, run in arms(collection).items():
            print(f"{arm:40} {ndcg(collection, run):.3f}")
        found = compressed(collection)
        whole = found["all tokens, bfloat16"][0]
        for way, (score, size) in found.items():
            print(f"{way:40} {score:.3f} {score / whole - 1:+7.1%} {size:9,.0f} bytes")
            row = {"name": f"{name}: nDCG@10, {way} ({size:,.0f} bytes); peer: all tokens, bfloat16", "unit": "nDCG@10"}
            figures.append({**row, "ours": round(score, 4), "peer": round(whole, 4), "ratio": round(score / whole, 4)})
    if asked.sizes:
        figures += measure(asked.sizes)
    if asked.json:
        write_json(asked.json, figures)


if __name__ == "__main__":
    main()
