r"""Names and synonyms that the folder of a corpus lists, for the passages that they fit.

    aliases.json    {"canonical name": ["alias", …], …}
    synonyms.txt    a, b, c       where one of them stands, the others are added
                    a, b => c, d  where a or b stands, c and d are added
                    # a comment; \, is a comma within a term

A passage whose title holds a name of an entry of `aliases.json` is about it, and has its other names in
`extra["aliases"]`, after those that its source gives it. A line of `synonyms.txt` counts wherever its term stands, in
title or text. That says nothing of what the passage is about, so what is added stands in `extra["listed_synonyms"]`.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from domain_embeddings.core.dataset import Ingested, Passage, Reject
from domain_embeddings.core.errors import DataError
from domain_embeddings.core.json_files import parse_object, read_text
from domain_embeddings.ingest.inside import within
from domain_embeddings.ingest.term_finder import Key, TermFinder, key_of

ALIASES, SYNONYMS = "aliases.json", "synonyms.txt"
MOST_NAMES = 16
"""Names of a passage from which on none is added. They stand before the text, and a model reads 256 tokens: 16 names
of two words and a comma are a quarter of them."""
_EXAMPLES = 5
_ALIASES_FORM = 'aliases.json is {"canonical name": ["alias", …], …}, in UTF-8'
_SYNONYMS_FORM = r"a line is 'a, b, c' or 'a, b => c, d', in UTF-8; a comma within a term is written \,"
_BETWEEN = re.compile(r"[\s,:]*")
_LINE_END = re.compile(r"\r\n?|\n")
_PIECE = re.compile(r"\\(?P<escaped>.)|(?P<mark>=>|,)|(?P<plain>[^\\,=]+|.)")


@dataclass(frozen=True)
class _Rule:
    """An entry or line of a file: where one of the terms stands, the names that do not stand there are added."""

    place: str
    terms: Mapping[Key, str]
    names: Mapping[Key, str]


class _Rules:
    """The rules of a file, and how often they counted."""

    def __init__(self, rules: Sequence[_Rule]) -> None:
        self.passages = 0
        self.cut = 0
        self._rules = rules
        self._used: set[int] = set()
        self._finder = TermFinder(key for rule in rules for key in (*rule.terms, *rule.names))
        self._rules_of: dict[Key, list[int]] = {}
        for number, rule in enumerate(rules):
            for key in rule.terms:
                self._rules_of.setdefault(key, []).append(number)

    def __len__(self) -> int:
        return len(self._rules)

    def names(self, texts: Iterable[str], taken: set[Key]) -> list[str]:
        """The names to add to a passage with these texts, which has the `taken` ones."""
        held = {key for text in texts for key in self._finder.find(key_of(text))}
        numbers = sorted({number for key in held for number in self._rules_of.get(key, ())})
        self._used.update(numbers)
        wanted: dict[Key, str] = {}
        for number in numbers:
            for key, name in self._rules[number].names.items():
                if key not in held and key not in taken:
                    wanted.setdefault(key, name)
        added = list(wanted.values())[: max(0, MOST_NAMES - len(taken))]
        self.cut += len(wanted) - len(added)
        self.passages += bool(added)
        return added

    def unused(self) -> list[_Rule]:
        """The rules whose terms stood nowhere."""
        return [rule for number, rule in enumerate(self._rules) if number not in self._used]


def with_listed_names(folder: Path, ingested: Ingested) -> Ingested:
    """What an adapter has made of a folder, with the names that `aliases.json` and `synonyms.txt` there add.

    An entry or line of which no passage holds a term is a `Reject`; one that is wrong, a `DataError`.
    """
    aliases, synonyms = _rules(within(folder, ALIASES), _entries), _rules(within(folder, SYNONYMS), _lines)
    if aliases is None and synonyms is None:
        return ingested
    used = (aliases or _Rules([]), synonyms or _Rules([]))
    corpus = {passage.id: _named(passage, *used) for passage in ingested.dataset.corpus.values()}
    counts, rejects = dict(ingested.counts), list(ingested.rejects)
    for kind, each, what, rules in (
        ("aliases", "entries", "title of a passage", aliases),
        ("synonyms", "rules", "passage", synonyms),
    ):
        if rules is not None:
            unused = rules.unused()
            counts |= {f"{kind}.{each}": len(rules), f"{kind}.passages": rules.passages}
            counts |= {f"{kind}.without_passage": len(unused), f"{kind}.cut": rules.cut}
            rejects += [Reject(rule.place, f"no {what} holds {_listing(rule)}") for rule in unused]
    return Ingested(replace(ingested.dataset, corpus=corpus), rejects, dict(sorted(counts.items())))


def _listing(rule: _Rule) -> str:
    terms = list(rule.terms.values())
    return " or ".join(map(repr, terms[:_EXAMPLES])) + (" or …" if len(terms) > _EXAMPLES else "")


def _named(passage: Passage, aliases: _Rules, synonyms: _Rules) -> Passage:
    extra = dict(passage.extra)
    title = [passage.title]
    taken = {key_of(name) for key in ("aliases", "listed_synonyms") for name in extra.get(key) or ()}
    for key, rules, texts in (("aliases", aliases, title), ("listed_synonyms", synonyms, [*title, passage.text])):
        if added := rules.names(texts, taken):
            extra[key] = [*(extra.get(key) or ()), *added]
            taken.update(map(key_of, added))
    return replace(passage, extra=extra)


def _rules(path: Path | None, read: Callable[[Path], Iterator[_Rule]]) -> _Rules | None:
    """The rules of a file, None where there is no such file."""
    return _Rules(list(read(path))) if path else None


def _entries(path: Path) -> Iterator[_Rule]:
    """The entries of `aliases.json`; one key may stand twice, and both count."""
    text = read_text(path, _ALIASES_FORM)
    parse_object(text, path, remedy=_ALIASES_FORM)
    for line, name, aliases in _members(text):
        if not isinstance(aliases, list) or not all(isinstance(alias, str) for alias in aliases):
            problem = f"the aliases of {name!r} must be a list of strings, found {str(aliases)[:80]!r}"
            raise DataError(path, problem, line=line, remedy=_ALIASES_FORM)
        names = _names([name, *aliases], path, line, _ALIASES_FORM)
        yield _Rule(f"{path.name}:{line}", names, names)


def _members(text: str) -> Iterator[tuple[int, str, Any]]:
    """Line, key and value of every member of a valid JSON object."""
    decode = json.JSONDecoder().raw_decode
    line, counted, position = 1, 0, text.index("{") + 1
    while text[position := _end(text, position)] != "}":
        line, counted = line + text.count("\n", counted, position), position
        key, position = decode(text, position)
        value, position = decode(text, _end(text, position))
        yield line, key, value


def _end(text: str, position: int) -> int:
    """Where the blanks and marks between two values end."""
    found = _BETWEEN.match(text, position)
    return found.end() if found else position


def _lines(path: Path) -> Iterator[_Rule]:
    """The rules of `synonyms.txt`, whose form is that of Solr and Elasticsearch."""
    for line, written in enumerate(_LINE_END.split(read_text(path, _SYNONYMS_FORM)), start=1):
        if written.strip() and not written.lstrip().startswith("#"):
            sides = [_names(side, path, line, _SYNONYMS_FORM) for side in _sides(written)]
            if len(sides) > 2:
                raise DataError(path, "more than one '=>' in a line", line=line, remedy=_SYNONYMS_FORM)
            if len(sides) == 1 and len(sides[0]) == 1:
                raise DataError(path, "only one term in a line", line=line, remedy=_SYNONYMS_FORM)
            yield _Rule(f"{path.name}:{line}", sides[0], sides[-1])


def _sides(line: str) -> list[list[str]]:
    """The terms on each side of the arrows of a line."""
    sides = [[""]]
    for piece in _PIECE.finditer(line):
        if piece["mark"] == "=>":
            sides.append([""])
        elif piece["mark"] == ",":
            sides[-1].append("")
        else:
            sides[-1][-1] += piece["escaped"] or piece["plain"]
    return sides


def _names(written: Iterable[str], path: Path, line: int, remedy: str) -> dict[Key, str]:
    """Names by key, each as it is first written but for its blanks, or a `DataError` for one that is no name."""
    names: dict[Key, str] = {}
    for text in written:
        name = " ".join(text.split())
        key = key_of(name)
        if not key:
            problem = f"{name!r} has no letter or digit" if name else "an empty name"
            raise DataError(path, problem, line=line, remedy=remedy)
        names.setdefault(key, name)
    return names
