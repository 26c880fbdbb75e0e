"""Reads an order file of any usual kind, told by its content and never by its name."""

import gzip
import hashlib
import io
import zlib
from dataclasses import replace

from crm_metrics.data_import.excel_file import read_excel
from crm_metrics.data_import.raw_table import Note, RawTable
from crm_metrics.data_import.text_file import read_text
from crm_metrics.language import noop
from crm_metrics.metric import BadInput

MOST_BYTES = 8 << 30
"""A .gz that unpacks to more than this is refused; 100 million order lines have about this size."""
CHUNK_BYTES = 1 << 24

_NOT_TABLES = (
    (b"%PDF", noop("a PDF")),
    (b"\x89PNG", noop("an image")),
    (b"\xff\xd8\xff", noop("an image")),
    (b"GIF8", noop("an image")),
    (b"PAR1", noop("a Parquet file")),
    (b"SQLite format 3", noop("an SQLite database")),
    (b"Rar!", noop("a packed archive")),
    (b"7z\xbc\xaf", noop("a packed archive")),
    (b"BZh", noop("a packed archive")),
    (b"\xfd7zXZ", noop("a packed archive")),
    (b"\x28\xb5\x2f\xfd", noop("a packed archive")),
    (b"\x7fELF", noop("a program")),
    (b"MZ\x90", noop("a program")),
)
_MARKUP = (
    (b"<html", noop("an HTML page")),
    (b"<!doctype", noop("an HTML page")),
    (b"<table", noop("an HTML page")),
    (b"<?xml", noop("an XML file")),
)


def read_file(content: bytes, name: str, *, encoding: str | None = None, sheet: str | None = None) -> RawTable:
    """Return the rows of an order file: CSV, text with tabs, ; | or spaces, .gz of these, or Excel.

    name: as the reader knows the file, for messages only. encoding, sheet: where the content leaves a choice.
    Raises BadInput with a line number when the file can't be read without guessing.
    """
    if content.startswith(b"\x1f\x8b"):
        content = _unpacked(content, name)
    if not content.strip():
        raise BadInput("{name} is empty. Choose a file with a header and rows.", name=name)
    _refuse_other_kinds(content, name)
    raw = read_excel(content, name, sheet) if _is_excel(content) else read_text(content, name, encoding)
    return replace(raw, content_hash=hashlib.sha256(content).hexdigest())


def _unpacked(content: bytes, name: str) -> bytes:
    parts, size = [], 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            while chunk := packed.read(CHUNK_BYTES):
                parts.append(chunk)
                size += len(chunk)
                if size > MOST_BYTES:
                    raise BadInput("{name} unpacks to more than 8 GB. Split it into smaller files.", name=name)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadInput("{name} is cut off or damaged: it can't be unpacked to its end. Copy or download it again.", name=name) from error
    return b"".join(parts)


def _is_excel(content: bytes) -> bool:
    is_zip = content.startswith(b"PK\x03\x04")
    return content.startswith(b"\xd0\xcf\x11\xe0") or (is_zip and (b"xl/" in content or b"content.xml" in content))


def _refuse_other_kinds(content: bytes, name: str) -> None:
    kind = next((kind for mark, kind in _NOT_TABLES if content.startswith(mark)), None)
    start = content[:1000].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    kind = kind or next((kind for mark, kind in _MARKUP if start.startswith(mark)), None)
    if kind is None and start.startswith((b"[{", b"{")) and b":" in start:
        kind = noop("a JSON file")
    if kind is None and content.startswith(b"PK") and not _is_excel(content):
        kind = noop("a zip archive")
    if kind is not None:
        raise BadInput(
            "{name} is {kind}, not an order table. Export the orders as CSV or Excel; unpack an archive first.",
            name=name,
            kind=Note(kind, {}),
        )
