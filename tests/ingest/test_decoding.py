"""The text of bytes: encodings told and guessed, damage repaired or refused, controls left out."""

import pytest

from domain_embeddings.ingest.formats.blocks import UnreadableError
from domain_embeddings.ingest.formats.decoding import decode

SENTENCE = "The boiler\u2019s gauge \u2013 on the front \u2013 shows 45 °C, never more. "


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_decode_knows_the_encodings(encoding: str) -> None:
    text = "Valve opens at 82 °C \u2013 ±2 °C, café\n"
    assert decode(text.replace("\n", "\r\n").encode(encoding)) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("It\u2019s 45 °C.".encode()[:-1] + b"\xe2\x80", "It\u2019s 45 °C"),
        ("45 °C and 50 °C, pump".encode() + b"\xe9", "45 °C and 50 °C, pump"),
        ((SENTENCE * 30).encode().replace(b"gauge", b"ga\xffge", 8), (SENTENCE * 30).replace("gauge", "gage", 8)),
    ],
)
def test_a_few_bad_bytes_in_utf8_are_left_out(data: bytes, text: str) -> None:
    assert decode(data) == text


def test_utf8_that_is_damaged_in_many_places_is_refused() -> None:
    with pytest.raises(UnreadableError, match="damaged UTF-8"):
        decode((SENTENCE * 30).encode().replace(b"gauge", b"ga\xffge"))


def test_utf16_that_is_cut_is_refused() -> None:
    with pytest.raises(UnreadableError, match="damaged UTF-16"):
        decode("Valve".encode("utf-16")[:-1])


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("windows-1251", "Заполните корпус водой"),
        ("koi8-r", "Заполните корпус водой"),
        ("shift_jis", "\u30dd\u30f3\u30d7\u3092\u958b\u3051\u308b"),
        ("iso-2022-jp", "\u30dd\u30f3\u30d7\u3092\u958b\u3051\u308b"),
    ],
)
def test_a_declared_charset_is_used(charset: str, text: str) -> None:
    assert decode(text.encode(charset), charset) == text


def test_iso_8859_1_means_windows_1252_and_utf8_needs_no_declaration() -> None:
    assert decode("the user\u2019s “pump”".encode("cp1252"), "iso-8859-1") == "the user\u2019s “pump”"
    assert decode("café, 82 °C".encode(), "iso-8859-1") == "café, 82 °C"


@pytest.mark.parametrize("charset", ["x-unknown", "punycode", "unicode_escape", "utf-7", "rot13", ""])
def test_a_charset_that_is_none_is_not_used(charset: str) -> None:
    with pytest.raises(UnreadableError, match="not text in a known encoding"):
        decode("Заполните корпус".encode("cp1251"), charset)


@pytest.mark.parametrize(
    "text",
    [
        "┌──────┬─────┐\n│ HD-20│ 20MB│\n└──────┴─────┘\nJumper JP1.",
        "MODEL\n════════════\nHD-20",
        "Gerät prüfen, Öl über 82 °C wechseln",
        "opens at 82 °C, ±2 °C",
    ],
)
def test_code_page_437_is_told_by_its_boxes_and_letters(text: str) -> None:
    assert decode(text.encode("cp437")) == text


def test_control_characters_are_left_out() -> None:
    data = b"N\x08NA\x08AM\x08ME\x08E\n\x1b[1mPump\x1b[0m starts.\x07 Press the button and wait for the lamp.\x1a"
    assert decode(data) == "NAME\nPump starts. Press the button and wait for the lamp."


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xd8", bytes(range(32)) * 9, b"MZ\x90\0\x03\0\0\0\x04"]
)
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableError, match="not text in a known encoding"):
        decode(data)
