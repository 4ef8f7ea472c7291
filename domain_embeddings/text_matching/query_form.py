"""One form for the many ways to write a short text, so that two questions differ only in what they ask for.

Lost are case, punctuation, accents, disguised letters, possessives, thousands separators, hyphens and slashes within
words, blanks between a number and its unit, British or American spelling, function words and the order of words. Kept
is every number, with its unit or the letter of its code.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from domain_embeddings.core.text import STOPWORDS
from domain_embeddings.text_matching.spelling import Rules, one_spelling, rewritten, spelled_stem
from domain_embeddings.text_matching.unicode_normalization import canonical

_UNIT_FORMS = """
m meter meters|km kilometer kilometers|cm centimeter centimeters|mm millimeter millimeters|um micrometer micrometers
mi mile miles|ft foot feet|yd yard yards|g gram grams gramme grammes|kg kgs kilogram kilograms|mg milligram milligrams
t tonne tonnes|lb lbs pound pounds|oz ounce ounces|l liter liters|ml milliliter milliliters|cc|gal gallon gallons
qt quart quarts|ms millisecond milliseconds|s sec secs second seconds|min mins minute minutes|h hr hrs hour hours
d day days|wk week weeks|month months|y yr yrs year years|am|pm|v volt volts|mv|kv|a amp amps ampere amperes|ma|ah|mah
w watt watts|kw kilowatt kilowatts|kwh|hp|ohm ohms|kohm|hz hertz|khz|mhz|ghz|pa|kpa|mpa|psi|bar bars|n newton newtons
nm|kn|rpm|mph|kmh kph|kb|mb|gb|tb|dpi|db|c celsius|f fahrenheit|deg degree degrees|percent
"""
_UNITS = {form: unit.split()[0] for unit in re.split(r"[|\n]", _UNIT_FORMS.strip()) for form in unit.split()}
_UNITS |= dict.fromkeys(("in", "inch", "inches"), "")  # "12 in" may hold no unit, and 12" loses its mark: 12
"""What a word right after a number is called for short."""
_AMOUNTS = frozenset(("half", "dozen", "hundred", "thousand", "million"))
_FUNCTION_WORDS = {word.replace("'", "") for word in STOPWORDS} - frozenset(("off", "down", "out", "under", "no", "re"))
"""Without those that alone tell two compounds apart: power-off and power-on, no-load, re-install."""

_SMALL_NUMBER = re.compile("(?<=[0-9])(?=[²³¹¼-¾⁰-₉⅐-↉])")
_MARKS = str.maketrans(
    {**dict.fromkeys("‘’‛ʹʻʼ`´", "'"), **dict.fromkeys("‐‒–—―−", "-"), "⁄": "/", "_": " "}
    | {"×": "x", "μ": "u", "ω": "ohm", "%": " percent "}
)
_ACCENTS = re.compile("(?<=[a-z])[\u0300-\u036f]+")
_THOUSANDS = re.compile(r"(?<![\w.,'])\d{1,3}(?:(?:[,'’\u00a0\u2009\u202f]\d{3})+|(?: 000)+)(?!\d|,\d)")
_MARK_RULES: Rules = (
    (re.compile(r"(?<=\w)'(?:s|re|ve|ll|d|m)?(?!\w)|(?<=[^\W\d])'(?=[^\W\d])"), ""),  # driver's, drivers', don't
    (re.compile(r"(?<=\b[a-z])\.(?=[a-z]\b)"), ""),  # r.p.m.
    (re.compile(r"(?:°|\bdeg(?:rees?)?\b)(?=\s*(?:[cf]|celsius|fahrenheit)\b)"), " "),  # 20 °C
    (re.compile("°"), " deg "),
    (re.compile(r"(?<=\d)\s+([/-])\s+(?=\d)"), r"\1"),  # 10 - 15
    (re.compile(r"(?<![^\s(])(?:-|minus )(?=\d)"), "−"),  # the sign of a number
)

_UNIT = "|".join(sorted(_UNITS, key=len, reverse=True))
_NUMBER = r"−?\d+(?:[.:/-]\d+)*"
_TOKEN = re.compile(
    rf"""
    (?P<code>
        (?: (?<![^\W_]) (?: [b-hj-z] [\s/-]* | [ai] -? ) )?  # M8, M 8; but not "a 5 mm drill"
        {_NUMBER}                                            # 2024-05-01
        (?: (?: [\s-]* [wx] [\s-]* | -? (?! (?:{_UNIT}) \d ) [a-z]{{2,3}} ) {_NUMBER} )*  # 5W-30, 8 x 1.25, 12CD34
        (?: (?:{_UNIT}|[b-z]) (?![^\W\d_]) | [\s/-]+ (?:{_UNIT}|[b-hj-z]) (?![^\W_]) )?
        (?: [\s/-]+ (?!a\b) (?:{_UNIT}) (?![^\W_]) )*        # 25 km/h, 30 ft lb
    )
    | [^\W\d_]+
    """,
    re.VERBOSE,
)
_LETTERS = re.compile(r"[^\W\d_]+")
_CODE_GAP = re.compile(r"(?<!\d)[\s/-]+|[\s/-]+(?!\d)")
_LONGEST_CODE = 3
"""Letters of a code that a blank may part from its number: "ISO 9001"."""


@dataclass(frozen=True)
class QueryForm:
    """What a short text asks for."""

    words: frozenset[str]
    """The stems of its content words; of all its words where it holds nothing else."""
    codes: frozenset[str]
    """Its numbers and what they stand with: units, and the letters of codes and part numbers."""


def query_form(text: str) -> QueryForm:
    """The form of a text; of one without a letter or digit, the text itself is the only word."""
    plain = _plain(text)
    codes: set[str] = set()
    content: set[str] = set()
    function: set[str] = set()
    for token, gaps in _tokens(plain):
        if token["code"]:
            codes.add(_code(token.group()))
        elif token.group() in _FUNCTION_WORDS and "" not in gaps:
            function.add(token.group())
        else:
            (codes if _is_code(token.group(), gaps) else content).add(spelled_stem(token.group()))
    return QueryForm(frozenset(content - codes or (() if codes else function or {text})), frozenset(codes))


def _plain(text: str) -> str:
    """A text in lower-case letters without accents, in one spelling and with one mark for each kind."""
    if not text.isascii():
        whole = _THOUSANDS.sub(_digits, _SMALL_NUMBER.sub(" ", canonical(text)))
        letters = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", whole).casefold())
        text = unicodedata.normalize("NFC", _ACCENTS.sub("", letters))
    marked = text.casefold().translate(_MARKS)
    return rewritten(one_spelling(_THOUSANDS.sub(_digits, marked)), _MARK_RULES)


def _digits(found: re.Match[str]) -> str:
    return re.sub(r"\D", "", found.group())


def _tokens(text: str) -> Iterator[tuple[re.Match[str], list[str]]]:
    """Every word and code with what stands between it and the code before or after it."""
    found = list(_TOKEN.finditer(text))
    for before, token, after in zip([None, *found], found, [*found[1:], None], strict=False):
        gaps = [text[before.end() : token.start()]] if before and before["code"] else []
        gaps += [text[token.end() : after.start()]] if after and after["code"] else []
        yield token, gaps


def _code(written: str) -> str:
    """A code without blanks and hyphens, but for those between two numbers, and with the unit's usual letters."""
    return _CODE_GAP.sub("", _LETTERS.sub(lambda found: _UNITS.get(found.group(), found.group()), written))


def _is_code(word: str, gaps: Iterable[str]) -> bool:
    """Whether a word is a code, an amount or part of one: class B, half, HT-25, SQB 118."""
    short = len(word) <= _LONGEST_CODE
    return len(word) == 1 or word in _AMOUNTS or any(gap in ("", "-", "/") or (short and gap.isspace()) for gap in gaps)
