"""The robustness stage: every check is counted, failures are listed, and the card has the counts."""

from tests.knobs import all_params
from tests.stages.conftest import Pipeline

CARD = f"models/tiny-embeddings-v{all_params()['package']['version']}/model_card.json"


def test_counts_add_up_and_failures_are_named(pipeline: Pipeline) -> None:
    found = pipeline.json("metrics/tiny/robustness.json")

    assert found["total"] >= 111
    assert found["passed"] == sum(group["passed"] for group in found["groups"].values())
    assert found["total"] == sum(group["total"] for group in found["groups"].values())
    failures = pipeline.json("metrics/tiny/robustness_failures.json")
    assert len(failures) == found["total"] - found["passed"]
    assert all(failures.values())
    assert found["groups"]["sanity"] == {"passed": 8, "total": 8}


def test_the_card_has_the_counts_and_where_it_failed(pipeline: Pipeline) -> None:
    found, card = pipeline.json("metrics/tiny/robustness.json"), pipeline.json(CARD)

    assert card["adversarial_tests"] == {"passed": found["passed"], "total": found["total"]}
    failing = {group for group, row in found["groups"].items() if row["passed"] < row["total"]}
    said = [limit for limit in card["limits"] if limit.startswith("Failed adversarial tests: ")]
    assert len(said) == bool(failing)
    assert all(group in said[0] for group in failing)
