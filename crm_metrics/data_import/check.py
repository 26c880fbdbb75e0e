"""Checks every row of a file: typed order lines, and the rows that can't be right with their reasons."""

import functools
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crm_metrics.data_import import rejections, values
from crm_metrics.data_import.cell_shapes import TOTALS, TOTALS_PATTERN
from crm_metrics.data_import.cells import Cells, Parsed, cells_of
from crm_metrics.data_import.currencies import Currencies, currencies_of
from crm_metrics.data_import.mapping import Mapping, Target
from crm_metrics.data_import.order_lines import Amounts, Kinds, amounts_of, line_kinds, reject_cells
from crm_metrics.data_import.order_rules import join_orders, latest_plausible_day, order_numbers
from crm_metrics.data_import.raw_table import Note, RawTable, from_json
from crm_metrics.data_import.rejections import Verdicts
from crm_metrics.data_import.row_hash import as_hex, row_hashes
from crm_metrics.data_import.values import DAY, EMPTY, MONEY
from crm_metrics.language import noop

RATE = pa.decimal128(18, 8)
LINES = pa.schema(
    [
        ("row_number", pa.int64()),
        ("row_hash", pa.string()),
        ("row_key", pa.string()),
        ("order_id", pa.string()),
        ("customer_id", pa.string()),
        ("customer_name", pa.string()),
        ("customer_kind", pa.string()),
        ("home_region", pa.string()),
        ("order_region", pa.string()),
        ("sales_channel", pa.string()),
        ("product_id", pa.string()),
        ("product_name", pa.string()),
        ("category", pa.string()),
        ("ordered_at", pa.timestamp("us")),
        ("ordered_on", pa.date32()),
        ("currency", pa.string()),
        ("rate_to_reporting", RATE),
        ("quantity", MONEY),
        ("unit_price", MONEY),
        ("gross_amount", MONEY),
        ("discount_amount", MONEY),
        ("net_amount", MONEY),
        ("cost_amount", MONEY),
        ("line_kind", pa.string()),
    ]
)
"""One row per acceptable row of the file, in its order. Money is reporting currency, negative for a return; net is 0 when cancelled.
row_hash: of the content, wherever it stands. ordered_at: business time, of the order's earliest line."""


@dataclass(frozen=True)
class Checked:
    """What became of a file's rows: each is in `lines` or in `rejected`.

    lines: columns as LINES. rejected: columns as rejections.REJECTED. mapping: with the date order decided; store this one.
    read_columns: target -> column of the file. unused_columns: of the file, read by nobody.
    """

    lines: pa.Table
    rejected: pa.Table
    mapping: Mapping
    reporting_currency: str | None
    unused_columns: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    read_columns: dict[str, str] = field(default_factory=dict)


def check_rows(raw: RawTable, mapping: Mapping, latest_on: date | None = None) -> Checked:
    """Return typed lines and rejected rows. latest_on: no order can be later (the day of the import, say).

    Raises BadInput for what concerns the file as a whole: missing columns, an undecided date order, mixed currencies without rates.
    """
    cells = cells_of(raw, mapping)
    verdicts = Verdicts(raw.table.num_rows)
    moments = cells.moments()
    _reject_totals(cells, moments, verdicts)
    numbers, customers = cells.identifiers("order"), _customers(cells)
    if numbers is not None:
        reject_cells(verdicts, numbers)
    reject_cells(verdicts, customers, may_be_empty=True)
    reject_cells(verdicts, moments)
    _reject_days(cells, moments, verdicts, latest_on)
    currencies = currencies_of(cells, verdicts, numbers.values if numbers is not None else None)
    amounts = amounts_of(cells, verdicts, currencies)
    days = moments.values.cast(pa.date32(), safe=False)
    stated = numbers.values if numbers is not None else None
    hashes = _content(cells, amounts, currencies, orders=stated, customers=customers, moments=moments)
    orders = order_numbers(cells.mapping, stated, customers=customers.values, days=days, hashes=hashes).dictionary_encode()
    kinds = line_kinds(cells, verdicts, amounts, orders)
    hashes = hashes + row_hashes({"line_kind": pa.array(kinds.kinds, pa.string())}, len(hashes))
    joined = join_orders(orders, customers.values.dictionary_encode(), verdicts, moments=_microseconds(moments), kinds=kinds.kinds)
    lines = _lines(cells, amounts, currencies, orders=orders, hashes=hashes)
    lines |= _of_orders(joined.customers, joined.moments, kinds, amounts)
    table = pa.table([lines[name] for name in LINES.names], schema=LINES).filter(pa.array(verdicts.is_fine))
    rejected = verdicts.table(raw, as_hex(hashes), amounts.net)
    unused = tuple(name for name in raw.columns if name not in cells.columns.values() and name not in mapping.orders.key)
    return Checked(table, rejected, cells.mapping, currencies.reporting, unused, _notes(raw, joined.filled_customers), cells.columns)


