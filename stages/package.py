"""Package the model that was promoted, tuned or base, with a card that says why.

Reads metrics/<corpus>/, models/base/ and models/tuned/<corpus>/; writes models/<corpus>-embeddings-v<version>/.

    python -m stages.package manuals
"""

import json
from typing import Any

from domain_embeddings.artifact import package
from domain_embeddings.params.package import PackageParams
from stages.workspace import (
    BASE_MODEL,
    corpus_argument,
    load_params,
    metrics_folder,
    packaged_model,
    section,
    tuned_model,
)


def figures(corpus: str, name: str) -> Any:
    """A file that the report stage wrote."""
    return json.loads((metrics_folder(corpus) / name).read_text(encoding="utf-8"))


def main() -> None:
    """Choose, copy, describe."""
    corpus = corpus_argument()
    params = section("package", PackageParams)
    base = load_params()["base_model"]
    promotion = figures(corpus, "promotion.json")
    card = {
        "name": f"{corpus}-embeddings",
        "version": params.version,
        "base_model": {"name": base["name"], "revision": base["revision"]},
        "promoted": promotion["promoted"],
        "reason": promotion["reason"],
        "verdict": figures(corpus, "verdict.json"),
        "promotion": promotion,
        "evaluation": figures(corpus, "evaluate.json"),
    }
    model = tuned_model(corpus) if promotion["promoted"] == "tuned" else BASE_MODEL
    package(model, card, packaged_model(corpus, params.version))


if __name__ == "__main__":
    main()
