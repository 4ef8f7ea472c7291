"""The text of a file's bytes: its encoding, damage in it, and signs that are no text."""

import codecs
import re

from domain_embeddings.ingest.formats.blocks import UnreadableError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNDECODABLE = "not text in a known encoding"
_GUESSED = ("cp1252", "cp437")
"""Encodings that a text may have without saying so; of equally likely ones the first."""
_NO_CHARSETS = frozenset(("idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7", "undefined"))
_SAME_AS_CP1252 = frozenset(("iso8859-1", "ascii"))
"""Names under which pages declare Windows-1252 (https://encoding.spec.whatwg.org/#names-and-labels)."""
_SYMBOLS = "°±²³µ·¼½¾\u00d7÷\u2013\u2014\u2018\u2019“”•…€£§©®™«»¿¡º\xa0\xad"
"""Signs that text in Windows-1252 or code page 437 has beside letters."""
_BOX_SIGNS = frozenset(map(chr, range(0x2500, 0x25A0)))
_OVERSTRUCK = re.compile(r"[^\n\x08]\x08")
_TERMINAL_CODE = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_FEW = 3


def _without_controls(text: str) -> str:
    """Text without control characters; raises `UnreadableError` where they are so many that it is no text."""
    plain = _TERMINAL_CODE.sub("", _OVERSTRUCK.sub("", text))
    kept = _CONTROL.sub("", plain)
    if (len(plain) - len(kept)) * 20 > len(plain):
        raise UnreadableError(_UNDECODABLE)
    return kept.replace("\r\n", "\n").replace("\r", "\n")


def _repaired_utf8(data: bytes) -> str | None:
    """UTF-8 without its few bad bytes; None if the bytes are another encoding's.

    Text of another encoding has next to no well-formed sequences of several bytes, UTF-8 has next to no others.
    Raises `UnreadableError` for UTF-8 with many bad bytes.
    """
    text = data.decode("utf-8", "surrogateescape")
    bad = len(re.findall(r"[\udc80-\udcff]+", text))
    good = sum(c > "\x7f" for c in text) - len(re.findall(r"[\udc80-\udcff]", text))
    if bad > 4 * good:
        return None
    if bad > max(_FEW, good // 10):
        raise UnreadableError("damaged UTF-8")
    return re.sub(r"[\udc80-\udcff]", "", text)


def _fits(before: str, sign: str, after: str) -> bool:
    """Whether a sign beyond ASCII stands where text has it: a letter in a word of its case, a symbol, a box."""
    if sign.isalpha():
        if before == sign == after or after.isdigit():
            return False
        return not after.isupper() if sign.islower() else not before.islower()
    inside = before.isalpha() and after.isalpha() and sign not in "\u2019\xad"
    return sign in _BOX_SIGNS or (sign in _SYMBOLS and not inside)


def _likeness(text: str) -> float:
    """The part of the signs beyond ASCII that stand where text has them; 0 where too many are no boxes."""
    places = [i for i, sign in enumerate(text) if sign > "\x7f"]
    boxes = sum(text[i] in _BOX_SIGNS for i in places)
    if not places or (len(places) - boxes) * 5 > len(text):
        return 0.0
    return sum(_fits(text[max(0, i - 1) : i], text[i], text[i + 1 : i + 2]) for i in places) / len(places)


def _guessed(data: bytes) -> str | None:
    """Text in the likeliest encoding that needs no declaration; None if none gives text."""
    best, found = 0.75, None
    for encoding in _GUESSED:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if (likeness := _likeness(text)) > best:
            best, found = likeness, text
    return found


def _declared(data: bytes, charset: str | None) -> str | None:
    """Text in the declared charset; None without one, or where the bytes are not text in it."""
    try:
        name = codecs.lookup(charset).name if charset else ""
        if not name or name in _NO_CHARSETS:
            return None
        return data.decode("cp1252" if name in _SAME_AS_CP1252 else name)
    except (LookupError, UnicodeError):
        return None


def decode(data: bytes, charset: str | None = None) -> str:
    """Text of bytes, lines ended by "\\n", control characters left out.

    The encoding is told by a byte order mark, else it is UTF-8 where the bytes are that, else the `charset` that
    the file declares, else Windows-1252 or code page 437 if what comes out is text. A few bad bytes in UTF-8 are
    left out. Raises `UnreadableError` if nothing fits, or for UTF-8 that is damaged in many places.
    """
    mark, encoding = next((known for known in _MARKS if data.startswith(known[0])), (b"", "utf-8"))
    if b"\x1b$" in data and (text := _declared(data, charset)):
        return _without_controls(text)
    try:
        return _without_controls(data[len(mark) :].decode(encoding))
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise UnreadableError(f"damaged {encoding[:6].upper()}") from error
    text = _repaired_utf8(data) or _declared(data, charset) or _guessed(data)
    if text is None:
        raise UnreadableError(_UNDECODABLE)
    return _without_controls(text)
