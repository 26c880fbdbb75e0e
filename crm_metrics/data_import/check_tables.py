"""Checks every row of a file that brings rows of other tables than order lines: typed rows, and those that can't be right."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Table

from crm_metrics.data_import import aliases, rejections, row_mapping, values
from crm_metrics.data_import.cell_shapes import TOTALS_PATTERN
from crm_metrics.data_import.cells import (
    Cells,
    Parsed,
    column_of,
    columns_read,
    columns_used,
    date_patterns,
    encoded_columns,
    missing,
    refuse_swapped_days,
    with_date_order,
    with_decimal_mark,
    with_joined_columns,
)
from crm_metrics.data_import.change_numbers import FIRST_DAY, LAST_DAY, change_numbers
from crm_metrics.data_import.currencies import check_signs
from crm_metrics.data_import.mapping import Layout, Mapping
from crm_metrics.data_import.order_lines import reject_cells
from crm_metrics.data_import.order_rules import latest_plausible_day
from crm_metrics.data_import.problems import gathered
from crm_metrics.data_import.raw_table import Note, RawTable
from crm_metrics.data_import.rejections import Verdicts
from crm_metrics.data_import.row_hash import as_hex, row_hashes
from crm_metrics.data_import.row_mapping import Rows
from crm_metrics.data_import.row_tables import CHOICES, SUMMED, TABLES, columns_of, key_of, kind_of, required
from crm_metrics.data_import.row_values import TYPES, Parser, Written, meant, parser
from crm_metrics.language import noop
from crm_metrics.metric import DASH, BadInput

KEY_JOIN = "\x1f"
_DATED, _NUMERIC = ("day", "moment"), ("count", "amount", "rate")
_SHOWN_VALUES = 12
_HAPPENED = ("created_on", "qualified_on", "converted_on", "closed_on", "done_on", "changed_at", "happened_at")
"""Columns of what has happened: one mistyped year among them would be the day on which every page about deals opens."""
_EPOCH = date(1970, 1, 1).toordinal()


class Brought(NamedTuple):
    """Rows of one table that a file brings: row_number of the file (0: none of them) and the columns that the mapping fills."""

    table: Table
    rows: pa.Table


@dataclass(frozen=True)
class CheckedTables:
    """What became of a file's rows: each is in the rows of the first table of `brought`, or in `rejected`.

    judged: row_number, row_hash, row_key, order_id (none) and net_amount (what SUMMED names) of the first table's rows. rejected: as
    rejections.REJECTED. mapping: with the order of dates and the decimal mark decided. read_columns: table.column -> column of the file.
    """

    brought: tuple[Brought, ...]
    judged: pa.Table
    rejected: pa.Table
    mapping: Mapping
    reporting_currency: str | None
    read_columns: dict[str, str]
    unused_columns: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()


class NotNeededError(BadInput):
    """A file of a kind that the mapping knows, and of which nothing is read."""


def check_tables(raw: RawTable, mapping: Mapping, layout: Layout) -> CheckedTables:
    """Return the typed rows of each table that a file brings, and the rows that can't be right.

    Raises BadInput for what concerns the file as a whole: missing columns, an undecided date order, a value that must be there and is not.
    """
    if not layout.is_needed:
        raise NotNeededError(
            noop("The mapping {name} knows {file} as {layout} and reads nothing of it. Leave it out."),
            file=raw.name,
            name=mapping.name,
            layout=layout.name,
        )
    if problems := missing(raw, layout):
        raise gathered(noop("The mapping does not fit {file}:"), problems, file=raw.name or "the file")
    raw = with_joined_columns(raw, layout)
    cells = _cells_of(raw, mapping, layout)
    verdicts = Verdicts(raw.table.num_rows)
    _reject_totals(raw, verdicts)
    _reject_not_asked(raw, layout.tables[0], verdicts)
    read = [_read(cells, rows, verdicts, is_own=place == 0) for place, rows in enumerate(layout.tables)]
    _refuse_without_needed(cells, layout, read)
    fine = pa.array(verdicts.is_fine)
    brought = _brought(raw, layout, read, fine)
    own, table, count = read[0], brought[0].table, raw.table.num_rows
    hashes, amounts = as_hex(row_hashes(_comparable(own), count)), own.get(SUMMED.get(table, ""), pa.nulls(count, values.MONEY))
    judged = judged_rows(raw.row_numbers, hashes, key_texts(pa.table(own), table), amounts).filter(fine)
    unused = tuple(name for name in raw.columns if name not in columns_used(raw, layout))
    currency = mapping.money.reporting or mapping.money.currency
    rejected = verdicts.table(raw, hashes, amounts)
    notes = (*raw.notes, *_rounded(cells), *aliases.notes(cells, layout))
    return CheckedTables(brought, judged, rejected, cells.mapping, currency, cells.columns, unused, notes)


def judged_rows(row_number: pa.Array, row_hash: pa.Array, row_key: pa.Array, amount: pa.Array) -> pa.Table:
    """Return rows as left_out.from_verdicts takes them."""
    nothing = pa.nulls(len(row_number), pa.string())
    columns = {"row_number": row_number, "row_hash": row_hash, "row_key": row_key, "order_id": nothing, "net_amount": amount}
    return pa.table(columns)


def key_texts(rows: pa.Table, table: Table) -> pa.Array:
    """Return the key of each row as one text."""
    parts = [rows[name].cast(pa.string()).combine_chunks() for name in key_of(table)]
    return functools.reduce(lambda left, right: pc.binary_join_element_wise(left, right, KEY_JOIN), parts)


def _rounded(cells: Cells) -> Iterator[Note]:
    """Give a note of how many amounts have more decimals than are kept, where the mapping lets them be rounded."""
    columns = {column for name, column in cells.columns.items() if _kind_of(name) == "amount"} if cells.mapping.numbers.is_binary else set()
    is_long = [pc.match_substring_regex(cells.encoded[column].dictionary, r"\.\d{4}\d*[1-9]\d*\s*$") for column in columns]
    counts = [pc.sum(mask.take(cells.encoded[column].indices)).as_py() or 0 for column, mask in zip(columns, is_long, strict=True)]
    if sum(counts):
        yield Note(noop("Numbers with more than 4 decimals that were rounded to 4: {n}."), {"n": f"{sum(counts):,}"})


def _reject_totals(raw: RawTable, verdicts: Verdicts) -> None:
    """Reject rows that say in their first cell that they add up the others."""
    first = values.narrowed(raw.table[raw.columns[0]].combine_chunks())
    is_total = pc.match_substring_regex(first, TOTALS_PATTERN).to_numpy(zero_copy_only=False)
    verdicts.reject(is_total, rejections.ROW_IS_TOTAL, extra=lambda at: {"value": raw.table[raw.columns[0]][at].as_py().strip()})


def _reject_not_asked(raw: RawTable, rows: Rows, verdicts: Verdicts) -> None:
    """Reject the file's own rows that its table does not ask for."""
    for name, texts in rows.where.items():
        verdicts.reject(~_says(raw, name, texts), rejections.NOT_ASKED, column_of(raw, name))


