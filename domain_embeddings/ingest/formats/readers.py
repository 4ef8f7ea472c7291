"""One reader a format: a file becomes a document of blocks, or is `UnreadableError` with the reason."""

from collections.abc import Callable
from pathlib import Path

from domain_embeddings.ingest.formats.blocks import Document, UnreadableError
from domain_embeddings.ingest.formats.decoding import decode
from domain_embeddings.ingest.formats.html.html_reader import read_page
from domain_embeddings.ingest.formats.markdown import looks_like_markdown, read_markdown
from domain_embeddings.ingest.formats.office.csv_reader import read_csv, read_tsv
from domain_embeddings.ingest.formats.office.pptx_reader import read_pptx
from domain_embeddings.ingest.formats.office.xlsx_reader import read_xlsx
from domain_embeddings.ingest.formats.pdf.pdf_reader import read_pdf
from domain_embeddings.ingest.formats.plain.plain_reader import read_plain
from domain_embeddings.ingest.formats.word.docx_reader import read_docx


def _read_text(data: bytes, name: str) -> Document:
    text = decode(data)
    return read_markdown(text, name) if looks_like_markdown(text) else read_plain(text, name)


READERS: dict[str, Callable[[bytes, str], Document]] = {
    ".txt": _read_text,
    ".md": lambda data, name: read_markdown(decode(data), name),
    ".markdown": lambda data, name: read_markdown(decode(data), name),
    ".html": read_page,
    ".htm": read_page,
    ".docx": read_docx,
    ".pdf": read_pdf,
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".xlsx": read_xlsx,
    ".xlsm": read_xlsx,
    ".pptx": read_pptx,
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
