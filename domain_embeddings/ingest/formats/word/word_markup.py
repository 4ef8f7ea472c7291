"""The XML of a Word document made plain for conversion: headings by level, text boxes and equations as paragraphs."""

import io
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from domain_embeddings.ingest.formats.word.equations import MATH, equation_text

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STRICT = b"http://purl.oclc.org/ooxml/wordprocessingml/main"
_STRICT_MATH = b"http://purl.oclc.org/ooxml/officeDocument/math"
_COMPATIBLE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_DEEPEST_HEADING = 6
_BODY_LEVEL = 9
"""The outline level of body text; headings have 0 to 8 (ECMA-376, part 1, 17.3.1.20)."""

_REPLACED = frozenset((f"{MATH}oMath", f"{MATH}oMathPara", f"{_COMPATIBLE}AlternateContent", f"{WORD}sdt"))

Styles = dict[str, Element]
"""Paragraph styles by id."""


def _xml(package: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [part for part in package.infolist() if part.filename.endswith((".xml", ".rels"))]


def unpacked_size(path: Path) -> int:
    """The bytes that the XML parts of a DOCX say to have when unpacked, of which no more are read; 0 of no DOCX."""
    try:
        with zipfile.ZipFile(path) as package:
            return sum(part.file_size for part in _xml(package))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return 0


def _unpacked(data: bytes) -> dict[str, bytes]:
    """The XML parts of a DOCX by name."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return {part.filename: package.read(part) for part in _xml(package)}


def _packed(parts: dict[str, bytes]) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return buffer


def _setting(element: Element | None, *path: str) -> str | None:
    """The `w:val` of what lies at a path below an element."""
    found = None if element is None else element.find("/".join(WORD + name for name in path))
    return None if found is None else found.get(f"{WORD}val")


def _name(style: Element) -> str:
    return (_setting(style, "name") or "").strip().casefold()


def _outline_level(text: str | None) -> int | None:
    """An outline level from 0; 9 for body text, None where none is given."""
    return int(text) if text and len(text) == 1 and text.isascii() and text.isdigit() else None


def _own_name(style: Element) -> str | None:
    """What a style's own definition says that its paragraphs are: "heading 2", "toc 1", "title" or "", for body."""
    level, name = _outline_level(_setting(style, "pPr", "outlineLvl")), _name(style)
    if name == "title":
        return name
    if level is not None:
        return "" if level == _BODY_LEVEL else f"heading {min(level + 1, _DEEPEST_HEADING)}"
    if "toc" in name.split():
        return "toc 1"
    if match := re.fullmatch(r"heading ([1-9])", name):
        return f"heading {min(int(match[1]), _DEEPEST_HEADING)}"
    return None


def _roles(styles: Styles) -> dict[str, str]:
    """What each style is by its own definition, or the nearest definition that it is based on; "" for body text."""
    roles: dict[str, str] = {}
    for style_id in styles:
        chain: list[str] = []
        key: str | None = style_id
        own: str | None = None
        while key in styles and own is None:
            chain.append(key)
            own = roles.get(key, _own_name(styles[key]))
            roles.setdefault(key, "")
            key = _setting(styles[key], "basedOn")
        roles.update(dict.fromkeys(chain, own or ""))
    return roles


def _name_styles(root: Element) -> None:
    """Give the styles of headings, titles and tables of contents, by whatever name, the names of Word's own."""
    found = [style for style in root.findall(f"{WORD}style") if style.get(f"{WORD}type") == "paragraph"]
    styles = {style.get(f"{WORD}styleId", ""): style for style in reversed(found)}
    roles = _roles(styles)
    for key, style in styles.items():
        name = style.find(f"{WORD}name")
        body = _name(style).split()[:1] in (["heading"], ["toc"]) and not roles[key]
        if name is not None and (roles[key] or body):
            name.set(f"{WORD}val", "Title" if roles[key] == "title" else roles[key] or "Normal")
    for level in range(1, _DEEPEST_HEADING + 1):
        style = ElementTree.SubElement(root, f"{WORD}style", {f"{WORD}type": "paragraph", f"{WORD}styleId": _id(level)})
        ElementTree.SubElement(style, f"{WORD}name", {f"{WORD}val": f"heading {level}"})


def _id(level: int) -> str:
    """The id of the style that paragraphs with an outline level of their own get."""
    return f"outline-level-{level}"


def _run(text: str) -> Element:
    run = Element(f"{WORD}r")
    ElementTree.SubElement(run, f"{WORD}t").text = text
    return run


def _replaced(element: Element) -> list[Element]:
    """What stands for an element: an equation's text, the newer one of two forms, nothing for the table of contents."""
    if element.tag == f"{MATH}oMath":
        return [_run(f" {equation_text(element)} ")]
    if element.tag == f"{MATH}oMathPara":
        return [run for part in element.findall(f"{MATH}oMath") for run in _replaced(part)]
    if element.tag == f"{_COMPATIBLE}AlternateContent":
        choice, fallback = element.find(f"{_COMPATIBLE}Choice"), element.find(f"{_COMPATIBLE}Fallback")
        boxed = choice is not None and choice.find(f".//{WORD}txbxContent") is not None
        chosen = choice if boxed or fallback is None else fallback
        return [new for child in (() if chosen is None else chosen) for new in _replaced(child)]
    if element.tag == f"{WORD}sdt":
        gallery = _setting(element, "sdtPr", "docPartObj", "docPartGallery")
        return [] if gallery == "Table of Contents" else [element]
    return [element]


def _replace(root: Element) -> None:
    """Put what stands for them in the places of equations, alternatives and tables of contents."""
    waiting = [root]
    while waiting:
        element = waiting.pop()
        if any(child.tag in _REPLACED for child in element):
            element[:] = [new for child in element for new in _replaced(child)]
        waiting.extend(element)


def _boxes(paragraph: Element) -> list[Element]:
    """The paragraphs and tables of the text boxes in a paragraph, which are taken out of it."""
    taken: list[Element] = []
    waiting = [paragraph]
    while waiting:
        element = waiting.pop()
        boxes = [child for child in element if child.tag == f"{WORD}txbxContent"]
        taken += [part for box in boxes for part in box]
        for box in boxes:
            element.remove(box)
        waiting.extend(reversed(list(element)))
    return taken


def _unbox(root: Element) -> None:
    """Put the text of boxes behind the paragraphs that hold them."""
    waiting = [root]
    while waiting:
        element = waiting.pop()
        children: list[Element] = []
        pending = list(element)[::-1]
        while pending:
            children.append(pending.pop())
            if children[-1].tag == f"{WORD}p":
                pending.extend(reversed(_boxes(children[-1])))
        if len(children) > len(element):
            element[:] = children
        waiting.extend(child for child in element if child.tag != f"{WORD}p")


def _mark_headings(root: Element) -> None:
    """Give paragraphs that have an outline level of their own, and no style with one, a heading's style."""
    for paragraph in root.iter(f"{WORD}p"):
        properties = paragraph.find(f"{WORD}pPr")
        level = _outline_level(_setting(properties, "outlineLvl"))
        if properties is None or level is None or level == _BODY_LEVEL:
            continue
        style = properties.find(f"{WORD}pStyle")
        if style is None:
            style = ElementTree.SubElement(properties, f"{WORD}pStyle")
        style.set(f"{WORD}val", _id(min(level + 1, _DEEPEST_HEADING)))


def _plain_document(content: bytes) -> bytes:
    root = ElementTree.fromstring(content)
    _replace(root)
    _unbox(root)
    _mark_headings(root)
    return ElementTree.tostring(root)


def _plain_styles(content: bytes) -> bytes:
    root = ElementTree.fromstring(content)
    _name_styles(root)
    return ElementTree.tostring(root)


def plain_package(data: bytes) -> io.BytesIO:
    """A DOCX without pictures whose headings are in Word's own styles, and boxes and equations in paragraphs.

    Raises what `zipfile` and `ElementTree` raise for damaged data.
    """
    parts = _unpacked(data)
    for name, content in parts.items():
        plain = content.replace(_STRICT, WORD[1:-1].encode()).replace(_STRICT_MATH, MATH[1:-1].encode())
        if re.search(r"/document\d*\.xml$", name):
            plain = _plain_document(plain)
        elif name.endswith("/styles.xml"):
            plain = _plain_styles(plain)
        parts[name] = plain
    return _packed(parts)
