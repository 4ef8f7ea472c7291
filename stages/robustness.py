"""Check that the model promoted for a corpus is not thrown off by odd, broken or hostile input.

Runs on the weights that `package` will copy, so that the card can tell what was found. Reads the promoted model,
metrics/<corpus>/promotion.json, data/ingest/<corpus>/ and the dev questions in data/synthesize/<corpus>/; writes
metrics/<corpus>/robustness.json (counts) and robustness_failures.json (name → what was found).

    python -m stages.robustness manuals
"""

import json
from collections.abc import Sequence

from domain_embeddings.anomaly.robustness_checks import Check, run
from domain_embeddings.commands.workspace import (
    BASE_MODEL,
    load_params,
    metrics_folder,
    stage_folder,
    tuned_model,
)
from domain_embeddings.core.beir_files import write_json
from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding.dev_set import Dev, read_sample
from domain_embeddings.encoding.encoder import encode, load
from domain_embeddings.encoding.roles import Role
from domain_embeddings.text_matching.unicode_normalization import canonical
from stages.stage import corpus_argument, run_stage

QUESTIONS, PASSAGES = 20, 150
"""Dev questions that the checks are made from, and passages that they are ranked against: most checks encode each
question in a dozen writings, and this many take half a minute on two cores."""


def sample(corpus: str) -> Dev:
    """Some dev questions, and passages to rank for them."""
    folders = stage_folder("ingest", corpus), stage_folder("synthesize", corpus)
    return read_sample(*folders, QUESTIONS, PASSAGES, load_params()["seed"], lookalikes=2)


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
    model = load(tuned_model(corpus) if promotion["promoted"] == "tuned" else BASE_MODEL)

    def vectors(texts: Sequence[str], role: Role) -> Scores:
        return encode(model, [canonical(text) for text in texts], role)

    checks = run(vectors, sample(corpus))
    write_json(metrics_folder(corpus) / "robustness.json", report(checks))
    failures = {check.name: check.detail for check in checks if not check.passed}
    write_json(metrics_folder(corpus) / "robustness_failures.json", failures)


if __name__ == "__main__":
    run_stage(main)
