"""The columns a mapping names, found in a file and parsed: each different text once, then spread over the rows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crm_metrics.data_import import values
from crm_metrics.data_import.date_doubts import day_before_month, swapped_by_excel
from crm_metrics.data_import.date_formats import DAY_FIRST, EXCEL_SERIAL, ISO, MONTH_FIRST, USUAL, as_pattern
from crm_metrics.data_import.header_names import plain_name
from crm_metrics.data_import.mapping import Layout, Mapping, Target
from crm_metrics.data_import.number_marks import doubtful_point
from crm_metrics.data_import.problems import gathered
from crm_metrics.data_import.raw_table import RawTable, with_joined
from crm_metrics.data_import.row_mapping import OR, Places, each_place
from crm_metrics.language import noop, t
from crm_metrics.metric import BadInput

_JOIN = " + "
NUMERIC: tuple[Target, ...] = ("quantity", "unit_price", "amount", "discount", "cost", "profit")
MOST_TEXTS = 20_000
"""Different values of a column that are looked at for what they show together."""

Parser = Callable[[pa.Array], values.Values]


class Parsed(NamedTuple):
    """A column's values, problem code and currency sign per row."""

    column: str
    values: pa.Array
    problems: np.ndarray
    signs: np.ndarray | None = None


# ── where the columns are ───────────────────────────────────────────────────────────────────────────────────────────────


def fitting_layout(raw: RawTable, mapping: Mapping) -> Layout:
    """Return the mapping's layout that this file has. Raises BadInput when none fits."""
    layouts = mapping.all_layouts()
    fitting = [layout for layout in layouts if fits(raw, layout)]
    whole = [layout for layout in fitting if not missing(raw, layout)]
    if len(layouts) > 1 and any(layout.tables for layout in layouts):
        fitting = _most_alike(raw, fitting)
    if whole or fitting:
        return (whole or fitting)[0]
    raise BadInput(
        "The file has {found} columns ({columns}), header: {header}. The mapping {name} knows: {layouts}. Choose another mapping.",
        found=len(raw.columns),
        columns=", ".join(raw.columns[:8]),
        header=_yes_or_no(is_so=raw.header_row is not None),
        name=mapping.name,
        layouts="; ".join(_described(layout) for layout in layouts),
    )


def _most_alike(raw: RawTable, layouts: list[Layout]) -> list[Layout]:
    """Return the layout that shares more columns with the file than any other; none where two share as many."""
    shared = [len(columns_read(raw, layout)) + len(set(layout.columns.values()) & set(raw.columns)) for layout in layouts]
    best = [layout for layout, count in zip(layouts, shared, strict=True) if count == max(shared) and count]
    return best if len(best) == 1 else []


def fits(raw: RawTable, layout: Layout) -> bool:
    """Return whether the file has the width and the header that the layout asks for."""
    width_fits = layout.width is None or layout.width == len(raw.columns)
    has_names = all(column_of(raw, name) is not None for name in layout.header)
    return width_fits and has_names and (layout.has_header is None or layout.has_header == (raw.header_row is not None))


def _described(layout: Layout) -> str:
    of_tables = [_JOIN.join(map(str, each_place(wanted))) for rows in layout.tables for wanted in rows.columns.values()]
    columns = [*layout.header, *layout.columns.values(), *of_tables]
    parts = [layout.name]
    if layout.tables or layout.header:
        parts.append(f"({', '.join(dict.fromkeys(str(name) for name in columns))})")
    if layout.width is not None:
        parts.append(t("{n} columns", n=layout.width))
    if layout.has_header is not None:
        parts.append(t("header: {yes_or_no}", yes_or_no=_yes_or_no(is_so=layout.has_header)))
    return " ".join(parts) if layout.tables or layout.header else ", ".join(part for part in parts if part)


def _yes_or_no(*, is_so: bool) -> str:
    return t("yes") if is_so else t("no")


def located(raw: RawTable, mapping: Mapping) -> dict[Target, str]:
    """Return the file's column for each target. Raises one BadInput with every column that is missing or there twice."""
    layout = fitting_layout(raw, mapping)
    problems = missing(raw, layout) + [_no_column(raw, "orders.key", name) for name in mapping.orders.key if name not in raw.columns]
    if problems:
        raise gathered(noop("The mapping does not fit {file}:"), problems, file=raw.name or "the file")
    return {target: raw.columns[wanted - 1] if isinstance(wanted, int) else wanted for target, wanted in layout.columns.items()}