def recheck(raw_rows_json: list[str], mapping: Mapping, latest_on: date | None = None) -> Checked:
    """Return the check of rows that were left out earlier, from their JSON and the mapping that `check_rows` returned."""
    return check_rows(from_json(raw_rows_json), mapping, latest_on)


# ── parts of a check ────────────────────────────────────────────────────────────────────────────────────────────────────


def _customers(cells: Cells) -> Parsed:
    parsed = cells.identifiers("customer")
    if parsed is None:
        return Parsed("", pa.nulls(cells.raw.table.num_rows, pa.string()), np.zeros(cells.raw.table.num_rows, dtype=np.int8))
    return parsed._replace(values=pc.utf8_lower(parsed.values)) if cells.mapping.customers.is_case_folded else parsed


def _content(
    cells: Cells, amounts: Amounts, currencies: Currencies, *, orders: pa.Array | None, customers: Parsed, moments: Parsed
) -> np.ndarray:
    """Return the fingerprint of each row but for its kind, which may depend on the other rows of its order.

    Only what makes a row the same sale counts: no unused column, no name or region, no number that this module gave.
    """
    product, count = cells.identifiers("product"), cells.raw.table.num_rows
    fields = {
        "customer": customers.values,
        "ordered_at": moments.values,
        "product": pc.coalesce(product.values, cells.names("product_name")) if product is not None else cells.names("product_name"),
        "quantity": amounts.quantity,
        "currency": currencies.currency,
        **amounts.as_written,
    }
    if orders is not None and cells.mapping.orders.id == "column":
        fields["order"] = orders
    return row_hashes(fields, count)


def _reject_totals(cells: Cells, moments: Parsed, verdicts: Verdicts) -> None:
    """Reject rows that say they add up the others: in any cell if they have no date, else as the order or the customer."""
    undated = np.flatnonzero(moments.problems == EMPTY)
    words: dict[int, str] = {}
    for at in undated:
        row = [cells.raw.table[name][int(at)].as_py().strip() for name in cells.raw.columns]
        word = next((cell for cell in row if cell.lower().rstrip(":") in TOTALS), None)
        if word is not None:
            words[int(at)] = word
    rows = np.zeros(cells.raw.table.num_rows, dtype=bool)
    rows[list(words)] = True
    verdicts.reject(rows, rejections.IS_TOTAL, extra=lambda at: {"value": words[at]})
    for target in _NO_TOTALS:
        if target in cells.columns:
            _reject_totals_in(cells, cells.columns[target], verdicts)


_NO_TOTALS: tuple[Target, ...] = ("order", "customer")


def _reject_totals_in(cells: Cells, name: str, verdicts: Verdicts) -> None:
    encoded = cells.encoded[name]
    is_total = pc.match_substring_regex(values.narrowed(encoded.dictionary), TOTALS_PATTERN).take(encoded.indices)
    rows = is_total.to_numpy(zero_copy_only=False)
    verdicts.reject(rows, rejections.IS_TOTAL, extra=lambda at: {"value": cells.raw.table[name][at].as_py().strip()})


def _microseconds(moments: Parsed) -> np.ndarray:
    return moments.values.cast(pa.int64()).fill_null(0).to_numpy()


