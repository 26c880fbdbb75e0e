"""The part of a mapping that says which rows of which tables a file brings besides order lines. docs/mapping.md describes it."""

import difflib
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import pyarrow as pa
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt
from sqlalchemy import Table

from crm_metrics.data_import import values
from crm_metrics.data_import.row_tables import CHOICES, TABLES, columns_of, key_of, kind_of, required
from crm_metrics.data_import.row_values import parser
from crm_metrics.metric import BadInput

ROW, FILE = "{row}", "{file}"
"""What a constant can hold: the number of the row in its file, and the name of the file without its ending."""


def _as_text(written: Any) -> Any:
    """Return a value of TOML as a mapping writes it in a file: yes and no in small letters, days as 2024-01-31."""
    if isinstance(written, bool):
        return str(written).lower()
    if isinstance(written, datetime):
        return written.isoformat(sep=" ")
    return written.isoformat() if isinstance(written, date) else str(written) if isinstance(written, int | float | Decimal) else written


Written = Annotated[str, BeforeValidator(_as_text)]
Place = str | PositiveInt
Places = Place | tuple[Place, ...]
"""A column of a file; or several that are joined with a space. "Id | Deal ID" is the first of these that the file has."""
OR = " | "
_OF_COLUMNS = ("columns", "optional", "constants", "numbered", "values", "needs", "only", "first_of")


def each_place(wanted: Places) -> tuple[Place, ...]:
    """Return the columns of a file that one column of a table is read from.

    >>> each_place("name"), each_place(("first", "last"))
    (('name',), ('first', 'last'))
    """
    return wanted if isinstance(wanted, tuple) else (wanted,)


class Rows(BaseModel):
    """Rows of one table that a file brings.

    columns: column of the table -> column of the file, or several that are joined with a space. optional: the same for columns that a
    file may lack; of several those that are there are joined. constants: column of the table -> its value in every row, in which {row}
    stands for the number of the row and {file} for the name of the file. values: column of the table -> text in the file -> what it means;
    a * stands for any text. needs: column of the table -> a value that at least one row must have. where: column of the file -> the texts
    with which a row is one of these. only: column of the table -> another one, or one of the file -> the values of it beside which it is
    known. first_of: column of the table -> the mark before which its text ends. numbered: number of a change -> the moment by which changes
    are numbered. is_newest: a known key's row is replaced by that of a later export.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=False)

    table: str
    columns: dict[str, Places] = {}
    optional: dict[str, Places] = {}
    constants: dict[str, Written] = {}
    values: dict[str, Annotated[dict[str, Written], Field(min_length=1)]] = {}
    needs: dict[str, Written] = {}
    where: dict[str, tuple[Written, ...]] = {}
    only: dict[str, dict[str, tuple[Written, ...]]] = {}
    first_of: dict[str, Annotated[str, Field(min_length=1)]] = {}
    numbered: dict[str, str] = {}
    is_newest: bool = False

    @property
    def is_of_rows(self) -> bool:
        """Return whether the rows of the file tell them apart; else there is one row, whatever the file holds."""
        return bool(self.columns or self.optional) or any(ROW in text for text in self.constants.values())


def rows_problems(tables: tuple[Rows, ...], place: str) -> list[BadInput]:
    """Return what is missing or can't be, with its key. place: key of the list in the mapping."""
    problems = [problem for at, rows in enumerate(tables) for problem in _problems(rows, f"{place}.{rows.table}", is_own=at == 0)]
    of_rows = [rows.table for rows in tables if rows.is_of_rows]
    twice = sorted({name for name in of_rows if of_rows.count(name) > 1})
    problems += [BadInput("{key}: a row of the file makes one row of it. Describe it once.", key=f"{place}.{name}") for name in twice]
    if not tables[0].is_of_rows:
        problems.append(
            BadInput("{key}: the first table is that of the file's own rows. Give it columns.", key=f"{place}.{tables[0].table}.columns")
        )
    return problems


def _problems(rows: Rows, place: str, *, is_own: bool) -> Iterator[BadInput]:
    table = TABLES.get(rows.table)
    if table is None:
        near = difflib.get_close_matches(rows.table, TABLES, n=1)
        shown = near[0] if near else ", ".join(TABLES)
        yield BadInput("{key}: a file can't hold rows of {table}. There are: {names}.", key=place, table=rows.table, names=shown)
        return
    filled = {**rows.columns, **rows.optional, **rows.constants, **rows.numbered}
    for part, name in _named(rows):
        if name not in columns_of(table):
            yield _no_column(table, f"{place}.{part}.{name}", name)
        elif name not in filled:
            yield BadInput("{key} is missing, and {part} names values of it.", key=f"{place}.columns.{name}", part=part)
    for name in filled:
        if sum(name in part for part in (rows.columns, rows.optional, rows.constants, rows.numbered)) > 1:
            yield BadInput("{key}: give a column or a constant, not both.", key=f"{place}.{name}")
    yield from _unnumbered(rows, table, place)
    said = {**rows.columns, **rows.numbered, **rows.constants, **({} if is_own else rows.optional)}
    for name in required(table):
        if not said.get(name):
            yield BadInput(
                "{key} is missing. Give a column of the file, or a constant; {row} in it is the number of the row.",
                key=f"{place}.columns.{name}",
                row=ROW,
            )
    yield from _unreadable(rows, table, place)


def _named(rows: Rows) -> Iterator[tuple[str, str]]:
    """Give each column of the table that the mapping names, with the part of the mapping that names it."""
    for part in _OF_COLUMNS:
        yield from ((part, name) for name in getattr(rows, part))
    yield from (("numbered", moment) for moment in rows.numbered.values())


def _unnumbered(rows: Rows, table: Table, place: str) -> Iterator[BadInput]:
    """Give what can't be numbered: only a whole number of the key, by a moment that stands in every file."""
    for name, moment in rows.numbered.items():
        column, by = columns_of(table).get(name), columns_of(table).get(moment)
        if column is None or by is None:
            continue
        if name not in key_of(table) or kind_of(column) != "count" or kind_of(by) != "moment" or moment not in rows.columns:
            yield BadInput(
                "{key}: {moment} can't number it. What is numbered is a whole number of the key, by a moment among the columns.",
                key=f"{place}.numbered.{name}",
                moment=moment,
            )


def _no_column(table: Table, key: str, name: str) -> BadInput:
    near = difflib.get_close_matches(name, columns_of(table), n=1)
    shown = near[0] if near else ", ".join(columns_of(table))
    return BadInput("{key}: {table} has no such column. There are: {names}.", key=key, table=table.name, names=shown)


def _unreadable(rows: Rows, table: Table, place: str) -> Iterator[BadInput]:
    """Give what a mapping says itself and no column can hold."""
    said = [(f"constants.{name}", name, text) for name, text in rows.constants.items() if ROW not in text and FILE not in text]
    said += [(f"values.{name}.{word}", name, text) for name, words in rows.values.items() for word, text in words.items()]
    said += [(f"only.{name}.{other}", other, text) for name, asked in rows.only.items() for other, of in asked.items() for text in of]
    for key, name, text in said:
        column = columns_of(table).get(name)
        if column is None or text == "" or parser(column)(pa.array([text])).problems[0] == values.FINE:
            continue
        choices = CHOICES.get((table.name, name))
        kind = ", ".join(choices) if choices else kind_of(column)
        yield BadInput("{key}: {value!r} can't be read as {kind}.", key=f"{place}.{key}", value=text, kind=kind)
