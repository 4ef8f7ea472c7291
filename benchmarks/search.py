"""How search grows: build time, memory, latency and recall of the embedded index, beside BM25 alone and a numpy scan.

    python -m benchmarks.search                      # 10,000 and 100,000 passages: about three minutes on two cores
    python -m benchmarks.search --large --json FILE  # 1,000,000 as well: about 4 GB of disk, 4 GB of memory
    python -m benchmarks.search --folder FOLDER      # keeps the indexes there, and finds them again in the next run

There are not that many real passages here, so they are made of the sample corpora's (`benchmarks/made_passages.py`).
Queries are the corpora's own questions, encoded with the packaged model of the corpus manuals. Reads data/ingest/ and
models/ (`dvc repro`). Build time is the index's alone: encoding and finding the stems of a passage come before it.
"""

import argparse
import gc
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import bm25s
import numpy as np

from benchmarks.made_passages import SEED, Maker
from domain_embeddings.core.beir_files import read_corpus, read_queries
from domain_embeddings.core.dataset import Passage
from domain_embeddings.core.lexical import K1, B, words
from domain_embeddings.core.ranking import Scores
from domain_embeddings.params.search import SearchParams
from domain_embeddings.search.index_protocol import Entry, Metadata, Wanted, point_id, rows_of
from domain_embeddings.search.indexing import entry
from domain_embeddings.search.qdrant_embedded import EmbeddedIndex
from domain_embeddings.search.retrieval import FineTunedRetrieval, create_finetuned_retrieval
from domain_embeddings.search.sparse import Sparse

CORPUS = "manuals"
"""Whose packaged model encodes."""
SIZES, LARGE = [10_000, 100_000], 1_000_000
QUERIES, CLIENTS = 200, 8
VECTORS = "vectors.float32"
"""The whole vectors, for exact search, beside the index."""


def resident_mb() -> dict[str, float]:
    """What this process holds of memory now: its own, and pages of files that it has mapped."""
    rows = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    kilobytes = {row[0]: float(row[1]) for row in rows if row[0] in ("RssAnon:", "RssFile:")}
    return {"own": kilobytes["RssAnon:"] / 1024, "mapped": kilobytes["RssFile:"] / 1024}


def grown(before: dict[str, float]) -> dict[str, float]:
    """How much more memory is held than before."""
    return {kind: now - before[kind] for kind, now in resident_mb().items()}


@contextmanager
def peak_mb() -> Iterator[dict[str, float]]:
    """The most of each kind that was held in the meantime, looked at ten times a second; filled in at the end."""
    found, ended = resident_mb(), threading.Event()

    def watch() -> None:
        while not ended.wait(0.1):
            found.update({kind: max(found[kind], now) for kind, now in resident_mb().items()})

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


def real_texts() -> tuple[list[Passage], list[str]]:
    """The sample corpora's passages and questions."""
    folders = sorted(Path("data/ingest").glob("*/"))
    passages = [passage for folder in folders for passage in read_corpus(folder / "corpus.jsonl").values()]
    questions = [query.text for folder in folders for query in read_queries(folder / "queries.jsonl").values()]
    order = np.random.default_rng(SEED).permutation(len(questions))[:QUERIES]
    return passages, [questions[i] for i in order]


def open_index(folder: Path) -> FineTunedRetrieval:
    """Search in a folder."""
    return create_finetuned_retrieval(CORPUS, params=SearchParams(), folder=folder)


def load_maker(folder: Path) -> Maker:
    """The maker of this run, from what the first process left beside the folder."""
    return Maker(real_texts()[0], np.load(folder.parent / "real.npy"))


