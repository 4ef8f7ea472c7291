"""Labels from rankings of both models together."""

from domain_embeddings.core.dataset import Run
from domain_embeddings.evaluation.silver_labels import silver_qrels

AGREED: Run = {"q": {"a": 0.9, "b": 0.5}}


def test_the_first_passage_of_the_fused_rankings_is_the_answer() -> None:
    runs: dict[str, Run] = {
        "late_base": {"q": {"a": 0.9, "b": 0.8, "c": 0.4}, "r": {"a": 0.5}},
        "late_tuned": {"q": {"b": 0.9, "a": 0.5, "c": 0.4}, "r": {"c": 0.5}},
        "bm25": {"q": {"b": 7.0, "a": 1.0}, "r": {}},
    }

    # q: a 0.4 + 0.08; b 0.4 · 0.8 + 0.4 + 0.2. r: a and c as good, the base's comes first
    assert silver_qrels(runs) == {"q": {"b": 1}, "r": {"a": 1}}


def test_neither_model_has_more_say() -> None:
    other: Run = {"q": {"b": 0.9, "a": 0.5}}

    for base, tuned in ((AGREED, other), (other, AGREED)):
        runs = {"late_base": base, "late_tuned": tuned, "bm25": {"q": {"b": 1.0, "c": 0.0}}}
        assert silver_qrels(runs) == {"q": {"b": 1}}


def test_what_nothing_finds_has_no_label_and_names_have_their_suffix() -> None:
    runs: dict[str, Run] = {f"{name}_aliases": {"q": {}} for name in ("late_base", "late_tuned", "bm25")}

    assert silver_qrels(runs, "_aliases") == {}
    assert silver_qrels({name: {} for name in ("late_base", "late_tuned", "bm25")}) == {}
