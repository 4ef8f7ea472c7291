"""Check that the model promoted for a corpus is not thrown off by odd, broken or hostile input.

Runs on the weights that `package` will copy, so that the card can tell what was found. Reads the promoted model,
metrics/<corpus>/promotion.json, data/ingest/<corpus>/ and the dev questions in data/synthesize/<corpus>/; writes
metrics/<corpus>/robustness.json (counts) and robustness_failures.json (name → what was found).

    python -m stages.robustness manuals
"""

import json
import random
from collections.abc import Sequence

from domain_embeddings.canonical import canonical
from domain_embeddings.dataset import read_corpus, read_qrels, read_queries, write_json
from domain_embeddings.dev import Dev
from domain_embeddings.encoder import encode, load
from domain_embeddings.params.robustness import RobustnessParams
from domain_embeddings.ranking import Scores
from domain_embeddings.robustness import Check, run
from stages.start import run_stage
from stages.workspace import (
    BASE_MODEL,
    corpus_argument,
    max_seq_length,
    metrics_folder,
    section,
    stage_folder,
    tuned_model,
)


def sample(corpus: str, params: RobustnessParams) -> Dev:
    """Some dev questions, and passages to rank for them."""
    passages = read_corpus(stage_folder("ingest", corpus) / "corpus.jsonl")
    synthesized = stage_folder("synthesize", corpus)
    queries = read_queries(synthesized / "queries.jsonl")
    qrels = read_qrels(synthesized / "qrels" / "dev.tsv", queries, passages)
    chosen = sorted(random.Random(params.seed).sample(sorted(qrels), min(params.questions, len(qrels))))
    asked = {query_id: queries[query_id] for query_id in chosen}
    return Dev.sample(passages, asked, {i: qrels[i] for i in asked}, params.passages, params.seed, lookalikes=2)


def counts(checks: Sequence[Check]) -> dict[str, int]:
    """How many passed, of how many."""
    return {"passed": sum(check.passed for check in checks), "total": len(checks)}


def report(checks: Sequence[Check]) -> dict[str, object]:
    """Counts, and counts by group."""
    groups = sorted({check.name.split("/")[0] for check in checks})
    by_group = {group: counts([check for check in checks if check.name.split("/")[0] == group]) for group in groups}
    return {**counts(checks), "groups": by_group}


def main() -> None:
    """Sample, check, write."""
    corpus = corpus_argument()
    promotion = json.loads((metrics_folder(corpus) / "promotion.json").read_text(encoding="utf-8"))
    model = load(tuned_model(corpus) if promotion["promoted"] == "tuned" else BASE_MODEL, max_seq_length())

    def vectors(texts: Sequence[str]) -> Scores:
        return encode(model, [canonical(text) for text in texts])

    checks = run(vectors, sample(corpus, section("robustness", RobustnessParams)))
    write_json(metrics_folder(corpus) / "robustness.json", report(checks))
    failures = {check.name: check.detail for check in checks if not check.passed}
    write_json(metrics_folder(corpus) / "robustness_failures.json", failures)


if __name__ == "__main__":
    run_stage(main)
