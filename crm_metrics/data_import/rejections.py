"""Rows that can't be right, each with its reason in words that can be translated."""

import json
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from crm_metrics.data_import import values
from crm_metrics.data_import.raw_table import RawTable, ragged_as_json, rows_as_json
from crm_metrics.language import noop, t

OF_CELL = {
    values.EMPTY: noop("Row {row}: {column} is empty. Fill it in."),
    values.NOT_A_NUMBER: noop(
        "Row {row}: {column} {value!r} is not a number as the mapping writes them. Correct it, or the marks for decimals and thousands."
    ),
    values.MORE_DECIMALS: noop(
        "Row {row}: {column} {value!r} has more than 4 decimals. Round it where it comes from, or map another column."
    ),
    values.TOO_LARGE: noop("Row {row}: {column} {value!r} is too large; 14 digits before the decimal mark are the most."),
    values.NOT_A_DATE: noop("Row {row}: {column} {value!r} is not a date as the mapping writes them. Write dates as YYYY-MM-DD."),
    values.NOT_WHOLE: noop("Row {row}: {column} {value!r} is not a whole number. Correct it, or map another column."),
    values.NOT_A_FLAG: noop("Row {row}: {column} {value!r} is neither yes nor no. Say in the mapping what it means (values)."),
    values.DAMAGED: noop("Row {row}: {column} {value!r} was damaged by a spreadsheet, its digits are lost. Export it again as text."),
}
"""Problem code of a cell -> reason."""

NOT_ONE_OF = noop("Row {row}: {column} {value!r} is none of {choices}. Say in the mapping which of them it means (values).")
NOT_ASKED = noop("Row {row}: {column} is {value!r}, and the mapping leaves such rows out (where).")
RAGGED = noop("Row {row} has {found} fields; {expected} are needed. Look for a missing quotation mark or an extra delimiter.")
IS_TOTAL = noop("Row {row} is a total ({value}), not an order line.")
ROW_IS_TOTAL = noop("Row {row} is a total ({value}) of the other rows.")
OTHER_CURRENCY = noop("Row {row}: {column} {value!r} is in another currency than the mapping says. Correct it, or map a currency column.")
NO_RATE = noop("Row {row}: there is no rate for the currency {value}. Add it to money.rates.")
CONVERTED_TOO_LARGE = noop("Row {row}: the converted amount is too large; 14 digits before the decimal mark are the most.")
ZERO_QUANTITY = noop("Row {row}: {column} is 0 and the amount is not. A line sells or takes back at least something.")
SIGNS_DIFFER = noop("Row {row}: the quantity {value} and the amount have different signs. A return needs both negative.")
CANCELLATION_SELLS = noop(
    "Row {row}: the order number {value} is a cancellation, but its quantity and amount are positive. They need a minus sign."
)
RATE_OUT_OF_RANGE = noop("Row {row}: the discount {value} is no share between 0 and 1 (or 0 and 100 percent).")
TOO_EARLY = noop("Row {row}: {column} {value!r} lies before {limit}. Correct the date, or set dates.earliest in the mapping.")
TOO_LATE = noop("Row {row}: {column} {value!r} is later than {limit}. Correct the date, or set dates.latest in the mapping.")
AFTER_TODAY = noop("Row {row}: {column} {value!r} is later than {limit}, the day of the import. Correct the date.")
OTHER_CUSTOMER = noop("Row {row}: order {value} belongs to another customer, {other}, in an earlier row. One order has one customer.")
OTHER_DAY = noop("Row {row}: order {value} was placed on another day, {other}, in an earlier row. One order has one day.")

REJECTED = pa.schema(
    [
        ("row_number", pa.int64()),
        ("reason", pa.string()),
        ("column", pa.string()),
        ("value", pa.string()),
        ("row_hash", pa.string()),
        ("money", values.MONEY),
        ("raw", pa.string()),
    ]
)
"""reason: JSON, told by `reason_text`. money: net amount in the reporting currency where it could be read. raw: JSON of the cells."""


class Verdicts:
    """The first reason against each row of a table, if there is one."""

    def __init__(self, count: int) -> None:
        self.reason_codes = np.zeros(count, dtype=np.int16)
        self._reasons: list[tuple[str, str | None, Callable[[int], dict[str, object]] | None]] = []

    @property
    def is_fine(self) -> np.ndarray:
        """Return a mask of the rows without a reason against them."""
        return self.reason_codes == 0

    def reject(
        self, rows: np.ndarray, reason: str, column: str | None = None, *, extra: Callable[[int], dict[str, object]] | None = None
    ) -> None:
        """Reject `rows` (a mask) that have no reason yet. column: of the file, shown with its value. extra: more values by place."""
        if not rows.any():
            return
        self._reasons.append((reason, column, extra))
        self.reason_codes[rows & self.is_fine] = len(self._reasons)

    def table(self, raw: RawTable, hashes: pa.Array, money: pa.Array) -> pa.Table:
        """Return one row per rejected row, ragged ones included, as REJECTED."""
        places = np.flatnonzero(self.reason_codes)
        taken = pa.array(places, pa.int64())
        numbers, money = raw.row_numbers.take(taken).to_pylist(), money.take(taken).to_pylist()
        rows = [
            {"row_number": number, "row_hash": row_hash, "money": amount, "raw": as_json, **self._told(raw, int(place), number)}
            for place, number, row_hash, amount, as_json in zip(
                places, numbers, hashes.take(taken).to_pylist(), money, rows_as_json(raw, places), strict=True
            )
        ]
        rows += [_ragged_row(raw, at) for at in range(len(raw.ragged))]
        return pa.Table.from_pylist(sorted(rows, key=lambda row: row["row_number"]), REJECTED)

    def _told(self, raw: RawTable, place: int, row_number: int) -> dict[str, str | None]:
        text, column, extra = self._reasons[self.reason_codes[place] - 1]
        value = raw.table[column][place].as_py() if column is not None else None
        said = {"row": row_number, "column": column, "value": value} | (extra(place) if extra else {})
        shown = {name: part for name, part in said.items() if "{" + name + "}" in text or "{" + name + "!r}" in text}
        return {"reason": _as_reason(text, shown), "column": column, "value": value}


def _ragged_row(raw: RawTable, at: int) -> dict[str, object]:
    row = raw.ragged[at]
    reason = _as_reason(RAGGED, {"row": row.row_number, "found": len(row.fields), "expected": len(raw.columns)})
    return {"row_number": row.row_number, "reason": reason, "raw": ragged_as_json(row)}


def _as_reason(text: str, said: dict[str, object]) -> str:
    return json.dumps({"text": text, "values": said}, ensure_ascii=False)


def reason_text(reason: str) -> str:
    """Return a reason in the current language.

    >>> reason_text('{"text": "Row {row}: {column} is empty. Fill it in.", "values": {"row": 7, "column": "date"}}')
    'Row 7: date is empty. Fill it in.'
    """
    told = json.loads(reason)
    return t(told["text"], **told["values"])