def missing(raw: RawTable, layout: Layout) -> list[BadInput]:
    """Return a problem for each column that the layout needs and the file lacks."""
    of_lines = [
        _no_column(raw, f"columns.{target}", wanted)
        for target, wanted in layout.columns.items()
        if (wanted not in raw.columns if isinstance(wanted, str) else wanted > len(raw.columns))
    ]
    asked = [
        _no_column(raw, f"tables.{rows.table}.where.{name}", name)
        for rows in layout.tables[:1]
        for name, texts in rows.where.items()
        if column_of(raw, name) is None and "" not in texts
    ]
    of_tables = [
        _no_column(raw, f"tables.{rows.table}.columns.{name}", *each_place(wanted))
        for rows in layout.tables
        for name, wanted in {**rows.columns, **rows.optional}.items()
        if len(parts_of(raw, wanted)) < len(set(each_place(wanted))) and (name in rows.columns or _repeated(raw, *each_place(wanted)))
    ]
    return of_lines + of_tables + asked


def columns_read(raw: RawTable, layout: Layout) -> dict[str, str]:
    """Return the file's column for each column of a table that the layout reads from it, like contracts.contract_id.

    Several that are joined are one, called like "first name + last name", which `with_joined_columns` makes.
    """
    return {name: _JOIN.join(parts) for name, parts in _parts_read(raw, layout).items()}


def columns_used(raw: RawTable, layout: Layout) -> set[str]:
    """Return the file's columns that tables are read from, or that say which rows are read."""
    asked = {
        column_of(raw, name) for rows in layout.tables for name in (*rows.where, *(other for by in rows.only.values() for other in by))
    }
    return {name for parts in _parts_read(raw, layout).values() for name in parts} | {name for name in asked if name is not None}


def with_joined_columns(raw: RawTable, layout: Layout) -> RawTable:
    """Return the file with the columns that the layout joins from several."""
    joined = {_JOIN.join(parts): parts for parts in _parts_read(raw, layout).values() if len(parts) > 1}
    return with_joined(raw, joined) if joined else raw


def _parts_read(raw: RawTable, layout: Layout) -> dict[str, tuple[str, ...]]:
    places = {f"{rows.table}.{name}": wanted for rows in layout.tables for name, wanted in {**rows.optional, **rows.columns}.items()}
    found = {name: parts_of(raw, wanted) for name, wanted in places.items()}
    return {name: parts for name, parts in found.items() if parts}


def parts_of(raw: RawTable, wanted: Places) -> tuple[str, ...]:
    """Return those of the columns that the file has, by its own names."""
    found = (column_of(raw, name) for name in each_place(wanted))
    return tuple(dict.fromkeys(name for name in found if name is not None))


def column_of(raw: RawTable, wanted: str | int) -> str | None:
    """Return the file's column of that place or name, or of the first of several names that it has.

    A name that differs in capital letters and signs alone is the same, if there is one such column.
    """
    if isinstance(wanted, int):
        return raw.columns[wanted - 1] if wanted <= len(raw.columns) else None
    for each in (wanted, *wanted.split(OR)):
        if each in raw.columns:
            return each
        alike = [name for name in raw.columns if plain_name(name) == plain_name(each)]
        if len(alike) == 1 and raw.header_row is not None:
            return alike[0]
    return None


def _repeated(raw: RawTable, *wanted: str | int) -> str | None:
    """Return the first of these names that stands in the header more than once."""
    return next((name for place in wanted for name in str(place).split(OR) if name in raw.repeated_columns), None)


def _no_column(raw: RawTable, key: str, *others: str | int) -> BadInput:
    wanted = others[0] if len(others) == 1 else _JOIN.join(map(str, others))
    if repeated := _repeated(raw, *others):
        return BadInput("{key}: the column {name} is there twice. Write {name} (1) or {name} (2) in the mapping.", key=key, name=repeated)
    if raw.header_row is None and isinstance(wanted, str):
        return BadInput(
            "{key}: there is no column {name}, because the file has no header. Add one, or give positions like 1.", key=key, name=wanted
        )
    return BadInput("{key}: there is no column {name}. The columns are: {columns}.", key=key, name=wanted, columns=", ".join(raw.columns))


