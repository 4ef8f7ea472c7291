"""What documentation tools add to Markdown, as Markdown: admonitions, tabs, hints, JSX, alerts, attributes.

MkDocs, Docusaurus, MyST, Pandoc, GitBook, Hugo, GitHub, Obsidian, Mintlify and kramdown.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_INDENTED = re.compile(r'(?:!!!|\?\?\?\+?)\s+(?P<kind>[\w-]++)(?:\s+[\w-]++)*+(?:\s+"(?P<title>[^"]*)")?')
_TAB = re.compile(r'===[!+]?\s+"(?P<title>[^"]*)"')
_COLONS = re.compile(r":{3,}+(?P<rest>.*)")
_FENCE = re.compile(r"(?P<fence>`{3,}+|~{3,}+)(?P<info>.*)")
_NAMED = re.compile(r"\s*(?:\{\s*\.?(?P<braced>[\w:-]++)[^{}]*\}|(?P<bare>[\w-]++))(?P<title>.*)")
_OPTION = re.compile(r":[\w-]+:.*")
_ALERT = re.compile(r"(?P<quote>(?:>\s*)+)\[!(?P<kind>\w+)\][+-]?(?P<title>.*)")
_TEMPLATE = re.compile(r"\{%-?(?P<gitbook>[^%]*)%\}|\{\{[<%](?P<hugo>[^<>%]*)[>%]\}\}")
_QUOTED = re.compile(r"""(?:\b(?P<key>\w++)\s?=\s?)?(?P<quote>["'])(?P<value>[^"']*)(?P=quote)""")
_IMPORT = re.compile(r"""import\s(?:[\w*{][^"']*\sfrom\s*)?["'][^"']+["'];?""")
_EXPORT = re.compile(r"""(?:export\s+(?:const|default|function|let)\b.*[{}()\[\];,=>"'`]|import\s*\{[^}]*)""")
_NO_TEXT = re.compile(r"\[toc\]|\[\[_?toc_?\]\]|\{:[^{}]*\}|\{/\*.*\*/\}", re.IGNORECASE)
_COMPONENT = re.compile(r"</?(?P<name>[A-Z][\w.]*)|</?>")
_LONGEST_TAG = 20
_NOTE_KINDS = """
note tip hint info important warning caution danger error attention seealso success check failure bug example
question faq help abstract summary tldr quote todo notice callout alert admonition
"""
_LABELLED_KINDS = "tab tabitem tab-item tabs.tab accordion accordion-item step card details dropdown"
_NOTES, _LABELLED = frozenset(_NOTE_KINDS.split()), frozenset(_LABELLED_KINDS.split())
_LABEL_KEYS = ("label", "title", "name", "header", "summary", "value")


def _label(kind: str, title: str) -> str:
    """The words that stand for the beginning of a note or tab: "Warning: Stop first.", "Linux:", or ""."""
    kind, title = kind.casefold().rsplit(":", 1)[-1], " ".join(title.replace("**", "").split())
    named = kind.capitalize() if kind in _NOTES and kind not in ("admonition", "callout", "alert") else ""
    if named and title and title.casefold().rstrip(":!") != kind:
        return f"{named}: {title}" + ("" if title[-1] in ".!?:" else ".")
    return f"{(title or named).rstrip(':')}:" if title or named else ""


def _attributes(text: str) -> dict[str, str]:
    """The quoted values in a tag, by key; one without a key under "title"."""
    return {match["key"] or "title": match["value"] for match in reversed(list(_QUOTED.finditer(text)))}


def _tag_label(name: str, text: str) -> str:
    """The label of a tag of a template or component."""
    values = _attributes(text)
    kind = values.get("style") or values.get("type") or name
    known = name.casefold() in _NOTES | _LABELLED
    title = next((values[key] for key in _LABEL_KEYS if key in values), "") if known else ""
    return _label(kind if name.casefold() in _NOTES else "", title)


def _tag_end(text: str, start: int) -> int:
    """The index after the ">" of the tag that begins at `start`, quotes and braces aside; -1 if it does not end."""
    braces, quote = 0, ""
    for index in range(start, len(text)):
        sign = text[index]
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in "{}":
            braces = max(0, braces + (1 if sign == "{" else -1))
        elif sign == ">" and not braces:
            return index + 1
    return -1


@dataclass
class _Reader:
    """Goes through lines; `plain` has one for each."""

    lines: Sequence[str]
    plain: list[str] = field(default_factory=list)
    indents: list[int] = field(default_factory=list)
    """The indents of the admonitions and tabs that the line is in."""
    fences: list[tuple[str, bool]] = field(default_factory=list)
    """(marks, whether it is a directive) of the open fences."""
    options: bool = False
    """Whether a directive has just begun, whose options may follow."""

    def read(self) -> list[str]:
        """The lines in plain Markdown."""
        while len(self.plain) < len(self.lines):
            line = self._dedented(self.lines[len(self.plain)])
            text = line.strip()
            coded = bool(self.fences) and not self.fences[-1][1]
            taken = self._fence(text) or (not coded and (self._option(text) or self._block(line, text)))
            if not taken:
                self.plain.append(line)
        return self.plain

    def _dedented(self, line: str) -> str:
        if not line.strip():
            return line
        indent = len(line) - len(line.lstrip(" "))
        while self.indents and indent < self.indents[-1] + 4:
            self.indents.pop()
        return line[4 * len(self.indents) :]

    def _put(self, line: str, text: str, count: int = 1) -> bool:
        """Put a text in the place of `count` lines, with the indent of the first."""
        self.plain.append(line[: len(line) - len(line.lstrip(" "))] + text if text else "")
        self.plain.extend([""] * (count - 1))
        return True

    def _fence(self, text: str) -> bool:
        """Take the beginning or end of a directive in a fence; leave that of code, but remember it."""
        match = _FENCE.fullmatch(text)
        if not match:
            return False
        fence, info = match["fence"], match["info"].strip()
        if self.fences and not info and fence.startswith(self.fences[-1][0]):
            return self.fences.pop()[1] and self._put("", "")
        if self.fences and not self.fences[-1][1]:
            return False
        named = _NAMED.fullmatch(info) if info.startswith("{") else None
        kind = (named["braced"] or "").casefold() if named else ""
        directive = kind in _NOTES | _LABELLED | {"tab-set", "toctree"}
        self.fences.append((fence, directive and kind != "toctree"))
        self.options = directive
        return bool(directive and named) and self._put("", _label(kind, named["title"] if named else ""))

    def _option(self, text: str) -> bool:
        """Take an option of the directive that has just begun."""
        self.options = self.options and _OPTION.fullmatch(text) is not None
        return self.options and self._put("", "")

    def _block(self, line: str, text: str) -> bool:
        """Take a line that a dialect gives a meaning."""
        if match := _INDENTED.fullmatch(text) or _TAB.fullmatch(text):
            original = self.lines[len(self.plain)]
            self.indents.append(len(original) - len(original.lstrip(" ")))
            return self._put(line, _label(match.groupdict().get("kind") or "", match["title"] or ""))
        if match := _COLONS.fullmatch(text):
            return self._directive(line, match["rest"])
        if match := _ALERT.fullmatch(text):
            return self._put(line, f"{match['quote']}{_label(match['kind'], match['title'])}")
        if match := _TEMPLATE.fullmatch(text):
            words = (match["gitbook"] or match["hugo"] or "").split(None, 1)
            return self._put(line, _tag_label(words[0], words[1] if len(words) > 1 else "") if words else "")
        if _NO_TEXT.fullmatch(text) or _IMPORT.fullmatch(text):
            return self._put(line, "")
        if not line.startswith(" ") and not (self.plain and self.plain[-1].strip()) and _EXPORT.fullmatch(text):
            return self._put(line, "", self._to_blank())
        if line.startswith("#") and text.endswith("}") and text[text.rfind("{") + 1 :][:1] in (":", "#", "."):
            return self._put(line, text[: text.rfind("{")].rstrip())
        return _COMPONENT.match(text) is not None and self._component(line)

    def _to_blank(self) -> int:
        """How many lines there are from this one to the next blank one."""
        here = len(self.plain)
        return next((i for i in range(here, len(self.lines)) if not self.lines[i].strip()), len(self.lines)) - here

    def _directive(self, line: str, rest: str) -> bool:
        named = _NAMED.fullmatch(rest)
        if not named:
            return not rest.strip() and self._put(line, "")
        self.options = True
        title = re.sub(r"\{[^{}]*\}", "", named["title"]).strip().strip("[]:")
        return self._put(line, _label(named["braced"] or named["bare"], title))

    def _component(self, line: str) -> bool:
        """Take the components in a line that begins with one, whose tag may go on for some lines."""
        here = len(self.plain)
        text, count = line.strip(), 1
        end = _tag_end(text, 0)
        while end < 0 and count < _LONGEST_TAG and here + count < len(self.lines) and self.lines[here + count].strip():
            text += " " + self._dedented(self.lines[here + count]).strip()
            count += 1
            end = _tag_end(text, 0)
        return end > 0 and self._put(line, _without_components(text), count)


def _without_components(text: str) -> str:
    """A text with the labels of its components in the place of their tags."""
    kept: list[str] = []
    position = 0
    for match in _COMPONENT.finditer(text):
        if match.start() < position:
            continue
        end = _tag_end(text, match.start())
        if end < 0:
            break
        closing = text.startswith("</", match.start())
        label = "" if closing or not match["name"] else _tag_label(match["name"], text[match.end() : end])
        kept += [text[position : match.start()], f"{label} " if label else ""]
        position = end
    return "".join([*kept, text[position:]]).strip()


def plain_markdown(lines: Sequence[str]) -> list[str]:
    """Lines of Markdown in any dialect as lines of plain Markdown, one for each, so that places stay the same."""
    return _Reader(lines).read()