def _is_asked(raw: RawTable, rows: Rows) -> np.ndarray:
    """Return which rows of the file the table asks for."""
    says = [_says(raw, name, texts) for name, texts in rows.where.items()]
    return functools.reduce(np.logical_and, says, np.ones(raw.table.num_rows, dtype=bool))


def _says(raw: RawTable, name: str, asked: tuple[str, ...]) -> np.ndarray:
    """Return which rows of the file have one of these texts in a column, capital letters or not; a column that is not there is empty."""
    column, wanted = column_of(raw, name), [text.strip().lower() for text in asked]
    if column is None:
        return np.full(raw.table.num_rows, "" in wanted)
    texts = pc.utf8_lower(values.narrowed(raw.table[column].combine_chunks()))
    return pc.is_in(texts, value_set=pa.array(wanted, pa.string())).to_numpy(zero_copy_only=False)


# ── what the file decides ───────────────────────────────────────────────────────────────────────────────────────────────


def _cells_of(raw: RawTable, mapping: Mapping, layout: Layout) -> Cells:
    """Return the cells that the tables read, the order of dates and the decimal mark decided by all of them together."""
    columns = columns_read(raw, layout)
    encoded = encoded_columns(raw, columns.values())
    kinds = {name: _kind_of(name) for name in columns}
    dated = list(dict.fromkeys(columns[name] for name, kind in kinds.items() if kind in _DATED))
    numeric = list(dict.fromkeys(columns[name] for name, kind in kinds.items() if kind in _NUMERIC))
    for column in dated:
        refuse_swapped_days(raw, mapping, column, encoded[column].dictionary)
    decided = with_decimal_mark(raw, mapping, numeric)
    if dated:
        decided = with_date_order(decided, pa.concat_arrays([encoded[column].dictionary for column in dated]), ", ".join(dated))
    return Cells(raw, decided, columns, encoded)


def _kind_of(name: str) -> str:
    table, _, column = name.partition(".")
    return kind_of(columns_of(TABLES[table])[column])


