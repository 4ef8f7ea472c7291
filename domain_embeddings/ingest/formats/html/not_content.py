"""What of a web page is not content: navigation, permalink signs, banners, controls outside of sentences."""

import re
from collections.abc import Iterable, Iterator

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PageElement, PreformattedString, Tag

_CONTAINER_NAMES = """
html body div section article main blockquote center figure figcaption details summary dl dt dd address fieldset
    p ul ol li table thead tbody tfoot tr td th caption pre hr h1 h2 h3 h4 h5 h6 aside header footer form
"""
CONTAINERS = frozenset(_CONTAINER_NAMES.split())
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_TAG_NAMES = "nav footer script style noscript template head select textarea svg iframe"
_ROLE_NAMES = "navigation banner contentinfo search menu menubar toolbar alertdialog doc-toc"
_CLASS_NAMES = """
breadcrumb breadcrumbs pagination pager navbar nav-bar navheader navfooter nav-panel navigation nav-links page-nav
prev-next prevnext prev-next-area prev-next-footer pagination-nav sphinxsidebar toc table-of-contents localtoc
md-nav md-header md-footer md-source md-content__button rst-versions edit-this-page theme-edit-this-page linenos
line-numbers theme-doc-toc-mobile cookieconsent cc-window cc-banner skip-link copybtn copy-button sl-anchor-link
mw-editsection mw-jump-link navbox catlinks printfooter share-buttons social-share
"""
_ID_NAMES = """
nav-path side-nav main-nav titlearea navrow1 navrow2 navrow3 navrow4 footer sidebar breadcrumbs toc
onetrust-consent-sdk cybotcookiebotdialog
"""
_COOKIE_WORDS = "cookie cookies consent gdpr"
_BANNER_WORDS = "banner notice bar popup modal overlay dialog message law window consent"
_NAMES, _ROLES = frozenset(_TAG_NAMES.split()), frozenset(_ROLE_NAMES.split())
_CLASSES, _IDS = frozenset(_CLASS_NAMES.split()), frozenset(_ID_NAMES.split())
_COOKIE, _BANNER = frozenset(_COOKIE_WORDS.split()), frozenset(_BANNER_WORDS.split())
_MARGINAL = re.compile(
    r"\b(?:nav\w*|toc|menu|related|breadcrumbs?|ads?|advert\w*|promo\w*|share|social|newsletter|comments?|author|"
    r"feedback|cookies?|sponsor\w*|subscribe)\b"
)
_NOTE = re.compile(
    r"\b(?:warning|caution|danger|note|tip|hint|important|attention|admonition\w*|callout|alert|notice|info|safety)\b"
)
_PANEL = re.compile(r"tab|panel|accordion|collapse|collapsible|toggle|details|expand")
_STEPS = frozenset(
    ("previous", "prev", "next", "up", "previous page", "next page", "top", "home", "back", "index", "contents")
)
_SERVICES = frozenset(
    ("back to top", "edit this page", "edit on github", "view page source", "skip to main content", "skip to content")
)
"""What links say that lead to other pages, and those that mean nothing in any text."""
_LINK_WORDS = re.compile(r"(?:permalink|permanent link|direct link|link|anchor|copy link|edit)\b", re.IGNORECASE)
_NAVIGATION_LENGTH = 300


def nearest_block(node: PageElement) -> Tag | None:
    """The nearest tag above a node that breaks the line."""
    return next((tag for tag in node.parents if tag.name in CONTAINERS), None)


def ancestors(tags: Iterable[Tag]) -> set[int]:
    """The ids of all tags above these."""
    found: set[int] = set()
    for tag in tags:
        for parent in tag.parents:
            if id(parent) in found:
                break
            found.add(id(parent))
    return found


def _words(*values: object) -> list[str]:
    """The values of attributes, which are texts, lists of texts or missing, in lower case."""
    flat = [part for value in values for part in (value if isinstance(value, list) else [value or ""])]
    return [str(part).casefold() for part in flat]


