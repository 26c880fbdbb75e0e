"""When a customer counts as one, the windows of days that this means, and the plan of what must be won."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from crm_metrics.metric import BadInput
from crm_metrics.periods import Period

USUAL_DAYS = (365, 180, 90, 30)  # the first that the data hold before the period is taken
LONGEST_DAYS = 3650
MOST_YEARS = 20


@dataclass(frozen=True)
class BucketTerms:
    """active_days: who bought within so many days is a customer; None: from the data, the first of USUAL_DAYS that they hold before."""

    active_days: int | None = None

    def __post_init__(self) -> None:
        """Refuse days that are none."""
        if self.active_days is not None and not 1 <= self.active_days <= LONGEST_DAYS:
            raise BadInput("{value} is no number of days. Give one from 1 to {most}.", value=self.active_days, most=LONGEST_DAYS)


FROM_DATA = BucketTerms()


@dataclass(frozen=True)
class Plan:
    """What must be won, per year or period. Shares of what is there at the beginning, 0 to 1 and for won and growth more.

    churn: lost; won: won as new; growth: wished. opening: revenue in the beginning. years: how many years, or periods, follow.
    """

    churn: float
    won: float
    growth: float
    opening: float
    years: int = 5

    def __post_init__(self) -> None:
        """Refuse shares below 0, a churn above 1 and a number of years that nobody draws."""
        for share in (self.churn, self.won, self.growth):
            if not share >= 0:
                raise BadInput("{value} is no share. Give a number of 0 or more.", value=share)
        if self.churn > 1:
            raise BadInput("{value} is no share. Give a number from 0 to 1.", value=self.churn)
        if not 1 <= self.years <= MOST_YEARS:
            raise BadInput("{value} is no number of years. Give one from 1 to {most}.", value=self.years, most=MOST_YEARS)


SOURCE_PLAN = Plan(churn=0.30, won=0.15, growth=0.15, opening=1_000_000_000.0)
"""The firm of the source: 30 % of revenue turns over in a year, the market grows by 15 %, revenue is one billion."""


class Windows(NamedTuple):
    """The days within which a purchase makes a customer: as of the day before the period, and as of its last day."""

    opening: Period
    closing: Period

    @property
    def start(self) -> date:
        """First day of the period."""
        return self.opening.end + timedelta(days=1)


def windows(period: Period, active_days: int) -> Windows:
    """Return the windows of so many days before the period and before its end.

    >>> windows(Period(date(2024, 2, 1), date(2024, 2, 29)), 10).opening
    Period(start=datetime.date(2024, 1, 22), end=datetime.date(2024, 1, 31))
    """
    ends = (period.start - timedelta(days=1), period.end)
    return Windows(*[Period(end - timedelta(days=active_days - 1), end) for end in ends])


def usual_days(period: Period, first_on: date) -> int:
    """Return the first of USUAL_DAYS that data beginning on `first_on` hold before the period.

    The shortest where they hold fewer, the longest where they hold no day, because then nobody was a customer before.

    >>> usual_days(Period(date(1997, 7, 1), date(1998, 6, 30)), date(1997, 1, 1))
    180
    """
    held = (period.start - first_on).days
    return next((days for days in USUAL_DAYS if days <= held), USUAL_DAYS[-1] if held else USUAL_DAYS[0])
