"""Reads CSV, TSV, text with ; or | and whitespace text: encoding, delimiter, header, quotes, rows."""

import codecs
import csv
import io
import itertools
import re
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from crm_metrics.data_import.cell_shapes import find_header
from crm_metrics.data_import.raw_table import Note, RaggedRow, RawTable, column_names, headerless_names, without_blank_rows
from crm_metrics.language import noop
from crm_metrics.metric import BadInput

DELIMITERS = (",", ";", "\t", "|")
WHITESPACE = " "
SAMPLE_BYTES = 1 << 17
SAMPLE_ROWS = 200
BLOCK_BYTES, MOST_BLOCK_BYTES = 1 << 23, (1 << 31) - 1
"""Bytes that are parsed at once, and the most that can be."""
COMMON_HANZI = 0.85
"""Share of two-byte pairs in the everyday part of GB2312 that makes bytes Chinese: real text has over .95, other encodings under .6."""
KOREAN_PAIRS, LAST_HANGUL = 10, 0xC8
"""Korean in EUC-KR uses first bytes up to C8 only; nearly half of Chinese characters (those from S to Z) lie above."""
EVIDENCE_BYTES = 3
"""Fewer bytes above ASCII than this may be a western letter pair or one Chinese character."""


class Dialect(NamedTuple):
    """How the text is laid out. start: byte where the first data row begins; first_line: its line number."""

    delimiter: str
    header: list[str] | None
    header_line: int | None
    start: int
    first_line: int
    width: int


# ── encoding ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def to_utf8(content: bytes, encoding: str | None = None) -> tuple[bytes, str]:
    """Return the text as UTF-8 without a byte order mark, and the encoding it came in."""
    for mark, name in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if content.startswith(mark):
            return _recoded(content[len(mark) :], name), name
    name = encoding or _guess_encoding(content)
    return _recoded(content, name), name


def _recoded(content: bytes, encoding: str) -> bytes:
    if encoding == "utf-8" and content.isascii():
        recoded = content
    else:
        try:
            text = content.decode(encoding)
        except LookupError as error:
            raise BadInput(
                "There is no encoding called {encoding}. Usual ones are utf-8, gb18030 and cp1252.", encoding=encoding
            ) from error
        except UnicodeDecodeError as error:
            raise _not_decodable(content, error) from error
        recoded = content if encoding == "utf-8" else text.encode()
    nul = recoded.find(b"\0")
    if nul >= 0:
        raise BadInput(
            "Line {line} has a NUL byte, which no text has: the file is damaged or no text at all. Export it again as CSV.",
            line=_line_of(recoded, nul),
        )
    return recoded


def _line_of(content: bytes, place: int) -> int:
    return 1 + max(content.count(b"\n", 0, place), content.count(b"\r", 0, place))


def _not_decodable(content: bytes, error: UnicodeDecodeError) -> BadInput:
    return BadInput(
        "Line {line}: the bytes {value} are not {encoding}. Save the file again as UTF-8.",
        line=_line_of(content, error.start),
        value=content[error.start : error.start + 4].hex(" "),
        encoding=error.encoding.upper(),
    )


def _guess_encoding(content: bytes) -> str:
    if content.isascii() and b"\0" not in content[:SAMPLE_BYTES]:
        return "utf-8"
    sixteen = _guess_utf16(content[:SAMPLE_BYTES])
    if sixteen:
        return sixteen
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return _guess_legacy(content, error)
    return "utf-8"


