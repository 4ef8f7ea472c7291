"""The checks: a sound model passes most, and for every group there is a broken model that fails it."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from domain_embeddings.anomaly.robustness_checks import BAIT, BROKEN, ORDERS, Check, run
from domain_embeddings.core.dataset import Query
from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding.dev_set import Dev
from domain_embeddings.encoding.encoder import Model, encode
from domain_embeddings.encoding.roles import Role
from domain_embeddings.text_matching.unicode_normalization import canonical

pytestmark = pytest.mark.slow

PASSAGES = {
    "brakes": "Bleed the brakes: open the bleed nipple, press the pedal, close the nipple, top up the brake fluid.",
    "mast": "Mast chain inspection: measure the lift chain over ten pitches, renew it at three percent wear.",
    "boiler": "Boiler lockout: fault E1 means no flame, check the gas supply and the ignition electrode.",
    "radar": "Magnetron replacement: discharge the modulator, remove the magnetron, keep steel tools away.",
    "battery": "Charge the traction battery fully, open the hood, check the electrolyte density of each cell.",
    "winch": "Winch rope inspection: reject the wire rope when ten wires are broken within one lay length.",
    "scope": "Probe compensation: connect the probe to the square wave and turn the trimmer until it is flat.",
    "heat pump": "Defrost cycle: the outdoor coil is heated for some minutes when ice forms at low temperature.",
}
QUESTIONS = {
    "q1": "How do I bleed the brakes?",
    "q2": "wear limit of the lift chain",
    "q3": "What does boiler fault E1 mean?",
    "q4": "replacing the magnetron",
}
DEV = Dev(PASSAGES, {i: Query(i, text) for i, text in QUESTIONS.items()}, {})
Encode = Callable[[Sequence[str], Role], Scores]


@pytest.fixture(scope="module")
def sound(base: Model) -> Encode:
    return lambda texts, role: encode(base, [canonical(text) for text in texts], role)


@pytest.fixture(scope="module")
def checks(sound: Encode) -> list[Check]:
    return run(sound, DEV)


def failures(checks: Sequence[Check], group: str) -> list[str]:
    return [check.name for check in checks if not check.passed and check.name.startswith(group)]


def test_there_are_enough_checks_with_a_name_each(checks: list[Check]) -> None:
    assert len(checks) == 4 * 21 + 4 * 2 + len(BAIT) + len(BROKEN) + len(ORDERS) + 8
    assert len(checks) >= 111
    assert len({check.name for check in checks}) == len(checks)
    assert all(bool(check.detail) != check.passed for check in checks)


@pytest.mark.parametrize("group", ["case", "space", "zero width", "unicode", "homoglyphs", "broken input", "sanity"])
def test_a_sound_model_is_not_thrown_off(checks: list[Check], group: str) -> None:
    assert any(check.name.startswith(group) for check in checks)
    assert failures(checks, group) == []


def hashed(texts: Sequence[str], role: Role) -> Scores:
    """A model that knows bytes alone: any other writing is another text."""
    rows = [np.random.default_rng(list(text.encode("utf-8", "surrogatepass"))).standard_normal(64) for text in texts]
    vectors = np.array(rows, dtype=np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


@pytest.mark.parametrize("group", ["case", "space", "zero width", "unicode", "homoglyphs", "typo"])
def test_a_model_of_bytes_fails_other_writings(group: str) -> None:
    assert failures(run(hashed, DEV), group)


def test_a_model_that_obeys_is_found_out(sound: Encode) -> None:
    def obeying(texts: Sequence[str], role: Role) -> Scores:
        vectors = sound(texts, role)
        for i, text in enumerate(texts):
            if any(order in text for order in ORDERS):
                vectors[i] = -vectors[i]
        return vectors

    assert len(failures(run(obeying, DEV), "instruction in the query")) == 8


def test_a_model_that_is_baited_is_found_out(sound: Encode) -> None:
    def baited(texts: Sequence[str], role: Role) -> Scores:
        vectors = sound(texts, role)
        target = sound([QUESTIONS["q2"]], role)[0]
        for i, text in enumerate(texts):
            if text in BAIT:
                vectors[i] = target
        return vectors

    checks = run(baited, DEV)
    found = failures(checks, "instruction in a passage")
    assert len(found) == len(BAIT)
    assert "it is first for ['q2']" in {check.detail for check in checks}


def test_a_model_that_cannot_take_it_is_found_out(sound: Encode) -> None:
    def choosy(texts: Sequence[str], role: Role) -> Scores:
        if "" in texts:
            raise ValueError("empty text")
        vectors = sound(texts, role)
        for i, text in enumerate(texts):
            if "\x00" in text:
                vectors[i] = np.nan
            if text == BROKEN["emoji alone"]:
                vectors[i] *= 2
        return vectors

    found = run(choosy, DEV)

    assert {"broken input/empty", "broken input/null bytes", "broken input/emoji alone"} <= set(
        failures(found, "broken")
    )
    assert "ValueError: empty text" in {check.detail for check in found}


def test_injections_that_look_like_passages_are_not_flagged(sound: Encode) -> None:
    def taken_in(texts: Sequence[str], role: Role) -> Scores:
        vectors = sound(texts, role)
        target = sound([PASSAGES["mast"]], role)[0]
        for i, text in enumerate(texts):
            if text in ORDERS[:3]:
                vectors[i] = target
        return vectors

    expected = [f"injection flagged/{number}" for number in (1, 2, 3)]
    assert failures(run(taken_in, DEV), "injection flagged")[:3] == expected


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("length", lambda vectors: vectors * 2),
        ("type", lambda vectors: vectors.astype(np.float64)),
        ("finite", lambda vectors: np.where(np.arange(vectors.shape[1]) == 0, np.inf, vectors).astype(np.float32)),
        ("not one point", lambda vectors: np.full_like(vectors, vectors.shape[1] ** -0.5)),
    ],
)
def test_what_no_model_may_do_is_found_out(name: str, spoil: Callable[[Scores], Scores]) -> None:
    assert f"sanity/{name}" in failures(run(lambda texts, role: spoil(hashed(texts, role)), DEV), "sanity")


def test_a_model_that_is_not_the_same_twice_is_found_out() -> None:
    calls = iter(range(1, 10_000))

    def drifting(texts: Sequence[str], role: Role) -> Scores:
        vectors = hashed(texts, role) + np.float32(0.01) * hashed([str(next(calls))], role)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)

    found = failures(run(drifting, DEV), "sanity")
    assert {"sanity/repeatable", "sanity/batch", "sanity/order"} <= set(found)
