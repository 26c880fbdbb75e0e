"""What a mapping made other texts of: each named with the number of rows, so that nothing is renamed in silence."""

from collections.abc import Iterator

import pyarrow.compute as pc

from crm_metrics.data_import.cells import Cells
from crm_metrics.data_import.mapping import Layout
from crm_metrics.data_import.raw_table import Note
from crm_metrics.data_import.row_mapping import Rows
from crm_metrics.data_import.row_tables import CHOICES, TABLES, columns_of, kind_of
from crm_metrics.data_import.row_values import meant
from crm_metrics.language import noop
from crm_metrics.metric import DASH

ONE_READ, READ = noop("1 row: {column} {value} read as {meant}."), noop("{n} rows: {column} {value} read as {meant}.")
ONE_UNKNOWN, UNKNOWN = noop("1 row: {column} {value} read as unknown."), noop("{n} rows: {column} {value} read as unknown.")
_NAMED = ("identifier", "text", "amount", "day")


def notes(cells: Cells, layout: Layout) -> Iterator[Note]:
    """Give a note for each text that the mapping gives another meaning, most rows first.

    Texts that a pattern fits have one together. Yes and no, won and lost, and other capital letters are no other texts.
    """
    for rows in layout.tables:
        for name in rows.values:
            if f"{rows.table}.{name}" in cells.columns and _is_named(rows, name):
                yield from _of_column(cells, rows, name)


def _is_named(rows: Rows, name: str) -> bool:
    return (rows.table, name) not in CHOICES and kind_of(columns_of(TABLES[rows.table])[name]) in _NAMED


def _of_column(cells: Cells, rows: Rows, name: str) -> Iterator[Note]:
    column, words = cells.columns[f"{rows.table}.{name}"], rows.values[name]
    encoded, named = cells.encoded[column], {word.strip().lower() for word in words}
    texts, told = encoded.dictionary.to_pylist(), meant(encoded.dictionary, words).to_pylist()
    found: dict[tuple[str, str], list[tuple[str, int]]] = {}  # what a pattern fits stands together by what it means
    for entry in pc.value_counts(encoded.indices).to_pylist():
        text, said = texts[entry["values"]].strip(), told[entry["values"]]
        if said.lower() != text.lower():
            found.setdefault((text if text.lower() in named else "", said), []).append((text, entry["counts"]))
    groups = [(sum(count for _, count in group), group, said) for (_, said), group in found.items()]
    for count, group, said in sorted(groups, key=lambda found: -found[0]):
        yield _note(column, (group[0][0] or DASH) + (f" … (+{len(group) - 1:,})" if len(group) > 1 else ""), said, count)


def _note(column: str, value: str, meaning: str, count: int) -> Note:
    template = (ONE_READ if meaning else ONE_UNKNOWN) if count == 1 else (READ if meaning else UNKNOWN)
    said: dict[str, object] = {"column": column, "value": value, "meant": meaning, "n": f"{count:,}"}
    return Note(template, {key: part for key, part in said.items() if "{" + key + "}" in template})
