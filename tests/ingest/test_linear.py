"""Every reader takes time in proportion to a document's length, whatever the document is.

The one exception to the rule that no test asserts on time: CPU time of a document and of one twice as long.
"""

from collections.abc import Callable
from contextlib import suppress
from time import process_time

import pytest

from domain_embeddings.ingest.formats.blocks import UnreadableError
from domain_embeddings.ingest.formats.readers import READERS
from domain_embeddings.ingest.sections import pieces_of
from tests.ingest import documents

pytestmark = pytest.mark.slow

RATIO = 2.5
FLOOR = 0.1
TRIES = 6


def _seconds(suffix: str, data: bytes) -> float:
    """CPU time of reading a file and cutting it into pieces."""
    begin = process_time()
    with suppress(UnreadableError):
        pieces_of(READERS[suffix](data, "x"), 100, 2000)
    return process_time() - begin


def _is_linear(suffix: str, make: Callable[[int], bytes], size: int) -> bool:
    """Whether, in the best of some tries, twice the size takes less than 2.5 times as long, or next to no time."""
    for _ in range(TRIES):
        once, twice = _seconds(suffix, make(size)), _seconds(suffix, make(2 * size))
        if twice < max(FLOOR, RATIO * once):
            return True
    return False


SIGNS = [
    "0123456789abcdef", "a-", "a\u2010", ". ", "._", "-", "=", "(a) ", "e.g. A ", "''a ", "[[a ", "[/a", "page ",
    " ", "|", "a  b  ", "a   B  ", "<", "&", "\\", "*a _b ", "`", "[", "[a](", "<a ", "<A ", "<!--", "> ", "# ", "A-",
    "note ", "cause (", "{", "{% ", ":", '"', "1.", "1.1", "─", "│ ", "…", "__", "\t", "A. ", ".) ", "\x08a", "IVX",
    "step ", "é",
]  # fmt: skip
BLOCKS = [
    "over and over again it goes on x{i}\n",
    "a-\n",
    "## Head {i}\n\nshort text {i}\n\n",
    "# A\n\n## B\n\n### C\n\nx\n\n",
    "Contents\n\nx{i}\n\n",
    "x{i} .... 3\n",
    "1.{i} Title here\n\n",
    "CAPS HEAD {i}\n\ntext\n\n",
    "SECTION {i}\n\n",
    "page {i}\n",
    "Head Page {i}\nfoo\n",
    "x{i}\fhead page {i}\n",
    "a  b{i}\n----\n",
    "a{i}   b\n",
    "the  pump starts  when it is{i}  told to\n",
    "- item {i}\n\n",
    "> ",
    "| a | b{i} |\n",
    '=== "A"\n\n    x\n\n',
    "!!! note\n    x\n",
    ":::note\n",
    "```{{note}}\n",
    "<Tabs\n",
    "<div>\n",
    "[a{i}]: b\n\n[a{i}]\n",
    "**Bold Line**\n\nx{i}\n\n",
    "export const a = [\n",
]
TAGS = [
    "<p>a</p>", "<b>", "<div>", "<span>a", "x<button>b</button>", "<table><tr><td>", "<tr><td>a", "<td>a</td>", "<li>a",
    "<ul><li>a", "<h2>a<a href='#x'>¶</a></h2>", "<a accesskey=p>Prev</a>", "<a>Next</a> ", "<aside>a", "<div hidden>a",
    "<header><h1>a</h1></header>", "<div role=tablist><b role=tab>a</b></div><div role=tabpanel>b</div>", "<pre>a",
    "a<br>", "<p><b>A{i}</b></p>", "<table><tr><td><h1>a</h1></table>", "<p><i>", "<!--x-->", "<input value=a>",
]  # fmt: skip
WORD = [
    "<w:p><w:r><w:t>a</w:t></w:r></w:p>",
    '<w:p><w:pPr><w:outlineLvl w:val="1"/></w:pPr><w:r><w:t>a{i}</w:t></w:r></w:p>',
    "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc></w:tr></w:tbl>",
    "<w:p><m:oMath><m:r><m:t>a</m:t></m:r></m:oMath></w:p>",
    "<w:p><w:r><w:pict><v:textbox><w:txbxContent><w:p><w:r><w:t>a</w:t></w:r></w:p></w:txbxContent></v:textbox>"
    "</w:pict></w:r></w:p>",
]


def _filled(form: str, count: int) -> str:
    return "".join(form.replace("{i}", str(i)).replace("{{", "{").replace("}}", "}") for i in range(count))


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("suffix", [".txt", ".md"])
def test_a_long_line_is_read_in_linear_time(suffix: str, sign: str) -> None:
    start = "# T\n\n## U\n\n" if suffix == ".md" else "Some words at first.\n\n"
    assert _is_linear(suffix, lambda n: f"{start}{sign * (n // len(sign))} x\n".encode(), 8_000)


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("suffix", [".txt", ".md"])
def test_many_lines_are_read_in_linear_time(suffix: str, block: str) -> None:
    assert _is_linear(suffix, lambda n: f"Some words at first.\n\n{_filled(block, n)}\nx\n".encode(), 300)


@pytest.mark.parametrize("tag", TAGS)
def test_many_tags_are_read_in_linear_time(tag: str) -> None:
    assert _is_linear(".html", lambda n: f"<body><p>Intro</p>{_filled(tag, n)}x".encode(), 250)


@pytest.mark.parametrize("part", WORD)
def test_many_parts_of_a_word_document_are_read_in_linear_time(part: str) -> None:
    assert _is_linear(".docx", lambda n: documents.word_package(_filled(part, n), ""), 150)


def test_a_long_chain_of_word_styles_is_read_in_linear_time() -> None:
    style = '<w:style w:type="paragraph" w:styleId="S{i}"><w:name w:val="n{i}"/><w:basedOn w:val="S{j}"/></w:style>'

    def make(count: int) -> bytes:
        styles = "".join(style.replace("{i}", str(i)).replace("{j}", str(i + 1)) for i in range(count))
        return documents.word_package("<w:p><w:r><w:t>a</w:t></w:r></w:p>", styles)

    assert _is_linear(".docx", make, 500)


def test_many_pages_and_rows_of_a_pdf_are_read_in_linear_time() -> None:
    def make(count: int) -> bytes:
        rows = [[f"Part {i}", "Torque"] for i in range(count)]
        return documents.flowing_pdf([documents.table(rows, [90, 120])])

    assert _is_linear(".pdf", make, 40)


@pytest.mark.parametrize("tag", ["<div>", "<b>", "<ul><li>", "<table><tr><td>"])
@pytest.mark.parametrize("suffix", [".html", ".md"])
def test_deep_nesting_is_unreadable(suffix: str, tag: str) -> None:
    with pytest.raises(UnreadableError, match="markup nested too deeply"):
        READERS[suffix](f"<div>{tag * 3000}deep".encode(), "x")
