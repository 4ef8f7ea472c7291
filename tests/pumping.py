"""How the time of a function grows with its input, and strings that make a regular expression slow, if any does."""

import ast
import importlib
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from re import _constants as op  # the names of a parsed pattern's parts
from re import _parser
from time import process_time
from typing import Any, NamedTuple

from scripts.dependencies import ROOT

LIBRARY = ROOT / "domain_embeddings"
FLOOR = 0.02
"""CPU seconds below which a ratio may be noise."""
LARGEST_RATIO = 2.5
"""Of the times of an input of 2n and of n: 2 in a linear function, 4 in a quadratic one."""
_ENOUGH = 1.0
"""CPU seconds at which no larger input is tried."""
_TELLING = 128
"""Size, from which an input tells enough: where quadratic growth from here on would not reach the floor, none will."""
_STEEP = 6
"""A ratio that is neither noise nor a quadratic function's, so that no larger input need be tried."""
_MANY = 16
"""Repetitions, from which a bounded repeat is pumped too."""
METHODS = ("match", "fullmatch", "search", "finditer", "findall", "split", "sub", "subn")
ANYWHERE = frozenset({"match", "finditer"})
"""Of a pattern in a container: what its methods are is not seen."""
_GENERAL = [
    *"aA1 \t\n-._*#|<([&'\"",
    " \r\n\n",
    "\n\n",
    "a\n",
    "a ",
    "A b ",
    "a.",
    "a-",
    "a, ",
    "(a) ",
    "e.g. ",
    "- ",
    "1. ",
]
_GENERAL += ["| ", "not ", "9f86d081", "http://a.b/"]


class Growth(NamedTuple):
    """CPU seconds for an input of n and of 2n."""

    size: int
    half: float
    whole: float

    @property
    def ratio(self) -> float:
        return self.whole / self.half


def doublings(first: int, largest: int) -> list[int]:
    """Sizes, each twice the one before."""
    return [first << i for i in range(32) if first << i <= largest]


def steps(largest: int) -> list[int]:
    """Sizes with small steps at first: not even exponential growth goes from nothing to minutes in one of them."""
    small = (*range(2, 10), *range(10, 20, 2), *range(20, 40, 4), *range(40, 80, 8))
    return [size for size in small if size <= largest] + doublings(128, largest)


