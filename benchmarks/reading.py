"""How well documents are read: words, order, headings and tables of real files, beside other readers.

The files are those of `scripts.fetch_documents` (96, kept out of Git). They are in two parts by a hash of their
names: `develop`, to look at, and `judge`, for the figure.

What is true, told by means that the readers here do not use:

- PDF: words and their order are those of `pdftotext`; headings are the entries of the file's outline whose title
  stands on their page or the next one. `ours, no outline` reads a copy of the file without its outline.
- HTML, and Markdown rendered to it: words are those of the headings, paragraphs, items, cells and code in `main`,
  `article` or `body`, without navigation; headings are `h1` to `h6`; tables are those without a table or heading
  in them and with two cells in two rows.
- Word: the text of the paragraphs; headings are paragraphs of a style that is named a heading or has an outline
  level, itself or by the style that it is based on.
- Text: its words; no headings and no tables are known.

A figure is a share from 0 to 1. `recall`: of the file's words those that were read, without the lines that repeat
at pages' edges and those of tables of contents. `extra`: of the words read those that the whole file does not have,
or not so often. A word is a run of letters and digits; one that is read in two parts, or two as one, counts as read.
`order`: of the phrases of five words that occur once in the file and once in what was read, those in the longest
sequence that has the same order. `headings`: of the true headings those found. `false`: of the headings found those
that are none; a document's own title is not counted. `rows`: of the true tables' rows those read as rows. `prose`:
how many rows were read that go on from cell to cell as sentences do.

Peers are used where they are installed: `pandoc`, `markitdown`, `trafilatura` on the path or in the folders given
by `--peers`. What they read is kept beside the files, in `peers/`.

    python -m scripts.fetch_documents data/documents
    python -m benchmarks.reading data/documents --peers ../peers/bin --json reading.json
    python -m benchmarks.reading data/documents --part develop --show 20    # with headings missed and false
"""

import argparse
import hashlib
import io
import re
import shutil
import subprocess
import unicodedata
import warnings
import zipfile
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import pypdfium2
from bs4 import BeautifulSoup, XMLParsedAsHTMLWarning
from bs4.element import Tag
from markdown_it import MarkdownIt

from domain_embeddings.core.beir_files import write_json
from domain_embeddings.ingest.formats.blocks import BlockKind, UnreadableError
from domain_embeddings.ingest.formats.readers import READERS, read_document

PARTS = ("develop", "judge")
FORMATS = {".pdf": "PDF", ".html": "HTML", ".md": "Markdown", ".docx": "Word", ".txt": "text"}
COMMANDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "pandoc": (("pandoc", "-t", "gfm", "--wrap=none"), (".html", ".md", ".docx")),
    "markitdown": (("markitdown",), (".pdf", ".html", ".docx")),
    "trafilatura": (("trafilatura", "--markdown", "--no-comments", "--input-file"), (".html",)),
}
"""Tool → (its command, before the file's name; the formats that it reads)."""
NO_OUTLINE = "ours, no outline"
PHRASE = 5
_WORD = re.compile(r"[^\W_]+")
_BROKEN = re.compile(r"(?<=[^\W\d_])[-\u2010\u00ad]\n\s*+(?=[a-z])")
_EDGE = 3
_TIMEOUT = 240


@dataclass
class Reading:
    """What was read of a file, or what is in it: its text, headings, and rows of two cells or more."""

    text: str
    headings: list[str] = field(default_factory=list)
    rows: list[tuple[str, ...]] = field(default_factory=list)
    title: str = ""
    """The title given beside the text, if any."""
    whole: str = ""
    """All text of the file, with what is not content; that of `text` if empty."""


class Figures(NamedTuple):
    """Of a file, or of several; None where it cannot be told."""

    recall: float | None
    extra: float | None
    order: float | None
    headings: float | None
    false: float | None
    rows: float | None
    prose: float | None


HIGHER = {"recall", "order", "headings", "rows"}
"""The figures of which more is better."""


def part_of(name: str) -> str:
    """The part that a file is in."""
    return PARTS[hashlib.sha256(name.encode()).digest()[0] % 2]


def words(text: str) -> list[str]:
    """The words of a text; a word broken at a line's end is one."""
    return _WORD.findall(_BROKEN.sub("", unicodedata.normalize("NFKC", text)).casefold())


