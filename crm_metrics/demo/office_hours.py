"""When the office works: from Monday to Friday, 8:30 to 18:00. Moments of deals are drawn on any day and then brought into these hours."""

import numpy as np

from crm_metrics.demo.plan import FIRST_ON
from crm_metrics.demo.world import Floats

WORKDAYS = 5  # Monday to Friday
OPENS_AT, HOURS_OPEN = 8.5, 9.5


def on_workdays(moments: Floats) -> Floats:
    """Return moments, none of them earlier and in the same order, with the seven days up to each Friday spread over its five workdays.

    What is as likely on every day of the week is then as likely on every workday. Both ends of a duration move back by a day on
    average, so that its mean stays.
    """
    week, day = np.divmod(moments + FIRST_ON.weekday() - WORKDAYS, 7)  # days since Saturday
    return week * 7 + day * WORKDAYS / 7 + 7 - FIRST_ON.weekday()


def in_office_hours(moments: Floats) -> Floats:
    """Return moments on workdays and within office hours, in the same order."""
    moved = on_workdays(moments)
    whole = np.floor(moved)
    return whole + (OPENS_AT + HOURS_OPEN * (moved - whole)) / 24


def between(first: Floats, last: Floats, luck: Floats) -> Floats:
    """Return moments in office hours between two others in office hours, all equally likely. luck: uniform, 0 to 1."""
    begun, ended = _worked(first), _worked(last)
    return _moment(begun + luck * (ended - begun))


def later(moments: Floats, days: Floats) -> Floats:
    """Return moments in office hours, on average so many days of the calendar after others in office hours."""
    return _moment(_worked(moments) + days * WORKDAYS / 7)


def _worked(moments: Floats) -> Floats:
    """Return office days since a Monday before the demo."""
    whole = np.floor(moments)
    week, day = np.divmod(whole + FIRST_ON.weekday(), 7)
    hours = np.where(day < WORKDAYS, np.clip(((moments - whole) * 24 - OPENS_AT) / HOURS_OPEN, 0.0, 1.0), 0.0)
    return week * WORKDAYS + np.minimum(day, WORKDAYS) + hours


def _moment(worked: Floats) -> Floats:
    """Return the moment at which so many office days are over."""
    whole = np.floor(worked)
    week, day = np.divmod(whole, WORKDAYS)
    return week * 7 + day - FIRST_ON.weekday() + (OPENS_AT + HOURS_OPEN * (worked - whole)) / 24
