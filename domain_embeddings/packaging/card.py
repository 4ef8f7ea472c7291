"""What a packaged model says of itself: model_card.json for programs, README.md for people and for the hub.

Every number comes from elsewhere (metrics/, the weights), none is computed or typed here, so that a card cannot say
what was not measured. It names neither the commit that recorded the model nor a date: a file cannot name the commit
that holds its own hash, and what a clock says is never the same twice. Both are asked from Git when somebody wants to
know (`provenance.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from domain_embeddings.core.markup import escape
from domain_embeddings.core.rendering import render

SHOWN = ("recall@1", "recall@5", "recall@10", "mrr@10", "ndcg@10")


@dataclass(frozen=True)
class Card:
    """The fields of model_card.json."""

    name: str
    """`<corpus>-embeddings`."""
    version: str
    base_model: Mapping[str, Any]
    """Its name on the hub, revision and the SHA-256 of its weights."""
    promoted: str
    """`tuned`, or `base` where tuning did not help: then these are the base's weights."""
    reason: str
    verdict: Mapping[str, Any] | None
    promotion: Mapping[str, Any] | None
    arms: Mapping[str, Mapping[str, Any]]
    """Arm → metric → {value, ci95: [low, high] or null}; and `n_queries`."""
    dimension: int
    max_seq_length: int
    """Longest input in tokens; the rest of a text is not read."""
    parameters: Mapping[str, int]
    """`total`, and `trainable`: those that training could change (0 where the base is packaged)."""
    weights_sha256: str
    """This, the next and `encoding` are filled in by `artifact.package`."""
    config_sha256: str
    training_corpus_sha256: str
    training_commit: str | None
    """Where the model was trained elsewhere; null where this repository's history tells it."""
    adversarial_tests: Mapping[str, int | None]
    limits: Sequence[str]
    notes: str
    search: Mapping[str, Any] | None = None
    """The system that answers queries with it, also in search.json; null where none was chosen."""
    encoding: Mapping[str, Any] = field(default_factory=dict)
    """Prompts, pooling, heads and similarity (`encoder_config.EncoderConfig`)."""
    int8_export: Mapping[str, Any] | None = None
    """What of it is int8, and how near it is to float32 (`export_fidelity.Fidelity`)."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Optional part that was asked for and is not there → why."""

    def to_json(self) -> dict[str, Any]:
        """All fields, with recall@5 and MRR of base and tuned once more at the top, where readers look first."""
        first = {metric: self._base_and_tuned(metric) for metric in ("recall@5", "mrr@10")}
        return {**asdict(self), **first}

    def _base_and_tuned(self, metric: str) -> dict[str, float | None]:
        return {arm: self.arms.get(arm, {}).get(metric, {}).get("value") for arm in ("base", "tuned")}


def with_intervals(
    means: Mapping[str, Mapping[str, float]], intervals: Mapping[str, Mapping[str, Sequence[float]]]
) -> dict[str, dict[str, Any]]:
    """Arm → metric → {value, ci95}: the means of evaluate.json beside the intervals of significance.json."""
    return {
        arm: {
            name: value if name == "n_queries" else {"value": value, "ci95": intervals.get(arm, {}).get(name)}
            for name, value in row.items()
        }
        for arm, row in means.items()
    }


def readme(card: Card, corpus: str, license_id: str) -> str:
    """README.md: the hub's YAML metadata (its own library writes them) above a text for people."""
    metadata = _metadata(card, corpus, license_id).to_yaml().strip()
    said = export_sentence(card.int8_export) if card.int8_export else ""
    return render(
        __package__, "card.md.jinja", card=card, corpus=corpus, metadata=metadata, shown=SHOWN, export_sentence=said
    )


def export_sentence(found: Mapping[str, Any]) -> str:
    """What the int8 export is, and how near it is to float32."""
    low, high = found["overlap_ci95"]
    return (
        f"`int8/` holds the same model for OpenVINO, {found['quantized']} in int8. On {found['passages']} passages and "
        f"{found['queries']} training queries its vectors have a mean cosine of {found['cosine']:.4f} to the float32 "
        f"ones ({found['cosine_low']:.4f} at the first percentile), and of a query's first ten passages "
        f"{found['overlap']:.1%} [{low:.1%}, {high:.1%}] are the same."
    )


def markdown(card: Card) -> str:
    """What is in the folder, in short: for the repository, beside the figures, where a pull request shows it."""
    weights = "the tuned weights" if card.promoted == "tuned" else "the base's weights, unchanged"
    lines = [
        f"# {card.name} v{card.version}",
        f"Packaged: {weights}.",
        *([f"Search answers with `{card.search['name']}`."] if card.search else []),
        export_sentence(card.int8_export) if card.int8_export else "No int8 export.",
        *(f"Left out: {escape(part)}: {escape(reason)}" for part, reason in sorted(card.skipped.items())),
    ]
    return "\n\n".join(lines) + "\n"


def _metadata(card: Card, corpus: str, license_id: str) -> ModelCardData:
    packaged = card.arms.get(card.promoted, {})
    results = [
        EvalResult(
            task_type="information-retrieval",
            task_name="Information retrieval",
            dataset_type=corpus,
            dataset_name=f"{corpus} (test questions)",
            metric_type=metric,
            metric_name=metric,
            metric_value=packaged[metric]["value"],
        )
        for metric in SHOWN
        if metric in packaged
    ]
    return ModelCardData(
        base_model=card.base_model["name"],
        language="en",
        library_name="sentence-transformers",
        license=license_id,
        model_name=card.name,
        pipeline_tag="sentence-similarity",
        tags=["sentence-transformers", "feature-extraction", "sentence-similarity", "information-retrieval"],
        eval_results=results or None,
    )
