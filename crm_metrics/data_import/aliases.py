"""What a mapping made other texts of: each named with the number of rows, so that nothing is renamed in silence."""

from collections.abc import Iterator

import pyarrow.compute as pc

from crm_metrics.data_import.cells import Cells
from crm_metrics.data_import.mapping import Layout
from crm_metrics.data_import.raw_table import Note
from crm_metrics.data_import.row_mapping import Rows
from crm_metrics.data_import.row_tables import CHOICES, TABLES, columns_of, kind_of
from crm_metrics.language import noop

ONE_READ, READ = noop("1 row: {column} {value} read as {meant}."), noop("{n} rows: {column} {value} read as {meant}.")
ONE_UNKNOWN, UNKNOWN = noop("1 row: {column} {value} read as unknown."), noop("{n} rows: {column} {value} read as unknown.")
_NAMED = ("identifier", "text", "amount", "day")


def notes(cells: Cells, layout: Layout) -> Iterator[Note]:
    """Give a note for each text that the mapping gives another meaning, most rows first. Yes and no, and the like, are no other texts."""
    for rows in layout.tables:
        for name in rows.values:
            if f"{rows.table}.{name}" in cells.columns and _is_named(rows, name):
                yield from _of_column(cells, rows, name)


def _is_named(rows: Rows, name: str) -> bool:
    return (rows.table, name) not in CHOICES and kind_of(columns_of(TABLES[rows.table])[name]) in _NAMED


def _of_column(cells: Cells, rows: Rows, name: str) -> Iterator[Note]:
    column, meant = cells.columns[f"{rows.table}.{name}"], {word.strip().lower(): text for word, text in rows.values[name].items()}
    encoded = cells.encoded[column]
    counts: dict[tuple[str, str], int] = {}
    for entry in pc.value_counts(encoded.indices).to_pylist():
        text = encoded.dictionary[entry["values"]].as_py().strip() if entry["values"] is not None else ""
        told = meant.get(text.lower(), text)
        if told != text:
            counts[text, told] = counts.get((text, told), 0) + entry["counts"]
    for (text, told), count in sorted(counts.items(), key=lambda item: -item[1]):
        template = (ONE_READ if told else ONE_UNKNOWN) if count == 1 else (READ if told else UNKNOWN)
        said: dict[str, object] = {"column": column, "value": text, "meant": told, "n": f"{count:,}"}
        yield Note(template, {key: part for key, part in said.items() if "{" + key + "}" in template})
