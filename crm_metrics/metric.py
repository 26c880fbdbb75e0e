"""What a metric is, how its value is printed, and the error that is meant for the reader."""

import math
from dataclasses import dataclass
from typing import Literal

from babel.numbers import format_compact_decimal, format_currency, format_decimal, format_percent

from crm_metrics.language import current, locale, t

Unit = Literal[
    "money",  # reporting currency
    "money_per_order",
    "money_per_customer",
    "count",
    "share",  # 0 to 1
    "days",
    "weeks",
    "ratio",  # a plain number
]
Better = Literal["higher", "lower", "neither"]
DASH = "—"
SHORTENED_FROM = 10_000  # money in tiles
TILE_COLUMNS = ["metric", "value", "low", "high", "unit", "n"]
_SHOWN_DIGITS: dict[Unit, int] = {"share": 3, "count": 0, "days": 1, "weeks": 1}


@dataclass(frozen=True)
class Metric:
    """One metric, declared once beside its statistic.

    name: identifier, as in tiles and columns. label: short text for a tile. unit: alone decides how the value is printed.
    better: the direction that is good. means: one sentence naming numerator, denominator and grain. source: where the
    definition comes from. label, means and source are English texts, translated where they are shown.
    """

    name: str
    label: str
    unit: Unit
    better: Better
    means: str
    source: str = ""


def tile(metric: Metric, value: float, n: int, *, low: float = math.nan, high: float = math.nan) -> dict[str, object]:
    """Return one row of a frame of tiles, TILE_COLUMNS. low, high: of the value's 95 % interval; NaN: exact. n: how many it is about."""
    return {"metric": metric.name, "value": float(value), "low": float(low), "high": float(high), "unit": metric.unit, "n": n}


def ratio(part: float, whole: float) -> float:
    """Return part / whole; unknown over nothing.

    >>> ratio(1, 4), ratio(1, 0)
    (0.25, nan)
    """
    return float(part) / float(whole) if whole else math.nan


class BadInput(Exception):
    """What a reader can put right: what came, what is needed, what to do. Pages show it; any other error is a bug.

    The text is an English template, translated where it is shown.

    >>> str(BadInput("Row {row}: {value!r} is not a date. Write dates as YYYY-MM-DD.", row=17, value="31/02/2024"))
    "Row 17: '31/02/2024' is not a date. Write dates as YYYY-MM-DD."
    """

    def __init__(self, text: str, /, **values: object) -> None:
        super().__init__(text)
        self.text = text
        self.values = values

    def __str__(self) -> str:
        return t(self.text, **self.values)


def is_unknown(value: object) -> bool:
    """Return whether `value` is unknown: None, NaN or NaT."""
    return value is None or value != value  # noqa: PLR0124  # NaN and NaT differ from themselves


def value_text(value: float | None, unit: Unit, currency: str = "", *, exact: bool = False) -> str:
    """Return `value` as `unit` is printed, in the current language; a dash when unknown.

    currency: ISO code of the reporting currency, or empty when none is known. exact: all digits (tables), else shortened (tiles).

    >>> value_text(1_240_000, "money", "USD")
    '$1.24M'
    >>> value_text(0.631, "share")
    '63.1%'
    >>> value_text(float("nan"), "share")
    '—'
    """
    if value is None or is_unknown(value) or math.isinf(value):
        return DASH
    value = round(value, _SHOWN_DIGITS.get(unit, 2)) + 0.0  # + 0.0: no minus before a zero
    if unit in ("money", "money_per_order", "money_per_customer"):
        return _money_text(value, currency, exact=exact)
    if unit == "share":
        return format_percent(value, format="#,##0.0%", locale=locale())
    if unit == "count":
        return format_decimal(value, format="#,##0", locale=locale()) if exact or abs(value) < 1e6 else _compact(value)
    if unit in ("days", "weeks"):
        number = format_decimal(value, format="#,##0.#", locale=locale())
        return _time_text(number, unit)
    return format_decimal(value, format="#,##0.00", locale=locale())


def change_text(change: float | None) -> str:
    """Return a relative change with its sign; a dash when unknown.

    >>> change_text(0.052)
    '+5.2%'
    """
    if change is None or is_unknown(change) or math.isinf(change):
        return DASH
    return format_percent(round(change, 3) + 0.0, format="+#,##0.0%;-#,##0.0%", locale=locale())


def _time_text(number: str, unit: Unit) -> str:
    if unit == "days":
        return t("1 day") if number == "1" else t("{number} days", number=number)
    return t("1 week") if number == "1" else t("{number} weeks", number=number)


def _compact(value: float) -> str:
    """Return `value` shortened to two decimals of K, M or 万, 亿; rounded first, so that 999,999 is 1M and not 1000K."""
    step = 4 if current() == "zh" else 3
    scale = 10 ** (step * int(math.log10(abs(value)) / step)) if abs(value) >= 1 else 1
    return format_compact_decimal(round(value / scale, 2) * scale, fraction_digits=2, locale=locale())


def _money_text(value: float, currency: str, *, exact: bool) -> str:
    if not exact and abs(value) >= SHORTENED_FROM:
        shown = _compact(abs(value))
        sign = "-" if value < 0 else ""
        return sign + (_symbol(currency) + shown)
    if currency:
        return format_currency(value, currency, locale=locale())
    return format_decimal(value, format="#,##0.00", locale=locale())


def _symbol(currency: str) -> str:
    return format_currency(0, currency, format="¤", locale=locale()) if currency else ""
