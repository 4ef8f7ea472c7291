"""Params of the anomaly stage."""

from pydantic import Field

from domain_embeddings.params.strict import Name, Strict


class AnomalyParams(Strict):
    """What a detector learns from, which one is shipped, and how often it may cry wolf."""

    seed: int = Field(ge=0)
    """Of draws and of the detectors."""
    detector: str
    """The one that is shipped, by its name in `anomaly.detectors.DETECTORS`; auto: the best on dev queries."""
    false_positive_rate: float = Field(gt=0, lt=1)
    """Share of normal queries that are flagged at most."""
    normal_queries: int = Field(default=2000, ge=100)
    """Most queries to learn from; of more, so many are drawn."""
    normal_log: str | None
    """JSONL with `text`: your users' own queries. A fifth is for calibration. DVC does not see when it changes."""
    extra_sets: dict[Name, str]
    """Name → file of further anomalies to report on. DVC does not see when they change."""
