"""The sentences of a passage that stand on their own, and what no person would type into a search box."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from domain_embeddings.core.text import sentences, words
from domain_embeddings.english.lexicon import IMPERATIVES
from domain_embeddings.english.word_lists import any_of, word_list

_LONGEST = 2000
"""Characters of a sentence."""
_CODE_FENCE = re.compile(r"```.*?(?:```|\Z)", re.S)
_TARGET = r"\([^()]*+(?:\([^()]*+\)[^()]*+)*+\)"
"""What a link leads to, in brackets; an address may have brackets itself."""
_MARKDOWN = [
    (re.compile(rf"!\[[^\[\]]*+\]{_TARGET}"), " "),
    (re.compile(rf"\[([^\[\]]*+)\]{_TARGET}"), r"\1"),
    (re.compile(r"`([^`\n]+)`"), r"\1"),
    (re.compile(r"\*{1,3}([^*\n]+)\*{1,3}|'{2,}"), r"\1"),
    (re.compile(r"(?<!\w)__?([^_\n]+)__?(?!\w)"), r"\1"),
]
_BULLET = re.compile(
    r"^\s*+(?:[-*•·▪◦●○►>+#]++\s++|\(?\d{1,3}[.)]\s++|\(?[a-zA-Z][.)]\s++|step\s++\d++\s*+[:.)-]?+\s*+)++", re.I
)
_ASIDE = re.compile(r"(?<!\s)\s*+(?:\([^()]*+\)|\[[^\[\]]*+\])")
_RUN_ON = re.compile(rf"(?<=[a-z)]) (?=(?:{any_of(word_list('run_on_starts'))}) [a-z])")
_IMPERATIVE = re.compile(
    rf"(?<=[a-z0-9)]) (?=(?:{any_of(verb.title() for verb in IMPERATIVES)})"
    r" (?:the|an?|your|to|down|up|off|on|in|out|if|all|any|both|it|them|that)\b)"
)
_LABEL = re.compile(
    rf"^(?:{any_of(word_list('labels'))})(?:\s++|\s*+[:.!–-]++\s++)(?=(?-i:[A-Z]))"
    r"|^(?:NOTE|TIP|WARNING|CAUTION|DANGER)\b[:!]*\s*",
    re.I,
)
_JUNK = re.compile(
    r"https?:|www\.|(?<=\w\w\w)\.[a-z]{2,4}\b|\w\.(?:com|org|net|html?|pdf|md|cfg|py|txt|exe|json)\b|[{}<>=|\\^~$#*@;\[\]]|::|->|→|--"
    r"|\+\+|\.\.|__|\bsudo\b|\bapt(?:-get)? install|\bgit clone|\bsome_|\bmy_|\w\(|/\w+/|(?:^|\s)[/~]\w"
    rf"|\b(?:{any_of(word_list('numbered_parts'))})\s*+(?:\.\s*+)?+[(\d]"
    rf"|\b(?:{any_of(word_list('page_phrases'))}|^see\b|see \W|shown(?! (?:that|to|how)))\b",
    re.I,
)
_DEPENDENT = re.compile(rf"^(?:{any_of(word_list('dependent_starts'))})\b", re.I)
_POINTING = re.compile(rf"\b(?:{any_of(word_list('pointing_words'))})\b", re.I)
_COMMENT = re.compile(r"(?:^#  +\S.*(?:\n|\Z))+", re.M)
_LOST_WORD = re.compile(
    r"\b(?:the|an?|of|including|with|for|select|press) (?:and|or|to|at)\b|\b(?:the|an?|see|of)$|(?<!\w)\w' ", re.I
)
"""An icon or formula that the text lost: "press the and buttons"."""
_CAPITAL_VERB = re.compile(r"\w (?:Tap|Select|Press|Try|Check|Go|Choose) (?:[A-Z]|$)")
_PAGE_MARK = re.compile(r"(?<!\s)\s++- \d+ -(?=\s|$)")
_CAPITALS = re.compile(r"(?<![\w'-])(?:[A-Z][\w'-]*+[ ,]++){4}[A-Z]")
_QUOTES = re.compile(r"((?<![\d/.])(?:(?<!\w)|\d*+[/.]++)\d[\d/.]*+[\"″”])|[\"“”]")
"""Quotation marks; as group 1 a number with the mark for inches."""
_BEFORE_MARK = re.compile(r"(?<!\s)\s++([,;:?!]|\.(?!\d))")
_ALLOWED = re.compile(r"^[\w\s,.'’?%°\"″&+/:()×µΩ±!-]+$")


def prose_lines(text: str) -> Iterator[str]:
    """The lines of a passage without code, table rows, markup and list marks."""
    plain = _PAGE_MARK.sub("", _CODE_FENCE.sub("\n", text))
    plain = re.sub(r"(?m)^[ \t]*#.*$", "", _COMMENT.sub(_joined, plain))
    for pattern, replacement in _MARKDOWN:
        plain = pattern.sub(replacement, plain)
    for line in plain.splitlines():
        if "|" not in line and not line.startswith(("    ", "\t")):
            stripped = _BULLET.sub("", line).strip()
            if stripped:
                yield stripped


def _joined(comment: re.Match[str]) -> str:
    """The wrapped lines of a configuration file's comment as one line; a piece that starts mid-sentence is left out."""
    text = " ".join(line.lstrip("# ") for line in comment[0].splitlines())
    start = re.search(r"(?:^|(?<=[.!?] ))[A-Z]", text)
    return f"{text[start.start() :]}\n" if start else "\n"


