"""What a heading looks like in text without markup, and words that look like headings and are none."""

import re

_NOTICE = re.compile(
    r"""\W* (?: (?:safety\s+)? (?:warning|caution|danger|note|notice|important|attention|tip|hint|continued|end) s?
      | end\s+of\s+\w+ ) \s*+ (?: [:.!\-\u2013\u2014].* | \W* )""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_STEP = re.compile(r"\W*+(?:(?:step|schritt)\s*+#?\s*+)?(\d{1,3})\W*+", re.IGNORECASE)
_CAPTION = re.compile(r"\W*(?:table|figure|fig\.?|illustration|diagram)\s+[A-Z]?\d+", re.IGNORECASE)
_PART_LABEL = re.compile(
    r"""\W* (?: (?:(?:diagnostic|cleaning|test|repair)\s+)? procedure | steps | example | parts(?:\s+required)?
      | (?:(?:required|tools\s+and)\s+)? materials | (?:required\s+)? tools? | components | notes? | symptoms?
      | remed(?:y|ies) | solutions? | (?:(?:probable|possible)\s+)? causes? (?:\s+\(.*\))? ) \W*""",
    re.IGNORECASE | re.VERBOSE,
)
_CHAPTER = re.compile(
    r"""(?:section|chapter|part|appendix|annex|module|unit|volume) \s+ (?P<number>\d{1,3}|[IVXLC]+|[A-Z])\b
      \s* [:.\-\u2013\u2014]? \s* (?P<title>.*)""",
    re.IGNORECASE | re.VERBOSE,
)
_PARAGRAPH = re.compile(
    r"""(?:para|paragraph|task|job|wp|work\ package)\.? \s+ [A-Z]{0,2}\d+(?:[-.]\d+)* (?: \s*+ [:.\-\u2013\u2014] )?
      \s++ (?P<title>[A-Z].*)""",
    re.IGNORECASE | re.VERBOSE,
)
_NUMBERED = re.compile(r"(?P<number>[A-Z]?\d{1,2}(?:[.-]\d{1,3}){0,8})\.?\s+(?P<title>\S.*)")
_RULE = re.compile(r"([=\-~*_#^+\u2500\u2501\u2550])(?:\s?\1){2,}")
_LONGEST = 100
_LONGEST_LINE = 300
"""No line longer than this, in characters, is a heading, label or caption."""


def is_label(text: str) -> bool:
    """Whether a line is the label of a warning or note ("WARNING", "CAUTION: HOT SURFACE"), not a heading."""
    return len(text) <= _LONGEST_LINE and _NOTICE.fullmatch(text) is not None


def is_part_label(text: str) -> bool:
    """Whether a line names a part that any section may have ("Procedure:", "Tools"), and so says nothing alone."""
    return len(text) <= _LONGEST_LINE and _PART_LABEL.fullmatch(text) is not None


def step_number(heading: str) -> int | None:
    """The number of a heading that is only "Step N" or a number, else None."""
    match = _STEP.fullmatch(heading) if len(heading) <= _LONGEST_LINE else None
    return int(match[1]) if match else None


def is_caption(text: str) -> bool:
    """Whether a line is the caption of a table or figure."""
    return len(text) <= _LONGEST_LINE and _CAPTION.match(text) is not None


def is_rule(text: str) -> bool:
    """Whether a line is drawn of one sign ("-----", "=====")."""
    return _RULE.fullmatch(text.strip()) is not None


def title_like(text: str) -> bool:
    """Whether a text can be a title: short, begins as titles do, ends in no punctuation of a sentence."""
    first = next((c for c in text if c.isalnum()), "")
    if len(text) > _LONGEST or not first or first.islower() or text.rstrip().endswith((".", ";", ",", ":", "!")):
        return False
    return len(text.split()) <= 16 and not is_label(text) and not is_caption(text)


def is_all_caps(text: str) -> bool:
    """Whether a line is a title in capitals: a word of three letters at least, letters the greater part."""
    letters = [c for c in text if c.isalpha()]
    if (
        len(text) > _LONGEST
        or any(c.islower() for c in letters)
        or len(letters) < 4
        or not re.search(r"[A-ZÀ-Þ]{3}", text)
    ):
        return False
    return len(letters) * 2 > len(text.replace(" ", "")) and title_like(text)


def chapter_title(text: str) -> str | None:
    """What follows "SECTION 4:", "Chapter 2 -" or "Appendix A" in a heading ("" if nothing does), else None."""
    match = _CHAPTER.fullmatch(text.strip()) if len(text) <= _LONGEST_LINE else None
    if not match or not title_like(text):
        return None
    title, number = match["title"], match["number"]
    return None if title and (title[0].islower() or number.islower()) else title


def is_paragraph_heading(text: str) -> bool:
    """Whether a line is a heading such as "Para 1-2: Engine cranks but will not start"."""
    match = _PARAGRAPH.fullmatch(text.strip()) if len(text) <= _LONGEST_LINE else None
    return match is not None and match["title"][0].isupper() and title_like(text)


def numbered(text: str) -> str | None:
    """The number of a line such as "3.2 Title" or "4-1. Title", else None."""
    match = _NUMBERED.fullmatch(text.strip()) if len(text) <= _LONGEST_LINE else None
    if not match or not title_like(match["title"]) or not match["title"][0].isalpha():
        return None
    return match["number"]
