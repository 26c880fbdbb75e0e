"""Cells to values, exactly or not at all: numbers, dates, identifiers, names.

Each function takes the DIFFERENT texts of a column once and returns their values with a problem code each; the caller spreads
them over the rows. Nothing is rounded and nothing becomes 0.
"""

import re
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from crm_metrics.data_import.cell_shapes import MISSING, MISSING_NAME, WIDE_PATTERN, WIDE_TO_NARROW
from crm_metrics.data_import.date_formats import EXCEL_SERIAL, MONTHS

MONEY = pa.decimal128(18, 4)
FINE, EMPTY, NOT_A_NUMBER, MORE_DECIMALS, TOO_LARGE, NOT_A_DATE, DAMAGED, NOT_WHOLE, NOT_A_FLAG, NOT_A_CHOICE = range(10)
"""Problem codes of a cell."""

MICROSECONDS = 1_000_000
DAY = 86_400 * MICROSECONDS
EXCEL_EPOCH = -25_569
"""Excel's day 0, 1899-12-30, counted from 1970-01-01 (right for every day after February 1900)."""


class Values(NamedTuple):
    """values: one per text, null where there is none. problems: int8 code per text. signs: currency sign per text, '' for none."""

    values: pa.Array
    problems: np.ndarray
    signs: tuple[str, ...] = ()
    has_zone: bool = False


def narrowed(texts: pa.Array) -> pa.Array:
    """Return texts without blanks around and with full-width characters as ASCII; ="007", which keeps Excel from reading it, is 007."""
    trimmed = pc.utf8_trim_whitespace(texts)
    if pc.any(pc.starts_with(trimmed, '="')).as_py():
        trimmed = pc.replace_substring_regex(trimmed, r'^=""?([^"]*)"?"$', r"\1")
    wide = pc.match_substring_regex(trimmed, WIDE_PATTERN)
    if not pc.any(wide).as_py():
        return trimmed
    changed = [text.translate(WIDE_TO_NARROW).strip() for text in trimmed.filter(wide).to_pylist()]
    return pc.replace_with_mask(trimmed, wide, pa.array(changed, pa.string()))


def is_missing(texts: pa.Array, words: frozenset[str] = MISSING) -> pa.Array:
    """Return whether each text means that nothing is there."""
    return pc.is_in(pc.utf8_lower(texts), value_set=pa.array(sorted(words)))


# ── numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

_PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)$"
_SIGN = re.compile(r"US\$|HK\$|NT\$|[€$£¥￥₹₩元円]|RMB|kr\.?|zł|Fr\.|[A-Z]{3}")


def parse_numbers(texts: pa.Array, decimal: str = ".", thousands: str = "", *, is_binary: bool = False) -> Values:
    """Return exact decimals of at most 14 digits before and 4 after the mark, with currency signs taken off.

    is_binary: exponents are read, and more decimals rounded half-even.

    >>> parse_numbers(pa.array(["1.234,50", "(2,5 €)", "1.23,4"]), ",", ".").values.to_pylist()
    [Decimal('1234.5000'), Decimal('-2.5000'), None]
    >>> parse_numbers(pa.array(["4.44e-16", "12.34565001"]), is_binary=True).values.to_pylist()
    [Decimal('0.0000'), Decimal('12.3457')]
    """
    texts = _rounded(narrowed(texts)) if is_binary else narrowed(texts)
    missing = is_missing(texts)
    plain = texts
    simple = _PLAIN if decimal == "." else _PLAIN.replace(r"\.", ",")
    is_simple = pc.match_substring_regex(texts, simple)
    if decimal == ",":
        plain = pc.if_else(is_simple, pc.replace_substring(texts, ",", "."), texts)
    hard = pc.and_not(pc.invert(is_simple), missing)
    if pc.any(hard).as_py():
        found = [plain_number(text, decimal, thousands) for text in texts.filter(hard).to_pylist()]
        plain = pc.replace_with_mask(plain, hard, pa.array([number for number, _ in found], pa.string()))
        where = np.flatnonzero(hard.to_numpy(zero_copy_only=False))
        all_signs = [""] * len(texts)
        for at, (_, sign) in zip(where, found, strict=True):
            all_signs[at] = sign
        return Values(*_exact(plain, missing), tuple(all_signs))
    return Values(*_exact(plain, missing))