def _squashed(text: str) -> str:
    return "".join(words(text))


_NUMBERED = re.compile(
    r"(?:(?:chapter|section|part|appendix|annex)\s++)?+(?:[A-Z]?\d++(?:[.-]\d++)*+|[A-Z](?:\.\d++)++|(?:[A-Z]|[IVX]++)(?=[.:)]))"
    r"[.:)]*+\s++|(?:appendix|annex)\s++(?=[A-Z]\b)",
    re.IGNORECASE,
)


def heading_key(text: str) -> str:
    """A heading's letters and digits without its number, by which headings are compared."""
    text = text.strip()
    return _squashed(_NUMBERED.sub("", text, count=1) if _NUMBERED.match(text) else text) or _squashed(text)


def _reconcile(missing: Counter[str], extra: Counter[str]) -> None:
    """Cancel words that stand on one side as a whole and on the other in two parts."""
    for one, other in ((missing, extra), (extra, missing)):
        for word in [word for word in one if 1 < len(word) <= 60]:
            for cut in range(1, len(word)):
                first, second = word[:cut], word[cut:]
                both = other[first] // 2 if first == second else min(other[first], other[second])
                if count := min(both, one[word]):
                    one[word] -= count
                    other[first] -= count
                    other[second] -= count


def _share(count: int, total: int) -> float | None:
    return count / total if total else None


def recall_and_extra(read: str, content: str, whole: str) -> tuple[float | None, float | None]:
    """Of the content's words the share that was read; of those read the share that the whole file does not have."""
    found, wanted, there = Counter(words(read)), Counter(words(content)), Counter(words(whole))
    missing, extra = wanted - found, found - there
    beside = Counter(extra)
    _reconcile(missing, found - wanted)
    _reconcile(there - found, beside)
    return _share(wanted.total() - missing.total(), wanted.total()), _share(beside.total(), found.total())


def _once(sequence: Sequence[str]) -> dict[tuple[str, ...], int]:
    """Phrase → its place, of those that occur once."""
    phrases = list(zip(*(sequence[i:] for i in range(PHRASE)), strict=False))
    counts = Counter(phrases)
    return {phrase: place for place, phrase in enumerate(phrases) if counts[phrase] == 1}


def same_order(read: str, true: str) -> float | None:
    """Of the phrases that both texts have once, the share in the longest sequence of the same order."""
    ours, theirs = _once(words(read)), _once(words(true))
    places = [theirs[phrase] for phrase in ours if phrase in theirs]
    tails: list[int] = []
    for place in places:
        index = bisect_left(tails, place)
        tails[index : index + 1] = [place]
    return _share(len(tails), len(places))


def reads_as_prose(cells: Sequence[str]) -> bool:
    """Whether a row's cells go on from one to the next as a sentence does."""
    going = all(a[-1:].isalpha() and a.split()[-1].islower() and b[:1].islower() for a, b in pairwise(cells))
    return len(cells) > 1 and going and len(" ".join(cells).split()) >= 8


def measured(read: Reading, true: Reading) -> Figures:
    """The figures of what was read of a file."""
    whole = true.whole or true.text
    text = f"{read.title}\n{read.text}" if _squashed(read.title) in _squashed(whole) else read.text
    recall, extra = recall_and_extra(text, true.text, whole)
    found = false = None
    if true.headings:
        wanted = Counter(map(heading_key, true.headings))
        got = Counter(key for heading in read.headings if (key := heading_key(heading)))
        titled = got + Counter([heading_key(read.title)] if read.title else [])
        found = (wanted & titled).total() / wanted.total()
        others = got - wanted - Counter({heading_key(true.title): 1})
        false = _share(others.total(), got.total())
    rows = None
    if true.rows:
        cells = Counter(_squashed(" ".join(row)) for row in true.rows)
        rows = (cells & Counter(_squashed(" ".join(row)) for row in read.rows)).total() / cells.total()
    return Figures(
        recall, extra, same_order(text, true.text), found, false, rows, float(sum(map(reads_as_prose, read.rows)))
    )


