"""Disguised letters and invisible characters, and what must stay as it is."""

import pytest

from domain_embeddings.text_matching.unicode_normalization import canonical


@pytest.mark.parametrize(
    "text",
    [
        "How do I bleed the brakes?",
        "  spaces\tand\nlines ",
        "10 µF at 5 Ω, 2 m², ½ turn, 20 °C, ™",
        "naïve café, Gödel",
        "Как прокачать тормоза",
        "кабель USB с разъёмом",
        "東京 🔧",
        "MR‑410 – page 7 …",
    ],
)
def test_plain_text_stays(text: str) -> None:
    assert canonical(text) == text


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("brаkе", "brake"),  # Cyrillic а and е
        ("ВRАKЕ РEDАL", "BRAKE PEDAL"),
        ("the со is here", "the co is here"),  # a word of look-alikes alone, in an English text
        ("ｂｒａｋｅ！", "brake!"),
        ("𝐛𝐫𝐚𝐤𝐞 𝒻𝓁𝓊𝒾𝒹", "brake fluid"),
        ("ⓑrake", "brake"),
        ("ﬁlter", "filter"),
        ("b\u200br\u200da\u00adk\ufeffe", "brake"),
        ("\u202ebrake\u202c", "brake"),
        ("brake \ud800", "brake \ufffd"),
    ],
)
def test_disguises_are_undone(written: str, meant: str) -> None:
    assert canonical(written) == meant


def test_twice_is_once() -> None:
    for text in ("brаkе", "ｂｒａｋｅ", "Как прокачать", "\ud800", "ﬁ µ"):
        assert canonical(canonical(text)) == canonical(text)