# ── what they hold ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Cells:
    """The columns of a file that a mapping names. encoded: dictionary-encoded, by their names in the file."""

    raw: RawTable
    mapping: Mapping
    columns: dict[str, str]
    encoded: dict[str, pa.DictionaryArray]

    def identifiers(self, target: Target) -> Parsed | None:
        """Return a column of identifiers, or None when the mapping has none."""
        parse = partial(values.parse_identifiers, is_binary=self.mapping.numbers.is_binary)
        return self._parsed(self.columns[target], parse) if target in self.columns else None

    def names(self, target: Target) -> pa.Array:
        """Return a column of names; nulls when the mapping has none."""
        if target in self.columns:
            return self._parsed(self.columns[target], values.parse_names).values
        return pa.nulls(self.raw.table.num_rows, pa.string())

    def numbers(self, target: Target) -> Parsed | None:
        """Return a column of exact decimals, or None when the mapping has none."""
        marks = self.mapping.numbers
        written = partial(values.parse_numbers, decimal=marks.decimal or ".", thousands=marks.thousands, is_binary=marks.is_binary)
        typed = ("n", partial(values.parse_numbers, is_binary=marks.is_binary))
        return self._parsed(self.columns[target], written, typed=typed) if target in self.columns else None

    def read(self, column: str, parse: Parser, *, typed: tuple[str, Parser] | None = None) -> Parsed:
        """Return a column of the file as `parse` reads it; cells that Excel knows to be of the kind typed[0] as typed[1] does."""
        return self._parsed(column, parse, typed=typed)

    def moments(self) -> Parsed:
        """Return the moment of each row in business time. Raises BadInput when dates have a zone and the mapping has none."""
        zone = self.mapping.dates.time_zone
        written = partial(values.parse_dates, patterns=date_patterns(self.mapping), time_zone=zone)
        return self._parsed(self.columns["date"], written, typed=("d", partial(values.parse_dates, patterns=(ISO,), time_zone=zone)))

    def _parsed(self, column: str, parse: Parser, *, typed: tuple[str, Parser] | None = None) -> Parsed:
        """Return a column parsed; cells of the Excel kind typed[0] are parsed by typed[1], whatever the mapping says of text."""
        cells = self.encoded[column]
        told = parse(cells.dictionary)
        if told.has_zone and self.mapping.dates.time_zone is None:
            raise BadInput(
                "The dates in {column} have a time zone. Set dates.time_zone in the mapping to the zone of the business day, "
                "like Europe/London.",
                column=column,
            )
        parsed = self._spread(column, told)
        if typed is None or self.raw.kinds is None:
            return parsed
        is_typed = pc.equal(_whole(self.raw.kinds[column]), typed[0])
        other = self._spread(column, typed[1](cells.dictionary))
        problems = np.where(is_typed.to_numpy(zero_copy_only=False), other.problems, parsed.problems)
        return Parsed(column, pc.if_else(is_typed, other.values, parsed.values), problems, parsed.signs)

    def _spread(self, column: str, parsed: values.Values) -> Parsed:
        indices = self.encoded[column].indices
        places = indices.to_numpy()
        signs = np.array(parsed.signs, dtype=object)[places] if any(parsed.signs) else None
        return Parsed(column, parsed.values.take(indices), parsed.problems[places], signs)


def cells_of(raw: RawTable, mapping: Mapping) -> Cells:
    """Return the file's cells under a mapping, its date order decided. Raises BadInput when the file as a whole does not fit."""
    columns = {str(target): column for target, column in located(raw, mapping).items()}
    needed = {*columns.values(), *mapping.orders.key}
    encoded = encoded_columns(raw, needed)
    refuse_swapped_days(raw, mapping, columns["date"], encoded[columns["date"]].dictionary)
    numeric = [columns[target] for target in NUMERIC if target in columns]
    decided = with_date_order(with_decimal_mark(raw, mapping, numeric), encoded[columns["date"]].dictionary, columns["date"])
    return Cells(raw, decided, columns, encoded)


def encoded_columns(raw: RawTable, needed: Iterable[str]) -> dict[str, pa.DictionaryArray]:
    """Return columns of the file, each different text once, by their names."""
    wanted = set(needed)
    return {name: _whole(raw.table[name]).dictionary_encode() for name in raw.table.column_names if name in wanted}


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


# ── marks of numbers ────────────────────────────────────────────────────────────────────────────────────────────────────


def written_numbers(raw: RawTable, columns: Iterable[str]) -> list[str]:
    """Return the different texts in these columns, without what Excel knows to be numbers."""
    texts: list[str] = []
    for column in columns:
        written = raw.table[column]
        if raw.kinds is not None:
            written = written.filter(pc.equal(raw.kinds[column], "t"))
        texts += pc.unique(written).slice(0, MOST_TEXTS).to_pylist()
    return texts


