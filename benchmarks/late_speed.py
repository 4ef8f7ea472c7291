"""What the second stage takes: time of indexing and of a search, and bytes, beside the hybrid, meaning alone and BM25.

Part of `benchmarks.late_interaction`. Vectors and words of the passages are made of real ones as in
`benchmarks.search`; texts and token vectors are those of pieces of 120 words. Searches with the latest packaged model
of `NAME` (`dvc repro package@manuals`), else with the base.
"""

import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import bm25s
import numpy as np

from benchmarks.encode_throughput import passages
from benchmarks.made_passages import Maker
from benchmarks.search import percentiles, real_texts
from domain_embeddings.core.dataset import Passage
from domain_embeddings.core.lexical import K1, B, words
from domain_embeddings.encoding.roles import Role
from domain_embeddings.encoding.token_codec import TokenCodec
from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from domain_embeddings.params.search import LateStorage, SearchParams
from domain_embeddings.search.index_protocol import Metadata, rows_of
from domain_embeddings.search.indexing import entry
from domain_embeddings.search.late_search import payload
from domain_embeddings.search.qdrant_embedded import EmbeddedIndex
from domain_embeddings.search.retrieval import FineTunedRetrieval, create_finetuned_retrieval
from domain_embeddings.systems.system import System, family

NAME, TEXTS, WARM = "manuals", 300, 20
LATE, PARAMS = LateStorage(), SearchParams()
ONE, TWO = (
    next(system for system in family(aliases=False, params=PARAMS) if system.name == name)
    for name in ("hybrid_tuned", "late_hybrid")
)

Row = dict[str, Any]
Stored = Mapping[str, Any]


def opened(folder: Path, system: System) -> FineTunedRetrieval:
    """Search in a folder."""
    return create_finetuned_retrieval(NAME, folder=folder, system=system)


def stored(model: VersionedEmbeddings) -> tuple[TokenCodec, list[tuple[str, Stored]], dict[str, float]]:
    """A codec; texts of 120 words and their payloads; milliseconds a text for one vector, for all, for coding."""
    texts = passages(Path("data/ingest") / NAME, TEXTS)
    started = time.perf_counter()
    model.encode(texts)
    between = time.perf_counter()
    tokens = model.encode_tokens(texts, Role.PASSAGE)[1]
    encoded = time.perf_counter()
    codec = TokenCodec.fitted(np.concatenate(tokens), tokens[0].shape[1], LATE.bits, LATE.factor)
    fitted = time.perf_counter()
    found: list[tuple[str, Stored]] = [(text, payload(codec, each)) for text, each in zip(texts, tokens, strict=True)]
    spent = {
        "encoding, single vectors": between - started,
        "encoding, token vectors too": encoded - between,
        "pooling and coding": time.perf_counter() - fitted,
    }
    return codec, found, {name: 1000 * seconds / TEXTS for name, seconds in spent.items()}


def build(
    folder: Path, maker: Maker, size: int, codec: TokenCodec, texts: Sequence[tuple[str, Stored]]
) -> list[list[str]]:
    """Index `size` passages with token vectors; the stems of each."""
    with opened(folder, ONE) as retrieval:
        identity = retrieval.identity
    index, collection, stems_of_all = EmbeddedIndex(folder, PARAMS), identity.collection(NAME), []
    metadata = Metadata(identity, None, size, complete=False, codec=codec.as_json())
    for first, (_, stems, vectors) in maker.batches(size):
        if first == 0:
            metadata = replace(metadata, average_length=float(np.mean([len(each) for each in stems])))
            index.create(collection, metadata)
        entries = [
            entry(
                Passage(str(first + i), "", texts[i % len(texts)][0], f"d{i % 5}"),
                vector,
                identity.backend,
                its_stems,
                metadata.average_length or 0.0,
                texts[i % len(texts)][1],
            )
            for i, (vector, its_stems) in enumerate(zip(rows_of(vectors), stems, strict=True))
        ]
        index.put(collection, entries)
        stems_of_all += stems
    index.settle(collection)
    index.describe(collection, replace(metadata, complete=True))
    index.close()
    return stems_of_all


def latencies(folder: Path, stems: list[list[str]], queries: Sequence[str]) -> dict[str, dict[str, float]]:
    """Milliseconds to ten results by each way, encoding included; one client."""
    by_words = bm25s.BM25(k1=K1, b=B)
    by_words.index(stems, show_progress=False)
    asked = [query for query in queries if words([query])[0]]
    found = {"BM25": percentiles(lambda query: by_words.retrieve(words([query]), k=10, show_progress=False), asked)}
    with opened(folder, ONE) as one:
        found["encoding alone"] = warm(lambda query: one.model.encode([query]), queries)
        found["dense"] = warm(lambda query: one.search(query, use_hybrid=False), queries)
        found["hybrid"] = warm(one.search, queries)
    with opened(folder, TWO) as two:
        found["two stages"] = warm(two.search, queries)
        if any(result.degraded for result in two.search(queries[0])):
            raise SystemExit("the second stage was left out: these are not its times")
        found["two stages, explained"] = warm(lambda query: two.search(query, explain=True), queries)
    return found


def warm(ask: Callable[[str], Any], queries: Sequence[str]) -> dict[str, float]:
    """Percentiles once all that is loaded on first use is there."""
    percentiles(ask, queries[:WARM])
    return percentiles(ask, queries)


def measure(sizes: Sequence[int]) -> list[Row]:
    """All figures, printed and as rows; of a ratio above 1 the second stage is better."""
    real, queries = real_texts()
    figures = []
    with tempfile.TemporaryDirectory(prefix="late-benchmark-") as temporary:
        model = opened(Path(temporary), ONE).model
        maker = Maker(real, model.encode([passage.content for passage in real]))
        codec, texts, spent = stored(model)
        size = float(np.mean([len(json.dumps(each)) for _, each in texts]))
        print(
            f"\n{model.backend}; {size:,.0f} bytes of payload a passage of 120 words; milliseconds a passage: {spent}"
        )
        figures.append(row("bytes a passage of 120 words; peer: 4 KB", "bytes", size, 4096))
        figures += [row(f"indexing a passage: {name}", "ms", value, None) for name, value in spent.items()]
        for count in sizes:
            folder = Path(temporary) / str(count)
            folder.mkdir()
            started = time.perf_counter()
            stems = build(folder, maker, count, codec, texts)
            seconds = time.perf_counter() - started
            disk = sum(path.stat().st_blocks * 512 for path in folder.rglob("*")) / count
            print(f"{count:,} passages: stored in {seconds:.0f} s, {disk:,.0f} bytes of disk a passage")
            found = latencies(folder, stems, queries)
            for name, times in found.items():
                print(f"{count:,} passages, {name:15} p50 {times['p50']:6.1f} ms, p95 {times['p95']:6.1f} ms")
            figures.append(row(f"{count:,} passages: made and stored", "s", seconds, None))
            for name, which in ((name, which) for name in found for which in ("p50", "p95")):
                if name != "two stages":
                    label = f"{count:,} passages: search in two stages, {which}; peer: {name}"
                    figures.append(row(label, "ms", found["two stages"][which], found[name][which]))
    return figures


def row(name: str, unit: str, ours: float, peer: float | None) -> Row:
    """As all benchmarks write them."""
    ratio = None if peer is None else round(peer / ours, 3)
    return {
        "name": name,
        "unit": unit,
        "ours": round(ours, 3),
        "peer": None if peer is None else round(peer, 3),
        "ratio": ratio,
    }
