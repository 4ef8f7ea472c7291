"""Other ways to write the same letters, undone: a query is a person's, and may be pasted, decorated or disguised.

Only letters change, and only to ASCII letters that look the same or are the same: what was measured on plain text stays
as it was measured, and a query in Greek or Russian stays Greek or Russian.
"""

import re
import unicodedata

_LOOKALIKES = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеѕіјорсухԁԛԝһΑΒΕΖΗΙΚΜΝΟΡΤΥΧοντρυı",
    "ABESIJKMHOPCTYXaesijopcyxdqwhABEZHIKMNOPTYXovtpui",
)
"""Cyrillic and Greek letters → the Latin ones that they are drawn like (from Unicode's confusables.txt)."""
_WORD = re.compile(r"\w+")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_ASCII_LETTER = re.compile("[A-Za-z]")
_GREEK_OR_CYRILLIC = re.compile("[\u0370-\u052f]")


def canonical(text: str) -> str:
    """A text with invisible characters removed and disguised letters as plain ones; ASCII comes back as it is.

    Full-width, mathematical, circled and joined letters (ﬁ) become ASCII. Greek and Cyrillic letters do within a word
    that holds ASCII letters, and everywhere in a text with ASCII letters whose Greek and Cyrillic ones are all
    look-alikes: hardly a word of those languages is. Half a surrogate pair, which no encoder takes, becomes U+FFFD.
    """
    if text.isascii():
        return text
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    plain = "".join(_plain(character) for character in _INVISIBLE.sub("", whole))
    disguised = _ASCII_LETTER.search(plain) and not _GREEK_OR_CYRILLIC.search(plain.translate(_LOOKALIKES))
    return plain.translate(_LOOKALIKES) if disguised else _WORD.sub(_latin, plain)


def _plain(character: str) -> str:
    """What a compatibility letter or full-width form stands for, where that is ASCII; else the character."""
    if character.isascii() or not (character.isalpha() or "\uff01" <= character <= "\uff5e" or "Ⓐ" <= character <= "ⓩ"):
        return character
    form = unicodedata.normalize("NFKC", character)
    return form if form.isascii() else character


def _latin(word: re.Match[str]) -> str:
    found = word.group()
    return found.translate(_LOOKALIKES) if _ASCII_LETTER.search(found) else found
