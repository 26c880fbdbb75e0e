"""What each row is worth: quantity, amounts in the reporting currency, cost, and what kind of line it is."""

from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crm_metrics.data_import import rejections, values
from crm_metrics.data_import.cells import Cells, Parsed
from crm_metrics.data_import.currencies import Currencies
from crm_metrics.data_import.mapping import Target
from crm_metrics.data_import.rejections import Verdicts
from crm_metrics.data_import.values import MONEY

SHARE = pa.decimal128(8, 6)
ZERO = pa.scalar(Decimal(0), MONEY)


class Amounts(NamedTuple):
    """Per row, decimal(18,4), null where unknown; money in the reporting currency, negative for a return.

    as_written: unit price, gross and net amount in the currency of the row.
    """

    quantity: pa.Array
    unit_price: pa.Array
    gross: pa.Array
    discount: pa.Array
    net: pa.Array
    cost: pa.Array
    as_written: dict[str, pa.Array]


def amounts_of(cells: Cells, verdicts: Verdicts, currencies: Currencies) -> Amounts:
    """Return the amounts of each row; rows whose amounts can't be read exactly are rejected."""
    count = cells.raw.table.num_rows
    nothing = pa.nulls(count, MONEY)
    price = _number(cells, verdicts, "unit_price", needed="amount" not in cells.columns)
    amount = _number(cells, verdicts, "amount", needed=True)
    quantity = _number(cells, verdicts, "quantity", needed=True)
    if amount is None and quantity is not None and price is not None:
        stated = exactly(pc.multiply(quantity.values, price.values), verdicts, price.column)
    else:
        stated = amount.values if amount is not None else nothing
    if quantity is not None:
        units = quantity.values
    else:
        units = pc.if_else(pc.less(stated, ZERO), pa.scalar(Decimal(-1), MONEY), pa.scalar(Decimal(1), MONEY))
    unit_price = price.values if price is not None else nothing
    gross, discount, net = _discounted(cells, verdicts, stated, units=units, unit_price=unit_price)
    cost = _cost(cells, verdicts, units, net)
    price_in, gross_in, discount_in, net_in, cost_in = (
        currencies.converted(part, verdicts) for part in (unit_price, gross, discount, net, cost)
    )
    as_written = {"unit_price": unit_price, "gross_amount": gross, "net_amount": net}
    return Amounts(units, price_in, gross_in, discount_in, net_in, cost_in, as_written)


def _number(cells: Cells, verdicts: Verdicts, target: Target, *, needed: bool) -> Parsed | None:
    parsed = cells.numbers(target)
    if parsed is not None:
        reject_cells(verdicts, parsed, may_be_empty=not needed)
    return parsed


def reject_cells(verdicts: Verdicts, parsed: Parsed, *, may_be_empty: bool = False) -> None:
    """Reject the rows whose cell can't be read."""
    if not parsed.problems.any():
        return
    for code, reason in rejections.OF_CELL.items():
        if code != values.EMPTY or not may_be_empty:
            verdicts.reject(parsed.problems == code, reason, parsed.column)


def exactly(amounts: pa.Array, verdicts: Verdicts, column: str) -> pa.Array:
    """Return amounts of more decimals as decimal(18,4); rows whose value needs more digits are rejected, never rounded."""
    short = pc.round(amounts, ndigits=4, round_mode="towards_zero")
    too_fine = _true(pc.not_equal(short, amounts))
    too_large = _true(pc.greater_equal(pc.abs(short), pa.scalar(Decimal(10) ** 14, pa.decimal128(15, 0))))
    verdicts.reject(too_fine, rejections.OF_CELL[values.MORE_DECIMALS], column)
    verdicts.reject(too_large, rejections.OF_CELL[values.TOO_LARGE], column)
    return pc.if_else(pa.array(too_fine | too_large), pa.scalar(None, short.type), short).cast(MONEY)