# ── the values ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read(cells: Cells, rows: Rows, verdicts: Verdicts, *, is_own: bool) -> dict[str, pa.Array]:
    """Return the values of each column that the mapping fills; rows with a cell that can't be read are rejected.

    is_own: whether these are the file's own rows, of which none can be without what is required.
    """
    table, read = TABLES[rows.table], dict[str, pa.Array]()
    is_asked = _is_asked(cells.raw, rows)
    for name, column in columns_of(table).items():
        place = f"{rows.table}.{name}"
        if place in cells.columns:
            parsed = _parsed(cells, cells.columns[place], name, rows)
            parsed = parsed._replace(problems=np.where(is_asked, parsed.problems, values.FINE))  # others are left out for what they are
            _reject_others(parsed, CHOICES.get((rows.table, name), ()), verdicts)
            reject_cells(verdicts, parsed, may_be_empty=not is_own or name not in required(table))
            currency = pa.repeat(pa.scalar(cells.mapping.money.currency, pa.string()), len(parsed.values))
            check_signs(parsed, currency, verdicts, is_converted=False)
            _reject_days(cells, parsed, verdicts)
            read[name] = parsed.values
        elif name in rows.constants:
            texts, kind = _constant(cells.raw, rows.constants[name]), kind_of(column)
            read[name] = texts if TYPES[kind] == pa.string() else parser(column)(texts).values.cast(TYPES[kind])
    for name, moment in rows.numbered.items():
        read[name] = _numbered(read, name, moment, table)
        if is_own:
            by = cells.columns[f"{rows.table}.{moment}"]
            verdicts.reject(read[moment].is_null().to_numpy(zero_copy_only=False), rejections.OF_CELL[values.EMPTY], by)
            _reject_beyond(read[moment], by, (FIRST_DAY, LAST_DAY), verdicts)
    read |= {name: _known_only(cells.raw, read, name, asked) for name, asked in rows.only.items() if name in read}
    _reject_mistyped_years(cells, rows, read, verdicts)
    return read


def _known_only(raw: RawTable, read: dict[str, pa.Array], name: str, asked: dict[str, tuple[str, ...]]) -> pa.Array:
    """Return a column, empty where another one, of its table or else of the file, has none of the values beside which it is known."""
    of_table = [
        pc.is_in(read[other].cast(pa.string()), value_set=pa.array(of, pa.string())) for other, of in asked.items() if other in read
    ]
    of_file = [pa.array(_says(raw, other, of)) for other, of in asked.items() if other not in read]
    return pc.if_else(functools.reduce(pc.and_, [*of_table, *of_file]), read[name], pa.scalar(None, read[name].type))


def _numbered(read: dict[str, pa.Array], name: str, moment: str, table: Table) -> pa.Array:
    """Return numbers that rise with the moments of a key's changes."""
    keys = [read[other] for other in key_of(table) if other != name]
    return change_numbers(keys, read[moment], as_hex(row_hashes(_comparable(read), len(read[moment]))))


def _reject_others(parsed: Parsed, choices: tuple[str, ...], verdicts: Verdicts) -> None:
    told: dict[str, object] = {"choices": ", ".join(choices)}
    verdicts.reject(parsed.problems == values.NOT_A_CHOICE, rejections.NOT_ONE_OF, parsed.column, extra=lambda _at: told)


def _parsed(cells: Cells, column: str, name: str, rows: Rows) -> Parsed:
    dates, numbers = cells.mapping.dates, cells.mapping.numbers
    target = columns_of(TABLES[rows.table])[name]
    kind, said = kind_of(target), partial(_said, rows.values.get(name, {}), rows.first_of.get(name, ""))
    written = Written(date_patterns(cells.mapping), dates.time_zone, numbers.decimal or ".", numbers.thousands, numbers.is_binary)
    known_to_excel = "d" if kind in _DATED else "n" if kind in _NUMERIC else ""
    typed = (
        (known_to_excel, partial(said, parser(target, Written(time_zone=dates.time_zone, is_binary=numbers.is_binary))))
        if known_to_excel
        else None
    )
    parsed = cells.read(column, partial(said, parser(target, written)), typed=typed)
    if cells.mapping.customers.is_case_folded and name == "customer_id":
        return parsed._replace(values=pc.utf8_lower(parsed.values))
    return parsed


def _said(words: dict[str, str], end: str, parse: Parser, texts: pa.Array) -> values.Values:
    """Return the values of texts, those that the mapping names read as what it says they mean. end: a mark before which each text ends."""
    texts = pc.list_element(pc.split_pattern(texts, end, max_splits=1), 0) if end else texts
    return parse(meant(texts, words) if words else texts)


def _constant(raw: RawTable, text: str) -> pa.Array:
    text = text.replace(row_mapping.FILE, name_of(raw.name))
    if row_mapping.ROW not in text:
        return pa.repeat(pa.scalar(text), raw.table.num_rows)
    before, after = text.split(row_mapping.ROW, 1)
    return pc.binary_join_element_wise(before, raw.row_numbers.cast(pa.string()), after, "")


