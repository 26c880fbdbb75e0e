"""The cells of a file as text, exactly as they came, with the row numbers the reader sees."""

import json
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crm_metrics.language import t

HEADERLESS = "column {n}"
"""Name of a column in a file without a header; n counts from 1."""


class Note(NamedTuple):
    """Something the reader should know that is no error: an English template and its values."""

    text: str
    values: dict[str, object]

    def __str__(self) -> str:
        return t(self.text, **self.values)


class RaggedRow(NamedTuple):
    """A row with more or fewer fields than the header."""

    row_number: int
    fields: tuple[str, ...]


@dataclass(frozen=True)
class RawTable:
    """A file's rows.

    table: one string column per column of the file, blank rows left out; typed columns of a file that was made and never text.
    row_numbers: int64, the line of a text editor or the row of the spreadsheet, the header counted. ragged: rows that have another
    number of fields. kinds: for Excel, per cell 't' text, 'n' number, 'd' date, 'b' true or false, '' empty; None for text files.
    header_row: None when there is none. repeated_columns: header names that stand there more than once; their columns are called
    "name (1)", "name (2)".
    joined_columns: columns of `table` that stand in no file, made from several.
    is_sheet_chosen: whether the workbook has several sheets with tables. content_hash: SHA-256 of the decompressed content.
    """

    name: str
    table: pa.Table
    row_numbers: pa.Array
    ragged: tuple[RaggedRow, ...] = ()
    kinds: pa.Table | None = None
    header_row: int | None = 1
    repeated_columns: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    is_sheet_chosen: bool = False
    notes: tuple[Note, ...] = ()
    content_hash: str = ""
    joined_columns: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of the file's own columns, each different."""
        return tuple(name for name in self.table.column_names if name not in self.joined_columns)

    @property
    def row_count(self) -> int:
        """Return how many rows the file has, ragged ones included, blank ones not."""
        return self.table.num_rows + len(self.ragged)


def column_names(header: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return different names for the columns of `header`, and the names that stood there more than once.

    >>> column_names(["a", "b", "a", ""])
    (['a (1)', 'b', 'a (2)', 'column 4'], ('a',))
    """
    stripped = [" ".join(cell.replace("\ufeff", "").split()) for cell in header]
    repeated = tuple(sorted({cell for cell in stripped if cell and stripped.count(cell) > 1}))
    names: list[str] = []
    for at, cell in enumerate(stripped):
        name = cell or HEADERLESS.format(n=at + 1)
        if cell in repeated:
            name = f"{cell} ({stripped[: at + 1].count(cell)})"
        while name in names:
            name += "'"
        names.append(name)
    return names, repeated


def headerless_names(count: int) -> list[str]:
    """Return the names of `count` columns without a header.

    >>> headerless_names(2)
    ['column 1', 'column 2']
    """
    return [HEADERLESS.format(n=at + 1) for at in range(count)]


def without_blank_rows(table: pa.Table) -> np.ndarray:
    """Return a mask of the rows that have any text.

    >>> without_blank_rows(pa.table({"a": ["1", " "], "b": ["", ""]})).tolist()
    [True, False]
    """
    filled = np.zeros(table.num_rows, dtype=bool)
    for column in table.columns:
        filled |= pc.not_equal(pc.utf8_trim_whitespace(column), "").to_numpy()
        if filled.all():
            break
    return filled


def with_joined(raw: RawTable, names: dict[str, tuple[str, ...]]) -> RawTable:
    """Return the file with further columns, each the texts of others joined with a space, empty ones left out. names: name -> others."""
    table, kinds = raw.table, raw.kinds
    for name, others in names.items():
        texts = pc.binary_join_element_wise(*[pc.utf8_trim_whitespace(table[other]) for other in others], " ")
        table = table.append_column(name, pc.utf8_trim_whitespace(pc.replace_substring_regex(texts, r"\s+", " ")))
        kinds = kinds.append_column(name, pa.repeat("t", table.num_rows)) if kinds is not None else None
    return replace(raw, table=table, kinds=kinds, joined_columns=(*raw.joined_columns, *names))


def rows_as_json(raw: RawTable, places: np.ndarray) -> list[str]:
    """Return the rows at `places` (positions in `raw.table`) as JSON that `from_json` reads again."""
    taken = pa.array(places, type=pa.int64())
    parts = ['{"row": ', raw.row_numbers.take(taken).cast(pa.string()), ', "cells": ', *_objects(raw.table.select(raw.columns).take(taken))]
    if raw.kinds is not None:
        parts += [', "kinds": ', *_objects(raw.kinds.take(taken))]
    return pc.binary_join_element_wise(*parts, "}", "").to_pylist()


def objects_as_json(table: pa.Table) -> list[str]:
    """Return each row as a JSON object of texts."""
    return pc.binary_join_element_wise(*_objects(table), "").to_pylist()


def _objects(table: pa.Table) -> list[str | pa.Array]:
    """Return the pieces of a JSON object per row; each different cell is quoted once."""
    pieces: list[str | pa.Array] = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        cells = column.cast(pa.string()).combine_chunks().dictionary_encode(null_encoding="encode")
        quoted = pa.array([json.dumps(cell, ensure_ascii=False) for cell in cells.dictionary.to_pylist()], pa.string())
        pieces += [f"{', ' if pieces else '{'}{json.dumps(name, ensure_ascii=False)}: ", quoted.take(cells.indices)]
    return [*pieces, "}"]


def ragged_as_json(ragged: RaggedRow) -> str:
    """Return a ragged row as JSON that `from_json` reads again."""
    return json.dumps({"row": ragged.row_number, "fields": list(ragged.fields)}, ensure_ascii=False)


def from_json(rows: list[str], name: str = "") -> RawTable:
    """Return rows that were left out earlier as a raw table.

    All rows must have come from one file, so that their columns are the same.
    """
    whole = [json.loads(row) for row in rows]
    ragged = tuple(RaggedRow(row["row"], tuple(row["fields"])) for row in whole if "fields" in row)
    full = [row for row in whole if "cells" in row]
    columns = list(full[0]["cells"]) if full else []
    table = pa.table({column: pa.array([row["cells"][column] for row in full], pa.string()) for column in columns})
    kinds = None
    if full and "kinds" in full[0]:
        kinds = pa.table({column: pa.array([row["kinds"][column] for row in full], pa.string()) for column in columns})
    numbers = pa.array([row["row"] for row in full], pa.int64())
    return RawTable(name, table, numbers, ragged, kinds)