def cells(text: str) -> Iterator[str]:
    """The first cells of a passage's table rows: what each row is about."""
    for line in text.splitlines():
        row = [cell.strip() for cell in line.strip(" |").split("|")]
        if len(row) > 1 and row[0] and not set(row[0]) <= set("-: "):
            yield row[0]


def prose_sentences(text: str) -> list[str]:
    """The sentences of a passage, without labels ("NOTE:") and asides in brackets; not yet judged.

    One of more than 2,000 characters is none: a list, a table or a key without a full stop.
    """
    found = []
    for line in prose_lines(text):
        for piece in re.split(r"(?<=\w) \.(?: |$)", line):
            for sentence in sentences(_split_run_ons(piece)):
                bare = _bare(sentence)
                if 0 < len(bare) <= _LONGEST:
                    found.append(bare)
    return found


def _split_run_ons(text: str) -> str:
    """The text with a full stop where a label runs into the next sentence ("… the tray The tray opens")."""
    for pattern in (_RUN_ON, _IMPERATIVE):
        text = pattern.sub(". ", text)
    return text


def _bare(sentence: str) -> str:
    """A sentence without its label ("NOTE:", "Sound mode: …") and asides."""
    plain = _LABEL.sub("", _QUOTES.sub(r"\1", sentence))
    text = _BEFORE_MARK.sub(r"\1", _ASIDE.sub("", plain)).strip(" \"'“”")
    label, colon, rest = text.rpartition(": ")
    if not colon or not label:
        return text
    return rest if len(rest.split()) >= 5 else "" if rest[:1].isupper() else text


@lru_cache(maxsize=1 << 16)
def is_junk(text: str) -> bool:
    """Whether a text holds what belongs to a page, a program or a table rather than to language."""
    if (
        _JUNK.search(text)
        or _LOST_WORD.search(text)
        or _CAPITAL_VERB.search(text)
        or _CAPITALS.search(text)
        or "''" in text
        or re.search(r"\.[:,]", text)
        or re.search(r"(?<!\d)[\"″”]", text)
        or not _ALLOWED.match(text)
        or text.count("(") != text.count(")")
    ):
        return True
    found = text.split()
    real = [word for word in found if any(character.isalpha() for character in word)]
    shouted = [word for word in real if len(word) > 3 and word.isupper() and word.isalpha()]
    single = [word for word in found if len(word.strip(",.?")) == 1 and word.lower() not in ("a", "i", "x", "y", "z")]
    return (
        sum("_" in word for word in found) > 1
        or len(real) < 0.6 * len(found)
        or len(shouted) > 0.4 * len(real)
        or len(single) > 0.2 * len(found)
        or any(len(word) > 28 for word in found)
        or any(a.lower() == b.lower() for a, b in pairwise(found))
    )


def stands_alone(sentence: str) -> bool:
    """Whether a sentence means something without the one before it."""
    return not _DEPENDENT.match(sentence) and not _POINTING.search(sentence)


def key(text: str) -> str:
    """What makes two queries the same query: their words in order, without case and punctuation."""
    return " ".join(words(text))
