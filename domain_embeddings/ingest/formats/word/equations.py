"""Equations in Word documents (Office Math) as text in the manner of LaTeX."""

from xml.etree.ElementTree import Element

MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_DEEPEST = 40


def _value(element: Element, path: str, missing: str) -> str:
    """The `m:val` of a property below an element, `missing` where the property or its value is not given."""
    found = element.find("/".join(MATH + name for name in path.split("/")))
    return missing if found is None else found.get(f"{MATH}val", missing)


def _part(element: Element, name: str, depth: int) -> str:
    """The text of a named part, "" if it is not there."""
    found = element.find(MATH + name)
    return "" if found is None else _texts(found, depth + 1)


def _grouped(text: str) -> str:
    """A text as one operand: in braces if it is longer than a sign."""
    return text if len(text) <= 1 else f"{{{text}}}"


def _scripts(element: Element, depth: int) -> str:
    """What stands below and above at the right of a base."""
    below, above = _part(element, "sub", depth), _part(element, "sup", depth)
    return (f"_{_grouped(below)}" if below else "") + (f"^{_grouped(above)}" if above else "")


def _delimited(element: Element, depth: int) -> str:
    parts = [_texts(part, depth + 1) for part in element.findall(f"{MATH}e")]
    separator = _value(element, "dPr/sepChr", "|")
    return _value(element, "dPr/begChr", "(") + separator.join(parts) + _value(element, "dPr/endChr", ")")


def _root(element: Element, depth: int) -> str:
    degree = _part(element, "deg", depth)
    return "\\sqrt" + (f"[{degree}]" if degree else "") + f"{{{_part(element, 'e', depth)}}}"


def _matrix(element: Element, depth: int) -> str:
    rows = [[_texts(cell, depth + 1) for cell in row.findall(f"{MATH}e")] for row in element.findall(f"{MATH}mr")]
    return "[" + "; ".join(", ".join(row) for row in rows) + "]"


def _text(element: Element, depth: int) -> str:
    """One element of an equation as text; an element not known here as the text in it."""
    name = element.tag.removeprefix(MATH)
    if name == "t":
        return element.text or ""
    if name == "f":
        return f"({_part(element, 'num', depth)})/({_part(element, 'den', depth)})"
    if name in ("sSup", "sSub", "sSubSup", "sPre"):
        return _part(element, "e", depth) + _scripts(element, depth)
    if name == "nary":
        return _value(element, "naryPr/chr", "\u222b") + _scripts(element, depth) + f" {_part(element, 'e', depth)}"
    if name == "rad":
        return _root(element, depth)
    if name == "d":
        return _delimited(element, depth)
    if name == "func":
        return f"{_part(element, 'fName', depth)} {_part(element, 'e', depth)}"
    if name == "m":
        return _matrix(element, depth)
    if name == "eqArr":
        return "; ".join(_texts(row, depth + 1) for row in element.findall(f"{MATH}e"))
    return _texts(element, depth)


def _texts(element: Element, depth: int) -> str:
    """The texts of an element's children together; what is nested deeper than any real equation is left out."""
    return "".join(_text(child, depth + 1) for child in element) if depth < _DEEPEST else ""


def equation_text(element: Element) -> str:
    """An `m:oMath` element as one line of text: "M=(9550 P)/(n)", "x_1^2"."""
    return " ".join(_texts(element, 0).split())
