"""Sections: their paths, types, lengths, and that nothing of a text is lost on the way."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain_embeddings.ingest.formats.blocks import Block, BlockKind, Document, located
from domain_embeddings.ingest.formats.markdown import read_markdown
from domain_embeddings.ingest.section_types import SectionType, scores, section_type
from domain_embeddings.ingest.sections import Piece, pieces_of
from domain_embeddings.ingest.splitting import Unit, joined, pieces, units

SENTENCE = "One sentence of some sixty letters that goes on until now."


def sections(text: str, shortest: int = 1, limit: int = 500) -> list[Piece]:
    return pieces_of(read_markdown(text, "manual"), shortest, limit)[0]


def counts(text: str, shortest: int, limit: int) -> dict[str, int]:
    return dict(pieces_of(read_markdown(text, "manual"), shortest, limit)[1])


# Paths and merging


def test_a_section_has_the_path_from_the_title_down() -> None:
    found = sections("# Truck\n\nIntro.\n\n## Brakes\n\n### Bleeding\n\nOpen it.\n\n## Axle\n\nGrease it.\n")
    assert [(piece.title, piece.headings, piece.text) for piece in found] == [
        ("Truck", ("Truck",), "Intro."),
        ("Truck > Brakes > Bleeding", ("Bleeding",), "Open it."),
        ("Truck > Axle", ("Axle",), "Grease it."),
    ]
    assert [piece.section for piece in found] == [1, 3, 4]


def test_a_path_has_no_part_twice_in_a_row() -> None:
    assert sections("# Brakes\n\n## BRAKES\n\nText.\n")[0].title == "Brakes"


def test_a_document_without_a_root_gets_its_title() -> None:
    assert [piece.title for piece in sections("# A\n\nx\n\n# B\n\ny\n")] == ["manual > A", "manual > B"]


def test_step_headings_become_numbered_steps_of_the_section_above() -> None:
    text = (
        "# Guide\n\nDevice: car\n\n## Tools\n\n- drill\n\n## Step 1\n\nOpen it.\n\nSlowly.\n\n## Step 2\n\nClose it.\n"
    )
    assert [(piece.headings, piece.text) for piece in sections(text)] == [
        (("Guide",), "Device: car\n1. Open it.\nSlowly.\n2. Close it."),
        (("Tools",), "- drill"),
    ]


def test_a_short_section_joins_its_next_sibling() -> None:
    text = "# M\n\n## A\n\nShort.\n\n## B\n\nThis one is long enough to stand.\n\n## C\n\nLong enough as well as B.\n"
    found = sections(text, shortest=20)
    assert [(piece.title, piece.headings, piece.text) for piece in found] == [
        ("M > B", ("A", "B"), "A\nShort.\nB\nThis one is long enough to stand."),
        ("M > C", ("C",), "Long enough as well as B."),
    ]
    assert counts(text, 20, 500) == {"sections": 3, "merged": 1, "dropped_short": 0, "split": 0}


def test_a_short_last_section_joins_the_previous_one() -> None:
    found = sections("# M\n\n## A\n\nThis one is long enough to stand.\n\n## B\n\nShort.\n", shortest=20)
    assert [(piece.title, piece.headings, piece.text) for piece in found] == [
        ("M > A", ("A", "B"), "This one is long enough to stand.\nB\nShort.")
    ]


def test_a_short_section_prefers_the_neighbour_with_room() -> None:
    long = "Long enough to fill the bound. "
    text = f"# M\n\n## A\n\n{long}\n\n## B\n\nShort.\n\n## C\n\n{long * 3}\n"
    assert [piece.headings for piece in sections(text, shortest=20, limit=95)] == [("A", "B"), ("C",)]


def test_a_short_introduction_joins_the_first_section_of_its_chapter() -> None:
    text = (
        "# M\n\n## One\n\n### A\n\nThis one is long enough.\n\n## Two\n\nIntro.\n\n### B\n\nThis one is long enough.\n"
    )
    assert [(piece.title, piece.headings) for piece in sections(text, shortest=20)] == [
        ("M > One > A", ("A",)),
        ("M > Two > B", ("Two", "B")),
    ]


def test_a_short_section_without_kin_and_a_short_cover_are_dropped() -> None:
    text = "# M\n\nRev. C\n\n## One\n\n### A\n\nThis one is long enough.\n\n## Two\n\nShort.\n"
    assert [piece.headings for piece in sections(text, shortest=20)] == [("A",)]
    assert counts(text, 20, 500)["dropped_short"] == 2


def test_only_short_sections_are_merged_before_they_are_dropped() -> None:
    assert [piece.text for piece in sections("# M\n\nab.\n\n## A\n\ncd.\n\n## B\n\nef.\n", shortest=10)] == [
        "M\nab.\nA\ncd.\nB\nef."
    ]


def test_pages_and_offsets_are_those_of_the_blocks() -> None:
    text, blocks = located(
        [
            Block(BlockKind.HEADING, "A", 1, 2),
            Block(BlockKind.PARAGRAPH, SENTENCE, 0, 2),
            Block(BlockKind.PARAGRAPH, "Second one.", 0, 3),
        ]
    )
    found, _ = pieces_of(Document("", text, blocks), 1, 65)
    assert [(piece.page, text[piece.start : piece.end]) for piece in found] == [
        (2, SENTENCE),
        (3, "Second one."),
    ]


# Splitting


def test_a_long_section_is_cut_at_steps_and_keeps_its_path() -> None:
    steps = [f"{n}. Turn the screw number {n} out." for n in range(1, 7)]
    found = sections("# M\n\n## A\n\n" + "\n".join(steps) + "\n", limit=100)
    assert [piece.text for piece in found] == ["\n".join(steps[:3]), "\n".join(steps[3:])]
    assert {piece.title for piece in found} == {"M > A"}
    assert {piece.headings for piece in found} == {("A",)}
    assert {piece.section for piece in found} == {2}


def test_a_long_paragraph_is_cut_at_sentences() -> None:
    sentences = [f"Sentence number {n} of the text." for n in range(1, 5)]
    assert [piece.text for piece in sections(" ".join(sentences), limit=70)] == [
        " ".join(sentences[:2]),
        " ".join(sentences[2:]),
    ]


def test_a_long_table_is_cut_between_rows_and_long_code_at_line_ends() -> None:
    rows = [f"| {n} | VM3-10{n} |" for n in range(1, 7)]
    table = "| Ref | Part |\n|---|---|\n" + "\n".join(rows)
    assert all(line.count(" | ") == 1 for piece in sections(table, limit=40) for line in piece.text.split("\n"))
    code = "```\n" + "\n".join(f"line_{n} = {n}" for n in range(9)) + "\n```\n"
    lines = [line for piece in sections(code, limit=30) for line in piece.text.split("\n")]
    assert lines == [f"line_{n} = {n}" for n in range(9)]


def test_a_lead_in_stays_with_what_it_introduces() -> None:
    text = "The pump is old and worn now. Proceed as follows:\n\n1. Take the pump out of it.\n2. Put the new pump in.\n"
    assert [piece.text for piece in sections(text, limit=80)] == [
        "The pump is old and worn now.",
        "Proceed as follows:\n1. Take the pump out of it.\n2. Put the new pump in.",
    ]


def test_a_merged_heading_goes_with_its_own_piece() -> None:
    text = "# M\n\n## A\n\nShort one.\n\n## B\n\n" + "A sentence of thirty letters. " * 5
    found = sections(text, shortest=20, limit=100)
    assert [piece.headings for piece in found] == [("A", "B"), ("B",)]
    assert found[0].text.startswith("A\nShort one.\nB\nA sentence")


block_lists = st.lists(
    st.builds(
        Block,
        st.sampled_from(BlockKind),
        st.text(st.sampled_from("ab .:!\nÄ1"), min_size=1, max_size=200).filter(str.strip),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=8,
)


def _letters(texts: Sequence[str]) -> str:
    return "".join("".join(texts).split())


@given(block_lists, st.integers(20, 60), st.integers(0, 30))
def test_splitting_loses_nothing_and_keeps_the_bound(blocks: list[Block], limit: int, shortest: int) -> None:
    texts = [joined(piece) for piece in pieces(units(blocks, limit), shortest, limit)]
    assert _letters(texts) == _letters([block.text for block in blocks])
    assert all(0 < len(text) <= limit for text in texts)


@given(block_lists, st.integers(20, 60))
def test_splitting_a_piece_again_leaves_it_whole(blocks: list[Block], limit: int) -> None:
    for piece in pieces(units(blocks, limit), 1, limit):
        again = pieces(units([Block(BlockKind.CODE, joined(piece))], limit), 1, limit)
        assert [joined(part) for part in again] == [joined(piece)]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.integers(40, 90))
def test_pieces_are_as_few_as_filling_greedily_gives(lengths: list[int], limit: int) -> None:
    greedy, room = 0, 0
    for length in lengths:
        greedy, room = (greedy, room - length - 1) if room > length else (greedy + 1, limit - length)
    assert len(pieces([Unit("x" * length) for length in lengths], 1, limit)) == greedy


@given(block_lists, st.integers(1, 60), st.integers(61, 200))
def test_sections_are_within_the_bound_and_counted(blocks: list[Block], shortest: int, limit: int) -> None:
    text, placed = located(blocks)
    found, counted = pieces_of(Document("Manual", text, placed), shortest, limit)
    assert all(0 < len(piece.text) <= limit for piece in found)
    assert len({piece.section for piece in found}) == counted["sections"] - counted["merged"] - counted["dropped_short"]
    assert all(piece.title and piece.headings for piece in found)


# Types


@pytest.mark.parametrize(
    ("heading", "text", "expected"),
    [
        ("SERVICE BRAKE BLEEDING", "1. Fill the reservoir.\n2. Open the nipple.\n3. Close it.", SectionType.PROCEDURE),
        ("Air Dryer", "1. Release all air.\n2. Unscrew the cartridge.\n3. Wipe the base.", SectionType.PROCEDURE),
        (
            "Brake Troubleshooting",
            "Symptom | Cause | Remedy\nPedal soft | Air in lines | Bleed",
            SectionType.DIAGNOSTIC,
        ),
        ("Engine Won't Crank", "Symptom: no sound\nProbable causes:\n1. Dead battery", SectionType.DIAGNOSTIC),
        ("Air Leaks", "Hiss heard | Probable source\nAt dryer | Purge valve dirty", SectionType.DIAGNOSTIC),
        ("Brake Parts List", "Item | Part number | Qty\nShoe | 4471-BS4 | 1", SectionType.PARTS),
        ("Order", "Ref | Part number | Description\n1 | VM3-101 | Carriage", SectionType.PARTS),
        ("HYDRAULIC DATA", "Relief pressure | 17.5 MPa\nOil | 38 litres", SectionType.SPECIFICATION),
        ("Hoses", "Bore | 50 mm\nBurst | 70 MPa\nLife | 6 years", SectionType.SPECIFICATION),
        ("LPG Safety Rules", "Never smoke near the cylinder. Gas burns the skin.", SectionType.SAFETY),
        (
            "Raised Carriage",
            "WARNING: A carriage can drop. Never stand below it; people have been killed by burns.",
            SectionType.SAFETY,
        ),
        ("Mast Construction", "The mast is made up of an outer channel and an inner channel.", SectionType.OTHER),
        ("", "", SectionType.OTHER),
    ],
)
def test_section_type(heading: str, text: str, expected: SectionType) -> None:
    assert section_type(heading, text) is expected


def test_scores_of_a_heading_word_and_of_rows() -> None:
    found = scores("Tightening Torques", "Joint | Torque\nNuts | 480 Nm")
    assert found[SectionType.SPECIFICATION] == pytest.approx(3 + 0.1 * (100 / 50) * 1.5 + 1.5)
    assert found[SectionType.PROCEDURE] == 0


@given(st.text(max_size=60), st.text(max_size=200))
def test_every_text_has_a_type_that_scores_highest_or_is_other(heading: str, text: str) -> None:
    found = scores(heading, text)
    kind = section_type(heading, text)
    assert kind is SectionType.OTHER or found[kind] == max(found.values())