def own_text(block: Tag) -> str:
    """The text directly in a block, within inline tags too, without that of blocks and controls in it."""
    texts: list[str] = []
    waiting = list(block.children)[::-1]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Tag):
            if node.name not in CONTAINERS and node.name not in ("button", "input", *_NAMES):
                waiting.extend(reversed(list(node.children)))
        elif isinstance(node, NavigableString) and not isinstance(node, PreformattedString):
            texts.append(str(node))
    return "".join(texts)


class Links:
    """How much of the text of each tag of a page is within links."""

    def __init__(self, soup: BeautifulSoup) -> None:
        """Count letters and digits, of inner tags first."""
        self._counts: dict[int, tuple[int, int]] = {}
        for tag in reversed(soup.find_all(True)):
            total = linked = 0
            for child in tag.children:
                inner = self._counts.get(id(child), (0, 0)) if isinstance(child, Tag) else (_letters(child), 0)
                total, linked = total + inner[0], linked + inner[1]
            self._counts[id(tag)] = total, (total if tag.name == "a" and tag.has_attr("href") else linked)

    def share(self, tag: Tag) -> float:
        """The part of a tag's letters and digits that are within links; 0 for a tag without any."""
        total, linked = self._counts[id(tag)]
        return linked / total if total else 0.0


def _letters(node: PageElement) -> int:
    text = "" if isinstance(node, PreformattedString) else str(node)
    return sum(c.isalnum() for c in text)


def inside(soup: BeautifulSoup, names: Iterable[str]) -> set[int]:
    """The ids of all tags inside of tags of these names or roles."""
    wanted = frozenset(names)
    found: set[int] = set()
    for tag in soup.find_all(True):
        parent = tag.parent
        if parent is not None and (id(parent) in found or {parent.name, *_words(parent.get("role"))} & wanted):
            found.add(id(tag))
    return found


class NotContent:
    """Finds the tags of a page that are no content. `skipped` holds the ids of those, not of what is in them."""

    def __init__(self, soup: BeautifulSoup, links: Links) -> None:
        """Look through a page."""
        self._links = links
        self._main = inside(soup, ("main", "article"))
        self._parts = inside(soup, ("main", "article", "section"))
        self._titled = ancestors(soup.find_all("h1"))
        self._inline: dict[int, bool] = {}
        self.skipped = {id(tag) for tag in soup.find_all(True) if self._is_skipped(tag)}
        self.skipped |= set(self._steps(soup))

    def _is_skipped(self, tag: Tag) -> bool:
        if tag.name in _NAMES or (_ROLES & set(_words(tag.get("role")))):
            return True
        if tag.has_attr("hidden") and not _is_panel(tag):
            return True
        if tag.name == "header":
            return id(tag) not in self._parts
        if tag.name in ("button", "input"):
            return not self._in_sentence(tag)
        if tag.name == "a" and _is_permalink(tag):
            return True
        if tag.name == "aside":
            return not self._is_content_aside(tag)
        return self._is_furniture(tag)

    def _is_furniture(self, tag: Tag) -> bool:
        """Whether a tag's classes or id are those of navigation, a banner or a table of contents."""
        classes, names = _words(tag.get("class")), _words(tag.get("id"))
        if not (classes or names[0]) or id(tag) in self._titled or tag.name in ("html", "body", "section", *HEADINGS):
            return False
        if _CLASSES & set(classes) or _IDS & set(names) or {"contents", "topic"} <= set(classes):
            return True
        if "section" in classes:
            return False
        words = set(re.findall(r"[a-z]+", " ".join(classes + names)))
        return bool(words & _COOKIE and words & _BANNER)

    def _in_sentence(self, control: Tag) -> bool:
        """Whether a control stands among the words of its block, as "Press START" with a button does."""
        block = nearest_block(control)
        if block is None or block.name in ("form", "pre"):
            return False
        if id(block) not in self._inline:
            self._inline[id(block)] = len(re.findall(r"[^\W\d_]+", own_text(block))) > 1
        return self._inline[id(block)]

    def _is_content_aside(self, tag: Tag) -> bool:
        """Whether an aside belongs to the text: a note by its class, or within the page's main part."""
        names = " ".join(_words(tag.get("class"), tag.get("id"), tag.get("role"), tag.get("aria-label")))
        if _NOTE.search(names.replace("_", "-")):
            return True
        if _MARGINAL.search(names.replace("_", "-")) or self._links.share(tag) > 0.5:
            return False
        return not self._main or id(tag) in self._main

    def _steps(self, soup: BeautifulSoup) -> Iterator[int]:
        """The ids of short blocks that only lead to other pages: "Prev | Home | Next"."""
        seen: set[int] = set()
        for link in soup.find_all("a"):
            marked = link.has_attr("accesskey") or {"next", "prev", "up"} & set(_words(link.get("rel")))
            label = _label(link)
            if label in _SERVICES:
                yield id(link)
            if not marked and label not in _STEPS | _SERVICES:
                continue
            block = nearest_block(link)
            while block is not None and block.name in ("td", "th", "tr", "tbody") and marked:
                block = nearest_block(block)
            if block is None or id(block) in seen or block.name in ("body", "html", "main", "article"):
                continue
            seen.add(id(block))
            text = block.get_text()
            if (
                len(text) <= _NAVIGATION_LENGTH
                and (marked or self._links.share(block) > 0.99)
                and block.find("h1") is None
            ):
                yield id(block)


