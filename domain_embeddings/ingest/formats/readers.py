"""One reader a format: a file becomes a document of blocks, or is `UnreadableError` with the reason."""

import codecs
from collections.abc import Callable
from pathlib import Path

from domain_embeddings.ingest.formats.blocks import Document, UnreadableError
from domain_embeddings.ingest.formats.html import read_docx, read_html
from domain_embeddings.ingest.formats.markdown import looks_like_markdown, read_markdown
from domain_embeddings.ingest.formats.pdf.pdf_reader import read_pdf
from domain_embeddings.ingest.formats.plain.plain_reader import read_plain

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNDECODABLE = "not text in UTF-8, UTF-16 with mark or Windows-1252"
_SYMBOLS = "°±²³µ·¼½¾\u00d7÷\u2013\u2014\u2018\u2019“”•…€£§©®™«»¿¡º\xa0\xad"
"""Signs that English text in Windows-1252 has beside letters."""
_SIGNS_OF_TEXT = frozenset("\t\n\r\f\x0b")


def _is_text(text: str, *, guessed: bool) -> bool:
    """Whether decoded characters are text: no control characters; if the encoding is a guess, mostly ASCII."""
    controls = sum(c < " " and c not in _SIGNS_OF_TEXT for c in text)
    foreign = sum(c > "\x7f" for c in text)
    odd = sum(c > "\x7f" and not c.isalpha() and c not in _SYMBOLS for c in text)
    return not controls and not (guessed and (foreign * 5 > len(text) or odd * 4 > foreign))


def decode(data: bytes) -> str:
    """Text of bytes: by byte order mark, else UTF-8, else Windows-1252 if what comes out is text."""
    mark, encoding = next((known for known in _MARKS if data.startswith(known[0])), (b"", "utf-8"))
    for candidate in (encoding, "cp1252"):
        try:
            text = data[len(mark) :].decode(candidate)
        except UnicodeDecodeError:
            continue
        if _is_text(text, guessed=candidate == "cp1252"):
            return text.replace("\r\n", "\n").replace("\r", "\n")
        break
    raise UnreadableError(_UNDECODABLE)


def _read_text(data: bytes, name: str) -> Document:
    text = decode(data)
    return read_markdown(text, name) if looks_like_markdown(text) else read_plain(text, name)


READERS: dict[str, Callable[[bytes, str], Document]] = {
    ".txt": _read_text,
    ".md": lambda data, name: read_markdown(decode(data), name),
    ".markdown": lambda data, name: read_markdown(decode(data), name),
    ".html": lambda data, name: read_html(decode(data), name),
    ".htm": lambda data, name: read_html(decode(data), name),
    ".docx": read_docx,
    ".pdf": read_pdf,
}


def read_document(path: Path) -> Document:
    """Read a file by its extension. Raises `UnreadableError` for a file of which no block can be made."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UnreadableError(f"unsupported format {path.suffix.lower() or '(no extension)'}")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableError("cannot be opened") from error
    if not data.strip():
        raise UnreadableError("empty file")
    document = reader(data, " ".join(path.stem.replace("_", " ").split()))
    if not document.blocks:
        raise UnreadableError("no text in it")
    return document