def _discounted(
    cells: Cells, verdicts: Verdicts, stated: pa.Array, *, units: pa.Array, unit_price: pa.Array
) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Return gross, discount and net. What the file states stays exact; a gross derived from net and a rate is rounded half-even."""
    parsed = _number(cells, verdicts, "discount", needed=False)
    if parsed is None:
        return stated, pa.nulls(len(stated), MONEY), stated
    given, is_net = parsed.values.fill_null(Decimal(0)), cells.mapping.money.amount == "net"
    if cells.mapping.money.discount == "amount":
        return (_sum(stated, given), given, stated) if is_net else (stated, given, _difference(stated, given))
    share = _share(given, verdicts, parsed.column, is_percent=cells.mapping.money.discount == "percent")
    kept = pc.subtract(pa.scalar(Decimal(1), SHARE), share)
    if not is_net:
        net = exactly(pc.multiply(stated, kept), verdicts, parsed.column)
        return stated, _difference(stated, net), net
    all_free = pc.equal(kept, pa.scalar(Decimal(0), SHARE))
    divisor = pc.if_else(all_free, pa.scalar(Decimal(1), kept.type), kept)
    derived = _rounded(pc.divide(stated, divisor))
    listed = pc.if_else(all_free, _rounded(pc.multiply(units, unit_price)), derived)
    return listed, _difference(listed, stated), stated


def _share(given: pa.Array, verdicts: Verdicts, column: str, *, is_percent: bool) -> pa.Array:
    share = pc.multiply(given, pa.scalar(Decimal("0.01" if is_percent else "1.00"), pa.decimal128(3, 2)))
    outside = _true(pc.or_(pc.less(share, pa.scalar(Decimal(0), share.type)), pc.greater(share, pa.scalar(Decimal(1), share.type))))
    verdicts.reject(outside, rejections.RATE_OUT_OF_RANGE, column)
    return pc.if_else(pa.array(outside), pa.scalar(Decimal(0), share.type), share).cast(SHARE)


def _cost(cells: Cells, verdicts: Verdicts, units: pa.Array, net: pa.Array) -> pa.Array:
    cost = _number(cells, verdicts, "cost", needed=False)
    if cost is not None:
        return cost.values if cells.mapping.money.cost == "line" else exactly(pc.multiply(units, cost.values), verdicts, cost.column)
    profit = _number(cells, verdicts, "profit", needed=False)
    return pa.nulls(len(net), MONEY) if profit is None else _difference(net, profit.values)


def _sum(left: pa.Array, right: pa.Array) -> pa.Array:
    return _fitting(pc.add(left, right))


def _difference(left: pa.Array, right: pa.Array) -> pa.Array:
    return _fitting(pc.subtract(left, right))


def _rounded(amounts: pa.Array) -> pa.Array:
    return _fitting(pc.round(amounts, ndigits=4, round_mode="half_to_even"))


def _fitting(amounts: pa.Array) -> pa.Array:
    """Return decimal(18,4), null where 14 digits do not suffice."""
    fits = pc.less(pc.abs(amounts), pa.scalar(Decimal(10) ** 14, pa.decimal128(15, 0)))
    return pc.if_else(fits, amounts, pa.scalar(None, amounts.type)).cast(MONEY)


def _true(mask: pa.Array) -> np.ndarray:
    return mask.fill_null(False).to_numpy(zero_copy_only=False)  # noqa: FBT003  # pyarrow takes the value by position only


# ── kinds ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Kinds(NamedTuple):
    """kinds: 'sale', 'return', 'gift' or 'cancelled' per row. is_void: the line was cancelled, or wholly given back: it earns nothing."""

    kinds: np.ndarray
    is_void: np.ndarray


def line_kinds(cells: Cells, verdicts: Verdicts, amounts: Amounts, orders: pa.DictionaryArray) -> Kinds:
    """Return the kind of each row; rows whose signs contradict each other are rejected."""
    rules = cells.mapping.orders
    is_negative_quantity, is_negative = _true(pc.less(amounts.quantity, ZERO)), _true(pc.less(amounts.net, ZERO))
    is_positive = _true(pc.greater(amounts.net, ZERO))
    is_nothing = _true(pc.equal(amounts.quantity, ZERO))
    if "quantity" in cells.columns:
        verdicts.reject(is_nothing & (is_negative | is_positive), rejections.ZERO_QUANTITY, cells.columns["quantity"])
        verdicts.reject(is_negative_quantity & is_positive, rejections.SIGNS_DIFFER, cells.columns["quantity"])
    is_credit_note = _credit_notes(orders, rules.cancellation_number)
    if is_credit_note.any():
        verdicts.reject(is_credit_note & ~is_negative_quantity & is_positive, rejections.CANCELLATION_SELLS, cells.columns["order"])
    kinds = np.full(len(orders), "sale", dtype=object)
    if rules.zero_price == "gift":
        worth = pc.coalesce(amounts.gross, amounts.net)
        kinds[_true(pc.equal(worth, ZERO))] = "gift"
    kinds[is_nothing] = "gift"
    kinds[is_negative_quantity | is_negative | is_credit_note] = "return"
    is_void = np.zeros(len(orders), dtype=bool)
    if "status" in cells.columns:
        is_returned = _orders_with_status(cells, orders, rules.returned_status)
        is_cancelled = _orders_with_status(cells, orders, rules.cancelled_status)
        kinds[is_returned & is_negative], kinds[is_cancelled] = "return", "cancelled"  # what was bought and given back stays a purchase
        is_void = is_cancelled | (is_returned & ~is_negative)
    return Kinds(kinds, is_void)


def _credit_notes(orders: pa.DictionaryArray, pattern: str | None) -> np.ndarray:
    if pattern is None:
        return np.zeros(len(orders), dtype=bool)
    return _true(pc.match_substring_regex(orders.dictionary, pattern).take(orders.indices))


def _orders_with_status(cells: Cells, orders: pa.DictionaryArray, wanted: tuple[str, ...]) -> np.ndarray:
    """Return the rows with one of these statuses, and the rows of the same order that state none."""
    status = pc.utf8_lower(cells.names("status"))
    has_it = _true(pc.is_in(status, value_set=pa.array([word.lower() for word in wanted], pa.string())))
    if not has_it.any():
        return has_it
    codes = orders.indices.fill_null(-1).to_numpy()
    return has_it | (np.isin(codes, np.unique(codes[has_it & (codes >= 0)])) & ~status.is_valid().to_numpy(zero_copy_only=False))
