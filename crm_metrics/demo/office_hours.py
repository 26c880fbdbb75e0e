"""When the office works: from Monday to Friday, 8:30 to 18:00. Moments of deals are drawn on any day and then brought into these hours."""

import numpy as np

from crm_metrics.demo.plan import FIRST_ON
from crm_metrics.demo.world import Floats

WORKDAYS, WEEK_DAYS = 5, 7
OPENS, OFFICE_DAY = 8.5 / 24, 9.5 / 24  # as shares of a day


def on_workdays(moments: Floats) -> Floats:
    """Return moments, none of them earlier and in the same order, with the seven days up to each Friday spread over its five workdays.

    What is as likely on every day of the week is then as likely on every workday. Both ends of a duration move back by a day on
    average, so that its mean stays.
    """
    week, day = np.divmod(moments + FIRST_ON.weekday() - WORKDAYS, WEEK_DAYS)  # days since Saturday
    return week * WEEK_DAYS + day * WORKDAYS / WEEK_DAYS + WEEK_DAYS - FIRST_ON.weekday()


def in_office_hours(moments: Floats) -> Floats:
    """Return moments on workdays and within office hours, in the same order."""
    moved = on_workdays(moments)
    whole = np.floor(moved)
    return whole + OPENS + OFFICE_DAY * (moved - whole)


def between(first: Floats, last: Floats, luck: Floats) -> Floats:
    """Return moments in office hours between two others in office hours, all equally likely. luck: uniform, 0 to 1."""
    begun, ended = _worked(first), _worked(last)
    return _moment(begun + luck * (ended - begun))


def _worked(moments: Floats) -> Floats:
    """Return office days since a Monday before the demo."""
    whole = np.floor(moments)
    week, day = np.divmod(whole + FIRST_ON.weekday(), WEEK_DAYS)
    hours = np.where(day < WORKDAYS, np.clip((moments - whole - OPENS) / OFFICE_DAY, 0.0, 1.0), 0.0)
    return week * WORKDAYS + np.minimum(day, WORKDAYS) + hours


def _moment(worked: Floats) -> Floats:
    """Return the moment at which so many office days are over."""
    whole = np.floor(worked)
    week, day = np.divmod(whole, WORKDAYS)
    return week * WEEK_DAYS + day - FIRST_ON.weekday() + OPENS + OFFICE_DAY * (worked - whole)