def of_markup(markup: str) -> Reading:
    """The content of a page."""
    soup = BeautifulSoup(markup, "lxml")
    for tag in soup(["script", "style", "noscript", "template", "svg"]):
        tag.decompose()
    title = soup.title.get_text() if soup.title else ""
    body = soup.body or soup
    whole = f"{title}\n{body.get_text(' ')}"
    main = soup.find("main") or soup.select_one("[role=main]") or soup.find("article") or body
    for tag in main.select(
        "nav, footer, [role=navigation], .headerlink, .navheader, .navfooter, .toc, .breadcrumbs, .related, .navigation"
    ):
        tag.decompose()
    headings = [text for tag in main.find_all(re.compile("^h[1-6]$")) if (text := tag.get_text(" ").strip(" \n¶#"))]
    kinds = ["h1", "h2", "h3", "h4", "h5", "h6", "p", "li", "dt", "dd", "td", "th", "pre"]
    content = [tag for tag in main.find_all(kinds) if not tag.find_parent(kinds)]
    return Reading(
        "\n".join(_text(tag) for tag in content if not _is_links(tag)), headings, _rows(main), title.strip(), whole
    )


def _text(tag: Tag) -> str:
    """A tag's text, words that only inline tags divide left whole."""
    for inner in tag.find_all(["li", "p", "td", "th", "br", "dt", "dd", "tr", "pre", "div"]):
        inner.insert_before(" ")
        inner.insert_after(" ")
    return str(tag.get_text())


def _is_links(tag: Tag) -> bool:
    """Whether next to all of a tag's text leads elsewhere, as navigation does."""
    linked = sum(len(link.get_text()) for link in tag.find_all("a", href=True))
    return linked > 0.8 * len(str(tag.get_text()).strip())


def _rows(main: Tag) -> list[tuple[str, ...]]:
    """The rows with two texts or more of the tables that are no layout."""
    found: list[tuple[str, ...]] = []
    for table in main.find_all("table"):
        rows = [
            tuple(text for cell in row.find_all(["td", "th"]) if (text := " ".join(_text(cell).split())))
            for row in table.find_all("tr")
        ]
        rows = [row for row in rows if len(row) > 1]
        if len(rows) > 1 and not table.find(["table", "h1", "h2", "h3", "h4"]):
            found += rows
    return found


def of_markdown(text: str) -> Reading:
    """The content of Markdown."""
    reading = of_markup(MarkdownIt("commonmark").enable("table").render(text))
    return Reading(reading.whole, reading.headings, reading.rows)


def _running(pages: Sequence[Sequence[str]]) -> set[str]:
    """The lines, numbers aside, that stand at the edge of three pages or more."""
    counts = Counter(
        form
        for lines in pages
        for form in {_masked(line) for line in [*lines[:_EDGE], *lines[-_EDGE:]] if line.strip()}
    )
    return {form for form, count in counts.items() if count > 2}


def _masked(line: str) -> str:
    return re.sub(r"\d++", "#", " ".join(line.casefold().split()))


def of_pdf(path: Path) -> Reading:
    """The words that `pdftotext` finds, and the entries of the outline that stand on their pages."""
    printed = subprocess.run(["pdftotext", path, "-"], capture_output=True, check=True, timeout=_TIMEOUT)
    whole = printed.stdout.decode("utf-8", "replace")
    pages = [page.splitlines() for page in whole.split("\f")]
    running = _running(pages)
    kept = [
        [
            line
            for i, line in enumerate(lines)
            if not (_masked(line) in running and (i < _EDGE or i >= len(lines) - _EDGE))
            and not re.search(r"(?:\.\s?){4,}\s*+\S*+$", line[-200:])
        ]
        for lines in pages
    ]
    squashed = [_squashed("\n".join(lines)) for lines in pages]
    headings: list[str] = []
    document = pypdfium2.PdfDocument(path)
    for entry in document.get_toc():
        target = entry.get_dest()
        page = target.get_index() if target else None
        if page is not None and (key := heading_key(entry.get_title())) and key in "".join(squashed[page : page + 2]):
            headings.append(entry.get_title())
    document.close()
    return Reading("\n".join("\n".join(lines) for lines in kept), headings, whole=whole)