def _rounded(texts: pa.Array) -> pa.Array:
    """Return numbers with an exponent or many decimals to 4 decimals, rounded half-even."""
    marked = pc.match_substring_regex(texts, r"^[+-]?(\d+\.?\d*|\.\d+)[eE][+-]?\d{1,2}$|^[+-]?\d*\.\d{5,}$")
    if not pc.any(marked).as_py():
        return texts
    rounded = [f"{Decimal(text):.4f}" for text in texts.filter(marked).to_pylist()]
    return pc.replace_with_mask(texts, marked, pa.array(rounded, pa.string()))


def plain_number(text: str, decimal: str, thousands: str) -> tuple[str, str]:
    """Return a number with a point and no other marks, and its currency sign; '' when it is no number.

    >>> plain_number("€ 1.234,5-", ",", ".")
    ('-1234.5', '€')
    """
    sign = ""
    found = _SIGN.findall(text)
    if len(found) == 1 and (text.lstrip("(+- ").startswith(found[0]) or text.rstrip(")- ").endswith(found[0])):
        sign = found[0].strip()
        text = text.replace(found[0], "").strip()
    negative = False
    bracketed = re.fullmatch(r"\((.*)\)", text)
    if bracketed:
        negative, text = True, bracketed.group(1).strip()
    marked = re.fullmatch(r"([+-]?)\s*(.*?)\s*(-?)", text)
    if marked is None or (marked.group(1) and marked.group(3)) or (negative and (marked.group(1) or marked.group(3))):
        return "", sign
    negative = negative or "-" in (marked.group(1), marked.group(3))
    digits = _without_thousands(marked.group(2), decimal, thousands)
    return ("-" if negative else "") + digits if digits else "", sign


def _without_thousands(text: str, decimal: str, thousands: str) -> str:
    """Return digits with a point as the decimal mark; '' unless thousands are grouped in threes."""
    point, group = re.escape(decimal), {"": "", " ": r"\s", "'": "['’]"}.get(thousands, re.escape(thousands))
    whole = rf"\d+|\d{{1,3}}(?:{group}\d{{3}})+" if group else r"\d+"
    if re.fullmatch(rf"(?:{whole})(?:{point}\d*)?|{point}\d+", text) is None:
        return ""
    kept = re.sub(group, "", text) if group else text
    return kept.replace(decimal, ".")