def build(folder: Path, size: int) -> dict[str, Any]:
    """Index `size` passages: seconds, without those that making them took, and memory. Leaves their vectors beside."""
    maker, retrieval = load_maker(folder), open_index(folder)
    index, collection = EmbeddedIndex(folder, SearchParams()), retrieval.identity.collection(CORPUS)
    average = float(np.mean([len(each) for each in maker.batch(0)[1]]))
    metadata = Metadata(retrieval.identity, average, size, complete=False)
    seconds, before = 0.0, resident_mb()
    with peak_mb() as peak, (folder / VECTORS).open("wb") as exact:
        index.create(collection, metadata)
        for first, (texts, stems, vectors) in maker.batches(size):
            vectors.tofile(exact)
            started = time.perf_counter()
            index.put(collection, list(entries(first, texts, stems, vectors, metadata)))
            seconds += time.perf_counter() - started
        started = time.perf_counter()
        index.settle(collection)
        settled = time.perf_counter() - started
    index.describe(collection, replace(metadata, complete=True))
    index.close()
    on_disk = sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.name != VECTORS) / 2**20
    memory = {kind: peak[kind] - before[kind] for kind in peak}
    return {"store": seconds, "graph": settled, "disk": on_disk, "memory": memory}


def entries(
    first: int, texts: Sequence[str], stems: Sequence[Sequence[str]], vectors: Scores, metadata: Metadata
) -> Iterator[Entry]:
    """A batch of made passages as they are stored; `first` is the number of the first one, which is its id."""
    for i, (text, its_stems, vector) in enumerate(zip(texts, stems, rows_of(vectors), strict=True)):
        passage = Passage(str(first + i), "", text, f"d{i % 5}")
        yield entry(passage, vector, metadata.model.backend, its_stems, metadata.average_length or 0.0)


def percentiles(ask: Callable[[str], Any], queries: Sequence[str], clients: int = 1) -> dict[str, float]:
    """Milliseconds to an answer with so many clients, each asking again as soon as it has one."""

    def timed(query: str) -> float:
        started = time.perf_counter()
        ask(query)
        return 1000 * (time.perf_counter() - started)

    with ThreadPoolExecutor(clients) as pool:
        taken = list(pool.map(timed, queries))
    return {"p50": float(np.percentile(taken, 50)), "p95": float(np.percentile(taken, 95))}


def search_in(folder: Path, size: int) -> dict[str, Any]:
    """What one process that searches sees: latency with encoding, memory beyond the model's, recall@10 of the graph."""
    queries = real_texts()[1]
    with open_index(folder) as retrieval:
        found: dict[str, Any] = {"model": str(retrieval.identity), "backend": retrieval.identity.backend}
        for clients in (CLIENTS, 1):  # what threads take for encoding is not the index's
            found["encoding"] = percentiles(lambda query: retrieval.model.encode([query]), queries[:100], clients)
        gc.collect()
        before = resident_mb()
        found["first search"] = percentiles(retrieval.search, queries[:1])
        started = time.process_time()
        found["hybrid"] = percentiles(retrieval.search, queries)
        found["processor"] = 1000 * (time.process_time() - started) / len(queries)
        found["hybrid, 8 clients"] = percentiles(retrieval.search, queries, CLIENTS)
        found["memory"] = grown(before)
        vectors = np.vstack([retrieval.model.encode([query]) for query in queries])
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
    vectors = np.memmap(folder / VECTORS, np.float32, "r").reshape(-1, queries.shape[1])
    for first in range(0, len(vectors), 50_000):
        scores = queries @ vectors[first : first + 50_000].T
        for i, row in enumerate(scores):
            near = np.argpartition(-row, 10)[:10]
            best[i] = sorted(best[i] + [(float(row[j]), str(first + j)) for j in near], reverse=True)[:10]
    return [{point_id(name) for _, name in each} for each in best]


def scan_in(folder: Path, size: int) -> dict[str, Any]:
    """The same without an index: every vector times the query's, in numpy."""
    queries = real_texts()[1]
    with open_index(folder) as retrieval:
        retrieval.model.encode(queries[:1])
        before = resident_mb()
        vectors = np.fromfile(folder / VECTORS, np.float32).reshape(size, -1)

        def ask(query: str) -> Any:
            scores = vectors @ retrieval.model.encode([query])[0]
            near = np.argpartition(-scores, 10)[:10]
            return near[np.argsort(-scores[near])]

        found: dict[str, Any] = {"dense": percentiles(ask, queries)}
        return {**found, "memory": grown(before)}


