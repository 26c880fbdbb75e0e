"""Error values of a workbook (#REF!, #N/A), which the reader of cells leaves empty."""

import io
import re
import zipfile
from typing import NamedTuple

_ERROR = re.compile(rb'<c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]+)(\d+)"[^>]*>(?:(?!</c>).)*?<v>(#[^<]+)</v>', re.DOTALL)


class CellError(NamedTuple):
    """row, column: counted from 0 in the sheet. text: like #REF!."""

    row: int
    column: int
    text: str


def cell_errors(content: bytes, title: str) -> list[CellError]:
    """Return the error values of a sheet of an .xlsx; none for other kinds of workbook."""
    if not content.startswith(b"PK\x03\x04"):
        return []
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        path = _sheet_path(book, title)
        cells = book.read(path) if path else b""
    if b't="e"' not in cells:
        return []
    return [CellError(int(row) - 1, _column(letters), text.decode()) for letters, row, text in _ERROR.findall(cells)]


def _sheet_path(book: zipfile.ZipFile, title: str) -> str | None:
    """Return where the workbook keeps a sheet; None when it has another layout than Excel's."""
    names = set(book.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return None
    escaped = re.escape(title.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;").encode())
    sheet = re.search(rb'<sheet\b(?=[^>]*\bname="' + escaped + rb'")[^>]*\br:id="([^"]+)"', book.read("xl/workbook.xml"))
    if sheet is None:
        return None
    links = book.read("xl/_rels/workbook.xml.rels")
    link = re.search(rb'<Relationship\b(?=[^>]*\bId="' + re.escape(sheet.group(1)) + rb'")[^>]*\bTarget="([^"]+)"', links)
    path = "" if link is None else link.group(1).decode()
    path = path.removeprefix("/") if path.startswith("/") else f"xl/{path}"
    return path if path in names else None


def _column(letters: bytes) -> int:
    """Return the place of a column.

    >>> _column(b"A"), _column(b"AA")
    (0, 26)
    """
    place = 0
    for letter in letters:
        place = place * 26 + letter - 64
    return place - 1
