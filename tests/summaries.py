"""A small summary, made by hand, for the tests of the page and of the Markdown report."""

from domain_embeddings.core.metrics import METRICS
from domain_embeddings.evaluation.report_model import (
    Case,
    Comparison,
    DevPoint,
    DevResult,
    Guard,
    Hit,
    LossPoint,
    Promotion,
    Row,
    SeedGain,
    Shipped,
    Summary,
    Training,
    Verdict,
)

HOSTILE = "a|b <script>alert('x')</script> & [c](http://evil.example) *d*"
MEANS = {
    "bm25": 0.5, "base": 0.6, "tuned": 0.65, "hybrid_base": 0.7, "hybrid_tuned": 0.72, "late_hybrid_base": 0.75,
    "shipped": 0.75,
}  # fmt: skip
OVERALL = Row("", "", 346, 51, 0.05, 0.02, 0.08, 0.002, 0.002, 0.043, "improved")
SMALL = Row("domain", HOSTILE, 20, 7, 0.1, -0.2, 0.4, 0.4, 0.8, 0.123, "underpowered")
SHIPPED = Row("", "", 346, 51, 0.15, 0.11, 0.19, 0.001, 0.001, 0.05, "improved")
WORDS = Row("", "", 346, 51, 0.25, 0.2, 0.3, 0.001, 0.001, 0.05, "improved")
SYSTEM = {"name": "late_hybrid_base", "model": "base", "late": 0.5, "dense": 0.2, "bm25": 0.3}


def _case(ours: float, theirs: float) -> Case:
    answer, other = Hit("p1", "Brakes > Bleeding", HOSTILE), Hit("p2", HOSTILE, "No answer.", relevant=False)
    return Case(HOSTILE, "q1", ours, theirs, [answer], [answer, other], [other], "hvac", "how-to", "hard")


def summary(synthetic: bool = True) -> Summary:
    """Six arms and what is shipped of them, one slice, one win, one loss, a guard that objects to the tuned model."""
    return Summary(
        corpus="manuals",
        kind="manuals",
        split="Split by memory.",
        n_queries=346,
        asked_by="people",
        arms={arm: dict.fromkeys(METRICS, mean) for arm, mean in MEANS.items()},
        intervals={arm: dict.fromkeys(METRICS, (mean - 0.03, mean + 0.05)) for arm, mean in MEANS.items()},
        recall_curve={arm: {1: mean - 0.2, 10: mean, 100: 0.98} for arm, mean in MEANS.items()},
        comparisons=[
            Comparison("shipped − base", SHIPPED),
            Comparison("shipped − bm25", WORDS),
            Comparison("tuned − base", OVERALL, [SMALL]),
            Comparison("hybrid_tuned − hybrid_base", OVERALL),
        ],
        verdict=Verdict(
            "improved", "ndcg@10", 0.05, (0.02, 0.08), 0.002, "base", "late_hybrid_base", 0.15, (0.11, 0.19)
        ),
        promotion=Promotion(
            "base",
            "late_hybrid_base is the default: the others prove no better",
            DevResult("improved", 0.04, 0.01, 0.07, 150, 40, synthetic, "rules" if synthetic else "people"),
            Shipped("late_hybrid_base", "late_hybrid_base is the default: the others prove no better", 6.7, SYSTEM),
            [
                Guard("all together", -0.02, -0.03, -0.01, 360, 90, False),
                Guard("memories", -0.03, -0.05, -0.01, 160, 31, False),
            ],
            share=0.5,
        ),
        wins=[_case(1.0, 0.25)],
        losses=[_case(0.0, 0.5)],
        seeds=[SeedGain(42, 0.05), SeedGain(43, 0.047)],
        seed_spread=0.002,
        training=Training([LossPoint(10, 1.6), LossPoint(20, 1.2)], [DevPoint(10, 0.61), DevPoint(20, 0.66)]),
    )