def name_of(file: str) -> str:
    """Return the name of a file without its endings.

    >>> name_of("spring sale.csv.gz")
    'spring sale'
    """
    for ending in (".gz", ".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods"):
        file = file[: -len(ending)] if file.lower().endswith(ending) else file
    return file


def _reject_days(cells: Cells, parsed: Parsed, verdicts: Verdicts) -> None:
    """Reject days outside of what the mapping itself says; a table may hold days to come."""
    said, is_moment = cells.mapping.dates, pa.types.is_timestamp(parsed.values.type)
    if not is_moment and not pa.types.is_date(parsed.values.type):
        return
    _reject_beyond(parsed.values, parsed.column, (said.earliest if "earliest" in said.model_fields_set else None, said.latest), verdicts)


def _reject_mistyped_years(cells: Cells, rows: Rows, read: dict[str, pa.Array], verdicts: Verdicts) -> None:
    """Reject what has happened before dates.earliest, after dates.latest or, without it, more than five years after all else."""
    said = cells.mapping.dates
    for name in _HAPPENED:
        column = cells.columns.get(f"{rows.table}.{name}")
        if column is None or name not in read:
            continue
        days = read[name].cast(pa.date32(), safe=False)
        gap = latest_plausible_day(days.drop_null().cast(pa.int32()).to_numpy())
        last = min(LAST_DAY, date.fromordinal(gap + _EPOCH)) if gap is not None else LAST_DAY
        _reject_beyond(days, column, (said.earliest, said.latest or last), verdicts)


def _reject_beyond(moments: pa.Array, column: str, limits: tuple[date | None, date | None], verdicts: Verdicts) -> None:
    """Reject days before the first of the limits and after the second."""
    days = moments.cast(pa.date32(), safe=False)
    for limit, is_beyond, reason in zip(limits, (pc.less, pc.greater), (rejections.TOO_EARLY, rejections.TOO_LATE), strict=True):
        if limit is not None:
            beyond = is_beyond(days, pa.scalar(limit)).fill_null(False).to_numpy(zero_copy_only=False)  # noqa: FBT003
            verdicts.reject(beyond, reason, column, extra=lambda _at, limit=limit: {"limit": limit.isoformat()})  # type: ignore[misc]


def _refuse_without_needed(cells: Cells, layout: Layout, read: list[dict[str, pa.Array]]) -> None:
    """Raise BadInput when no row has a value that the mapping needs: a test without a control group, say."""
    problems = []
    for rows, columns in zip(layout.tables, read, strict=True):
        for name, needed in rows.needs.items():
            held = pc.unique(columns[name]).to_pylist() if name in columns else []
            if held and needed not in held:
                column = cells.columns.get(f"{rows.table}.{name}", name)
                shown = ", ".join(sorted(str(value) for value in held if value is not None)[:_SHOWN_VALUES]) or DASH
                problems.append(
                    BadInput(
                        "No row of {column} is known as {needed}. Its values are: {values}. Say in the mapping which of them it is, like "
                        'values.{name} = {{ "one of them" = "{needed}" }}.',
                        column=column,
                        needed=needed,
                        values=shown,
                        name=name,
                    )
                )
    if problems:
        raise gathered(noop("The mapping does not fit {file}:"), problems, file=cells.raw.name or "the file")


# ── the rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _brought(raw: RawTable, layout: Layout, read: list[dict[str, pa.Array]], fine: pa.Array) -> tuple[Brought, ...]:
    """Return the rows of each table that stand in acceptable rows of the file, without those that lack what is required."""
    brought: dict[Table, pa.Table] = {}
    for place, (rows, columns) in enumerate(zip(layout.tables, read, strict=True)):
        table = TABLES[rows.table]
        if any(name not in columns for name in required(table)):
            continue  # a further table that requires a column which the file lacks
        whole = pa.table({"row_number": raw.row_numbers, **columns}).filter(pc.and_(fine, pa.array(_is_asked(raw, rows))))
        for name in required(table):
            whole = whole.filter(pc.is_valid(whole[name]))
        if not rows.is_of_rows:  # one row, whatever the file holds: no number of a row, and one of its own
            whole = whole.slice(0, 1)
            whole = whole.set_column(0, "row_number", pa.array([-place] * whole.num_rows, pa.int64()))
        others = [brought[table]] if table in brought else []
        brought[table] = pa.concat_tables([*others, whole], promote_options="default")
    return tuple(Brought(table, rows) for table, rows in brought.items())


def _comparable(columns: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """Return the columns as row_hashes takes them."""
    return {name: column.cast(pa.int32()) if pa.types.is_date(column.type) else column for name, column in columns.items()}