def _label(link: Tag) -> str:
    """A link's words, in lower case."""
    text = link.get_text()
    return " ".join(re.findall(r"\w+", text.casefold())) if len(text) <= 40 else ""


def _is_permalink(link: Tag) -> bool:
    """Whether a link is only the sign by which a page lets its headings be linked to."""
    text = link.get_text().strip()
    if "#" not in str(link.get("href", "")) or not text:
        return False
    if not any(c.isalnum() for c in text):
        return len(text) <= 3
    heading = nearest_block(link)
    return (
        heading is not None
        and heading.name in HEADINGS
        and _LINK_WORDS.match(text) is not None
        and len(text) < len(heading.get_text().strip())
    )


def _is_panel(tag: Tag) -> bool:
    """Whether a hidden tag is content that the page shows on demand, as a tab's is."""
    if "tabpanel" in _words(tag.get("role")) or tag.get("hidden") == "until-found":
        return True
    return any(_PANEL.search(name) for name in _words(tag.get("class")))


def tab_labels(soup: BeautifulSoup) -> tuple[dict[int, str], set[int]]:
    """The labels of tabs by the id of the panel each opens, and the ids of the lists that held them."""
    by_name = {str(tab["id"]): tab.get_text(" ") for tab in soup.select("[role=tab][id]")}
    labels: dict[int, str] = {}
    lists: set[int] = set()
    waiting: list[str] = []
    current = 0
    for tag in soup.find_all(_is_tab_part):
        if not _is_tab_list(tag):
            label = by_name.get(str(tag.get("aria-labelledby", ""))) or (waiting.pop(0) if waiting else "")
            if label.strip():
                labels[id(tag)] = " ".join(label.split())
                lists.add(current)
            continue
        tabs = tag.select("[role=tab]") or tag.find_all("label")
        waiting, current = [tab.get_text(" ") for tab in tabs], id(tag)
    return labels, lists


def _is_tab_list(tag: Tag) -> bool:
    return "tablist" in _words(tag.get("role")) or "tabbed-labels" in _words(tag.get("class"))


def _is_tab_part(tag: Tag) -> bool:
    return _is_tab_list(tag) or "tabpanel" in _words(tag.get("role")) or "tabbed-block" in _words(tag.get("class"))
