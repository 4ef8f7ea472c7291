"""Markdown as documentation tools write it."""

import pytest

from domain_embeddings.ingest.formats.markdown import read_markdown, without_wiki_markup
from domain_embeddings.ingest.formats.markdown_dialects import plain_markdown
from tests.ingest import documents


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('!!! warning "Stop first"\n    Never copy.\n\n    Twice.', ["Warning: Stop first. Never copy.", "Twice."]),
        ("!!! danger\n    Never copy.\n\nAfter.", ["Danger: Never copy.", "After."]),
        ('??? note "Why?"\n\n    It is open.', ["Note: Why?", "It is open."]),
        ('=== "Linux"\n\n    Stop it.\n\n=== "Mac"\n\n    Quit it.', ["Linux:", "Stop it.", "Mac:", "Quit it."]),
        (":::tip\nUse long cables.\n:::", ["Tip: Use long cables."]),
        (":::danger[Hot]\nWait.\n:::\nAfter.", ["Danger: Hot. Wait.", "After."]),
        ("::: {.caution}\nWait.\n:::", ["Caution: Wait."]),
        (":::{note} Read on\n:class: wide\nWait.\n:::", ["Note: Read on.", "Wait."]),
        ("```{warning}\nHot.\n```\nAfter.", ["Warning: Hot.", "After."]),
        ("> [!NOTE]\n> Keep it dry.", ["Note: Keep it dry."]),
        ("> [!tip]- Faster\n> Use both.", ["Tip: Faster. Use both."]),
        ('{% hint style="info" %}\nKept.\n{% endhint %}', ["Info: Kept."]),
        (
            '{% tabs %}\n{% tab title="Mac" %}\nQuit.\n{% endtab %}\n\nEnd.\n{% endtabs %}',
            ["Mac: Quit.", "End."],
        ),
        ("{{< hint warning >}}\nHot.\n{{< /hint >}}", ["Hint: Hot."]),
        ('{{% tab name="Mac" %}}\n\nQuit.\n\n{{% /tab %}}', ["Mac:", "Quit."]),
        (
            '<Tabs\n  values={[{ label: "A > B" }]}>\n<TabItem label="Mac">\n\nQuit.\n\n</TabItem>\n</Tabs>',
            ["Mac:", "Quit."],
        ),
        (
            '<Note>Keep it dry.</Note>\n\n<Callout type="warning">\nHot.\n</Callout>',
            ["Note: Keep it dry.", "Warning: Hot."],
        ),
        ('import Tabs from "@theme/Tabs";\nimport {\n  A,\n} from "b";\n\nText.', ["Text."]),
        ("export const a = {\n  b: 1,\n};\n\nText.", ["Text."]),
        (
            "We\nexport default settings = all of them (see below).",
            ["We export default settings = all of them (see below)."],
        ),
        ("[TOC]\n\nText.\n{: .wide }", ["Text."]),
        ("{/* a comment */}\n\nText.", ["Text."]),
    ],
)
def test_dialects_become_paragraphs(text: str, expected: list[str]) -> None:
    assert documents.shown(read_markdown(text, "x")) == [f"paragraph: {part}" for part in expected]


def test_headings_lose_their_attributes() -> None:
    text = "# Pump {#pump}\n\n## Seal {: .new #seal}\n\n## Set {a, b}\n\nText.\n"
    assert documents.shown(read_markdown(text, "x"))[:3] == ["# 1 Pump", "# 2 Seal", "# 2 Set {a, b}"]


@pytest.mark.parametrize(
    "code",
    [
        "```\n!!! note\n    a\n:::tip\n<Tabs>\n{% raw %}\n```",
        "~~~mdx\nimport A from 'a'\n<A/>\n~~~",
        "```{code} c\n:::x\n```",
    ],
)
def test_code_stays_as_it_is(code: str) -> None:
    assert plain_markdown(code.split("\n")) == code.split("\n")


def test_blocks_keep_their_places() -> None:
    text = '!!! note\n    First.\n\n=== "A"\n\n    Second.\n'
    blocks = read_markdown(text, "x").blocks
    assert [text[b.start : b.end] for b in blocks] == ["!!! note\n    First.\n", '=== "A"\n', "    Second.\n"]


def test_toml_front_matter_has_the_title() -> None:
    document = read_markdown('+++\ntitle = "Serial module"\ndraft = false\n+++\nText.\n', "serial")
    assert (document.title, documents.shown(document)) == ("Serial module", ["paragraph: Text."])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'''Never''' use ''that'' one", "Never use that one"),
        ("don''t ''go", "don''t ''go"),
        ("a '''' b ''c d'' e", "a  b c d e"),
        ("''a ''b''", "a ''b"),
        ("the [[Pump|pumps]] and [[Valve]], [http://x.org/a|this]", "the pumps and Valve, this"),
    ],
)
def test_wiki_markup(text: str, expected: str) -> None:
    assert without_wiki_markup(text) == expected
