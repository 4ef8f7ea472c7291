"""What a section of a manual is for: told by its heading and by the look of its lines."""

import re
from enum import StrEnum


class SectionType(StrEnum):
    """What a section is for."""

    PROCEDURE = "procedure"
    DIAGNOSTIC = "diagnostic"
    PARTS = "parts"
    SPECIFICATION = "specification"
    SAFETY = "safety"
    OTHER = "other"


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})\b", re.IGNORECASE)


_HEADINGS = {
    SectionType.PROCEDURE: _pattern(
        r"procedures?|replac\w+|remov\w+|install\w+|adjust\w+|bleed\w*|chang(?:e|ing)|calibrat\w+|inspect\w+|clean\w*|"
        r"lubricat\w+|assembly|disassembly|setting|setup|how to|steps|test|testing|refitting|start-?up|shut-?down|"
        r"checks?|checking|maintenance|measur\w+|survey|renew\w*|exchange|drain\w*|vent\w+|jacking|towing|service"
    ),
    SectionType.DIAGNOSTIC: _pattern(
        r"troubleshoot\w*|faults?|diagnos\w+|symptoms?|error codes?|codes|complaints?|failures?|problems?|does not|"
        r"do not|won't|will not|cannot|poor|no \w+|overheat\w*|messages|trouble|misfire|hesitation|warning light"
    ),
    SectionType.PARTS: _pattern(
        r"parts?(?: list)?|spares?|consumables|tools?|kits?|order numbers|components list|bill of materials"
    ),
    SectionType.SPECIFICATION: _pattern(
        r"specifications?|data|dimensions?|torques?|ratings?|capacit(?:y|ies)|limits?|clearances?|values|tables?|"
        r"pressures|intervals?|electrical characteristics"
    ),
    SectionType.SAFETY: _pattern(
        r"safety|safe|warnings?|hazards?|precautions?|danger\w*|lockout|isolation|protective|emergency|first aid|risks?"
    ),
}
_HEADING_WEIGHT = 3.0

_NUMBERED = re.compile(r"^\s*+(?:\(?\d{1,3}[.)]|step\s++\d++\s*+[:.])\s++\S", re.IGNORECASE)
_IMPERATIVE = re.compile(
    r"""^\s*+(?:\(?\d{1,3}[.)]|[-•*]|step\s++\d++\s*+[:.])?+\s*+
    (?:add|adjust|align|apply|attach|bleed|charge|check|choose|clean|close|connect|cut|detach|disconnect|drain|enter|
    fill|fit|hold|insert|inspect|install|isolate|jack|lift|locate|loosen|lower|make|mark|measure|move|open|place|press|
    pull|push|put|raise|read|reconnect|reinstall|release|remove|repeat|replace|run|select|set|slacken|slide|start|stop|
    switch|take|test|tighten|torque|turn|unplug|unscrew|use|wait|warm|wipe)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_SYMPTOM = _pattern(
    r"symptoms?|causes?|remed(?:y|ies)|corrective action|likely|fault codes?|trouble|indicates?|error|fails?|failed|"
    r"faulty|defective"
)
_CAUSE_HEADER = _pattern(
    r"symptom|causes?|remedy|complaint|fault|meaning|trouble|first check|action|probable \w+|correction"
)
_SYMPTOM_LINE = re.compile(r"^\W*+(?:symptoms?|(?:probable |possible |likely )?causes?)\b.*:", re.IGNORECASE)
_PART_NUMBER = re.compile(
    r"\b(?=[A-Z0-9-]{0,40}\d)(?=[A-Z0-9-]{0,40}[A-Z])[A-Z0-9]{2,}(?:-[A-Z0-9]+)+\b|\b\d{4,}-\d{2,}\b"
)
_PARTS_HEADER = _pattern(r"part (?:no|number)s?|qty|quantity|order (?:no|number)|ref|item no|description")
_VALUE = re.compile(
    r"\d\s?(?:mm|cm|km|m|in|inch(?:es)?|kg|g|lb|lbs|psi|bar|mbar|kPa|MPa|Pa|Nm|N·m|ft-lbs?|lb-ft|lbf|V|mV|kV|A|mA|µA|W|"
    r"kW|VA|ohms?|kohm|Mohm|Ω|Hz|kHz|MHz|GHz|dB|rpm|°C|°F|K|degrees|litres?|liters?|l|ml|qt|quarts?|gal|gallons?|s|ms|"
    r"µs|min|minutes|hours?|h|percent)\b|\d\s?%"
)
_WARNING = re.compile(r"\b(?:WARNING|CAUTION|DANGER)\b|⚠")
_HAZARD = _pattern(
    r"never|injur\w+|death|fatal|kills?|burns?|electric shock|explo\w+|flammable|hazard\w*|goggles|gloves|protective|"
    r"eye protection|padlock|poison\w*|toxic|lethal"
)


def _share(lines: list[str], pattern: re.Pattern[str]) -> float:
    """The part of the lines that a pattern begins."""
    return sum(pattern.match(line) is not None for line in lines) / max(1, len(lines))


def _density(text: str, pattern: re.Pattern[str]) -> float:
    """Matches in 100 words; a text shorter than 50 counts as 50."""
    return 100 * len(pattern.findall(text)) / max(50, len(text.split()))


def scores(heading: str, text: str) -> dict[SectionType, float]:
    """How much a section looks like each type: 3 for a word in the heading, up to about 5 for the content.

    A type's content score is the share of lines of its form, or the density of its words, each capped so
    that no single sign decides against a heading and all the others.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    rows = [line for line in lines if " | " in line]
    header = rows[0] if rows else ""
    table = len(rows) / max(1, len(lines))
    content = {
        SectionType.PROCEDURE: 3 * _share(lines, _NUMBERED) + 1.5 * _share(lines, _IMPERATIVE),
        SectionType.DIAGNOSTIC: min(2.0, 0.5 * _density(text, _SYMPTOM))
        + 3 * table * (_CAUSE_HEADER.search(header) is not None)
        + 1.5 * any(_SYMPTOM_LINE.match(line) for line in lines),
        SectionType.PARTS: min(2.0, 0.2 * _density(text, _PART_NUMBER)) * (0.5 + table)
        + 3 * table * (_PARTS_HEADER.search(header) is not None),
        SectionType.SPECIFICATION: min(2.0, 0.1 * _density(text, _VALUE)) * (0.5 + table) + 1.5 * table,
        SectionType.SAFETY: min(1.5, _density(text, _WARNING))
        + min(2.0, 0.5 * _density(text, _HAZARD))
        + 0.5 * (_WARNING.match(text) is not None),
        SectionType.OTHER: 0.0,
    }
    named = {kind for kind, pattern in _HEADINGS.items() if pattern.search(heading)}
    return {kind: score + _HEADING_WEIGHT * (kind in named) for kind, score in content.items()}


_THRESHOLD = 2.0


def section_type(heading: str, text: str) -> SectionType:
    """The type that scores highest, `OTHER` if none reaches 2; of equals the first in the order of the enum."""
    found = scores(heading, text)
    best = max(found, key=lambda kind: found[kind])
    return best if found[best] >= _THRESHOLD else SectionType.OTHER