def of_word(path: Path) -> Reading:
    """The paragraphs of a Word file, and those that are headings by their style."""
    with zipfile.ZipFile(path) as files:
        document = BeautifulSoup(files.read("word/document.xml"), "xml")
        styles = BeautifulSoup(files.read("word/styles.xml"), "xml")
    based = {style.get("w:styleId"): style for style in styles.find_all("style")}
    texts, headings = [], []
    for paragraph in document.find_all("p"):
        text = "".join(run.get_text() if run.name == "t" else " " for run in paragraph.find_all(["t", "tab", "br"]))
        named = paragraph.find("pStyle")
        texts.append(text)
        if text.strip() and named and _is_heading(str(named["w:val"]), based):
            headings.append(text)
    return Reading("\n".join(texts), headings)


def _is_heading(name: str, styles: dict[Any, Any]) -> bool:
    """Whether a style, or one that it is based on, is a heading's."""
    for _ in range(len(styles)):
        if name not in styles:
            return False
        style = styles[name]
        level = style.find("outlineLvl")
        if (level and int(level["w:val"]) < 9) or re.match(r"heading \d", style.find("name")["w:val"], re.IGNORECASE):
            return True
        base = style.find("basedOn")
        name = base["w:val"] if base else ""
    return False


def true_reading(path: Path) -> Reading:
    """What is in a file."""
    if path.suffix == ".pdf":
        return of_pdf(path)
    if path.suffix == ".docx":
        return of_word(path)
    text = path.read_bytes().decode("utf-8", "replace")
    if path.suffix == ".html":
        return of_markup(text)
    return of_markup(MarkdownIt("commonmark").enable("table").render(text)) if path.suffix == ".md" else Reading(text)


def _our_reading(path: Path, data: bytes | None = None) -> Reading:
    """What the library reads of a file, or of other data in its place."""
    document = read_document(path) if data is None else READERS[path.suffix](data, path.stem)
    rows = [tuple(block.text.split(" | ")) for block in document.blocks if block.kind is BlockKind.ROW]
    return Reading(
        "\n".join(block.text for block in document.blocks),
        [block.text for block in document.blocks if block.kind is BlockKind.HEADING],
        [row for row in rows if len(row) > 1],
        document.title if _squashed(document.title) != _squashed(path.stem) else "",
    )


def without_outline(path: Path) -> bytes:
    """A PDF's pages as a new file without outline."""
    source, copy, target = pypdfium2.PdfDocument(path), pypdfium2.PdfDocument.new(), io.BytesIO()
    copy.import_pages(source)
    copy.save(target)
    return target.getvalue()


def peer_reading(tool: str, path: Path, folders: str | None) -> Reading | None:
    """What a peer reads of a file; None if it is not installed, reads no such format, or fails."""
    command, formats = COMMANDS[tool]
    kept = path.parent / "peers" / tool / f"{path.name}.md"
    program = shutil.which(command[0], path=folders) or shutil.which(command[0])
    if path.suffix not in formats or (program is None and not kept.exists()):
        return None
    if not kept.exists() and program:
        kept.parent.mkdir(parents=True, exist_ok=True)
        try:
            done = subprocess.run([program, *command[1:], path], capture_output=True, check=True, timeout=_TIMEOUT)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return None
        kept.write_bytes(done.stdout)
    return of_markdown(kept.read_text(encoding="utf-8", errors="replace"))


def readings(path: Path, folders: str | None) -> dict[str, Reading]:
    """What each tool reads of a file."""
    found: dict[str, Reading] = {}
    try:
        found["ours"] = _our_reading(path)
        if path.suffix == ".pdf":
            found[NO_OUTLINE] = _our_reading(path, without_outline(path))
    except UnreadableError as error:
        print(f"{path.name}: not read: {error}")
        found["ours"] = Reading("")
    for tool in COMMANDS:
        if reading := peer_reading(tool, path, folders):
            found[tool] = reading
    return found


def of_several(figures: Iterable[Figures], *, worst: bool) -> Figures:
    """The median of each figure over files, or the worst."""
    columns = ([value for value in column if value is not None] for column in zip(*figures, strict=True))
    told = []
    for name, values in zip(Figures._fields, columns, strict=True):
        pick = (min if name in HIGHER else max) if worst else median
        told.append(round(float(pick(values)), 3) if values else None)
    return Figures(*told)


