"""The calendar of the demo: seasons, days of the week and hours.

Seasons enter as a second clock: it runs fast in November and slowly around the Chinese New Year, and on it every customer keeps a
constant rate. So a BG/NBD stays a BG/NBD, and only the moments shift.
"""

from datetime import timedelta

import numpy as np

from crm_metrics.demo.plan import FIRST_ON, Plan
from crm_metrics.demo.world import Booleans, Floats, Integers, Stated
from crm_metrics.language import noop

SEASON_BY_MONTH = (0.97, 0.80, 0.96, 0.97, 1.01, 1.09, 0.93, 0.92, 1.00, 1.03, 1.28, 1.04)
SEASON_BY_WEEKDAY = (0.95, 0.93, 0.95, 0.98, 1.08, 1.13, 0.98)  # Monday first
HOURS = (0, 7, 9, 11, 13, 15, 17, 20, 22, 24)
SHARE_BY_HOUR = (0, 0.01, 0.10, 0.28, 0.40, 0.55, 0.66, 0.82, 0.95, 1.0)  # of a day's orders, placed by each of HOURS

TOPIC = "seasons"
PARAMETERS = {
    "season_by_month": (
        noop("Orders and new persons a day in the month, as a multiple that is levelled to 1 on average over a year"),
        "plain",
    ),
    "season_by_weekday": (noop("Orders and new persons on the day of the week, as a multiple of the same kind"), "plain"),
    "share_by_hour": (noop("Share of a day's orders online and in the app that are placed before the hour"), "share"),
}


def seasons(plan: Plan) -> Floats:
    """Return how fast the seasonal clock runs on each day, 1 on average over each year; 1 on every day without seasonality."""
    if not plan.effects.seasonality:
        return np.ones(plan.days)
    every = [FIRST_ON + timedelta(day) for day in range(plan.days)]
    speed = np.array([SEASON_BY_MONTH[day.month - 1] * SEASON_BY_WEEKDAY[day.weekday()] for day in every])
    years = np.array([day.year for day in every])
    for year in np.unique(years):
        speed[years == year] /= speed[years == year].mean()
    return speed


def to_seasonal(plan: Plan, moments: Floats) -> Floats:
    """Return moments of the calendar on the seasonal clock."""
    return np.interp(moments, np.arange(plan.days + 1), _run(plan))


def from_seasonal(plan: Plan, moments: Floats) -> Floats:
    """Return moments of the seasonal clock on the calendar."""
    return np.interp(moments, _run(plan), np.arange(plan.days + 1))


def _run(plan: Plan) -> Floats:
    return np.concatenate([[0.0], np.cumsum(seasons(plan))])


def with_hours(moments: Floats) -> Floats:
    """Return moments moved to the hours people buy at, within their day and in their order."""
    whole = np.floor(moments)
    share = np.clip(moments - whole, 0, 1 - 1e-9)
    return whole + np.interp(share, SHARE_BY_HOUR, HOURS) / 24


def workdays(plan: Plan) -> Integers:
    """Return the days from Monday to Friday, 0 the first day of the demo; holidays are not left out."""
    return np.flatnonzero(is_workday(np.arange(plan.days)))


def is_workday(day: Integers) -> Booleans:
    """Return whether days are from Monday to Friday."""
    return (day + FIRST_ON.weekday()) % 7 < 5


def month_of(plan: Plan, moments: Floats) -> Integers:
    """Return the month of moments, 0 the first month of the demo."""
    starts = [day for day in range(plan.days) if (FIRST_ON + timedelta(day)).day == 1]
    return np.searchsorted(starts, np.floor(moments), side="right") - 1


# ── before the CRM and after ────────────────────────────────────────────────────────────────────────────────────────────

ERAS = ("before", "after")
"""Before and after the CRM goes live, as subjects of what is stated; pairs of levels stand in this order."""


def is_after(plan: Plan, moments: Floats | Integers) -> Booleans:
    """Return whether moments lie on or after the day on which the CRM goes live; never, where that effect is off."""
    return np.asarray(moments) >= plan.go_live_day


def level(pair: tuple[float, float], after: Booleans) -> Floats:
    """Return for each element the level before or after."""
    return np.where(after, pair[1], pair[0])


def by_era(plan: Plan, pair: tuple[float, float]) -> dict[str, float]:
    """Return a pair of levels as it is stated; without the CRM there is no level after."""
    return dict(zip(ERAS if plan.effects.go_live else ERAS[:1], pair, strict=False))


# ── the truth ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def stated(plan: Plan) -> Stated:
    """Return the stated parameters."""
    by_hour = {f"{hour}:00": share for hour, share in zip(HOURS, SHARE_BY_HOUR, strict=True)}
    if not plan.effects.seasonality:
        return {"share_by_hour": by_hour}
    by_month = {str(month): speed for month, speed in enumerate(SEASON_BY_MONTH, 1)}
    by_weekday = dict(zip(_WEEKDAYS, SEASON_BY_WEEKDAY, strict=True))
    return {"season_by_month": by_month, "season_by_weekday": by_weekday, "share_by_hour": by_hour}
