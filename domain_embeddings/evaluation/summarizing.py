"""From per-query rows to everything that is reported of a corpus, computed once."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from domain_embeddings.core.dataset import Dataset, Query, asked_by
from domain_embeddings.core.metrics import METRICS
from domain_embeddings.evaluation import promotion, result_tables, topics
from domain_embeddings.evaluation.choice import KB, Offered, choose
from domain_embeddings.evaluation.report_model import (
    SHIPPED,
    DevPoint,
    Guard,
    LossPoint,
    Promotion,
    Shipped,
    Summary,
    Training,
)
from domain_embeddings.params.evaluate import SEED_ARM
from domain_embeddings.params.report import ReportParams
from domain_embeddings.systems.system import System

CASES = 10
SPLITS = {
    "manuals": "Split as questions.jsonl declares.",
    "encyclopedia": "Split as the questions declare; where they declare nothing, drawn by the entity asked for.",
    "beir": "The splits of the collection.",
}


@dataclass(frozen=True)
class Results:
    """What the stages before left of one corpus."""

    corpus: str
    kind: str
    dataset: Dataset
    ingested: Mapping[str, int]
    """Counts of what ingest did."""
    test: pd.DataFrame
    """A row for each arm and test question, with the columns that slices are made by."""
    dev: pd.DataFrame
    """The same of the dev questions."""
    synthetic_dev: bool
    """Whether the dev questions were made from passages."""
    log: pd.DataFrame
    """The same of questions from a log, on silver labels; empty where there are none."""
    dev_asked_by: str
    """Who asked them."""
    guard: pd.DataFrame
    """A row for each collection of another field, arm and question."""
    history: Mapping[str, Any]
    """Of the training."""
    seeds: Sequence[int]
    depth: int
    """Of the rankings."""
    systems: Sequence[System]
    """What a choice is made from."""
    stored: Mapping[str, int]
    """System → bytes of its vectors for a passage."""
    budget_kb: float | None
    """Most KB of a passage that what is shipped may store."""
    skipped: dict[str, str]


def topic_table(results: pd.DataFrame, dataset: Dataset) -> dict[str, dict[str, Any]]:
    """Arm → how much of the topics that questions expect is in the first five passages; empty where none do."""
    found = results[[bool(_expected(dataset.queries[query_id])) for query_id in results["query_id"]]]
    return {str(arm): _topic_scores(rows, dataset) for arm, rows in found.groupby("arm", sort=False)}


def _expected(query: Query) -> list[str]:
    return list(query.extra.get("expected_topics") or ())


def _topic_scores(rows: pd.DataFrame, dataset: Dataset) -> dict[str, Any]:
    """Means of topics.topic_coverage, rubric and spoilers over one arm's questions."""
    covered, spoiled = [], []
    for query_id, found in zip(rows["query_id"], rows["found"], strict=True):
        query, passages = dataset.queries[query_id], [dataset.corpus[passage_id] for passage_id in found]
        limit = query.extra.get("temporal_limit")
        covered.append(topics.topic_coverage(passages, _expected(query), limit))
        spoiled.append(topics.spoilers(passages, limit))
    return {
        "topic_coverage@5": round(float(np.mean(covered)), promotion.DIGITS),
        "rubric": round(float(np.mean([topics.rubric(share) for share in covered])), promotion.DIGITS),
        "spoilers@5": round(float(np.mean(spoiled)), promotion.DIGITS),
        "n_queries": len(rows),
    }


def how_split(kind: str, counts: Mapping[str, int]) -> str:
    """A sentence on how the questions were split."""
    if kind == "memories":
        return (
            "Split by memory: no memory asked for in dev or test, nor a near-copy, is in training."
            if "split_by.memory" in counts
            else "Split by query, the weaker way: test asks in new words for memories that training has seen."
        )
    return SPLITS[kind]


ALL = "all together"


def guards(rows: pd.DataFrame, params: ReportParams) -> list[Guard]:
    """What the collections of other fields say of the tuned model: all of them together, then each."""
    if rows.empty:
        return []
    return [
        promotion.guard(name, result_tables.difference(found, "tuned", "base", params), params)
        for name, found in [(ALL, rows), *((str(name), found) for name, found in rows.groupby("corpus"))]
    ]


def training(history: Mapping[str, Any]) -> Training:
    """The curves of a training."""
    loss = [LossPoint(row["step"], row["loss"]) for row in history["loss"]]
    dev = [DevPoint(row["step"], round(row[f"dev_{promotion.METRIC}"], promotion.DIGITS)) for row in history["dev"]]
    return Training(loss, dev)


