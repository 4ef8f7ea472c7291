"""A load on a running service: clients that each ask again once they have an answer. Exit status 1 if one is lost.

    python -m domain_embeddings serve --corpus manuals &
    python -m benchmarks.service_load http://127.0.0.1:8000 --clients 8 --seconds 60

Questions are those of data/ingest/ (`dvc repro`), and what is measured is a question's whole way over HTTP.
"""

import argparse
import itertools
import json
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np

from domain_embeddings.core.beir_files import read_queries

Answered = list[tuple[str, float]]
"""The status of each request, or the error's name, and its milliseconds."""


def ask(address: str, questions: Iterable[str], key: str | None, until: float) -> Answered:
    """One client, until that moment of `time.monotonic`."""
    done: Answered = []
    with httpx.Client(base_url=address, headers={"X-API-Key": key} if key else {}, timeout=60) as client:
        for question in itertools.cycle(questions):
            if time.monotonic() >= until:
                break
            started = time.perf_counter()
            try:
                status = str(client.post("/search", json={"queries": [question]}).status_code)
            except httpx.HTTPError as error:
                status = type(error).__name__
            done.append((status, 1000 * (time.perf_counter() - started)))
    return done


def main() -> None:
    """Load the service and print what came back; with --json write it as rows as well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="of the service, such as http://127.0.0.1:8000")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--key", help="the API key, where the service asks for one")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    asked = parser.parse_args()
    files = sorted(Path("data/ingest").glob("*/queries.jsonl"))
    questions = [query.text for file in files for query in read_queries(file).values()]
    until = time.monotonic() + asked.seconds
    with ThreadPoolExecutor(asked.clients) as pool:
        shares = [questions[first :: asked.clients] for first in range(asked.clients)]
        clients = [pool.submit(ask, asked.address, share, asked.key, until) for share in shares]
        done = [answered for client in clients for answered in client.result()]
    statuses = Counter(status for status, _ in done)
    p50, p95 = np.percentile([taken for _, taken in done], [50, 95])
    lost = len(done) - statuses["200"]
    print(f"{asked.clients} clients, {asked.seconds:g} s: {dict(statuses)}, p50 {p50:.1f} ms, p95 {p95:.1f} ms")
    if asked.json:
        said = [("requests", "count", len(done)), ("lost", "count", lost), ("p50", "ms", p50), ("p95", "ms", p95)]
        rows = [
            {"name": name, "unit": unit, "ours": float(own), "peer": None, "ratio": None} for name, unit, own in said
        ]
        asked.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    if lost:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
