"""How fast a packaged model encodes, against plain `SentenceTransformer.encode` in float32, in turn in one process.

Reads a packaged model (`dvc repro package@manuals`), the dev questions of its corpus, and the passages of a BEIR folder
(`--corpus`, by default the corpus that the model is for).

    python -m benchmarks.encode_throughput --name manuals --json encode.json
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from sentence_transformers import SentenceTransformer

from domain_embeddings.commands.workspace import packaged_model, section, stage_folder
from domain_embeddings.core.beir_files import read_corpus, write_json
from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding.dev_set import Dev, read_sample, scores
from domain_embeddings.packaging.backends import Backend
from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from domain_embeddings.params.package import PackageParams

WORDS = 120
"""Of a passage."""
TURNS = 4
QUERIES_IN_A_ROW = 50

Encode = Callable[[Sequence[str]], Scores]
Row = dict[str, str | float]


def sample(corpus: str) -> Dev:
    """200 dev questions of a corpus and 200 passages to rank for them."""
    folders = stage_folder("ingest", corpus), stage_folder("synthesize", corpus)
    return read_sample(*folders, questions=200, passages=200, seed=42, lookalikes=2)


def passages(folder: Path, count: int) -> list[str]:
    """So many pieces of 120 words, spread evenly over a corpus's text; they overlap where it is short."""
    words = " ".join(passage.content for passage in read_corpus(folder / "corpus.jsonl").values()).split()
    if len(words) < WORDS + count:
        raise SystemExit(f"{folder}: {len(words)} words are too few for {count} passages of {WORDS}")
    return [" ".join(words[at : at + WORDS]) for at in np.linspace(0, len(words) - WORDS, count, dtype=int)]


def dev_of(corpus: str) -> Dev:
    """Dev questions of a corpus, and passages to rank."""
    return read_sample(stage_folder("ingest", corpus), stage_folder("synthesize", corpus), 200, 200, 42, 2)


def seconds(encode: Encode, texts: Sequence[str]) -> float:
    """How long it takes to encode these texts together."""
    started = time.perf_counter()
    encode(texts)
    return time.perf_counter() - started


def batch_seconds(ours: Encode, peer: Encode, texts: Sequence[str]) -> tuple[float, float]:
    """Of all texts, a quarter at a time in turn."""
    spent = {ours: 0.0, peer: 0.0}
    for encode in spent:
        encode(texts[:32])
    for turn in range(TURNS):
        for encode in spent:
            spent[encode] += seconds(encode, texts[turn::TURNS])
    return spent[ours], spent[peer]


def single_seconds(ours: Encode, peer: Encode, texts: Sequence[str]) -> tuple[list[float], list[float]]:
    """Of each text alone, fifty in a row in turn."""
    spent: dict[Encode, list[float]] = {ours: [], peer: []}
    for encode in spent:
        for text in texts[:QUERIES_IN_A_ROW]:
            encode([text])
    for start in range(0, len(texts), QUERIES_IN_A_ROW):
        for encode, times in spent.items():
            times += [seconds(encode, [text]) for text in texts[start : start + QUERIES_IN_A_ROW]]
    return spent[ours], spent[peer]


def row(name: str, unit: str, ours: float, peer: float, less_is_better: bool = False) -> Row:
    """A figure of both; the ratio is above 1 where ours is better."""
    ratio = peer / ours if less_is_better else ours / peer
    return {"name": name, "unit": unit, "ours": round(ours, 4), "peer": round(peer, 4), "ratio": round(ratio, 3)}


def speed_rows(ours: Encode, peer: Encode, queries: Sequence[str], texts: Sequence[str]) -> list[Row]:
    """Texts a second in batches and one at a time, and the latency of one query."""
    batch = batch_seconds(ours, peer, texts)
    single = single_seconds(ours, peer, queries)
    rates = len(queries) / sum(single[0]), len(queries) / sum(single[1])
    p50, p95 = ([1000 * float(np.percentile(times, share)) for times in single] for share in (50, 95))
    return [
        row(f"{len(texts)} passages of {WORDS} words", "texts/s", len(texts) / batch[0], len(texts) / batch[1]),
        row(f"{len(queries)} queries one at a time", "texts/s", rates[0], rates[1]),
        row("one query, p50", "ms", p50[0], p50[1], less_is_better=True),
        row("one query, p95", "ms", p95[0], p95[1], less_is_better=True),
    ]


def quality_rows(ours: Encode, peer: Encode, corpus: str) -> list[Row]:
    """Mean cosine of ours to the peer's vectors, and nDCG@10 of both on the same dev questions."""
    dev = sample(corpus)
    texts = list(dev.passages.values()), [query.text for query in dev.queries.values()]
    found, expected = ([encode(some) for some in texts] for encode in (ours, peer))
    cosine = np.concatenate([(a * b).sum(axis=1) for a, b in zip(found, expected, strict=True)]).mean()
    ndcg = [float(np.mean([one["ndcg@10"] for one in scores(dev, *both).values()])) for both in (found, expected)]
    return [
        row("mean cosine to the peer's vectors", "cosine", float(cosine), 1.0),
        row(f"{len(dev.queries)} dev questions, nDCG@10", "nDCG@10", ndcg[0], ndcg[1]),
    ]


def main(
    name: Annotated[str, typer.Option(help="The corpus whose packaged model encodes.")] = "manuals",
    corpus: Annotated[Path | None, typer.Option(help="BEIR folder with the passages.")] = None,
    count: Annotated[int, typer.Option(help="How many passages.")] = 1000,
    backend: Annotated[Backend, typer.Option(help="How to run it.")] = "auto",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures there.")] = None,
) -> None:
    """Compare, print, write."""
    version = section("package", PackageParams).version
    model = VersionedEmbeddings(version, name, fallback_to_baseline=False, backend=backend)
    plain = SentenceTransformer(str(packaged_model(name, version)), device="cpu")
    plain.max_seq_length = int(model.get_model_info()["max_seq_length"])

    def peer(texts: Sequence[str]) -> Scores:
        return plain.encode(list(texts), show_progress_bar=False)

    queries = [query.text for query in sample(name).queries.values()]
    rows = speed_rows(model.encode, peer, queries, passages(corpus or stage_folder("ingest", name), count))
    rows += quality_rows(model.encode, peer, name)
    print(f"{model.backend} against float32 (PyTorch):")
    print(
        "\n".join(
            f"{one['name']:40} {one['ours']:>10} {one['peer']:>10} {one['unit']:8} x{one['ratio']}" for one in rows
        )
    )
    if json_file is not None:
        write_json(json_file, rows)


if __name__ == "__main__":
    typer.run(main)
