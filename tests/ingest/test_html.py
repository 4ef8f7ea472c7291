"""HTML pages as documentation tools make them: content kept, navigation and signs left out."""

import pytest

from domain_embeddings.ingest.formats.html.html_reader import read_html, read_page
from tests.ingest import documents

TEXT = "Drain the pump first and let it cool."


@pytest.mark.parametrize(
    "sign",
    [
        '<a class="headerlink" href="#seal" title="Permalink to this heading">¶</a>',
        '<a class="headerlink" href="#seal" title="Link to this heading">\uf0c1</a>',
        '<a class="hash-link" href="#seal" aria-label="Direct link to Shaft seal">\u200b</a>',
        '<a class="hash-link" href="#seal">#</a>',
        '<a class="anchor" href="#seal"></a>',
        '<span class="permalink"><a href="#seal">&#9670;&#160;</a></span>',
        '<a href="#seal" class="anchor"><svg><title>Link</title></svg></a>',
        '<a class="doc-anchor" href="#seal">§</a>',
        '<a class="anchor" href="manual.html#seal">Link to this heading</a>',
        '<a class="sl-anchor-link" href="#seal"><span>Section titled “Shaft seal”</span></a>',
        '<span class="mw-editsection">[<a href="edit">edit</a>]</span>',
    ],
)
@pytest.mark.parametrize("form", ["<h2>Shaft seal{}</h2>", "<h2>{}Shaft seal</h2>", "<div><h2>Shaft seal</h2>{}</div>"])
def test_permalink_signs_are_no_part_of_headings(sign: str, form: str) -> None:
    if "Link to this" in sign and form.startswith("<div"):
        return
    document = read_html(f"<main><h1>Pump</h1>{form.format(sign)}<p>{TEXT}</p></main>", "pump")
    assert documents.shown(document) == ["# 1 Pump", "# 2 Shaft seal", f"paragraph: {TEXT}"]


@pytest.mark.parametrize("heading", ['<a class="link" href="#seal">Shaft seal</a>', '<a href="#a">Edit</a> Shaft seal'])
def test_a_link_that_has_the_headings_words_stays(heading: str) -> None:
    document = read_html(f"<h1>Pump</h1><h2>{heading}</h2><p>{TEXT}</p>", "pump")
    assert documents.shown(document)[1] == "# 2 Shaft seal"


def test_a_layout_table_is_unwrapped_and_a_table_in_it_comes_once() -> None:
    markup = f"""<title>Gear</title><table><tr><td><a href="a">Home</a> | <a href="b">Contents</a></td></tr><tr><td>
    <table><tr><td><a href="c">One</a><br><a href="d">Two</a></td><td><h1>Gear</h1><h2>Oil</h2><p>{TEXT}</p>
    <p>Then fill.</p>
    <table><tr><th>Bolt</th><th>Torque</th></tr><tr><td>M8</td><td>22 Nm</td></tr></table></td></tr></table>
    </td></tr></table>"""
    assert documents.shown(read_html(markup, "gear")) == [
        "# 1 Gear",
        "# 2 Oil",
        f"paragraph: {TEXT}",
        "paragraph: Then fill.",
        "row: Bolt | Torque",
        "row: M8 | 22 Nm",
    ]


def test_a_table_in_the_cell_of_a_table_has_rows_of_its_own() -> None:
    inner = "<table><tr><th>Bolt</th><th>Nm</th></tr><tr><td>M8</td><td>22</td></tr></table>"
    markup = f"<table><tr><th>Part</th><th>Data</th></tr><tr><td>Cover</td><td>four bolts{inner}</td></tr></table>"
    expected = ["row: Part | Data", "row: Cover | four bolts", "row: Bolt | Nm", "row: M8 | 22"]
    assert documents.shown(read_html(markup, "x")) == expected


def test_a_cell_with_paragraphs_does_not_make_a_table_layout() -> None:
    markup = (
        "<table><tr><td><p>Wash</p></td><td><p>monthly</p></td></tr><tr><td>Grease</td><td>yearly</td></tr></table>"
    )
    assert documents.shown(read_html(markup, "x")) == ["row: Wash | monthly", "row: Grease | yearly"]