def better_peers(name: str, figures: dict[str, Figures]) -> list[str]:
    """A line for each figure of a file in which a peer is better by more than .01."""
    lines: list[str] = []
    ours = figures["ours"]
    for tool, theirs in figures.items():
        for figure, own, other in zip(Figures._fields, ours, theirs, strict=True):
            if own is None or other is None or tool in ("ours", NO_OUTLINE):
                continue
            if (other - own if figure in HIGHER else own - other) > 0.01:
                lines.append(f"{name}: {figure} {own:.3f}, {tool} {other:.3f}")
    return lines


def as_rows(kind: str, part: str, table: dict[str, list[Figures]]) -> list[dict[str, Any]]:
    """The medians of ours beside the best peer's, as all benchmarks write them."""
    ours = of_several(table["ours"], worst=False)
    peers = {tool: of_several(found, worst=False) for tool, found in table.items() if tool in COMMANDS}
    told = []
    for index, name in enumerate(Figures._fields):
        values = [value for figures in peers.values() if (value := figures[index]) is not None]
        best = (max if name in HIGHER else min)(values) if values else None
        own = ours[index]
        if own is not None:
            ratio = round(own / best, 3) if best else None
            row = {"name": f"reading {kind}, {part}: {name}, median", "unit": "rows" if name == "prose" else "share"}
            told.append({**row, "ours": own, "peer": best, "ratio": ratio})
    return told


def _print_table(kind: str, part: str, table: dict[str, list[Figures]]) -> None:
    print(f"\n| {kind}, {part}: median (worst) | files | {' | '.join(Figures._fields)} |", "|---" * 9 + "|", sep="\n")
    for tool, figures in table.items():
        middle, worst = of_several(figures, worst=False), of_several(figures, worst=True)
        cells = ["" if m is None else f"{m} ({w})" for m, w in zip(middle, worst, strict=True)]
        print(f"| {tool} | {len(figures)} | {' | '.join(cells)} |", flush=True)


def _show(path: Path, tool: str, read: Reading, true: Reading, most: int) -> None:
    """Print headings missed and false of a file."""
    wanted, got = {heading_key(h): h for h in true.headings}, {heading_key(h): h for h in read.headings}
    for sign, one, other in (("-", wanted, got), ("+", got, wanted)):
        for key in [key for key in one if key not in other][:most]:
            print(f"    {path.name} {tool} {sign} {one[key][:100]}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", choices=PARTS, action="append", help="both if not given")
    parser.add_argument("--peers", help="folders with the peers' programs, beside those on the path")
    parser.add_argument("--format", choices=sorted(FORMATS.values()), action="append", help="all if not given")
    parser.add_argument("--show", type=int, default=0, help="missed and false headings to print of each file")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    warnings.filterwarnings("ignore", category=XMLParsedAsHTMLWarning)
    for program in ("pdftotext", *(command[0] for command, _ in COMMANDS.values())):
        if not (shutil.which(program, path=asked.peers) or shutil.which(program)):
            print(f"{program}: not installed")
    told: list[dict[str, Any]] = []
    for part in asked.part or PARTS:
        tables: dict[str, dict[str, list[Figures]]] = defaultdict(lambda: defaultdict(list))
        differences: list[str] = []
        for path in sorted(asked.folder.iterdir()):
            kind = FORMATS.get(path.suffix)
            if kind is None or part_of(path.name) != part or (asked.format and kind not in asked.format):
                continue
            true = true_reading(path)
            found = readings(path, asked.peers)
            figures = {tool: measured(read, true) for tool, read in found.items()}
            for tool, row in figures.items():
                tables[kind][tool].append(row)
            differences += better_peers(path.name, figures)
            if asked.show:
                print(path.name, *(f"{n} {v:.3f}" for n, v in figures["ours"]._asdict().items() if v is not None))
                _show(path, "ours", found["ours"], true, asked.show)
        for kind, table in tables.items():
            _print_table(kind, part, table)
            told += as_rows(kind, part, table)
        print(f"\nA peer is better ({part}):", *differences, sep="\n  ")
    if asked.json:
        write_json(asked.json, told)


if __name__ == "__main__":
    main()
