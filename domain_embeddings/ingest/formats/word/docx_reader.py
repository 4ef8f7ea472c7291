"""DOCX by way of HTML: its styles are the structure; headers, footers and contents are left out."""

import zipfile
import zlib
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError

import mammoth

from domain_embeddings.ingest.formats.blocks import Document, UnreadableError
from domain_embeddings.ingest.formats.html.html_reader import read_html
from domain_embeddings.ingest.formats.word.word_markup import plain_package

_STYLES = """
p[style-name='Title'] => p.document-title:fresh
p[style-name^='toc '] => !
p[style-name^='TOC '] => !
p[style-name='List Number'] => ol > li:fresh
p[style-name='List Bullet'] => ul > li:fresh
p[style-name='List Number 2'] => ul|ol > li > ol > li:fresh
p[style-name='List Bullet 2'] => ul|ol > li > ul > li:fresh
p[style-name='Caption'] => p:fresh
"""
_BAD_ZIP = (zipfile.BadZipFile, zlib.error, ExpatError, ParseError, OSError, EOFError)
_BAD_PARTS = (LookupError, ValueError, TypeError, AttributeError, RuntimeError)
"""What mammoth raises, having no error of its own, when a part of a DOCX is missing or not what it should be."""


def read_docx(data: bytes, name: str) -> Document:
    """Read a Word document. A heading is what has a heading's style, a style based on one, or an outline level."""
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableError("encrypted or in the old binary Word format")
    try:
        package = plain_package(data)
        markup = mammoth.convert_to_html(package, style_map=_STYLES, convert_image=lambda image: []).value
    except (*_BAD_ZIP, *_BAD_PARTS) as error:
        raise UnreadableError("corrupt DOCX") from error
    return read_html(markup, name)
