"""The rule that an export must keep: by hand, and by simulation on the base model's vectors of sample texts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding.encoder import Model, encode, load
from domain_embeddings.packaging.export_fidelity import Fidelity, Texts, Vectors, evenly, measure
from scripts.dependencies import ROOT
from tests.packaged import calibration_texts

DRAWS = 100


def fidelity(cosine: float = 0.998, low: float = 0.995, least: float = 0.93) -> Fidelity:
    return Fidelity("weights", 128, 256, cosine, low, overlap=0.94, overlap_ci95=(least, 0.95))


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (fidelity(), None),
        (fidelity(0.995, 0.99, 0.9), None),
        (fidelity(0.9949), "cosine to float32 is 0.9949 on average and 0.995 at the first percentile"),
        (fidelity(float("nan")), "cosine to float32 is nan"),
        (fidelity(low=0.9899), "is 0.998 on average and 0.9899 at the first percentile, asked for are 0.995 and 0.99"),
        (fidelity(least=0.8999), "0.94 of the first 10 results are float32's (95% interval from 0.8999, 256 queries)"),
    ],
)
def test_limits_by_hand(found: Fidelity, problem: str | None) -> None:
    said = found.problem()

    assert said is None if problem is None else problem in str(said)


def test_figures_by_hand() -> None:
    # twelve passages along the axes; query 0 is nearest to 0, 1, … 9, of the export's to 0, 1, … 8 and 10
    passages = np.eye(12, dtype=np.float32)
    query = np.linspace(0.5, 0.1, 12, dtype=np.float32)[None]
    swapped = query.copy()
    swapped[0, [9, 10]] = query[0, [10, 9]]

    found = measure("weights", Vectors(passages, swapped), Vectors(passages, query))

    cosine = float((query * swapped).sum())
    assert (found.passages, found.queries, found.overlap) == (12, 1, 0.9)
    assert found.overlap_ci95 == (0.9, 0.9)
    assert found.cosine == pytest.approx((12 + cosine) / 13, abs=1e-4)


def test_some_of_many_texts_are_spread_over_all() -> None:
    texts = [str(number) for number in range(1001)]

    assert evenly(texts, 3) == ["0", "500", "1000"]
    assert evenly(texts[:2], 3) == ["0", "1"]
    assert evenly([], 3) == []
    assert [len(part) for part in Texts.of(texts, texts)] == [128, 256]
    assert Texts.of(["a"], []) == Texts(["a"], ["a"])


@pytest.fixture(scope="module")
def texts() -> Texts:
    """Sixty short passages and a hundred questions of the sample manuals."""
    lines = (ROOT / "data/raw/manuals/questions.jsonl").read_text(encoding="utf-8").splitlines()
    passages = [text[:300] for text in calibration_texts()] + [text[300:600] for text in calibration_texts()]
    return Texts([text for text in passages if text][:60], evenly([json.loads(line)["text"] for line in lines], 100))


@pytest.fixture(scope="module")
def float32(base: Model, texts: Texts) -> Vectors:
    return Vectors.of(texts, lambda some, role: encode(base, some, role))


def noisy(vectors: Scores, cosine: float, generator: np.random.Generator) -> Scores:
    """Each vector turned by the angle of a cosine, in a direction of its own."""
    noise = generator.standard_normal(vectors.shape).astype(np.float32)
    noise -= (noise * vectors).sum(axis=1, keepdims=True) * vectors
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    turned: Scores = cosine * vectors + np.float32(np.sqrt(1 - cosine**2)) * noise
    return turned


def refused(found: Callable[[np.random.Generator], tuple[Vectors, Vectors]]) -> int:
    """How many of the draws are refused."""
    generator = np.random.default_rng(0)
    return sum(measure("", *found(generator)).problem() is not None for _ in range(DRAWS))


@pytest.mark.parametrize(("cosine", "least", "most"), [(0.999, 0, 1), (0.998, 0, 1), (0.98, DRAWS, DRAWS)])
def test_noise_without_a_direction_is_judged_by_its_size(
    float32: Vectors, cosine: float, least: int, most: int
) -> None:
    def draw(generator: np.random.Generator) -> tuple[Vectors, Vectors]:
        return Vectors(*(noisy(vectors, cosine, generator) for vectors in float32)), float32

    assert least <= refused(draw) <= most


def scaled(layer: torch.nn.Linear) -> None:
    """One weight twice what it was."""
    layer.weight.data *= 2


def saturated(layer: torch.nn.Linear) -> None:
    """One layer whose values are cut off at a fraction of what they reach."""
    layer.register_forward_hook(lambda _module, _inputs, found: found.clamp(-1, 1))


@pytest.mark.slow
@pytest.mark.parametrize("damage", [scaled, saturated])
def test_a_damaged_model_is_refused_whatever_texts_are_drawn(
    base_folder: Path, texts: Texts, float32: Vectors, damage: Callable[[torch.nn.Linear], None]
) -> None:
    model: Any = load(base_folder, 256, device="cpu")
    damage(model.network.encoder.layer[3].intermediate.dense)
    damaged = Vectors.of(texts, lambda some, role: encode(model, some, role))

    def draw(generator: np.random.Generator) -> tuple[Vectors, Vectors]:
        rows = [generator.choice(len(part), len(part) // 2, replace=False) for part in float32]
        return tuple(Vectors(*(p[r] for p, r in zip(v, rows, strict=True))) for v in (damaged, float32))  # type: ignore

    assert refused(draw) == DRAWS
