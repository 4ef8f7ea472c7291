"""From a document's blocks to sections of the right length, each under its path of headings."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from domain_embeddings.ingest.formats.blocks import Block, BlockKind, Document
from domain_embeddings.ingest.formats.heading_form import step_number
from domain_embeddings.ingest.section_types import SectionType, section_type
from domain_embeddings.ingest.splitting import joined, pieces, units


@dataclass
class Section:
    """A heading and what stands below it up to the next heading. `path` begins with the document's title.

    `parent` is the index of the section whose heading is above this one's, -1 for the root. A section that
    took in shorter ones has their headings as lines among its blocks, and each block's heading in `owners`.
    """

    path: tuple[str, ...]
    parent: int = -1
    blocks: list[Block] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)

    @property
    def heading(self) -> str:
        """Its own heading, "" if there is none."""
        return self.path[-1] if self.path else ""

    @property
    def text(self) -> str:
        """The blocks' texts, a line each."""
        return "\n".join(block.text for block in self.blocks)


@dataclass(frozen=True)
class Piece:
    """A section, or a part of a long one.

    `section` numbers the section in its document; `start` and `end` are where the blocks begin and end that
    it has a part of; `headings` are those whose text is in it, as in the document.
    """

    section: int
    path: tuple[str, ...]
    headings: tuple[str, ...]
    text: str
    type: SectionType
    page: int | None
    start: int
    end: int

    @property
    def title(self) -> str:
        """The heading path in one line, without parts that repeat the one before."""
        kept = [
            part
            for i, part in enumerate(self.path)
            if part and (i == 0 or part.casefold() != self.path[i - 1].casefold())
        ]
        return " > ".join(kept)


def _tree(document: Document) -> list[Section]:
    """Every heading's section in order, the document's own first. "Step 3" heads no section but its step."""
    sections = [Section((document.title,) if document.title else ())]
    open_sections: list[tuple[int, int]] = [(-1, 0)]
    step: str | None = None
    for block in document.blocks:
        if block.kind is BlockKind.HEADING:
            while open_sections[-1][0] >= block.level:
                open_sections.pop()
            parent = open_sections[-1][1]
            number = step_number(block.text)
            step = f"{number}. " if number is not None else None
            if step is None:
                sections.append(Section((*sections[parent].path, block.text), parent))
                open_sections.append((block.level, len(sections) - 1))
            continue
        current = sections[open_sections[-1][1]]
        _add(current, block, step)
        step = "" if step is not None else None
    return sections


def _add(section: Section, block: Block, step: str | None) -> None:
    """Add a block; `step` is "3. " for the first one below "Step 3", "" for the others below it."""
    if step:
        block = replace(block, kind=BlockKind.ITEM, text=step + block.text)
    elif step == "" and section.blocks:
        last = section.blocks[-1]
        section.blocks[-1] = replace(last, text=f"{last.text}\n{block.text}", end=block.end)
        return
    section.blocks.append(block)
    section.owners.append(section.heading)


def _headed(section: Section) -> list[tuple[Block, str]]:
    """A section's blocks and their headings, below a line that is its own heading unless it has one."""
    parts = list(zip(section.blocks, section.owners, strict=True))
    first = section.blocks[0]
    if not section.heading or any(b.kind is BlockKind.HEADING and b.text == section.heading for b in section.blocks):
        return parts
    return [
        (Block(BlockKind.HEADING, section.heading, 0, first.page, first.start, first.start), section.heading),
        *parts,
    ]


def _merge(short: Section, host: Section) -> None:
    """Move a short section's blocks into `host`, in document order, each under its heading as a line.

    The first heading is no line where it is the host's own, which the title has.
    """
    parts = sorted(_headed(short) + _headed(host), key=lambda part: part[0].start)
    if parts[0][0].kind is BlockKind.HEADING and parts[0][0].text == host.heading:
        parts = parts[1:]
    host.blocks, host.owners = [block for block, _ in parts], [owner for _, owner in parts]
    short.blocks, short.owners = [], []


def _neighbours(sections: Sequence[Section]) -> tuple[dict[int, int], dict[int, int]]:
    """The first child that has blocks of each section, and the next sibling that has, where there is one."""
    first: dict[int, int] = {}
    following: dict[int, int] = {}
    for index in reversed(range(len(sections))):
        parent = sections[index].parent
        if parent in first:
            following[index] = first[parent]
        if sections[index].blocks:
            first[parent] = index
    return first, following


def _merge_short(sections: list[Section], shortest: int, limit: int, counts: Counter[str]) -> None:
    """Merge sections shorter than `shortest` into neighbours, those first that stay within the limit; else drop them.

    A short section may go to its first child, its next sibling, its previous one, and its parent's own text, in
    this order; a section above others counts as a sibling of theirs: an introduction goes to the first of them.
    The lines above the first heading (a cover, an imprint) are dropped when short, not merged.
    """
    lengths = [len(section.text) for section in sections]
    root = _root(sections) if any(length >= shortest for length in lengths) else -1
    child, following = _neighbours(sections)
    previous: dict[int, int] = {}
    for index, section in enumerate(sections):
        if not section.blocks:
            continue
        if lengths[index] >= shortest:
            previous[section.parent] = index
            continue
        places = (child.get(index), following.get(index), previous.get(section.parent), section.parent)
        hosts = [i for i in places if i is not None and i >= 0 and sections[i].blocks and index != root]
        fitting = [i for i in hosts if lengths[i] + lengths[index] <= limit]
        if hosts:
            host = (fitting or hosts)[0]
            _merge(section, sections[host])
            lengths[host] = len(sections[host].text)
            counts["merged"] += 1
        else:
            section.blocks, section.owners = [], []
            counts["dropped_short"] += 1


def _root(sections: Sequence[Section]) -> int:
    """The index of the section of the document's title, if it is above others: the only one without a sibling."""
    top = [i for i, s in enumerate(sections) if s.parent == 0]
    if sections[0].path or len(top) != 1:
        return 0
    return top[0] if any(s.parent == top[0] and s.blocks for s in sections) else -1


def _pieces(number: int, section: Section, shortest: int, limit: int) -> Iterator[Piece]:
    kind = section_type(section.heading, section.text)
    for piece in pieces(units(section.blocks, limit), shortest, limit):
        blocks = [section.blocks[i] for i in sorted({unit.block for unit in piece})]
        owners = dict.fromkeys(section.owners[unit.block] for unit in piece)
        headings = tuple(owner for owner in owners if owner)
        yield Piece(
            number, section.path, headings, joined(piece), kind, blocks[0].page, blocks[0].start, blocks[-1].end
        )


def pieces_of(document: Document, shortest: int, limit: int) -> tuple[list[Piece], Counter[str]]:
    """The sections of a document as pieces of at most `limit` characters, and counts of what was done.

    Counts: `sections` that have text, `merged` and `dropped_short` ones of them, `split` ones.
    """
    sections = _tree(document)
    counts: Counter[str] = Counter(sections=sum(bool(s.blocks) for s in sections), merged=0, dropped_short=0, split=0)
    _merge_short(sections, shortest, limit, counts)
    found: list[Piece] = []
    for number, section in enumerate(sections):
        parts = list(_pieces(number, section, shortest, limit)) if section.blocks else []
        counts["split"] += len(parts) > 1
        found += parts
    return found, counts