def test_asides_hidden_tabs_and_buttons_in_sentences_are_content() -> None:
    markup = f"""<body><aside><a href="x">Other pages</a></aside><main><h1>Press</h1>
    <aside class="admonition warning"><p>Never reach under the ram.</p></aside>
    <aside><p>The ram weighs 80 kg.</p></aside><aside class="related-links"><p>Read more</p></aside>
    <div><div role="tablist"><button role="tab">Linux</button><button role="tab">Mac OS</button></div>
    <div role="tabpanel"><p>Run it.</p></div><div role="tabpanel" hidden><p>Open it.</p></div></div>
    <div hidden>Are you sure?</div><p>Hold the <button>START</button> button. <button hidden>x</button></p>
    <div><button>Copy</button></div><p>{TEXT}</p></main></body>"""
    assert documents.shown(read_html(markup, "press")) == [
        "# 1 Press",
        "paragraph: Never reach under the ram.",
        "paragraph: The ram weighs 80 kg.",
        "paragraph: Linux:",
        "paragraph: Run it.",
        "paragraph: Mac OS:",
        "paragraph: Open it.",
        "paragraph: Hold the START button.",
        f"paragraph: {TEXT}",
    ]


def test_labels_of_material_tabs_stand_before_their_panels() -> None:
    markup = """<div class="tabbed-set"><input name="t" type="radio"><input name="t" type="radio">
    <div class="tabbed-labels"><label>Linux</label><label>Windows</label></div><div class="tabbed-content">
    <div class="tabbed-block"><p>Run it.</p></div><div class="tabbed-block"><p>Click it.</p></div></div></div>"""
    expected = ["paragraph: Linux:", "paragraph: Run it.", "paragraph: Windows:", "paragraph: Click it."]
    assert documents.shown(read_html(markup, "x")) == expected


@pytest.mark.parametrize(
    "furniture",
    [
        '<div class="navheader"><table><tr><td><a accesskey="p" href="a">Prev</a></td><th>Oil</th></tr></table></div>',
        '<table summary="Navigation"><tr><td><a accesskey="p" href="a">Prev</a></td><td>Pumps</td></tr></table>',
        '<p>Next: <a rel="next" href="a">Seals</a>, Up: <a rel="up" href="b">Top</a></p>',
        '<p><a href="a">Previous</a> | <a href="b">Home</a> | <a href="c">Next »</a></p>',
        '<ul class="pagination-nav"><li><a href="a">Installing</a></li></ul>',
        '<div id="cookie-banner"><h2>Your privacy</h2><p>We use cookies.</p></div>',
        '<div class="c-cookie-consent"><p>We use cookies.</p></div>',
        '<div class="breadcrumbs">Docs / Pumps</div>',
        '<div class="contents topic"><p>Contents</p><ul><li><a href="#a">Seal</a></li></ul></div>',
        '<div class="sphinxsidebar"><h3>Search</h3></div>',
        '<a href="https://x.org/edit">Edit this page</a>',
    ],
)
def test_navigation_and_banners_are_left_out(furniture: str) -> None:
    document = read_html(f"<body>{furniture}<h1>Pump</h1><p>{TEXT}</p><div>{furniture}</div></body>", "pump")
    assert documents.shown(document) == ["# 1 Pump", f"paragraph: {TEXT}"]


def test_a_section_about_cookies_or_contents_is_content() -> None:
    markup = f"<h1>Server</h1><section id='cookie-notice'><h2>Cookie notice</h2><p>{TEXT}</p></section>"
    expected = ["# 1 Server", "# 2 Cookie notice", f"paragraph: {TEXT}"]
    assert documents.shown(read_html(markup, "server")) == expected


def test_a_page_is_read_in_the_charset_it_declares() -> None:
    markup = "<html><head><meta charset='windows-1251'></head><body><h1>Насос</h1><p>Закройте пробку.</p></body></html>"
    document = read_page(markup.encode("cp1251"), "pump")
    assert documents.shown(document) == ["# 1 Насос", "paragraph: Закройте пробку."]


@pytest.mark.parametrize("start", ["--5", "٣x", "1e3", "", "9" * 5000])
def test_a_list_whose_start_is_no_number_begins_at_one(start: str) -> None:
    assert documents.shown(read_html(f"<ol start='{start}'><li>Stop.</li></ol>", "x")) == ["item: 1. Stop."]
