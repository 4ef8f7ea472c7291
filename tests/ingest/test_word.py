"""Word documents: headings in a company's styles, text boxes, equations, contents."""

import pytest

from domain_embeddings.ingest.formats.word.docx_reader import read_docx
from tests.ingest import documents

STYLES = """
<w:style w:type="paragraph" w:styleId="H1"><w:name w:val="heading 1"/></w:style>
<w:style w:type="paragraph" w:styleId="Chapter"><w:name w:val="ACME Chapter"/><w:basedOn w:val="H1"/></w:style>
<w:style w:type="paragraph" w:styleId="Part"><w:name w:val="ACME Part"/>
  <w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>
<w:style w:type="paragraph" w:styleId="Small"><w:name w:val="ACME Small"/><w:basedOn w:val="Part"/></w:style>
<w:style w:type="paragraph" w:styleId="Quote"><w:name w:val="Quote"/><w:basedOn w:val="H1"/>
  <w:pPr><w:outlineLvl w:val="9"/></w:pPr></w:style>
<w:style w:type="paragraph" w:styleId="Loop"><w:name w:val="Loop"/><w:basedOn w:val="Loop"/></w:style>
<w:style w:type="paragraph" w:styleId="Toc1"><w:name w:val="ACME TOC 1"/></w:style>
<w:style w:type="paragraph" w:styleId="Cover"><w:name w:val="ACME Cover"/><w:basedOn w:val="T"/></w:style>
<w:style w:type="paragraph" w:styleId="T"><w:name w:val="Title"/></w:style>
"""


def _paragraph(content: str, style: str = "", level: str = "") -> str:
    name = f'<w:pStyle w:val="{style}"/>' if style else ""
    outline = f'<w:outlineLvl w:val="{level}"/>' if level else ""
    run = content if content.startswith("<") else f'<w:r><w:t xml:space="preserve">{content}</w:t></w:r>'
    return f"<w:p><w:pPr>{name}{outline}</w:pPr>{run}</w:p>"


def _shown(body: str) -> list[str]:
    return documents.shown(read_docx(documents.word_package(body, STYLES), "x"))


def test_headings_are_told_by_outline_level_and_the_style_they_are_based_on() -> None:
    body = (
        _paragraph("Pump", "Chapter")
        + _paragraph("Seal", "Part")
        + _paragraph("Wet it.", "Loop")
        + _paragraph("Ring", "Small")
        + _paragraph("Turn it.", "Quote")
        + _paragraph("Bolt", level="2")
        + _paragraph("Tighten it.", level="9")
    )
    expected = ["# 1 Pump", "# 2 Seal", "paragraph: Wet it.", "# 2 Ring", "paragraph: Turn it.", "# 3 Bolt"]
    assert _shown(body) == [*expected, "paragraph: Tighten it."]


def test_title_and_contents_in_a_company_styles() -> None:
    part = '<w:sdtPr><w:docPartObj><w:docPartGallery w:val="Table of Contents"/></w:docPartObj></w:sdtPr>'
    listed = f"<w:sdt>{part}<w:sdtContent>{_paragraph('Pump 3')}</w:sdtContent></w:sdt>"
    body = _paragraph("Handbook", "Cover") + _paragraph("Pump 3", "Toc1") + listed + _paragraph("Pump", "H1")
    document = read_docx(documents.word_package(body + _paragraph("Wet it."), STYLES), "x")
    assert (document.title, documents.shown(document)) == ("Handbook", ["# 1 Pump", "paragraph: Wet it."])


BOX = f"<w:txbxContent>{_paragraph('Hot!')}</w:txbxContent>"
NEW = f"<w:drawing><wps:wsp><wps:txbx>{BOX}</wps:txbx></wps:wsp></w:drawing>"
OLD = f"<w:pict><v:shape><v:textbox>{BOX}</v:textbox></v:shape></w:pict>"


@pytest.mark.parametrize(
    "run",
    [
        f"<mc:AlternateContent><mc:Choice>{NEW}</mc:Choice><mc:Fallback>{OLD}</mc:Fallback></mc:AlternateContent>",
        f"<mc:AlternateContent><mc:Choice>{NEW}</mc:Choice></mc:AlternateContent>",
        f"<mc:AlternateContent><mc:Choice><w:drawing/></mc:Choice><mc:Fallback>{OLD}</mc:Fallback></mc:AlternateContent>",
        NEW,
        OLD,
    ],
)
def test_a_text_box_in_either_form_is_read_once_behind_its_paragraph(run: str) -> None:
    body = _paragraph(f"<w:r><w:t>Turn it.</w:t></w:r><w:r>{run}</w:r><w:r><w:t> Stop.</w:t></w:r>") + _paragraph(
        "End."
    )
    assert _shown(body) == ["paragraph: Turn it. Stop.", "paragraph: Hot!", "paragraph: End."]


def _math(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


@pytest.mark.parametrize(
    ("equation", "text"),
    [
        (_math("M = 9550 P / n"), "M = 9550 P / n"),
        (f"{_math('M=')}<m:f><m:num>{_math('9550 P')}</m:num><m:den>{_math('n')}</m:den></m:f>", "M=(9550 P)/(n)"),
        (f"<m:sSup><m:e>{_math('r')}</m:e><m:sup>{_math('2')}</m:sup></m:sSup>", "r^2"),
        (
            f"<m:sSubSup><m:e>{_math('x')}</m:e><m:sub>{_math('max')}</m:sub><m:sup>{_math('2')}</m:sup></m:sSubSup>",
            "x_{max}^2",
        ),
        (f"<m:rad><m:deg/><m:e>{_math('2gh')}</m:e></m:rad>", "\\sqrt{2gh}"),
        (f"<m:d><m:dPr><m:begChr m:val='['/><m:endChr m:val=']'/></m:dPr><m:e>{_math('a')}</m:e></m:d>", "[a]"),
        (
            f"<m:nary><m:naryPr><m:chr m:val='∑'/></m:naryPr><m:sub>{_math('i=1')}</m:sub><m:sup>{_math('n')}</m:sup>"
            f"<m:e>{_math('p')}</m:e></m:nary>",
            "∑_{i=1}^n p",
        ),
        (
            f"<m:m><m:mr><m:e>{_math('a')}</m:e><m:e>{_math('b')}</m:e></m:mr><m:mr><m:e>{_math('c')}</m:e></m:mr></m:m>",
            "[a, b; c]",
        ),
    ],
)
def test_equations_are_text(equation: str, text: str) -> None:
    run = "<w:r><w:t>so</w:t></w:r><m:oMath>{}</m:oMath><w:r><w:t>holds</w:t></w:r>"
    assert _shown(_paragraph(run.format(equation))) == [f"paragraph: so {text} holds"]


def test_an_equation_of_its_own_paragraph() -> None:
    assert _shown(_paragraph(f"<m:oMathPara><m:oMath>{_math('a+b')}</m:oMath></m:oMathPara>")) == ["paragraph: a+b"]
