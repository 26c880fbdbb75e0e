"""What the values of one column show: dates and their order, numbers and their marks, currencies, repeats."""

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crm_metrics.data_import import values
from crm_metrics.data_import.cells import MOST_TEXTS, day_order_evidence
from crm_metrics.data_import.currencies import currencies_of_sign
from crm_metrics.data_import.date_doubts import day_before_month, swapped_by_excel
from crm_metrics.data_import.date_formats import DAY_FIRST, EXCEL_SERIAL, MONTH_FIRST, USUAL
from crm_metrics.data_import.number_marks import Marks, find_marks
from crm_metrics.data_import.raw_table import RawTable

NEARLY_ALL = 0.9
"""Share of the values that has to be readable; the others are rows to reject."""
SERIAL_DAYS = (20_000, 80_000)
"""Excel's day numbers from 1954 to 2119."""


@dataclass(frozen=True)
class Evidence:
    """What a column's values show.

    date_doubt_kind: '' or why dates are not certain: 'order', 'both', 'serial', 'zone', 'swapped', 'year_day'; date_doubt: an example.
    marks: None when no number has any mark. marks_doubt: a number that can be read in two ways, else ''.
    currencies: that the signs mean. clashing_signs: of currencies that can't be one. not_date, not_number: the first text that is none.
    """

    is_empty: bool = True
    is_date: bool = False
    is_serial_date: bool = False
    date_doubt_kind: str = ""
    date_doubt: str = ""
    date_settings: dict[str, Any] = field(default_factory=dict)
    is_number: bool = False
    is_money: bool = False
    marks: Marks | None = None
    marks_doubt: str = ""
    currencies: frozenset[str] = frozenset()
    clashing_signs: tuple[str, ...] = ()
    repeats: bool = False
    not_date: str = ""
    not_number: str = ""


def evidence_of(raw: RawTable, column: str) -> Evidence:
    """Return what the values of a column show."""
    counted = pc.value_counts(raw.table[column])
    texts = values.narrowed(pc.struct_field(counted, "values"))
    is_kept = pc.invert(values.is_missing(texts))
    kept = texts.filter(is_kept).slice(0, MOST_TEXTS)
    if not len(kept):
        return Evidence()
    rows = pc.struct_field(counted, "counts").filter(is_kept).slice(0, MOST_TEXTS).to_numpy()
    repeats = len(texts) < raw.table.num_rows
    kinds = None if raw.kinds is None else raw.kinds[column]
    is_typed = kinds is not None and pc.any(pc.equal(kinds, "n")).as_py()
    found = _of_numbers(kept, rows, repeats=repeats, is_typed=is_typed) or _of_dates(kept, rows, repeats=repeats)
    if found is None:
        as_date, as_number = values.parse_dates(kept, (*USUAL, DAY_FIRST, MONTH_FIRST), "UTC"), values.parse_numbers(kept)
        examples = [_first(kept, parsed.problems != values.FINE) for parsed in (as_date, as_number)]
        return Evidence(is_empty=False, repeats=repeats, not_date=examples[0], not_number=examples[1])
    if found.is_date and kinds is not None and (text := swapped_by_excel(raw.table[column], kinds)):
        return _doubtful(found, "swapped", text)
    return found


def _is_readable(is_fine: np.ndarray, rows: np.ndarray) -> bool:
    """Return whether nearly all rows can be read; in a small file one text may be a mistake if two rows are good."""
    bad = int(np.sum(~is_fine))
    return bool(
        np.average(is_fine, weights=rows) >= NEARLY_ALL or np.mean(is_fine) >= NEARLY_ALL or (bad == 1 and rows[is_fine].sum() >= 2)
    )


def _first(texts: pa.Array, mask: np.ndarray) -> str:
    places = np.flatnonzero(mask)
    return texts[int(places[0])].as_py() if len(places) else ""


# ── dates ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_dates(texts: pa.Array, rows: np.ndarray, *, repeats: bool) -> Evidence | None:
    year_day = day_before_month(texts)
    parsed = values.parse_dates(texts, (*USUAL, DAY_FIRST, MONTH_FIRST), "UTC")
    if not year_day and not _is_readable(parsed.problems == values.FINE, rows):
        return None
    found = Evidence(is_empty=False, is_date=True, repeats=repeats, not_number=texts[0].as_py())
    if year_day:
        return _doubtful(found, "year_day", year_day)
    zoned = values.parse_dates(texts, USUAL, None)
    if parsed.has_zone or zoned.has_zone:
        return _doubtful(found, "zone", texts[0].as_py())
    order = day_order_evidence(texts)
    if order.day_first and order.month_first:
        return _doubtful(found, "both", order.month_first)
    if order.open_text and not order.day_first and not order.month_first:
        return _doubtful(found, "order", order.open_text)
    settings = {"day_first": not order.month_first} if order.any_text else {}
    return Evidence(**{**found.__dict__, "date_settings": settings})


def _doubtful(found: Evidence, kind: str, example: str) -> Evidence:
    return Evidence(**{**found.__dict__, "date_doubt_kind": kind, "date_doubt": example})


# ── numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_numbers(texts: pa.Array, rows: np.ndarray, *, repeats: bool, is_typed: bool) -> Evidence | None:
    if is_typed:
        marks, doubt = None, ""
    else:
        marks, doubt = find_marks(texts.to_pylist())
    parsed = values.parse_numbers(texts, *(marks or Marks(".", "")))
    readable = _readable(parsed) | (_readable(values.parse_numbers(texts, ".", ",")) if doubt else False)
    if not _is_readable(readable, rows):
        return None
    example = texts[0].as_py()
    signs = {sign for sign in parsed.signs if sign}
    meanings = [currencies_of_sign(sign) for sign in signs]
    if re.fullmatch(r"\d{8}", example) and values.parse_dates(texts, USUAL, None).problems.max() == values.FINE:
        return None
    in_serial_range = _in_serial_range(parsed.values)
    return Evidence(
        is_empty=False,
        is_serial_date=in_serial_range,
        date_doubt_kind="serial" if in_serial_range else "",
        date_doubt=example,
        date_settings={"formats": [EXCEL_SERIAL]} if in_serial_range else {},
        is_number=True,
        is_money=pc.any(pc.match_substring_regex(texts, r"[.,]\d{1,2}\D*$")).as_py(),
        marks=marks,
        marks_doubt=doubt,
        clashing_signs=tuple(sorted(signs)) if meanings and not frozenset.intersection(*meanings) else (),
        currencies=frozenset.intersection(*meanings) if meanings and len(frozenset.intersection(*meanings)) == 1 else frozenset(),
        repeats=repeats,
        not_date=example,
    )


def _readable(parsed: values.Values) -> np.ndarray:
    return np.isin(parsed.problems, (values.FINE, values.MORE_DECIMALS, values.TOO_LARGE))


def _in_serial_range(numbers: pa.Array) -> bool:
    found = numbers.drop_null().cast(pa.float64())
    if not len(found):
        return False
    low, high = pc.min_max(found).as_py().values()
    return SERIAL_DAYS[0] <= low and high <= SERIAL_DAYS[1]
