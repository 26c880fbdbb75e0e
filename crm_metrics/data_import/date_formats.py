"""Date formats as patterns that read a date whole or not at all."""

import re
from datetime import date
from typing import NamedTuple

from crm_metrics.language import noop

EXCEL_SERIAL = "excel_serial"
"""Name of the format of Excel's day numbers (45322 is 2024-01-31)."""

_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?P<fraction>[.,]\d+)?)?(?: ?(?P<half>[AaPp]\.?[Mm]\.?))?"
_ZONE = r" ?(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})"
_OPTIONAL_TIME = rf"(?:(?:T|,? +){_TIME}(?:{_ZONE})?)?"
_MONTH = r"(?P<month_name>[A-Za-z]{3,9})\.?"
_PIECES = {
    "Y": r"(?P<year>\d{4})",
    "y": r"(?P<short_year>\d{2})",
    "m": r"(?P<month>\d{1,2})",
    "d": r"(?P<day>\d{1,2})",
    "H": r"(?P<hour>\d{1,2})",
    "I": r"(?P<hour>\d{1,2})",
    "M": r"(?P<minute>\d{2})",
    "S": r"(?P<second>\d{2})",
    "f": r"(?P<fraction>\d{1,9})",
    "b": _MONTH,
    "B": _MONTH,
    "p": r"(?P<half>[AaPp]\.?[Mm]\.?)",
    "z": r"(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})",
    "%": "%",
}
_COMPACT = {"m": r"(?P<month>\d{2})", "d": r"(?P<day>\d{2})", "H": r"(?P<hour>\d{2})", "I": r"(?P<hour>\d{2})"}
"""Where no mark stands between two numbers, each has its full width."""

DAY_FIRST = rf"(?P<day>\d{{1,2}})[-/.](?P<month>\d{{1,2}})[-/.](?P<year>\d{{4}}){_OPTIONAL_TIME}"
MONTH_FIRST = rf"(?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}})[-/.](?P<year>\d{{4}}){_OPTIONAL_TIME}"
USUAL = (
    rf"(?P<year>\d{{4}})[-/.](?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}}){_OPTIONAL_TIME}",
    rf"(?P<year>\d{{4}})年(?P<month>\d{{1,2}})月(?P<day>\d{{1,2}})日?(?: *{_TIME})?",
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
    rf"(?P<day>\d{{1,2}})[- ]{_MONTH}[-, ]+(?P<year>\d{{4}}){_OPTIONAL_TIME}",
    rf"{_MONTH} (?P<day>\d{{1,2}}),? (?P<year>\d{{4}}){_OPTIONAL_TIME}",
)
"""Formats no one can mistake. DAY_FIRST or MONTH_FIRST joins them once it is known which."""
ISO = USUAL[0]
"""The format of typed date cells."""

_SHORT_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONG_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
MONTHS = {name: at + 1 for names in (_SHORT_MONTHS, _LONG_MONTHS) for at, name in enumerate(names)} | {"sept": 9}
"""English name of a month in small letters -> its number."""


def as_pattern(text: str) -> str:
    """Return the regular expression of a format like %d/%m/%Y %H:%M.

    Raises ValueError when it has a code that is not known, or no year, month or day.

    >>> re.fullmatch(as_pattern("%d.%m.%Y"), "31.1.2024").group("day")
    '31'
    """
    codes = re.findall("%(.)", text)
    unknown = [code for code in codes if code not in _PIECES]
    if unknown:
        raise ValueError(noop("has a code that is not known. Known are %Y %y %m %d %b %B %H %I %M %S %f %p %z"))
    if not ({"Y", "y"} & set(codes) and {"m", "b", "B"} & set(codes) and "d" in codes):
        raise ValueError(noop("needs a year (%Y), a month (%m) and a day (%d)"))
    pieces = []
    for part in re.finditer("%(.)|([^%]+)", text):
        code, mark = part.groups()
        if mark is not None:
            pieces.append(re.escape(mark).replace(r"\ ", " ").replace(r"\-", "-").replace(r"\/", "/"))
            continue
        before, after = text[max(part.start() - 2, 0) : part.start()], text[part.end() : part.end() + 1]
        is_compact = (len(before) == 2 and before[0] == "%") or after == "%"
        pieces.append(_COMPACT.get(code, _PIECES[code]) if is_compact else _PIECES[code])
    return "".join(pieces)


class _Sample(NamedTuple):
    day: date
    codes: dict[str, str]


def _samples() -> list[_Sample]:
    days = (date(2002, 1, 3), date(2001, 2, 3), date(2003, 2, 1))
    return [_Sample(day, {code: day.strftime("%" + code) for code in "Ymdyb"} | {"B": day.strftime("%b")}) for day in days]


def contradiction(formats: tuple[str, ...]) -> tuple[str, str] | None:
    """Return two formats that read one text as different days, or None.

    >>> contradiction(("%d/%m/%Y", "%Y-%m-%d", "%m/%d/%Y"))
    ('%d/%m/%Y', '%m/%d/%Y')
    """
    written = [text for text in formats if text != EXCEL_SERIAL]
    for at, first in enumerate(written):
        for second in written[at + 1 :]:
            if any(_differ(first, second, sample) or _differ(second, first, sample) for sample in _samples()):
                return first, second
    return None


def _differ(writer: str, reader: str, sample: _Sample) -> bool:
    """Return whether `reader` understands what `writer` wrote, as another day."""
    clock = {"H": "00", "I": "12", "M": "00", "S": "00", "f": "0", "p": "AM", "z": "Z", "%": "%"}
    text = re.sub("%(.)", lambda code: (sample.codes | clock)[code.group(1)], writer)
    found = re.fullmatch(as_pattern(reader), text)
    if found is None:
        return False
    parts = found.groupdict()
    month = MONTHS.get(parts["month_name"].lower(), 0) if parts.get("month_name") else int(parts.get("month") or 0)
    year = int(parts["year"]) if parts.get("year") else 2000 + int(parts["short_year"])
    return (year, month, int(parts["day"])) != (sample.day.year, sample.day.month, sample.day.day)