def _reject_days(cells: Cells, moments: Parsed, verdicts: Verdicts, latest_on: date | None) -> None:
    rules, is_dated = cells.mapping.dates, moments.problems == values.FINE
    days = _microseconds(moments) // DAY
    _reject_outside(
        verdicts, is_dated & (days < _day_number(rules.earliest)), rejections.TOO_EARLY, column=moments.column, limit=rules.earliest
    )
    given = [limit for limit in (rules.latest, latest_on) if limit is not None]
    last = _day_number(min(given)) if given else latest_plausible_day(days[verdicts.is_fine])
    if last is not None:
        shown = np.datetime64(last, "D").astype(date)
        reason = rejections.AFTER_TODAY if shown == latest_on and rules.latest != latest_on else rejections.TOO_LATE
        _reject_outside(verdicts, is_dated & (days > last), reason, column=moments.column, limit=shown)


def _reject_outside(verdicts: Verdicts, rows: np.ndarray, reason: str, *, column: str, limit: date) -> None:
    verdicts.reject(rows, reason, column, extra=lambda _at: {"limit": limit.isoformat()})


def _day_number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _lines(
    cells: Cells, amounts: Amounts, currencies: Currencies, *, orders: pa.DictionaryArray, hashes: np.ndarray
) -> dict[str, pa.Array]:
    product = cells.identifiers("product")
    nothing = pa.nulls(cells.raw.table.num_rows, pa.string())
    return {
        "row_number": cells.raw.row_numbers,
        "row_hash": as_hex(hashes),
        "row_key": _row_keys(cells),
        "order_id": orders.dictionary.take(orders.indices),
        "product_id": product.values if product is not None else nothing,
        "customer_kind": _customer_kinds(cells),
        **{name: cells.names(target) for name, target in _NAMES.items()},
        **{name: _or_constant(cells, name) for name in ("home_region", "order_region", "sales_channel", "category")},
        "currency": currencies.currency,
        "rate_to_reporting": currencies.rate,
        "quantity": amounts.quantity,
        "unit_price": amounts.unit_price,
        "gross_amount": amounts.gross,
        "discount_amount": amounts.discount,
    }


_NAMES: dict[str, Target] = {"customer_name": "customer_name", "product_name": "product_name"}


def _of_orders(customers: pa.DictionaryArray, moments: np.ndarray, kinds: Kinds, amounts: Amounts) -> dict[str, pa.Array]:
    """Return what the order decides: whose it is, when, and that a void line earns and costs nothing."""
    at = pa.array(moments).cast(pa.timestamp("us"))
    zero = pa.scalar(0, MONEY)
    is_void = pa.array(kinds.is_void)
    return {
        "customer_id": customers.dictionary.take(customers.indices),
        "ordered_at": at,
        "ordered_on": at.cast(pa.date32(), safe=False),
        "net_amount": pc.if_else(is_void, zero, amounts.net),
        "cost_amount": pc.if_else(is_void, zero, amounts.cost),
        "line_kind": pa.array(kinds.kinds, pa.string()),
    }


def _or_constant(cells: Cells, name: str) -> pa.Array:
    constant = cells.mapping.constants.get(name)  # type: ignore[call-overload]  # every name here is a key of constants
    if name in cells.columns or constant is None:
        return cells.names(name)  # type: ignore[arg-type]  # and a target
    return pa.array([constant] * cells.raw.table.num_rows, pa.string())


def _customer_kinds(cells: Cells) -> pa.Array:
    known = {word.lower(): kind for word, kind in cells.mapping.customers.kinds.items()} | {"person": "person", "company": "company"}
    encoded = _or_constant(cells, "customer_kind").dictionary_encode()
    kinds = pa.array([known.get(word.lower()) for word in encoded.dictionary.to_pylist()], pa.string())
    return kinds.take(encoded.indices)


def _row_keys(cells: Cells) -> pa.Array:
    if not cells.mapping.orders.key:
        return pa.nulls(cells.raw.table.num_rows, pa.string())
    parts = [values.narrowed(cells.encoded[name].dictionary).take(cells.encoded[name].indices) for name in cells.mapping.orders.key]
    return functools.reduce(lambda left, right: pc.binary_join_element_wise(left, right, "\x1f"), parts)


def _notes(raw: RawTable, filled_customers: int) -> tuple[Note, ...]:
    notes = list(raw.notes)
    if filled_customers:
        notes.append(Note(noop("{n} rows without a customer took the customer of their order."), {"n": filled_customers}))
    return tuple(notes)
