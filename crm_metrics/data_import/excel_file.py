"""Reads Excel workbooks: the one sheet with a table, typed cells kept apart from text."""

import io
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

from crm_metrics.data_import.cell_shapes import find_header
from crm_metrics.data_import.excel_errors import cell_errors
from crm_metrics.data_import.header_names import is_order_header
from crm_metrics.data_import.raw_table import Note, RawTable, column_names, headerless_names, without_blank_rows
from crm_metrics.language import noop
from crm_metrics.metric import BadInput

SAMPLE_ROWS = 50
FEWEST_COLUMNS, FEWEST_AT_ALL = 3, 2
"""An order table has at least a customer, a date and an amount; a sheet with fewer columns holds notes, unless there is no other."""

Cell = int | float | str | bool | time | date | datetime | timedelta
Rows = list[list[Cell]]


class Sheet(NamedTuple):
    """One sheet that has a table. first_row, first_column: of its first cell that is not empty; rows as Excel counts, columns from 0."""

    title: str
    rows: Rows
    header_at: int | None
    first_at: int
    first_row: int
    first_column: int = 0

    @property
    def width(self) -> int:
        """Return the number of its columns."""
        return max(len(row) for row in self.rows)

    @property
    def header(self) -> list[str] | None:
        """Return the names of its columns, if it has any."""
        return None if self.header_at is None else [_text_and_kind(cell)[0] for cell in self.rows[self.header_at]]


def read_excel(content: bytes, name: str, title: str | None = None) -> RawTable:
    """Return the rows of the sheet called `title`, or of the only visible sheet that has a table, or the only one of them with orders.

    Raises BadInput when no sheet or several sheets can be meant.
    """
    sheets = _table_sheets(content, name, title)
    sheet = _with_errors(_chosen(sheets, name), content)
    data_at = sheet.first_at if sheet.header_at is None else sheet.header_at + 1
    rows = sheet.rows[data_at:]
    header = sheet.header
    names, repeated = column_names(header) if header is not None else (headerless_names(sheet.width), ())
    table, kinds = _columns(rows, names)
    filled = without_blank_rows(table)
    numbers = sheet.first_row + data_at + np.arange(len(rows), dtype=np.int64)
    if not filled.any():
        raise BadInput("{name} has no rows below its header. Choose a file with rows.", name=name)
    header_row = None if sheet.header_at is None else sheet.first_row + sheet.header_at
    return RawTable(
        name,
        table.filter(pa.array(filled)),
        pa.array(numbers[filled], pa.int64()),
        kinds=kinds.filter(pa.array(filled)),
        header_row=header_row,
        repeated_columns=repeated,
        sheet=sheet.title,
        is_sheet_chosen=title is not None or len(sheets) > 1,
        notes=_notes(sheet, header_row),
    )


def _table_sheets(content: bytes, name: str, title: str | None) -> list[Sheet]:
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            if title is not None and title not in book.sheet_names:
                raise BadInput("There is no sheet {sheet}. The sheets are: {sheets}.", sheet=title, sheets=", ".join(book.sheet_names))
            visible = [sheet.name for sheet in book.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible]
            titles = visible if title is None else [title]
            sheets = [_sheet(book, each) for each in titles]
    except PasswordError as error:
        raise BadInput("{name} is protected by a password. Save it without one.", name=name) from error
    except (CalamineError, OSError, ValueError) as error:
        raise BadInput(
            "{name} can't be read as an Excel file: {error}. Open it in Excel and save it again.", name=name, error=error
        ) from error
    tables = [sheet for sheet in sheets if sheet is not None]
    return [sheet for sheet in tables if sheet.width >= FEWEST_COLUMNS] or tables


def _sheet(book: CalamineWorkbook, title: str) -> Sheet | None:
    sheet = book.get_sheet_by_name(title)
    rows: Rows = sheet.to_python(skip_empty_area=True)
    if not rows or max(len(row) for row in rows) < FEWEST_AT_ALL:
        return None
    sample = [[_text_and_kind(cell)[0] for cell in row] for row in rows[:SAMPLE_ROWS]]
    header_at, first_at = find_header(sample)
    first_row, first_column = sheet.start or (0, 0)
    return Sheet(title, rows, header_at, first_at, 1 + first_row, first_column)


def _with_errors(sheet: Sheet, content: bytes) -> Sheet:
    """Return the sheet with the error values that the reader of cells left empty."""
    for error in cell_errors(content, sheet.title):
        row, column = error.row + 1 - sheet.first_row, error.column - sheet.first_column
        if 0 <= row < len(sheet.rows) and 0 <= column < len(sheet.rows[row]):
            sheet.rows[row][column] = error.text
    return sheet


def _chosen(sheets: list[Sheet], name: str) -> Sheet:
    if not sheets:
        raise BadInput("{name} is empty: no sheet has a table of at least two columns.", name=name)
    with_orders = [sheet for sheet in sheets if sheet.header is not None and is_order_header(sheet.header)]
    if len(sheets) > 1 and len(with_orders) != 1:
        raise BadInput(
            "{name} has several sheets with tables: {sheets}. Say which one in the mapping (file.sheet), or save it as a file of its own.",
            name=name,
            sheets=", ".join(sheet.title for sheet in sheets),
        )
    return with_orders[0] if len(sheets) > 1 else sheets[0]


def _columns(rows: Rows, names: list[str]) -> tuple[pa.Table, pa.Table]:
    """Return the cells as text, and the kind of each cell."""
    table, kinds = {}, {}
    for at, name in enumerate(names):
        pairs = [_text_and_kind(row[at]) if at < len(row) else ("", "") for row in rows]
        table[name] = pa.array([text for text, _ in pairs], pa.string())
        kinds[name] = pa.array([kind for _, kind in pairs], pa.string())
    return pa.table(table), pa.table(kinds)


def _text_and_kind(cell: Cell) -> tuple[str, str]:
    """Return a cell as text, and its kind.

    Excel computes with 15 significant digits: 0.1 + 0.2 is 0.3 there and here.

    >>> [_text_and_kind(cell) for cell in (0.1 + 0.2, 536365.0, "007", datetime(2024, 1, 31, 9, 30), True)]
    [('0.3', 'n'), ('536365', 'n'), ('007', 't'), ('2024-01-31 09:30:00', 'd'), ('True', 'b')]
    """
    if isinstance(cell, str):
        return cell, "t" if cell else ""
    if isinstance(cell, bool):
        return str(cell), "b"
    if isinstance(cell, int | float):
        return _number_text(cell), "n"
    if isinstance(cell, datetime):
        return str(cell.replace(microsecond=0) if cell.microsecond < 1000 else cell), "d"
    return str(cell), "d" if isinstance(cell, date) else "t"


def _number_text(number: float) -> str:
    if float(number).is_integer() and abs(number) < 1e15:
        return str(int(number))
    shown = f"{number:.15g}"
    return shown if "e" not in shown else f"{number:.15E}" if abs(number) >= 1 else f"{number:.20f}".rstrip("0")


def _notes(sheet: Sheet, header_row: int | None) -> tuple[Note, ...]:
    notes = [Note(noop("Read from the sheet {sheet}."), {"sheet": sheet.title})]
    if header_row is None:
        notes.append(Note(noop("The file has no header: columns are named by their position."), {}))
    elif header_row > 1:
        notes.append(Note(noop("The header is in row {row}; what stands above it is not read."), {"row": header_row}))
    return tuple(notes)
