"""Other writings of a query: what each does, by hand."""

import random
import unicodedata

import pytest

from domain_embeddings.anomaly.perturbations import MISTAKES, SAME, misspelt
from domain_embeddings.text_matching.unicode_normalization import canonical

TEXT = "How do I bleed the brakes?"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("case/upper", "HOW DO I BLEED THE BRAKES?"),
        ("case/alternating", "hOw dO I BlEeD ThE BrAkEs?"),
        ("space/around", f"  \n{TEXT}\t "),
        ("space/doubled", "How   do   I   bleed   the   brakes?"),
        ("zero width/soft hyphens", "\u00ad".join(TEXT)),
    ],
)
def test_writings_by_hand(name: str, expected: str) -> None:
    assert SAME[name](TEXT) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("typo/swapped letters", "How do I bleed the brkaes?"),
        ("typo/missing letter", "How do I bleed the braes?"),
        ("typo/doubled letter", "How do I bleed the brakkes?"),
        ("typo/neighbouring key", "How do I bleed the brales?"),
        ("typo/no end mark", "How do I bleed the brakes"),
        ("typo/end marks", f"{TEXT}???!!"),
    ],
)
def test_mistakes_by_hand(name: str, expected: str) -> None:
    assert MISTAKES[name](TEXT) == expected


@pytest.mark.parametrize("name", [*SAME, *MISTAKES])
def test_every_writing_changes_the_text_and_takes_any(name: str) -> None:
    write = {**SAME, **MISTAKES}[name]

    assert unicodedata.normalize("NFC", write("café BrAkEs Of thE E18?")) != "café BrAkEs Of thE E18?" or (
        name == "unicode/decomposed" and write("café") != "café"
    )
    assert isinstance(write("x"), str)


@pytest.mark.parametrize("name", ["unicode/full width", "homoglyphs/Cyrillic", *[n for n in SAME if n[:4] == "zero"]])
def test_disguises_are_what_canonical_undoes(name: str) -> None:
    assert canonical(SAME[name](TEXT)).split() == TEXT.split()


def test_misspelt_words_are_a_share_of_the_longer_ones() -> None:
    found = misspelt("brake the " * 2000, 0.4, random.Random(1)).split()

    assert set(found[1::2]) == {"the"}
    assert 740 < sum(word != "brake" for word in found[::2]) < 860


def test_every_word_of_four_letters_can_be_misspelt() -> None:
    found = {misspelt("bolt", 1.0, random.Random(seed)) for seed in range(200)}

    assert found == {"oblt", "blot", "blt", "bot", "boolt", "bollt", "bilt", "bokt"}
    assert misspelt("bolt", 0.0, random.Random(1)) == "bolt"