def _guess_utf16(sample: bytes) -> str | None:
    """Return UTF-16 for text without a mark when most of its even or odd bytes are zero."""
    codes = np.frombuffer(sample[: len(sample) // 2 * 2], dtype=np.uint8)
    even, odd = np.mean(codes[0::2] == 0), np.mean(codes[1::2] == 0)
    if odd > 0.5 and even < 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > 0.5 and odd < 0.05 else None


def _guess_legacy(content: bytes, error: UnicodeDecodeError) -> str:
    if _is_binary(content):
        raise BadInput("The file is not a text file. Export the orders as CSV or Excel.")
    if len(re.findall(rb"[\xc3-\xf4][\x80-\xbf]{1,3}", content)) > 2 * _broken_places(content):
        raise _not_decodable(content, error)
    runs = [len(run) for run in re.findall(rb"[\x80-\xff]+", content)]
    if sum(runs) < EVIDENCE_BYTES and any(run % 2 == 0 for run in runs):
        raise BadInput(
            "Line {line}: the encoding of {value} can't be told; it may be western or Chinese. Save the file as UTF-8.",
            line=_line_of(content, error.start),
            value=content[error.start : error.start + 2].hex(" "),
        )
    if _MAC_LETTERS.search(content) and not _NOT_MAC.search(content):
        return "mac-roman"
    if _common_hanzi(content) >= COMMON_HANZI:
        return "gb18030"
    if np.mean([run == 1 for run in runs]) > 0.5 and not _NOT_WESTERN.search(content):
        return "cp1252"
    raise BadInput("The encoding of the file can't be told from its bytes. Save the file as UTF-8.")


_NOT_WESTERN = re.compile(rb"[\x81\x8d\x8f\x90\x9d]|[\xa3\xa5\xaf\xb3\xb9\xbc\xbe][a-z]|[a-z][\xaf\xb3\xb9\xbf][a-z]")
"""Bytes that Windows-1252 lacks, and its signs in places where only a letter makes sense (Polish or Czech in Windows-1250)."""


_MAC_LETTERS = re.compile(rb"[a-z]\x8e|[A-Za-z]\x9f[a-z]")
"""The bytes of e acute and u umlaut in Mac Roman within a word; in Windows-1252 they are capital letters with a caron or dots."""
_NOT_MAC = re.compile(rb"[a-z][\xa0-\xff]|[\xa0-\xff][a-z]|[A-Za-z][\x81\x82\x84\x94][a-z]")
"""Letters of the Windows encodings next to others, or of the DOS encodings."""


def _is_binary(content: bytes) -> bool:
    """Return whether more than one byte in a hundred is a control character that no text has."""
    sample = np.frombuffer(content[:SAMPLE_BYTES], dtype=np.uint8)
    return bool(np.mean((sample < 32) & ~np.isin(sample, (9, 10, 12, 13))) > 0.01)


def _broken_places(content: bytes) -> int:
    return content.decode("utf-8", errors="replace").count("\ufffd")


def _common_hanzi(content: bytes) -> float:
    """Return the share of bytes above ASCII that GB18030 reads as everyday Chinese characters or punctuation; 0 if it can't read them."""
    try:
        text = content.decode("gb18030")
    except UnicodeDecodeError:
        return 0.0
    wide = re.sub(r"[\x00-\x7f]", "", text)
    pairs = [letter.encode("gb18030") for letter in wide]
    if len(pairs) >= KOREAN_PAIRS and np.mean([pair[0] > LAST_HANGUL for pair in pairs]) < 0.05:
        return 0.0
    everyday = sum(len(pair) == 2 and (0xA1 <= pair[0] <= 0xA3 or 0xB0 <= pair[0] <= 0xD7) and pair[1] >= 0xA1 for pair in pairs)
    return everyday / max(len(pairs), 1)


# ── layout ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def find_dialect(text: bytes) -> Dialect:
    """Return the delimiter, header and first data row, from the first rows of the text."""
    end = text.rfind(b"\n", 0, SAMPLE_BYTES) + 1 or text.find(b"\n") + 1
    sample = text[:end].decode()
    said = re.match(r"sep=(.)\r?\n", sample)
    skipped = said.end() if said else 0
    delimiter = said.group(1) if said else _best_delimiter(sample)
    rows = _sample_rows(sample[skipped:], delimiter)
    if not rows:
        return Dialect(delimiter, None, None, len(text), 1, 1)
    header_at, first_at = find_header([row for row, _, _ in rows])
    data_at = first_at if header_at is None else header_at + 1
    consumed = rows[data_at - 1][1] if data_at else 0
    lines = rows[data_at - 1][2] if data_at else 0
    before = len(sample[:skipped].encode())
    header = None if header_at is None else rows[header_at][0]
    header_line = None if header_at is None else (rows[header_at - 1][2] if header_at else 0) + 1 + bool(said)
    start = before + len(sample[skipped : skipped + consumed].encode())
    width = len(header if header is not None else rows[first_at][0])
    return Dialect(delimiter, header, header_line, start, lines + 1 + bool(said), width)


def _sample_rows(sample: str, delimiter: str) -> list[tuple[list[str], int, int]]:
    """Return the first rows, each with the number of characters and of lines up to its end."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", sample)
    ends = np.concatenate([[0], np.cumsum([len(line) for line in lines])])
    rows: list[tuple[list[str], int, int]] = []
    if delimiter == WHITESPACE:
        return [(line.split(), int(ends[at + 1]), at + 1) for at, line in enumerate(lines[:SAMPLE_ROWS])]
    csv.field_size_limit(max(csv.field_size_limit(), len(sample)))
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        rows.extend((row, int(ends[reader.line_num]), reader.line_num) for row in itertools.islice(reader, SAMPLE_ROWS))
    except csv.Error as error:
        line = reader.line_num
        raise BadInput("Line {line} can't be split into fields: {error}. Is it an order table?", line=line, error=error) from error
    return rows


def _best_delimiter(sample: str) -> str:
    """Return the delimiter that gives most rows the same, large number of fields; whitespace if no other splits them."""
    scored = [(_score(sample, delimiter), delimiter) for delimiter in DELIMITERS]
    best, delimiter = max(scored, key=lambda pair: pair[0])
    return delimiter if best > 1 or _score(sample, WHITESPACE) < 2 else WHITESPACE


def _score(sample: str, delimiter: str) -> float:
    widths = [len(row) for row, _, _ in _sample_rows(sample, delimiter) if any(cell.strip() for cell in row)]
    if not widths:
        return 0.0
    usual = max(set(widths), key=lambda width: (widths.count(width), width))
    share = widths.count(usual) / len(widths)
    if usual < 2 or (delimiter == WHITESPACE and share < 0.9):
        return 0.0
    return usual * share**2


# ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_text(content: bytes, name: str, encoding: str | None = None) -> RawTable:
    """Return the rows of a text file. Raises BadInput when it can't be read as a table without guessing."""
    text, encoding = to_utf8(content, encoding)
    if not text.strip():
        raise BadInput("{name} is empty. Choose a file with a header and rows.", name=name)
    if b"\r" in text and b"\n" not in text:
        text = text.replace(b"\r", b"\n")
    if not text.endswith((b"\n", b"\r")):
        text += b"\n"
    dialect = find_dialect(text)
    names, repeated = column_names(dialect.header) if dialect.header is not None else (headerless_names(dialect.width), ())
    body = memoryview(text)[dialect.start :]
    if not bytes(body[:SAMPLE_BYTES]).strip():
        raise BadInput("{name} has no rows below its header. Choose a file with rows.", name=name)
    if dialect.delimiter == WHITESPACE:
        body = memoryview(b"\n".join(b"\t".join(line.split()) for line in bytes(body).splitlines()) + b"\n")
    table, ragged_rows = _parsed(body, names, dialect)
    numbers, ragged = _numbered(table, ragged_rows, dialect)
    _refuse_other_width(ragged, len(names), rows=table.num_rows)
    filled = without_blank_rows(table)
    if not filled.any() and not ragged:
        raise BadInput("{name} has no rows below its header. Choose a file with rows.", name=name)
    notes = _notes(encoding, dialect)
    if not filled.all():
        table, numbers = table.filter(pa.array(filled)), numbers[filled]
    return RawTable(
        name,
        table,
        pa.array(numbers, pa.int64()),
        ragged,
        header_row=dialect.header_line,
        repeated_columns=repeated,
        encoding=encoding,
        delimiter=dialect.delimiter,
        notes=notes,
    )


def _parsed(body: memoryview, names: list[str], dialect: Dialect) -> tuple[pa.Table, list[arrow_csv.InvalidRow]]:
    """Return the cells, and the ragged rows with their place among all rows. Both count blank rows."""
    ragged: list[arrow_csv.InvalidRow] = []

    def keep(row: arrow_csv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    delimiter = "\t" if dialect.delimiter == WHITESPACE else dialect.delimiter
    quotes = b'"' in bytes(body) if dialect.delimiter != WHITESPACE else False
    for threads in (True, False):
        ragged.clear()
        table = _arrow_read(body, names, keep, delimiter=delimiter, quotes=quotes, threads=threads, block_bytes=BLOCK_BYTES)
        if not ragged:
            break  # Only one thread knows the place of a ragged row
    if quotes:
        _check_quotes(body, table, ragged, dialect)
    return table.combine_chunks(), list(ragged)


def _refuse_other_width(ragged: tuple[RaggedRow, ...], width: int, *, rows: int) -> None:
    """Raise BadInput if all rows have one number of fields, larger than that of the header."""
    widths = {len(row.fields) for row in ragged}
    if not rows and len(widths) == 1 and max(widths) > width:
        raise BadInput(
            "All rows have {found} fields, the header has {expected}. Look for a delimiter at the end of each row, or for amounts with a "
            "decimal comma that are not quoted.",
            found=widths.pop(),
            expected=width,
        )


def _arrow_read(body: memoryview, names: list[str], keep: object, **how: object) -> pa.Table:
    try:
        return arrow_csv.read_csv(
            pa.BufferReader(pa.py_buffer(body)),
            read_options=arrow_csv.ReadOptions(column_names=names, use_threads=how["threads"], block_size=how["block_bytes"]),
            parse_options=arrow_csv.ParseOptions(
                delimiter=how["delimiter"],
                quote_char='"' if how["quotes"] else False,
                newlines_in_values=how["quotes"],
                ignore_empty_lines=False,
                invalid_row_handler=keep,
            ),
            convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
        )
    except pa.ArrowInvalid as error:
        if "straddling" in str(error) and how["block_bytes"] == BLOCK_BYTES < len(body):  # A row longer than two blocks
            return _arrow_read(body, names, keep, **how | {"block_bytes": min(len(body), MOST_BLOCK_BYTES)})
        raise BadInput(
            "The rows can't be told apart: {value}. Look for a quotation mark that is opened and never closed.", value=error
        ) from error


def _check_quotes(body: memoryview, table: pa.Table, ragged: list[arrow_csv.InvalidRow], dialect: Dialect) -> None:
    """Raise BadInput if a quotation mark is opened and not closed: it swallows the rows below it and still gives whole fields."""
    whole = bytes(body)
    csv.field_size_limit(max(csv.field_size_limit(), len(whole)))
    odd = whole.count(b'"') % 2 == 1
    if not odd and not _breaks_per_row(table).any() and not any(_breaks(row.text) for row in ragged):
        return
    reader = csv.reader(io.StringIO(whole.decode(), newline=""), delimiter=dialect.delimiter, strict=True)
    line = 0
    try:
        for _ in reader:
            line = reader.line_num
    except csv.Error as error:
        raise BadInput(
            "Line {line}: a quotation mark is opened and not closed before the next field. Close it, or double it inside the text.",
            line=dialect.first_line + line,
        ) from error


def _breaks(text: str) -> int:
    return text.count("\n") + len(re.findall(r"\r(?!\n)", text))


def _breaks_per_row(table: pa.Table) -> np.ndarray:
    """Return how many line breaks the cells of each row hold."""
    breaks = np.zeros(table.num_rows, dtype=np.int64)
    for column in table.columns:
        if pc.any(pc.match_substring_regex(column, "[\r\n]")).as_py():
            breaks += pc.count_substring_regex(column, "\r\n|\r|\n").to_numpy()
    return breaks


def _numbered(table: pa.Table, ragged_rows: list[arrow_csv.InvalidRow], dialect: Dialect) -> tuple[np.ndarray, tuple[RaggedRow, ...]]:
    """Return the line number of each row of `table`, and the ragged rows with theirs."""
    count = table.num_rows + len(ragged_rows)
    places = np.array([row.number - 1 for row in ragged_rows], dtype=np.int64)
    is_ragged = np.zeros(count, dtype=bool)
    is_ragged[places] = True
    lines = np.ones(count, dtype=np.int64)
    if dialect.delimiter != WHITESPACE:
        lines[~is_ragged] += _breaks_per_row(table)
    lines[places] += np.array([_breaks(row.text) for row in ragged_rows], dtype=np.int64)
    numbers = dialect.first_line + np.cumsum(lines) - lines
    delimiter = "\t" if dialect.delimiter == WHITESPACE else dialect.delimiter
    ragged = tuple(
        RaggedRow(int(numbers[place]), tuple(next(csv.reader(io.StringIO(row.text, newline=""), delimiter=delimiter), ())))
        for place, row in zip(places, ragged_rows, strict=True)
    )
    return numbers[~is_ragged], tuple(row for row in ragged if any(cell.strip() for cell in row.fields))


def _notes(encoding: str, dialect: Dialect) -> tuple[Note, ...]:
    notes = []
    if encoding == "cp1252":
        notes.append(Note(noop("Read as Windows-1252 (western European); check a name with accents."), {}))
    if encoding == "mac-roman":
        notes.append(Note(noop("Read as Mac Roman (western European, older Macs); check a name with accents."), {}))
    if encoding == "gb18030":
        notes.append(Note(noop("Read as GB18030 (Chinese); check a name."), {}))
    if dialect.header is None:
        notes.append(Note(noop("The file has no header: columns are named by their position."), {}))
    elif dialect.header_line and dialect.header_line > 1:
        notes.append(Note(noop("The header is in row {row}; what stands above it is not read."), {"row": dialect.header_line}))
    return tuple(notes)