def with_decimal_mark(raw: RawTable, mapping: Mapping, numeric: list[str]) -> Mapping:
    """Return the mapping with numbers.decimal decided by the columns of numbers.

    Raises BadInput when numbers like 1.234 can be read in two ways.
    """
    if mapping.numbers.decimal is not None:
        return mapping
    doubt = doubtful_point(written_numbers(raw, numeric))
    if doubt:
        raise BadInput(
            "Numbers like {value} can be read in two ways: the point may stand before decimals or thousands. Set numbers.decimal and "
            "numbers.thousands in the mapping.",
            value=doubt,
        )
    return mapping.model_copy(update={"numbers": mapping.numbers.model_copy(update={"decimal": "."})})


# ── day or month first ──────────────────────────────────────────────────────────────────────────────────────────────────


def date_patterns(mapping: Mapping) -> tuple[str, ...]:
    """Return the patterns dates are read with, in order."""
    if mapping.dates.formats:
        return tuple(text if text == EXCEL_SERIAL else as_pattern(text) for text in mapping.dates.formats)
    by_order = {True: (DAY_FIRST,), False: (MONTH_FIRST,), None: ()}[mapping.dates.day_first]
    return USUAL + by_order


def refuse_swapped_days(raw: RawTable, mapping: Mapping, column: str, texts: pa.Array) -> None:
    """Raise BadInput if dates may read well as another day and the mapping does not say how they are written."""
    if mapping.dates.formats:
        return
    if text := day_before_month(texts):
        raise BadInput(
            'The column {column} has dates with the day before the month, like {value}. Set dates.formats = ["%Y-%d-%m"] in the mapping '
            "if all are written so, or correct it.",
            column=column,
            value=text,
        )
    if mapping.dates.day_first is None and raw.kinds is not None and (text := swapped_by_excel(raw.table[column], raw.kinds[column])):
        raise BadInput(
            "In the column {column} Excel may have swapped day and month: it made dates of the days up to 12 and left {value} as text. "
            "Export as CSV and import that; or, if the dates are right, set dates.day_first in the mapping.",
            column=column,
            value=text,
        )


def with_date_order(mapping: Mapping, texts: pa.Array, column: str) -> Mapping:
    """Return the mapping with dates.day_first decided by the days above 12, where the mapping leaves it open.

    Raises BadInput when no date decides it, or when dates of both orders are there.
    """
    if mapping.dates.formats or mapping.dates.day_first is not None:
        return mapping
    found = day_order_evidence(texts)
    if not found.any_text:
        return mapping
    if found.day_first and found.month_first:
        raise BadInput(
            "The column {column} has dates of both orders: {day_first} has the day first, {month_first} the month. "
            "Write them all as YYYY-MM-DD.",
            column=column,
            day_first=found.day_first,
            month_first=found.month_first,
        )
    if not found.day_first and not found.month_first and found.open_text:
        raise BadInput(
            "The column {column} does not show whether the day or the month comes first: {value} can be both, and no date has a day "
            "above 12. Set dates.day_first to true or false in the mapping.",
            column=column,
            value=found.open_text,
        )
    return mapping.model_copy(update={"dates": mapping.dates.model_copy(update={"day_first": not found.month_first})})


class DayOrder(NamedTuple):
    """Examples of dates: day certainly first, month certainly first, either order with different days; any with two small numbers."""

    day_first: str
    month_first: str
    open_text: str
    any_text: str


def day_order_evidence(texts: pa.Array) -> DayOrder:
    """Return what the dates written like 01/02/2024 tell about their order."""
    texts = values.narrowed(texts)
    as_day, as_month = (values.parse_dates(texts, (pattern,), "UTC").problems == values.FINE for pattern in (DAY_FIRST, MONTH_FIRST))
    either = as_day & as_month
    if either.any():
        days, months = (values.parse_dates(texts, (pattern,), "UTC").values for pattern in (DAY_FIRST, MONTH_FIRST))
        either &= pc.not_equal(days, months).fill_null(False).to_numpy(zero_copy_only=False)  # noqa: FBT003
    return DayOrder(*(_example(texts, mask) for mask in (as_day & ~as_month, as_month & ~as_day, either, as_day | as_month)))


def _example(texts: pa.Array, mask: np.ndarray) -> str:
    places = np.flatnonzero(mask)
    return texts[int(places[0])].as_py() if len(places) else ""