def bm25_in(folder: Path, size: int) -> dict[str, Any]:
    """The same by words alone, with bm25s in memory."""
    stems = [each for _, (_, some, _) in load_maker(folder).batches(size) for each in some]
    before, started = resident_mb(), time.perf_counter()
    index = bm25s.BM25(k1=K1, b=B)
    index.index(stems, show_progress=False)
    seconds, memory = time.perf_counter() - started, grown(before)

    def ask(query: str) -> Any:
        return index.retrieve(words([query]), k=10, show_progress=False)

    asked = [query for query in real_texts()[1] if words([query])[0]]
    return {"build": seconds, "words": percentiles(ask, asked), "memory": memory}


IN_A_PROCESS: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "build": build,
    "search": search_in,
    "scan": scan_in,
    "bm25": bm25_in,
}
"""What is measured in a process of its own, so that memory is that part's alone."""


def in_a_process(part: str, folder: Path, size: int) -> dict[str, Any]:
    """Run a part; its last line is its figures."""
    command = [sys.executable, "-m", "benchmarks.search", "--part", part, "--folder", str(folder), "--sizes", str(size)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(folder: Path, size: int) -> dict[str, Any]:
    """All figures of one size; an index that an earlier run has built and measured is taken as it is."""
    built = folder / "built.json"
    if not built.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        built.write_text(json.dumps(in_a_process("build", folder, size)))
    figures: dict[str, Any] = {"size": size, "build": json.loads(built.read_text())}
    for part in ("search", "scan", *([] if size >= LARGE else ["bm25"])):  # its texts and tokens alone are several GB
        figures[part] = in_a_process(part, folder, size)
    return figures


def rows(figures: dict[str, Any]) -> list[dict[str, Any]]:
    """Name, unit, ours, peer, ratio (above 1: ours is better)."""
    build, ours, scan, bm25 = figures["build"], figures["search"], figures["scan"], figures.get("bm25")
    total = {name: sum(part["memory"].values()) for name, part in figures.items() if isinstance(part, dict)}
    said: list[tuple[str, str, float, float | None]] = []
    for percent in ("p50", "p95"):
        own = ours["hybrid"][percent]
        said.append((f"search {percent}, hybrid; peer: numpy scan, dense alone", "ms", own, scan["dense"][percent]))
        if bm25:
            said.append((f"search {percent}, hybrid; peer: bm25s, words alone", "ms", own, bm25["words"][percent]))
    said += [
        ("search p95, 8 clients; peer: one client", "ms", ours["hybrid, 8 clients"]["p95"], ours["hybrid"]["p95"]),
        ("encoding p95, part of the above", "ms", ours["encoding"]["p95"], None),
        ("processor time of a search, mean, all threads", "ms", ours["processor"], None),
        ("first search", "ms", ours["first search"]["p50"], None),
        ("recall@10; peer: exact", "share", ours["recall@10"], 1.0),
        ("memory with mapped files; peer: numpy scan, vectors alone", "MB", total["search"], total["scan"]),
        ("memory while building", "MB", total["build"], None),
        ("files", "MB", build["disk"], None),
    ]
    seconds = build["store"] + build["graph"]
    said.append(("build without encoding; peer: bm25s", "s", seconds, bm25["build"] if bm25 else None))
    if bm25:
        said.append(("memory with mapped files; peer: bm25s", "MB", total["search"], total["bm25"]))
    return [
        {
            "name": f"{figures['size']:,} passages: {name}",
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
    parser.add_argument("--folder", type=Path, help="where the indexes are kept; else they are removed at the end")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--part", choices=list(IN_A_PROCESS), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.part:
        print(json.dumps(IN_A_PROCESS[asked.part](asked.folder, *asked.sizes)))
        return
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="search-benchmark-") as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "real.npy", open_index(folder).model.encode([each.content for each in real_texts()[0]]))
        for size in [*asked.sizes, *([LARGE] if asked.large else [])]:
            figures = measure(folder / str(size), size)
            print(json.dumps(figures), file=sys.stderr)
            found += rows(figures)
    for row in found:
        print("{name:95} {unit:6} {ours:>10} {peer!s:>10} {ratio!s:>8}".format(**row))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