def superlinear(run: Callable[[Any], object], make: Callable[[int], Any], sizes: Sequence[int]) -> Growth | None:
    """The growth above the ratio from one of the sizes to its double; None where there is none.

    Of three measurements the least counts, and one that is not steep must go on to the double of that, so that no noise
    and no change of regime counts.
    """
    times: dict[int, float] = {}
    for size in sizes:
        spent = times[size] = _seconds(run, make(size))
        if spent > max(FLOOR, LARGEST_RATIO * times.get(size // 2, spent)):
            growth = min((_growth(run, make, size // 2) for _ in range(3)), key=lambda each: each.ratio)
            if growth.ratio > _STEEP or (
                growth.ratio > LARGEST_RATIO and _growth(run, make, size).ratio > LARGEST_RATIO
            ):
                return growth
        if spent > _ENOUGH or (size >= _TELLING and spent * (sizes[-1] / size) ** 2 < FLOOR):
            return None
    return None


def _growth(run: Callable[[Any], object], make: Callable[[int], Any], size: int) -> Growth:
    """The growth from a size to its double, each measured five times but where that takes long."""
    half, whole = make(size), make(2 * size)
    once = _seconds(run, whole)
    tries = range(1 if once > _ENOUGH else 4)
    return Growth(size, min(_seconds(run, half) for _ in tries), min(once, *(_seconds(run, whole) for _ in tries)))


def _seconds(run: Callable[[Any], object], value: object) -> float:
    start = process_time()
    run(value)
    return process_time() - start


class Used(NamedTuple):
    """A pattern of the library, where it stands, and the methods that it is used with."""

    place: str
    pattern: re.Pattern[str]
    methods: frozenset[str]

    def run(self, text: str) -> None:
        """Do with a text what the methods do: look at its start, at all of it, or from every place on."""
        if "match" in self.methods:
            self.pattern.match(text)
        if "fullmatch" in self.methods:
            self.pattern.fullmatch(text)
        if self.methods - {"match", "fullmatch"}:
            for _ in self.pattern.finditer(text):
                pass


def patterns() -> list[Used]:
    """Every pattern of the library: a module's, also within its containers, and those of calls such as `re.sub`."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(LIBRARY.rglob("*.py"))}
    methods = _methods(trees.values())
    found = []
    for path, tree in trees.items():
        if not any(isinstance(node, ast.Import) and node.names[0].name == "re" for node in tree.body):
            continue
        place = ".".join(path.relative_to(LIBRARY).with_suffix("").parts)
        module = importlib.import_module(f"domain_embeddings.{place}")
        for name in _assigned(tree):
            held = _held(vars(module).get(name))
            found += [Used(f"{place}.{name}", pattern, methods.get(name, ANYWHERE)) for pattern in held]
        found += [Used(f"{place}: {pattern.pattern}", pattern, frozenset({name})) for name, pattern in _called(tree)]
    return found


def _methods(trees: Iterable[ast.Module]) -> dict[str, frozenset[str]]:
    """The methods that each name's value is called with, anywhere in the library."""
    found: dict[str, frozenset[str]] = {}
    for node in (node for tree in trees for node in ast.walk(tree)):
        match node:
            case ast.Attribute(value=ast.Name(id=name) | ast.Attribute(attr=name), attr=method) if method in METHODS:
                found[name] = found.get(name, frozenset()) | {method}
    return found


def _assigned(tree: ast.Module) -> Iterator[str]:
    """The names that a module gives a value itself."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        yield from (leaf.id for target in targets if target for leaf in ast.walk(target) if isinstance(leaf, ast.Name))


def _held(value: object) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str):
            yield value
    elif isinstance(value, Mapping):
        yield from _held(tuple(value.values()))
    elif isinstance(value, (tuple, list, set, frozenset)):
        for item in value:
            yield from _held(item)


def _called(tree: ast.Module) -> Iterator[tuple[str, re.Pattern[str]]]:
    """The patterns in calls such as `re.sub("a+", "b", text)`, with the function's name."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="re"), attr=name), args=[ast.Constant(value=str(text)), *_]
            ) if name in METHODS:
                flags = next((ast.unparse(each.value) for each in node.keywords if each.arg == "flags"), "0")
                yield name, re.compile(text, eval(flags, {"re": re}))


class Pump(NamedTuple):
    """Strings of any length: before, then again n times, then after."""

    before: str
    again: str
    after: str

    def of(self, n: int) -> str:
        """The string for n."""
        return f"{self.before}{n * self.again}{self.after}"


def pumps(pattern: re.Pattern[str]) -> list[Pump]:
    """Strings on which a pattern is slow if on any: very much of what it repeats, and then not what it wants next."""
    parsed = _parser.parse(pattern.pattern, pattern.flags)
    ends = ["\0", "\n", "a", *sorted(_excluded(parsed))[:3]]
    found = dict.fromkeys(Pump("", general, ends[0]) for general in _GENERAL)
    for before, again in _repeated(parsed, ""):
        for end in ends:
            found.update(dict.fromkeys((Pump(before or "a", again, end), Pump("", before + again, end))))
        found[Pump("", before or again, "\0")] = None
    return [pump for pump in found if pump.again]


def _repeated(parsed: Iterable[tuple[Any, Any]], before: str) -> Iterator[tuple[str, str]]:
    """For each repeat of a pattern, what leads to it and what it repeats, in a few variants."""
    for code, value in parsed:
        if code in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            _, most, inner = value
            if most >= _MANY:
                yield from ((before, again) for again in _samples(inner))
            yield from _repeated(inner, before)
        elif code is op.BRANCH:
            for branch in value[1]:
                yield from _repeated(branch, before)
        elif inner := _inside(code, value):
            yield from _repeated(inner, before)
        before += _sample([(code, value)], random.Random(0))


def _inside(code: Any, value: Any) -> Any:
    """The pattern within a group or a look-around."""
    if code is op.SUBPATTERN:
        return value[-1]
    if code in (op.ASSERT, op.ASSERT_NOT):
        return value[1]
    return value if code is op.ATOMIC_GROUP else None


def _samples(parsed: Any) -> list[str]:
    """Strings that a pattern matches: every kind of character of a class, or some ways through a longer pattern."""
    if len(parsed) == 1 and parsed[0][0] in (op.IN, op.ANY, op.NOT_LITERAL):
        return _characters(*parsed[0])
    return list(dict.fromkeys(_sample(parsed, random.Random(seed)) for seed in range(6)))


def _sample(parsed: Iterable[tuple[Any, Any]], rng: random.Random) -> str:
    return "".join(_piece(code, value, rng) for code, value in parsed)


def _piece(code: Any, value: Any, rng: random.Random) -> str:
    if code is op.LITERAL:
        return chr(value)
    if code in (op.IN, op.ANY, op.NOT_LITERAL):
        return rng.choice(_characters(code, value) or [""])
    if code is op.BRANCH:
        return _sample(rng.choice(value[1]), rng)
    if code in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
        least, most, inner = value
        return "".join(_sample(inner, rng) for _ in range(min(most, max(least, rng.choice((0, 1, 1))))))
    if code is op.ASSERT and value[0] > 0:
        return ""  # a look-ahead: what follows is matched by what stands there
    inner = _inside(code, value)
    return _sample(inner, rng) if inner and code is not op.ASSERT_NOT else ""


def _characters(code: Any, value: Any) -> list[str]:
    """Characters that a class takes, one of each kind."""
    accepts = re.compile(_class_of(code, value), re.DOTALL).fullmatch
    kinds = ("a", "A", "1", " ", "\n", "-", ".", "_", "(", "*", "|", "é", "°")
    named = [chr(each) for _, each in value if isinstance(each, int)] if code is op.IN else []
    named += [chr(each[0]) for kind, each in value if kind is op.RANGE] if code is op.IN else []
    return [each for each in dict.fromkeys((*kinds, *named)) if accepts(each)][:8]


_CATEGORIES = {
    op.CATEGORY_DIGIT: r"\d", op.CATEGORY_NOT_DIGIT: r"\D", op.CATEGORY_SPACE: r"\s", op.CATEGORY_NOT_SPACE: r"\S",
    op.CATEGORY_WORD: r"\w", op.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip


def _class_of(code: Any, value: Any) -> str:
    """A character class as it is written."""
    if code is op.ANY:
        return "."
    if code is op.NOT_LITERAL:
        return f"[^{re.escape(chr(value))}]"
    parts = []
    for kind, each in value:
        if kind is op.LITERAL:
            parts.append(re.escape(chr(each)))
        elif kind is op.RANGE:
            parts.append(f"{re.escape(chr(each[0]))}-{re.escape(chr(each[1]))}")
        elif kind is op.CATEGORY:
            parts.append(_CATEGORIES[each])
    negated = "^" if value[0][0] is op.NEGATE else ""
    return f"[{negated}{''.join(parts)}]"


def _excluded(parsed: Iterable[tuple[Any, Any]]) -> set[str]:
    """Characters that the pattern's negated classes do not take."""
    found: set[str] = set()
    for code, value in parsed:
        if code is op.NOT_LITERAL:
            found.add(chr(value))
        elif code is op.IN and value[0][0] is op.NEGATE:
            found.update(chr(each) for kind, each in value if kind is op.LITERAL)
        elif code in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            found |= _excluded(value[2])
        elif code is op.BRANCH:
            found = found.union(*map(_excluded, value[1]))
        elif inner := _inside(code, value):
            found |= _excluded(inner)
    return found
