"""From a measured difference to a word, and to the model that is kept."""

from typing import Any, Literal

from domain_embeddings.params.report import ReportParams
from domain_embeddings.significance import Difference

Word = Literal["improved", "unchanged", "regressed", "underpowered"]
METRIC = "ndcg@10"


def word(difference: Difference, params: ReportParams) -> Word:
    """The interval rule.

    improved or regressed: the 95% interval excludes zero and the difference is at least `min_delta`;
    underpowered: fewer than `min_queries` questions; unchanged: all else.
    """
    if difference.n < params.min_queries:
        return "underpowered"
    if difference.low > 0 and difference.delta >= params.min_delta:
        return "improved"
    if difference.high < 0 and -difference.delta >= params.min_delta:
        return "regressed"
    return "unchanged"


def verdict(difference: Difference, params: ReportParams) -> dict[str, Any]:
    """The content of verdict.json: tuned weights are promoted only when they are better."""
    found = word(difference, params)
    return {
        "verdict": found,
        "metric": METRIC,
        "delta": round(difference.delta, 6),
        "ci95": [round(difference.low, 6), round(difference.high, 6)],
        "p": round(difference.p, 6),
        "promoted": "tuned" if found == "improved" else "base",
    }
