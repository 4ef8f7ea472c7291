"""Plain text: headings, tables and paragraphs without page furniture."""

from domain_embeddings.ingest.formats.plain.plain_reader import read_plain
from tests.ingest import documents


def test_plain_text_with_capitals_running_lines_contents_and_hyphenation() -> None:
    text = """NORVIK VM3 MAST
WORKSHOP MANUAL
Publication NV-0332

CONTENTS
CHAPTER 1 - MAST ............ 2
   CHAIN TENSION ............ 2

Workshop use only
--- PAGE 1 ---
NORVIK VM3                         NV-0332

CHAPTER 1 - MAST

CHAIN TENSION

Both chains of a pair must carry the same load, and the car-
riage must stop at the right height.

  1. Park on level floor, set the mast upright and lower the carriage with
     no load.
  2. Press each chain.

Workshop use only
--- PAGE 2 ---
NORVIK VM3                         NV-0332

  3. Tighten the lock nut.

WARNING

HYDRAULIC DATA

Ref   Part number   Qty
1     VM3-101       1
2     VM3-110       2
"""
    document = read_plain(text, "norvik")
    assert document.title == "NORVIK VM3 MAST WORKSHOP MANUAL"
    assert documents.shown(document) == [
        "# 1 CHAPTER 1 - MAST",
        "# 2 CHAIN TENSION",
        "paragraph: Both chains of a pair must carry the same load, and the carriage must stop at the right height.",
        "item: 1. Park on level floor, set the mast upright and lower the carriage with no load.",
        "item: 2. Press each chain.",
        "item: 3. Tighten the lock nut.",
        "paragraph: WARNING",
        "# 2 HYDRAULIC DATA",
        "row: Ref | Part number | Qty",
        "row: 1 | VM3-101 | 1",
        "row: 2 | VM3-110 | 2",
    ]
    assert [block.page for block in document.blocks] == [2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3]
    assert text[document.blocks[1].start : document.blocks[1].end] == "CHAIN TENSION"


def test_plain_text_with_numbered_headings() -> None:
    text = """1 Safety

1.1 Rules for Work

Let the boiler cool.

1. Shut the valves and drain the boiler side until the gauge
   reads zero.
2. Open the cap.

2 Water

2.1 Filling

Fill slowly.
"""
    assert documents.shown(read_plain(text, "boiler")) == [
        "# 1 1 Safety",
        "# 2 1.1 Rules for Work",
        "paragraph: Let the boiler cool.",
        "item: 1. Shut the valves and drain the boiler side until the gauge reads zero.",
        "item: 2. Open the cap.",
        "# 1 2 Water",
        "# 2 2.1 Filling",
        "paragraph: Fill slowly.",
    ]


def test_plain_text_with_underlined_headings() -> None:
    text = "Mounting\n========\n\nRack Assembly\n-------------\n\nMount the rail.\n\nSupply\n------\nUse 24 V.\n"
    assert documents.shown(read_plain(text, "plc")) == [
        "# 1 Mounting",
        "# 2 Rack Assembly",
        "paragraph: Mount the rail.",
        "# 2 Supply",
        "paragraph: Use 24 V.",
    ]


def test_plain_text_with_sections_paragraphs_and_bare_contents() -> None:
    text = """--- PAGE 1 ---
TM 9 Vehicle Manual
TABLE OF CONTENTS
1. Starting System
2. Brakes
SECTION 1: STARTING SYSTEM
Para 1-1: Overview
The starter is driven by the battery.
--- PAGE 2 ---
Step 1: Test voltage
Connect voltmeter
SECTION 2: BRAKES
The brakes are hydraulic.
"""
    document = read_plain(text, "tm")
    assert document.title == "TM 9 Vehicle Manual"
    assert documents.shown(document) == [
        "# 1 SECTION 1: STARTING SYSTEM",
        "# 2 Para 1-1: Overview",
        "paragraph: The starter is driven by the battery.",
        "item: Step 1: Test voltage",
        "paragraph: Connect voltmeter",
        "# 1 SECTION 2: BRAKES",
        "paragraph: The brakes are hydraulic.",
    ]
    assert [block.page for block in document.blocks] == [1, 1, 1, 2, 2, 2, 2]


