"""What rows of one order have in common: its number, one customer, one day."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crm_metrics.data_import import rejections
from crm_metrics.data_import.mapping import Mapping
from crm_metrics.data_import.rejections import Verdicts
from crm_metrics.data_import.row_hash import as_hex, occurrences
from crm_metrics.data_import.values import DAY

DAYS_APART = 1
"""An order entered around midnight has lines of two days. More apart, a number was used twice."""
YEARS_APART_DAYS = 1_826
"""A few orders more than five years after all others are mistyped years (2099), when nothing else says how late an order can be."""


def order_numbers(mapping: Mapping, stated: pa.Array | None, *, customers: pa.Array, days: pa.Array, hashes: np.ndarray) -> pa.Array:
    """Return the order id of each row.

    A row that is an order of its own is named by its content and how often that content stood before it in the file, so that an
    overlapping file names it the same.
    """
    if stated is not None and mapping.orders.id == "column":
        return stated
    by_row = _names_of_rows(hashes)
    if mapping.orders.id == "per_row":
        return by_row
    return pc.coalesce(pc.binary_join_element_wise(customers, pc.cast(days, pa.string()), " "), by_row)


def _names_of_rows(hashes: np.ndarray) -> pa.Array:
    """Return names like 1f0c9a44d2b7e613-1."""
    short = pc.utf8_slice_codeunits(as_hex(hashes), 0, 16)
    return pc.binary_join_element_wise(short, pc.cast(pa.array(occurrences(hashes) + 1), pa.string()), "-")


class OneOrder(NamedTuple):
    """Rows after the rules of one order. moments: int64 microseconds since 1970, of the order's earliest line."""

    customers: pa.DictionaryArray
    moments: np.ndarray
    filled_customers: int


def join_orders(
    orders: pa.DictionaryArray, customers: pa.DictionaryArray, verdicts: Verdicts, *, moments: np.ndarray, kinds: np.ndarray
) -> OneOrder:
    """Return customers and moments made equal within each order; rows that contradict an earlier row of their order are rejected.

    The first row that names a customer decides. A row without one takes it from its order. Returns keep their own day.
    """
    codes = orders.indices.fill_null(0).to_numpy().astype(np.int64)
    count = max(len(orders.dictionary), 1)
    known = customers.indices.fill_null(-1).to_numpy().astype(np.int64)
    owner = _first(codes, known, verdicts.is_fine & (known >= 0), count)
    other = (owner[codes] >= 0) & (known >= 0) & (owner[codes] != known)
    names = customers.dictionary
    _contradicts(verdicts, other, rejections.OTHER_CUSTOMER, orders=orders, other=lambda at: names[int(owner[codes[at]])].as_py())
    filled = verdicts.is_fine & (known < 0) & (owner[codes] >= 0)
    known = np.where(filled, owner[codes], known)
    joined = _join_days(orders, codes, verdicts, moments=moments, is_return=kinds == "return")
    indices = pa.array(known.astype(np.int32), mask=known < 0)
    return OneOrder(pa.DictionaryArray.from_arrays(indices, names), joined, int(filled.sum()))


def _join_days(
    orders: pa.DictionaryArray, codes: np.ndarray, verdicts: Verdicts, *, moments: np.ndarray, is_return: np.ndarray
) -> np.ndarray:
    count = max(len(orders.dictionary), 1)
    days = moments // DAY
    sold = verdicts.is_fine & ~is_return
    first_day = _first(codes, days, sold, count, unknown=np.iinfo(np.int64).min)
    apart = sold & (np.abs(days - first_day[codes]) > DAYS_APART)
    _contradicts(verdicts, apart, rejections.OTHER_DAY, orders=orders, other=lambda at: str(np.datetime64(int(first_day[codes[at]]), "D")))
    joined = moments.copy()
    fine = verdicts.is_fine
    earliest = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(earliest, codes[fine & ~is_return], moments[fine & ~is_return])
    joined[fine & ~is_return] = earliest[codes[fine & ~is_return]]
    _join_returns(joined, codes, days, fine & is_return)
    return joined


def _join_returns(joined: np.ndarray, codes: np.ndarray, days: np.ndarray, rows: np.ndarray) -> None:
    """Set returned lines of one order and day to their earliest moment."""
    if not rows.any():
        return
    pairs, place = np.unique(np.stack([codes[rows], days[rows]]), axis=1, return_inverse=True)
    earliest = np.full(pairs.shape[1], np.iinfo(np.int64).max)
    np.minimum.at(earliest, place.ravel(), joined[rows])
    joined[rows] = earliest[place.ravel()]


def _first(codes: np.ndarray, values: np.ndarray, rows: np.ndarray, count: int, *, unknown: int = -1) -> np.ndarray:
    """Return the value of each code's first row among `rows`."""
    first = np.full(count, unknown, dtype=np.int64)
    first[codes[rows][::-1]] = values[rows][::-1]
    return first


def _contradicts(verdicts: Verdicts, rows: np.ndarray, reason: str, *, orders: pa.DictionaryArray, other: Callable[[int], str]) -> None:
    verdicts.reject(rows, reason, extra=lambda at: {"value": orders[at].as_py(), "other": other(at)})


def latest_plausible_day(days: np.ndarray) -> int | None:
    """Return the last day before a gap of more than five years that less than half of the rows lie behind; None without such a gap.

    days: since 1970.

    >>> latest_plausible_day(np.array([100, 130, 47_000]))
    130
    """
    if not len(days):
        return None
    distinct, rows = np.unique(days, return_counts=True)
    behind = len(days) - np.cumsum(rows)
    gaps = np.flatnonzero((np.diff(distinct) > YEARS_APART_DAYS) & (behind[:-1] * 2 < len(days)))
    return int(distinct[gaps[0]]) if len(gaps) else None
