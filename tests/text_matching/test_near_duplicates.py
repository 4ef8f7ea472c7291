"""Near-copies; and when two short texts are one: a word or two changed, but no number and no negation."""

import pytest

from domain_embeddings.text_matching.near_duplicates import chained, compare, near_copies

SOAK = "Blue-lane deploys soak for 45 minutes at Cold Ash and Mill Drove before we promote them to the grey lane."


@pytest.mark.parametrize(
    "copy",
    [
        SOAK,
        SOAK.upper(),
        SOAK.replace("promote them to", "move them into"),  # 1 of 11 content words: 10/12
        SOAK.replace("deploys soak", "deployments soaked"),  # same stems
        "Before we promote them to the grey lane, blue-lane deploys soak at Mill Drove and Cold Ash for 45 minutes.",
    ],
)
def test_a_copy_with_a_word_or_two_changed_is_merged(copy: str) -> None:
    found = compare({"a": SOAK, "b": copy}, 0.9)

    assert found.merged == {"b": "a"}
    assert found.group == {"a": "a", "b": "a"}


@pytest.mark.parametrize(
    "other",
    [
        SOAK.replace("45", "30"),
        SOAK.replace("soak", "never soak"),
        SOAK.replace("we promote", "we don’t promote"),
        SOAK.replace("Cold Ash and Mill Drove", "two nests, Cold Ash and Mill Drove,"),
    ],
)
def test_another_number_or_a_negation_is_another_statement_of_the_same_group(other: str) -> None:
    found = compare({"a": SOAK, "b": other}, 0.9)

    assert found.merged == {}
    assert found.group == {"a": "a", "b": "a"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Return empty dicts for optional data queries.", "Return empty lists for optional data queries."),  # 4/6
        ("Validate tenant context before any data access.", "Validate metadata types before filtering data."),
        (SOAK, "Red-lane deploys skip the soak and reach all nests at once, after two approvals."),
        ("?", "!"),
    ],
)
def test_texts_that_say_different_things_stay_apart(one: str, other: str) -> None:
    found = compare({"a": one, "b": other}, 0.9)

    assert found.merged == {}
    assert found.group == {"a": "a", "b": "b"}


def test_equal_texts_are_merged_into_what_the_first_of_them_is_merged_into() -> None:
    moved = SOAK.replace("promote them to", "move them into")

    found = compare({"a": SOAK, "b": moved, "c": moved.upper(), "d": f"{SOAK}!", "e": "?", "f": "?"}, 0.9)

    assert found.merged == {"b": "a", "c": "a", "d": "a"}
    assert found.group == {"a": "a", "b": "a", "c": "a", "d": "a", "e": "e", "f": "f"}


def test_a_chain_of_links_has_the_first_key_of_it() -> None:
    assert chained("abcde", [("d", "c"), ("e", "b"), ("b", "d")]) == {"a": "a", "b": "b", "c": "b", "d": "b", "e": "b"}


def test_a_lower_threshold_merges_more() -> None:
    texts = {"a": "Return empty dicts for optional data queries.", "b": "Return empty lists for optional data queries."}

    assert compare(texts, 0.7).merged == {"b": "a"}  # 0.667 content words in common ≥ 0.85 · 0.7 = 0.595


def test_copies_are_merged_into_the_first_kept_and_a_chain_is_one_group() -> None:
    words = [f"w{'xyzuvqrstp'[i]}" for i in range(10)]
    first, second, third = " ".join(words), " ".join([*words[1:], "wa"]), " ".join([*words[2:], "wa", "wb"])

    found = compare({"a": first, "b": second, "c": third, "d": second}, 0.9)

    assert found.merged == {"b": "a", "d": "a"}  # 9/11 ≥ 0.765; c is 8/12 from a, and b stands for nothing
    assert set(found.group.values()) == {"a"}


STEPS = [f"Step {i} turns screw number {i} by {i * 7} degrees to the left." for i in range(40)]
LONG = " ".join(STEPS)


def test_near_copies_point_to_the_first() -> None:
    texts = {
        "a": LONG,
        "b": "Grease the chain of the mast every 250 hours with the brush from the kit.",
        "c": LONG.upper() + "!",  # case and punctuation
        "d": LONG.replace("screw number 20", "bolt number 20"),  # a word of 440
        "e": " ".join(STEPS[:20]),  # half of it
    }

    assert near_copies(texts, 0.9) == {"c": "a", "d": "a"}


def test_texts_shorter_than_a_shingle_are_compared_whole() -> None:
    assert near_copies({"a": "Oil filter", "b": "oil FILTER", "c": "air filter", "d": ""}, 0.9) == {"b": "a"}


def test_a_chain_of_copies_has_one_first() -> None:
    texts = dict.fromkeys("abc", LONG)

    assert near_copies(texts, 0.9) == {"b": "a", "c": "a"}
