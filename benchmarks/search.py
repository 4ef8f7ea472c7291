"""How search grows: build time, memory, latency and recall of the embedded index, beside BM25 alone and a numpy scan.

    python -m benchmarks.search                      # 10,000 and 100,000 passages: about three minutes on two cores
    python -m benchmarks.search --large --json FILE  # 1,000,000 as well: about 3 GB of disk, 4 GB of memory

There are not that many real passages here, so they are made of the sample corpora's: a text is the first half of one
real passage and the second half of another, a vector lies around a real one, as far from it and in the directions in
which a real passage's nearest neighbour lies. Queries are the corpora's own questions. Reads data/ingest/ and
models/base/ (`dvc repro`); indexes in a temporary folder. Build time is the index's alone: encoding and finding the
stems of a passage come before it.
"""

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
from numpy.lib.format import open_memmap
from tqdm import tqdm

from domain_embeddings.dataset import Passage, read_corpus, read_queries
from domain_embeddings.embedded_index import EmbeddedIndex
from domain_embeddings.indexing import entry
from domain_embeddings.lexical import K1, B, words
from domain_embeddings.params.search import SearchParams
from domain_embeddings.passage_index import Metadata, Wanted, point_id, rows_of
from domain_embeddings.ranking import Scores
from domain_embeddings.retrieval import FineTunedRetrieval, create_finetuned_retrieval
from domain_embeddings.sparse import Sparse

CORPUS = "benchmark"
SIZES, LARGE = [10_000, 100_000], 1_000_000
QUERIES, CLIENTS, BATCH, SEED = 200, 8, 1000, 42


def resident_mb() -> dict[str, float]:
    """What this process holds of memory now: its own, and pages of files that it has mapped."""
    rows = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    kilobytes = {row[0]: float(row[1]) for row in rows if row[0] in ("RssAnon:", "RssFile:")}
    return {"own": kilobytes["RssAnon:"] / 1024, "mapped": kilobytes["RssFile:"] / 1024}


def real_texts() -> tuple[list[Passage], list[str]]:
    """The sample corpora's passages and questions."""
    folders = sorted(Path("data/ingest").glob("*/"))
    passages = [passage for folder in folders for passage in read_corpus(folder / "corpus.jsonl").values()]
    questions = [query.text for folder in folders for query in read_queries(folder / "queries.jsonl").values()]
    order = np.random.default_rng(SEED).permutation(len(questions))[:QUERIES]
    return passages, [questions[i] for i in order]


def open_index(folder: Path) -> FineTunedRetrieval:
    """Search with the base model in a folder."""
    return create_finetuned_retrieval(CORPUS, params=SearchParams(), folder=folder, use_base=True)


