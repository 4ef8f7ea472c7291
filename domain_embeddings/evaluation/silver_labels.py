"""Labels that nobody gave: what rankings of both models together put first, as the answer to a question from a log.

Each model has the same say, so that the labels favour neither. They favour late interaction, of which they are made:
they can tell two models apart in one system, not one system from another.
"""

from domain_embeddings.core.dataset import Qrels, Run
from domain_embeddings.core.ranking import fuse_scores

_WEIGHTS = (("late_base", 0.4), ("late_tuned", 0.4), ("bm25", 0.2))


def silver_qrels(runs: dict[str, Run], suffix: str = "") -> Qrels:
    """Query → the passage that the fused rankings put first, with grade 1.

    `runs` are those of the family's systems, with `suffix` after their names.
    """
    parts = [runs[name + suffix] for name, _ in _WEIGHTS]
    fused = fuse_scores(parts, [weight for _, weight in _WEIGHTS], 1)
    return {query: dict.fromkeys(found, 1) for query, found in fused.items() if found}