def summarize(results: Results, params: ReportParams) -> Summary:
    """Everything that is reported of a corpus."""
    gains = result_tables.seed_gains(results.test, results.seeds)
    spread = result_tables.seed_spread(gains)
    guarded = guards(results.guard, params)
    offered = Offered(results.systems, results.stored, results.budget_kb, all(each.holds for each in guarded[:1]))
    chosen = choose(
        results.dev, offered, results.synthetic_dev, params, _noise(results.dev, results.seeds), results.log
    )
    shipped = Shipped(
        chosen.system.name,
        chosen.reason,
        round(results.stored[chosen.system.name] / KB, 1),
        chosen.system.model_dump(),
    )
    rows = with_shipped(without_seeds(results.test), shipped.arm)
    noise = _noise(results.test, results.seeds)
    trained = {system.name for system in results.systems if system.model == "tuned"}
    trained |= {SHIPPED} if chosen.system.model == "tuned" else set()
    compared = {
        pair: result_tables.compare(rows, *pair, params, noise if pair[0] in trained else 0.0) for pair in COMPARED
    }
    overall, tuned = compared["tuned", "base"]
    gain, _ = compared[SHIPPED, "base"]
    difference = result_tables.difference(results.dev, "tuned", "base", params)
    dev = promotion.dev_result(difference, results.synthetic_dev, results.dev_asked_by, params)
    model = chosen.system.model
    wins, losses = result_tables.cases(rows, results.dataset, CASES)
    return Summary(
        corpus=results.corpus,
        kind=results.kind,
        split=how_split(results.kind, results.ingested),
        n_queries=overall.n,
        asked_by=asked_by(results.dataset.judged("test").values()),
        arms={arm: {m: row[m] for m in METRICS} for arm, row in result_tables.arm_table(rows).items()},
        intervals=result_tables.intervals(rows, params),
        recall_curve=result_tables.recall_curve(rows, results.depth),
        comparisons=[found for _, found in compared.values()],
        verdict=promotion.verdict(overall, tuned.overall.word, model, shipped.arm, gain),
        promotion=Promotion(model, chosen.reason, dev, shipped, guarded, results.history["best_share"]),
        wins=wins,
        losses=losses,
        seeds=gains,
        seed_spread=spread,
        training=training(results.history),
        skipped=results.skipped,
    )


def _noise(rows: pd.DataFrame, seeds: Sequence[int]) -> float:
    """What another training seed would change of a tuned model's gain: two standard deviations of the seeds' gains.

    Measured on single vectors, 0 for a single seed.
    """
    return 2 * (result_tables.seed_spread(result_tables.seed_gains(rows, seeds)) or 0.0)


COMPARED = ((SHIPPED, "base"), (SHIPPED, "bm25"), ("tuned", "base"), ("hybrid_tuned", "hybrid_base"))


def with_shipped(rows: pd.DataFrame, arm: str) -> pd.DataFrame:
    """The rows, and those of `arm` once more under the name `shipped`."""
    return pd.concat([rows, rows[rows["arm"] == arm].assign(arm=SHIPPED)], ignore_index=True)


def without_seeds(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of all arms but the further seeds."""
    return rows[~rows["arm"].str.startswith(SEED_ARM)]


def tables(summary: Summary, results: Results) -> dict[str, Any]:
    """The content of the JSON files of metrics/<corpus>/, by name."""
    rows = with_shipped(without_seeds(results.test), summary.verdict.shipped)
    by_topic = topic_table(results.test, results.dataset)
    kept = ("intervals", "comparisons", "asked_by", "seeds", "seed_spread", "skipped", "split")
    return {
        "evaluate.json": result_tables.arm_table(rows),
        "slices.json": {**result_tables.slice_tables(results.test), **({"topics": by_topic} if by_topic else {})},
        "verdict.json": asdict(summary.verdict),
        "promotion.json": asdict(summary.promotion),
        "significance.json": finite({name: asdict(summary)[name] for name in kept}),
    }


def finite(value: Any) -> Any:
    """The same with null for what is unknown (inf), which JSON has no word for."""
    if isinstance(value, dict):
        return {key: finite(found) for key, found in value.items()}
    if isinstance(value, list):
        return [finite(found) for found in value]
    return None if value == math.inf else value