class Maker:
    """Makes passages of real ones: the same for the same number."""

    def __init__(self, passages: Sequence[Passage], vectors: Scores) -> None:
        """Learn the spread between a passage and its nearest neighbour."""
        likeness = vectors @ vectors.T
        np.fill_diagonal(likeness, -1)
        spread = np.cov((vectors - vectors[likeness.argmax(axis=1)]).T) / 2
        self._factor = np.linalg.cholesky(spread + 1e-6 * np.eye(vectors.shape[1])).T
        self._vectors = vectors
        self._halves = [(text[: len(text) // 2], text[len(text) // 2 :]) for text in (p.text for p in passages)]
        self._stems = [words(halves) for halves in self._halves]

    def batch(self, first: int) -> tuple[list[str], list[list[str]], Scores]:
        """BATCH texts, their stems and their vectors from number `first` on."""
        random = np.random.default_rng([SEED, first])
        one, other = random.integers(0, len(self._vectors), size=(2, BATCH))
        vectors = self._vectors[one] + random.standard_normal((BATCH, self._vectors.shape[1])) @ self._factor
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        texts = [self._halves[i][0] + " " + self._halves[j][1] for i, j in zip(one, other, strict=True)]
        stems = [self._stems[i][0] + self._stems[j][1] for i, j in zip(one, other, strict=True)]
        return texts, stems, vectors.astype(np.float32)


def made(maker: Maker, size: int) -> Iterator[tuple[int, list[str], list[list[str]], Scores]]:
    """All batches with the number of their first passage."""
    for first in tqdm(range(0, size, BATCH), desc=f"{size:,} passages", unit="batch", disable=None):
        yield first, *maker.batch(first)


def build(folder: Path, maker: Maker, size: int) -> float:
    """Index `size` passages; seconds, without those that making them took. Leaves their vectors beside the index."""
    retrieval = open_index(folder)
    index, collection = EmbeddedIndex(folder, SearchParams()), retrieval.identity.collection(CORPUS)
    exact = open_memmap(folder / "vectors.npy", mode="w+", dtype=np.float32, shape=(size, retrieval.identity.dimension))
    seconds = 0.0
    for first, texts, stems, vectors in made(maker, size):
        exact[first : first + BATCH] = vectors
        started = time.perf_counter()
        if first == 0:
            average = float(np.mean([len(each) for each in stems]))
            metadata = Metadata(retrieval.identity, average, size, complete=False)
            index.create(collection, metadata)
        passages = (Passage(str(first + i), "", text, f"d{i % 5}") for i, text in enumerate(texts))
        entries = [
            entry(passage, vector, retrieval.identity.backend, its_stems, average)
            for passage, vector, its_stems in zip(passages, rows_of(vectors), stems, strict=True)
        ]
        index.put(collection, entries)
        seconds += time.perf_counter() - started
    started = time.perf_counter()
    index.settle(collection)
    index.describe(collection, replace(metadata, complete=True))
    index.close()
    return seconds + time.perf_counter() - started


def percentiles(ask: Callable[[str], Any], queries: Sequence[str], clients: int = 1) -> dict[str, float]:
    """Milliseconds to an answer with so many clients, each asking again as soon as it has one."""

    def timed(query: str) -> float:
        started = time.perf_counter()
        ask(query)
        return 1000 * (time.perf_counter() - started)

    with ThreadPoolExecutor(clients) as pool:
        taken = list(pool.map(timed, queries))
    return {"p50": float(np.percentile(taken, 50)), "p95": float(np.percentile(taken, 95))}


def search_in(folder: Path, queries: Sequence[str]) -> dict[str, Any]:
    """What one process that searches sees: latency with encoding, memory beyond the model's, recall@10 of the graph."""
    with open_index(folder) as retrieval:
        found: dict[str, Any] = {}
        for clients in (CLIENTS, 1):  # what threads take for encoding is not the index's
            found["encoding"] = percentiles(lambda query: retrieval.model.encode([query]), queries[:100], clients)
        gc.collect()
        before = resident_mb()
        found["first search"] = percentiles(retrieval.search, queries[:1])
        found["hybrid"] = percentiles(retrieval.search, queries)
        found["hybrid, 8 clients"] = percentiles(retrieval.search, queries, CLIENTS)
        after = resident_mb()
        found["memory"] = {kind: after[kind] - before[kind] for kind in after}
        vectors = retrieval.model.encode(queries)
    index, collection = EmbeddedIndex(folder, SearchParams()), retrieval.identity.collection(CORPUS)
    wanted = [Wanted(row, Sparse([], [])) for row in rows_of(vectors)]
    ranked = [{point for point, _ in one.dense[:10]} for one in index.rank(collection, wanted, {}, 100)]
    index.close()
    truth = exact_top(folder, vectors)
    found["recall@10"] = float(np.mean([len(one & other) / 10 for one, other in zip(ranked, truth, strict=True)]))
    return found


def exact_top(folder: Path, queries: Scores) -> list[set[str]]:
    """The ten nearest of all passages to each query, as points."""
    best = [[(-2.0, "")] * 10 for _ in queries]
    vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    for first in range(0, len(vectors), 50_000):
        scores = queries @ vectors[first : first + 50_000].T
        for i, row in enumerate(scores):
            near = np.argpartition(-row, 10)[:10]
            best[i] = sorted(best[i] + [(float(row[j]), str(first + j)) for j in near], reverse=True)[:10]
    return [{point_id(name) for _, name in each} for each in best]


def scan_in(folder: Path, queries: Sequence[str]) -> dict[str, Any]:
    """The same without an index: every vector times the query's, in numpy."""
    with open_index(folder) as retrieval:
        before = resident_mb()
        vectors = np.load(folder / "vectors.npy")

        def ask(query: str) -> Any:
            scores = vectors @ retrieval.model.encode([query])[0]
            near = np.argpartition(-scores, 10)[:10]
            return near[np.argsort(-scores[near])]

        ask(queries[0])
        found: dict[str, Any] = {"dense": percentiles(ask, queries)}
        after = resident_mb()
    return {**found, "memory": {kind: after[kind] - before[kind] for kind in after}}


def bm25_in(folder: Path, queries: Sequence[str]) -> dict[str, Any]:
    """The same by words alone, with bm25s in memory."""
    size = int(json.loads((folder / "made.json").read_text())["size"])
    stems = [each for _, _, some, _ in made(load_maker(folder), size) for each in some]
    before, started = resident_mb(), time.perf_counter()
    index = bm25s.BM25(k1=K1, b=B)
    index.index(stems, show_progress=False)
    seconds, after = time.perf_counter() - started, resident_mb()

    def ask(query: str) -> Any:
        return index.retrieve(words([query]), k=10, show_progress=False)

    asked = [query for query in queries if words([query])[0]]
    return {
        "build": seconds,
        "words": percentiles(ask, asked),
        "memory": {kind: after[kind] - before[kind] for kind in after},
    }


def load_maker(folder: Path) -> Maker:
    """The maker of this run, from what the first process left."""
    return Maker(real_texts()[0], np.load(folder.parent / "real.npy"))


IN_A_PROCESS: dict[str, Callable[[Path, Sequence[str]], dict[str, Any]]] = {
    "search": search_in,
    "scan": scan_in,
    "bm25": bm25_in,
}
"""What is measured in a process of its own, so that memory is that part's alone."""


def in_a_process(part: str, folder: Path) -> dict[str, Any]:
    """Run a part; its last line is its figures."""
    command = [sys.executable, "-m", "benchmarks.search", "--part", part, "--folder", str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(folder: Path, size: int) -> dict[str, Any]:
    """All figures of one size."""
    folder.mkdir()
    (folder / "made.json").write_text(json.dumps({"size": size}))
    figures: dict[str, Any] = {"size": size, "build": build(folder, load_maker(folder), size)}
    figures["disk"] = (
        sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.name != "vectors.npy") / 2**20
    )
    for part in IN_A_PROCESS:
        if not (part == "bm25" and size >= LARGE):  # its texts and tokens alone are several GB
            figures[part] = in_a_process(part, folder)
    return figures


def rows(figures: dict[str, Any]) -> list[dict[str, Any]]:
    """Name, unit, ours, peer, ratio (above 1: ours is better)."""
    size, ours, scan, bm25 = figures["size"], figures["search"], figures["scan"], figures.get("bm25")
    total = {name: sum(part["memory"].values()) for name, part in figures.items() if isinstance(part, dict)}
    said = [
        (
            "search p50 with encoding, hybrid; peer: numpy scan, dense alone",
            "ms",
            ours["hybrid"]["p50"],
            scan["dense"]["p50"],
        ),
        (
            "search p95 with encoding, hybrid; peer: numpy scan, dense alone",
            "ms",
            ours["hybrid"]["p95"],
            scan["dense"]["p95"],
        ),
        ("search p95, 8 clients; peer: one client", "ms", ours["hybrid, 8 clients"]["p95"], ours["hybrid"]["p95"]),
        ("memory with mapped files; peer: numpy scan, vectors alone", "MB", total["search"], total["scan"]),
        ("recall@10; peer: exact", "share", ours["recall@10"], 1.0),
        ("build without encoding and stemming; peer: bm25s", "s", figures["build"], bm25["build"] if bm25 else None),
        ("encoding p95", "ms", ours["encoding"]["p95"], None),
    ]
    if bm25:
        said += [
            (
                "search p95 with encoding, hybrid; peer: bm25s, words alone",
                "ms",
                ours["hybrid"]["p95"],
                bm25["words"]["p95"],
            ),
            ("memory with mapped files; peer: bm25s", "MB", total["search"], total["bm25"]),
        ]
    return [
        {
            "name": f"{size:,} passages: {name}",
            "unit": unit,
            "ours": round(own, 4),
            "peer": None if peer is None else round(peer, 4),
            "ratio": None if peer is None else round(own / peer if unit == "share" else peer / own, 3),
        }
        for name, unit, own, peer in said
    ]


def main() -> None:
    """Measure each size and print; with --json write the rows as well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of passages, multiples of 1,000")
    parser.add_argument("--large", action="store_true", help="1,000,000 passages as well")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--part", choices=list(IN_A_PROCESS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    passages, queries = real_texts()
    if asked.part:
        print(json.dumps(IN_A_PROCESS[asked.part](asked.folder, queries)))
        return
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="search-benchmark-") as temporary:
        model = open_index(Path(temporary)).model
        np.save(Path(temporary) / "real.npy", model.encode([passage.content for passage in passages]))
        for size in [*asked.sizes, *([LARGE] if asked.large else [])]:
            figures = measure(Path(temporary) / str(size), size)
            print(json.dumps(figures), file=sys.stderr)
            found += rows(figures)
    for row in found:
        print("{name:95} {unit:6} {ours:>10} {peer!s:>10} {ratio!s:>8}".format(**row))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
