"""Columns that would change revenue and are read wrongly, or by nobody: each is asked about before a file is loaded."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from crm_metrics.data_import import values
from crm_metrics.data_import.column_evidence import Evidence
from crm_metrics.data_import.header_names import CANCELLED, HEADERS, RETURNED, TAKEN_BACK, TOTALS_OF_ORDERS, TYPES, plain_name
from crm_metrics.data_import.mapping import Target
from crm_metrics.data_import.raw_table import Note, RawTable
from crm_metrics.language import noop

CENT = 0.011
"""Amounts that differ by at most a cent, and the error of binary fractions, are the same: lines were rounded one by one."""
FEWEST_ORDERS = 2
"""One order of two lines that cost the same proves nothing; two such orders and no other kind are asked about."""

REPEATED = noop("{column} seems to be the total of the whole order, repeated on its lines.")
DISCOUNT = noop(
    "{column} holds discounts, and quantity x price does not take them off. Map it as the discount and set money.amount to gross, or map "
    "the amount after the discount."
)
GROSS = noop("{column} holds discounts, and {amount} is quantity x price without them. Map the discount and set money.amount.")
STATUS = noop('{column} says "{value}" in rows that count as sales. Map it as the status, or leave these rows out of the file.')
REFUND = noop(
    "{column} holds refunds that no amount takes off. Map an amount after refunds, or give the refunds as rows with a minus sign."
)


class Doubt(NamedTuple):
    """A column that may change revenue. target: what it would have to be read as, or is read as wrongly."""

    target: Target
    column: str
    reason: Note


class Money(NamedTuple):
    """Per row, NaN where unknown. priced: quantity x price. stated: the amount, else quantity x price."""

    amount: np.ndarray
    priced: np.ndarray

    @property
    def stated(self) -> np.ndarray:
        """Return the amount, or quantity x price where there is none."""
        return np.where(np.isnan(self.amount), self.priced, self.amount)


def money_of(raw: RawTable, columns: dict[Target, str], evidence: dict[str, Evidence]) -> Money:
    """Return the money of each row under these columns."""
    amount, quantity, price = (_numbers(raw, columns.get(target), evidence) for target in ("amount", "quantity", "unit_price"))
    return Money(amount, quantity * price)


def _numbers(raw: RawTable, column: str | None, evidence: dict[str, Evidence]) -> np.ndarray:
    if column is None:
        return np.full(raw.table.num_rows, np.nan)
    encoded = raw.table[column].combine_chunks().dictionary_encode()
    marks = evidence[column].marks
    parsed = values.parse_numbers(encoded.dictionary, marks.decimal if marks else ".", marks.thousands if marks else "")
    numbers = parsed.values.cast(pa.float64()).fill_null(np.nan).to_numpy()
    return numbers[encoded.indices.to_numpy()]


# ── the total of an order on each of its lines ──────────────────────────────────────────────────────────────────────────


def is_total_of_orders(raw: RawTable, columns: dict[Target, str], money: Money) -> bool:
    """Return whether the amount seems to be that of the whole order on each of its lines: adding it up counts it many times."""
    if not {"amount", "order"} <= set(columns):
        return False
    frame = pd.DataFrame({"order": raw.table[columns["order"]].to_pandas(), "amount": money.amount, "priced": money.priced})
    lines = frame.groupby("order", sort=False).agg(
        rows=("priced", "size"), different=("amount", "nunique"), amount=("amount", "max"), priced=("priced", "sum")
    )
    several = lines[lines["rows"] > 1]
    if several.empty:
        return False
    is_known = ~np.isnan(money.priced)
    if is_known.any() and np.mean(np.abs(money.priced - money.amount)[is_known & frame["order"].isin(several.index)] <= CENT) > 0.5:
        return False
    repeated = several["different"] <= 1
    if plain_name(columns["amount"]) in TOTALS_OF_ORDERS or is_known.any():
        adds_up = (several["priced"] - several["amount"]).abs() <= CENT
        is_named = plain_name(columns["amount"]) in TOTALS_OF_ORDERS
        return bool((repeated & (adds_up | is_named)).mean() >= 0.5) or _always(repeated, several)
    return _always(repeated, several)


def _always(repeated: pd.Series, several: pd.DataFrame) -> bool:
    return bool(repeated.all()) and len(several) >= FEWEST_ORDERS and several["amount"].nunique() > 1


# ── columns that nobody reads ───────────────────────────────────────────────────────────────────────────────────────────


def unread_doubts(raw: RawTable, columns: dict[Target, str], evidence: dict[str, Evidence], money: Money) -> list[Doubt]:
    """Return a doubt for each column that no target reads and that changes what was earned."""
    unread = [name for name in raw.columns if name not in columns.values() or name == columns.get("discount")]
    found = [_discount(raw, name, columns, evidence, money=money) for name in unread if _is_discount(name)]
    found += [_refund(raw, name, evidence) for name in unread if "refund" in plain_name(name) or "退款" in name]
    found += [_status(raw, name, columns, money) for name in unread if _is_status(name)]
    return [doubt for doubt in found if doubt is not None]


def _is_discount(name: str) -> bool:
    plain = plain_name(name)
    return plain in HEADERS["discount"] or (any(word in plain for word in ("discount", "rabatt", "优惠", "折扣")) and "code" not in plain)


def _is_status(name: str) -> bool:
    plain = plain_name(name)
    return plain.endswith(("status", "状态")) or plain in TYPES


def _is_not_nothing(raw: RawTable, column: str) -> np.ndarray:
    """Return the rows whose cell has a digit other than 0."""
    return pc.match_substring_regex(raw.table[column], "[1-9１-９]").to_numpy()


def _discount(raw: RawTable, column: str, columns: dict[Target, str], evidence: dict[str, Evidence], *, money: Money) -> Doubt | None:
    rows = _is_not_nothing(raw, column)
    is_share = pc.any(pc.match_substring_regex(raw.table[column], r"\d\s*%")).as_py()
    if not rows.any() or not (evidence[column].is_number or is_share):
        return None
    if "amount" not in columns:
        return Doubt("discount", column, Note(DISCOUNT, {"column": column}))
    is_known = rows & ~np.isnan(money.priced) & ~np.isnan(money.amount)
    if is_known.any() and np.mean(np.abs(money.priced - money.amount)[is_known] <= CENT) >= 0.5:
        return Doubt("discount", column, Note(GROSS, {"column": column, "amount": columns["amount"]}))
    return None


def _refund(raw: RawTable, column: str, evidence: dict[str, Evidence]) -> Doubt | None:
    if not evidence[column].is_number or not _is_not_nothing(raw, column).any():
        return None
    return Doubt("amount", column, Note(REFUND, {"column": column}))


def _status(raw: RawTable, column: str, columns: dict[Target, str], money: Money) -> Doubt | None:
    words = _words(raw, column)
    is_sold = ~np.isin(_words(raw, columns["status"]), sorted(CANCELLED | RETURNED)) if "status" in columns else np.ones(len(words), bool)
    rows = np.isin(words, sorted(CANCELLED | RETURNED | TAKEN_BACK)) & is_sold & ~(money.stated < 0)
    if not rows.any():
        return None
    value = raw.table[column][int(np.flatnonzero(rows)[0])].as_py().strip()
    return Doubt("status", column, Note(STATUS, {"column": column, "value": value}))


def _words(raw: RawTable, column: str) -> np.ndarray:
    encoded = raw.table[column].combine_chunks().dictionary_encode()
    words = np.array([word.strip().lower() for word in encoded.dictionary.to_pylist()], dtype=object).astype(str)
    return words[encoded.indices.to_numpy()]