def test_plain_tables_put_wrapped_cells_together() -> None:
    text = """FAULTS

Trouble               Cause              Remedy
--------------------  -----------------  ----------
Load drops when       Load check valve   Clean
the lever is moved    dirty              valve
Will not lift         Oil low            Top up,
                                         look for leaks
"""
    assert documents.shown(read_plain(text, "faults")) == [
        "# 1 FAULTS",
        "row: Trouble | Cause | Remedy",
        "row: Load drops when the lever is moved | Load check valve dirty | Clean valve",
        "row: Will not lift | Oil low | Top up, look for leaks",
    ]


def test_form_feeds_part_pages() -> None:
    document = read_plain("First page text here.\n\fSecond page text here.\n", "x")
    assert [(block.text, block.page) for block in document.blocks] == [
        ("First page text here.", 1),
        ("Second page text here.", 2),
    ]


def test_a_heading_that_recurs_on_pages_far_apart_is_no_running_line() -> None:
    chapters = ("PUMP", "VALVE", "TANK")
    pages = [
        f"{name} FAULTS\n\nLook for leaks of the {name.lower()}.\n\nPage {n}\n" for n, name in enumerate(chapters, 1)
    ]
    blocks = documents.shown(read_plain("".join(pages), "x"))
    assert [line for line in blocks if line.startswith("#")] == [f"# 1 {name} FAULTS" for name in chapters]


def test_justified_prose_is_prose_and_hyphens_of_any_kind_are_undone() -> None:
    text = """PUMPCTL(8)                  Manual                  PUMPCTL(8)

DESCRIPTION
       The  controller  starts  the pump when the float switch has been closed
       for three seconds. It  can  also  be  started  by  hand.  Devices  that
       were combined with an older controller need a set of wires and a termi\u2010
       nal block. The  controller  does  not  know  whether  the  tank  is dry.
       Some  installations  also provide a second  float  that protects the
       motor.
"""
    document = read_plain(text, "pumpctl")
    assert document.title == "PUMPCTL(8)"
    assert documents.shown(document) == [
        "# 1 DESCRIPTION",
        "paragraph: The controller starts the pump when the float switch has been closed for three seconds. It can "
        "also be started by hand. Devices that were combined with an older controller need a set of wires and a "
        "terminal block. The controller does not know whether the tank is dry. Some installations also provide a "
        "second float that protects the motor.",
    ]


def test_a_table_of_sentences_with_narrow_gaps_is_a_table() -> None:
    text = """FAULTS

pump does not start  check the fuse and the plug
pump runs but noisy  look for air in the suction
pump stops too soon  clean the float and its rod

End of the list.
"""
    assert documents.shown(read_plain(text, "x")) == [
        "# 1 FAULTS",
        "row: pump does not start | check the fuse and the plug",
        "row: pump runs but noisy | look for air in the suction",
        "row: pump stops too soon | clean the float and its rod",
        "paragraph: End of the list.",
    ]


def test_tables_in_box_signs() -> None:
    text = """DRIVES

┌───────┬──────┐
│ MODEL │ SIZE │
├───────┼──────┤
│ HD-20 │ 20MB │
└───────┴──────┘

╔═══════════════════╗
║ Keep the disk dry ║
╚═══════════════════╝

Set the jumper.
"""
    assert documents.shown(read_plain(text, "x")) == [
        "# 1 DRIVES",
        "row: MODEL | SIZE",
        "row: HD-20 | 20MB",
        "paragraph: Keep the disk dry",
        "paragraph: Set the jumper.",
    ]