def _exact(plain: pa.Array, missing: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Return decimals and problem codes of plain numbers."""
    problems = np.zeros(len(plain), dtype=np.int8)
    is_number = pc.match_substring_regex(plain, _PLAIN)
    fits = pc.match_substring_regex(plain, r"^[+-]?0*\d{0,14}(\.\d{0,4}0*)?$")
    too_long = pc.match_substring_regex(plain, r"\.\d{4}\d*[1-9]")
    problems[_np(pc.and_not(is_number, fits))] = TOO_LARGE
    problems[_np(pc.and_(is_number, too_long))] = MORE_DECIMALS
    problems[~_np(is_number)] = NOT_A_NUMBER
    problems[_np(missing)] = EMPTY
    good = pc.if_else(pa.array(problems == FINE), plain, pa.scalar(None, pa.string()))
    for pattern, short in ((r"^\+", ""), (r"(\.\d{4})0+$", r"\1"), (r"\.$", ""), (r"^(-?)\.", r"\g<1>0."), (r"^(-?)0+(\d)", r"\1\2")):
        pattern_matches = pc.match_substring_regex(good, pattern)
        if pc.any(pattern_matches).as_py():
            good = pc.replace_substring_regex(good, pattern, short.replace(r"\g<1>", r"\1"))
    return good.cast(MONEY), problems


def _np(mask: pa.Array) -> np.ndarray:
    return mask.fill_null(False).to_numpy(zero_copy_only=False)  # noqa: FBT003  # pyarrow takes the value by position only


# ── dates ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def parse_dates(texts: pa.Array, patterns: tuple[str, ...], time_zone: str | None) -> Values:
    """Return moments in business time (timestamp[us], no zone), by the first of the patterns that reads the whole text.

    patterns: regular expressions of date_formats, or 'excel_serial'. A moment with a zone is converted to `time_zone`;
    has_zone says that there were some (without a `time_zone` they stay unread).
    """
    texts = narrowed(texts)
    problems = np.full(len(texts), NOT_A_DATE, dtype=np.int8)
    moments = np.zeros(len(texts), dtype=np.int64)
    has_zone = False
    for pattern in patterns:
        if not (problems == NOT_A_DATE).any():
            break
        found, read, zoned = _serial(texts) if pattern == EXCEL_SERIAL else _by_pattern(texts, pattern, time_zone)
        new = found & (problems == NOT_A_DATE)
        moments[new], problems[new] = read[new], FINE
        has_zone = has_zone or zoned
    problems[_np(is_missing(texts))] = EMPTY
    return Values(pa.array(moments, mask=problems != FINE).cast(pa.timestamp("us")), problems, has_zone=has_zone)


def _serial(texts: pa.Array) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return Excel's day numbers as moments, to the second."""
    found = _np(pc.match_substring_regex(texts, r"^\d{1,5}([.]\d+)?$"))
    days = pd.to_numeric(pd.Series(pc.if_else(pa.array(found), texts, "0").to_pylist())).to_numpy(dtype=float)
    seconds = np.round(days * 86_400).astype(np.int64)
    return found & (days >= 61), seconds * MICROSECONDS + EXCEL_EPOCH * DAY, False


def _by_pattern(texts: pa.Array, pattern: str, time_zone: str | None) -> tuple[np.ndarray, np.ndarray, bool]:
    parts = pc.extract_regex(texts, f"^{pattern}$")
    found = _np(pc.is_valid(parts))
    fields = {parts.type.field(at).name: pc.struct_field(parts, [at]) for at in range(parts.type.num_fields)}
    year = _whole(fields.get("year")) if "year" in fields else _century(_whole(fields["short_year"]))
    month = _months(fields["month_name"]) if "month_name" in fields else _whole(fields["month"])
    day = _whole(fields["day"])
    clock, clock_is_right = _clock(fields, len(texts))
    right = found & clock_is_right & (year > 0) & (month >= 1) & (month <= 12) & (day >= 1)
    right &= day <= _month_length(year, np.clip(month, 1, 12))
    moments = _days_since_1970(year, month, day) * DAY + clock
    if "zone" not in fields:
        return right, moments, False
    zoned = right & _np(pc.not_equal(fields["zone"], ""))
    if not zoned.any():
        return right, moments, False
    if time_zone is None:
        return right & ~zoned, moments, True
    utc = moments[zoned] - _offsets(fields["zone"].filter(pa.array(zoned)))
    local = pd.DatetimeIndex(utc.astype("datetime64[us]")).tz_localize("UTC").tz_convert(time_zone).tz_localize(None)
    moments[zoned] = local.to_numpy().astype("datetime64[us]").astype(np.int64)
    return right, moments, True


def _whole(texts: pa.Array | None) -> np.ndarray:
    filled = pc.if_else(pc.equal(texts, ""), "0", texts).fill_null("0")
    return filled.cast(pa.int64()).to_numpy(zero_copy_only=False)


def _century(short: np.ndarray) -> np.ndarray:
    """Return the year of two digits: 69 to 99 are 19xx, 00 to 68 are 20xx (POSIX strptime)."""
    return np.where(short >= 69, 1900 + short, 2000 + short)


def _months(names: pa.Array) -> np.ndarray:
    return np.array([MONTHS.get((name or "").lower(), 0) for name in names.to_pylist()], dtype=np.int64)


def _clock(fields: dict[str, pa.Array], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return microseconds since midnight, and whether the time of day exists."""
    zero = np.zeros(count, dtype=np.int64)
    hour, minute, second = (_whole(fields[part]) if part in fields else zero for part in ("hour", "minute", "second"))
    right = (hour < 24) & (minute < 60) & (second < 60)
    if "half" in fields:
        half = pc.utf8_lower(pc.utf8_slice_codeunits(fields["half"].fill_null(""), 0, 1)).to_numpy(zero_copy_only=False)
        has_half = (half == "a") | (half == "p")
        right &= ~has_half | ((hour >= 1) & (hour <= 12))
        hour = np.where(has_half, hour % 12 + 12 * (half == "p"), hour)
    micro = zero
    if "fraction" in fields:
        digits = pc.replace_substring_regex(fields["fraction"].fill_null(""), "^[.,]", "")
        micro = _whole(pc.utf8_slice_codeunits(pc.utf8_rpad(digits, 6, "0"), 0, 6))
    return ((hour * 60 + minute) * 60 + second) * MICROSECONDS + micro, right


def _offsets(zones: pa.Array) -> np.ndarray:
    """Return the distance of each zone from UTC in microseconds.

    >>> (_offsets(pa.array(["Z", "+08:00", "-0530"])) // 60_000_000).tolist()
    [0, 480, -330]
    """
    minutes = []
    for zone in zones.to_pylist():
        digits = zone.replace(":", "")
        minutes.append(0 if not digits[1:].isdigit() else int(digits[0] + "1") * (int(digits[1:3]) * 60 + int(digits[3:5])))
    return np.array(minutes, dtype=np.int64) * 60 * MICROSECONDS


def _month_length(year: np.ndarray, month: np.ndarray) -> np.ndarray:
    is_leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    return np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])[month - 1] + (is_leap & (month == 2))


def _days_since_1970(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Return days since 1970-01-01 in the Gregorian calendar (Howard Hinnant, chrono-compatible date algorithms, days_from_civil)."""
    year = year - (month <= 2)
    era, year_of_era = year // 400, year % 400
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


# ── identifiers and names ───────────────────────────────────────────────────────────────────────────────────────────────


def parse_identifiers(texts: pa.Array, *, is_binary: bool = False) -> Values:
    """Return identifiers as text: leading zeros and 1E5 stay; 17850.0 is 17850; 1.23E+05 and #NAME? are damaged.

    is_binary: the program that wrote them loses no digit, and 1.23e+05 is 123000.

    >>> parse_identifiers(pa.array([" 007", "1E5", "17850.0", "N/A", "1.23E+05"])).values.to_pylist()
    ['007', '1E5', '17850', None, None]
    """
    texts = _whole_digits(narrowed(texts)) if is_binary else narrowed(texts)
    problems = np.zeros(len(texts), dtype=np.int8)
    problems[_np(pc.match_substring_regex(texts, r"^([+-]?\d([.,]\d+)?[eE]\+\d+|#(NAME\?|REF!|VALUE!|DIV/0!|NUM!))$"))] = DAMAGED
    problems[_np(is_missing(texts))] = EMPTY
    whole = pc.replace_substring_regex(texts, r"^(\d{1,15})\.0$", r"\1")
    return Values(pc.if_else(pa.array(problems == FINE), whole, pa.scalar(None, pa.string())), problems)


def _whole_digits(texts: pa.Array) -> pa.Array:
    """Return whole numbers with an exponent as their digits."""
    marked = pc.match_substring_regex(texts, r"^\d(\.\d{1,14})?e\+\d{2}$")
    if not pc.any(marked).as_py():
        return texts
    numbers = [Decimal(text) for text in texts.filter(marked).to_pylist()]
    digits = [f"{number:f}" if number == number.to_integral_value() else str(number) for number in numbers]
    return pc.replace_with_mask(texts, marked, pa.array(digits, pa.string()))


def parse_names(texts: pa.Array) -> Values:
    """Return names with single spaces; null where nothing is there."""
    trimmed = pc.utf8_trim_whitespace(texts)
    if pc.any(pc.match_substring_regex(trimmed, "[\u200b\u2060\ufeff]")).as_py():
        trimmed = pc.replace_substring_regex(trimmed, "[\u200b\u2060\ufeff]", "")
    if pc.any(pc.match_substring_regex(trimmed, r"\s\s|[\t\r\n\v\f]")).as_py():
        trimmed = pc.replace_substring_regex(trimmed, r"\s+", " ")
    missing = is_missing(trimmed, MISSING_NAME)
    return Values(pc.if_else(missing, pa.scalar(None, pa.string()), trimmed), np.zeros(len(texts), dtype=np.int8))
