"""Periods of time: the presets of the filter bar, the period to compare with, the grain of a trend and its unfinished end.

A period is (first day, last day), both counted. "Today" is always an argument: the last day that the data hold, unless given.
"""

from calendar import monthrange
from datetime import date, timedelta
from typing import Literal, NamedTuple, get_args

from crm_metrics.language import noop

Preset = Literal["last_30_days", "last_90_days", "this_quarter", "this_year", "last_12_months", "all", "own"]
PRESETS: tuple[Preset, ...] = get_args(Preset)
PRESET_LABELS: dict[Preset, str] = {
    "last_30_days": noop("Last 30 days"),
    "last_90_days": noop("Last 90 days"),
    "this_quarter": noop("This quarter"),
    "this_year": noop("This year"),
    "last_12_months": noop("Last 12 months"),
    "all": noop("All dates"),
    "own": noop("Own dates"),
}
Compare = Literal["previous", "last_year", "none"]
COMPARE_LABELS: dict[Compare, str] = {
    "previous": noop("vs the period before"),
    "last_year": noop("vs the same period last year"),
    "none": noop("no comparison"),
}
Grain = Literal["day", "week", "month", "quarter", "year"]
_LONGEST: tuple[tuple[int, Grain], ...] = ((45, "day"), (200, "week"), (1500, "month"), (5500, "quarter"))  # up to some 50 points


class Period(NamedTuple):
    """First and last day, both counted."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """Length in days."""
        return (self.end - self.start).days + 1


def preset_period(preset: Preset, *, first_on: date, last_on: date) -> Period:
    """Return the days of `preset` in data that reach from `first_on` to `last_on`.

    >>> preset_period("last_12_months", first_on=date(1997, 1, 1), last_on=date(1998, 6, 30))
    Period(start=datetime.date(1997, 7, 1), end=datetime.date(1998, 6, 30))
    """
    starts = {
        "last_30_days": last_on - timedelta(days=29),
        "last_90_days": last_on - timedelta(days=89),
        "this_quarter": bucket_start(last_on, "quarter"),
        "this_year": bucket_start(last_on, "year"),
        "last_12_months": add_months(last_on + timedelta(days=1), -12),
    }
    return Period(starts.get(preset, first_on), last_on)


def compared_period(period: Period, how: Compare) -> Period | None:
    """Return the period to compare with: as many whole months, or else days, before it; or the same days last year.

    >>> compared_period(Period(date(2024, 3, 1), date(2024, 3, 31)), "previous")
    Period(start=datetime.date(2024, 2, 1), end=datetime.date(2024, 2, 29))
    """
    if how == "none":
        return None
    after = period.end + timedelta(days=1)
    if how == "last_year":
        return Period(add_months(period.start, -12), add_months(after, -12) - timedelta(days=1))
    months = whole_months(period)
    start = add_months(period.start, -months) if months else period.start - timedelta(days=period.days)
    return Period(start, period.start - timedelta(days=1))


def whole_months(period: Period) -> int:
    """Return how many whole months `period` is long; 0 if it is not whole months.

    >>> whole_months(Period(date(2024, 1, 15), date(2024, 3, 14)))
    2
    """
    after = period.end + timedelta(days=1)
    months = (after.year - period.start.year) * 12 + after.month - period.start.month
    return months if months > 0 and add_months(period.start, months) == after else 0


def add_months(day: date, months: int) -> date:
    """Return the same day of the month `months` later; the month's last day where it is shorter.

    >>> add_months(date(2024, 1, 31), 1)
    datetime.date(2024, 2, 29)
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def grain_for(period: Period) -> Grain:
    """Return the grain that draws `period` in some 10 to 50 points.

    >>> grain_for(Period(date(2024, 1, 1), date(2024, 12, 31)))
    'month'
    """
    return next((grain for longest, grain in _LONGEST if period.days <= longest), "year")


def bucket_start(day: date, grain: Grain) -> date:
    """Return the first day of the bucket of `day`; weeks begin on Monday.

    >>> bucket_start(date(2024, 8, 15), "quarter")
    datetime.date(2024, 7, 1)
    """
    if grain == "day":
        return day
    if grain == "week":
        return day - timedelta(days=day.weekday())
    if grain == "year":
        return date(day.year, 1, 1)
    return date(day.year, day.month if grain == "month" else (day.month - 1) // 3 * 3 + 1, 1)


def next_bucket(start: date, grain: Grain) -> date:
    """Return the first day of the bucket after the one that begins on `start`.

    >>> next_bucket(date(2024, 10, 1), "quarter")
    datetime.date(2025, 1, 1)
    """
    if grain in ("day", "week"):
        return start + timedelta(days=1 if grain == "day" else 7)
    return add_months(start, {"month": 1, "quarter": 3, "year": 12}[grain])


def bucket_starts(period: Period, grain: Grain) -> list[date]:
    """Return the first days of the buckets that `period` touches, in order."""
    starts = [bucket_start(period.start, grain)]
    while (following := next_bucket(starts[-1], grain)) <= period.end:
        starts.append(following)
    return starts


def is_unfinished(start: date, grain: Grain, period: Period) -> bool:
    """Return whether the bucket that begins on `start` is cut by an end of `period`: it must not be compared with whole ones."""
    return start < period.start or next_bucket(start, grain) > period.end + timedelta(days=1)
