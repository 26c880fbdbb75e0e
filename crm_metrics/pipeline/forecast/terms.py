"""Which quarter is forecast."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, NamedTuple, get_args

from crm_metrics.metric import BadInput
from crm_metrics.periods import add_months, bucket_start

Quarter = Literal["this", "next"]
QUARTERS: tuple[Quarter, ...] = get_args(Quarter)


@dataclass(frozen=True)
class ForecastTerms:
    """quarter: the one in which something can still be won, which on a quarter's last day is the following one; or the one after it."""

    quarter: Quarter = "this"

    @classmethod
    def of_text(cls, quarter: str) -> "ForecastTerms":
        """Return the terms of a choice. Raises BadInput if there is no such quarter."""
        for known in QUARTERS:
            if known == quarter:
                return cls(known)
        raise BadInput("The quarter {value!r} is unknown. Choose one of {known}.", value=quarter, known=", ".join(QUARTERS))

    def window(self, today: date) -> "Window":
        """Return the days from `today` to the quarter's."""
        return window(today, following=self.quarter == "next")


class Window(NamedTuple):
    """One quarter seen from a day. start_on, end_on: its first and last day. after, until: as many days after that day it begins and
    ends; what is won after `after` days and not after `until` days is won in what is left of it.
    """

    today: date
    start_on: date
    end_on: date

    @property
    def after(self) -> int:
        """Days until the day before the quarter, none where it has begun."""
        return max(0, (self.start_on - self.today).days - 1)

    @property
    def until(self) -> int:
        """Days until its last day."""
        return max(0, (self.end_on - self.today).days)


def window(today: date, *, following: bool = False) -> Window:
    """Return the quarter that holds the day after `today`, or the one following it.

    >>> window(date(2025, 12, 31)).start_on, window(date(2025, 12, 30)).until
    (datetime.date(2026, 1, 1), 1)
    """
    start = bucket_start(today + timedelta(days=1), "quarter")
    return quarter_window(add_months(start, 3) if following else start, today)


def quarter_window(start_on: date, today: date) -> Window:
    """Return the quarter that begins on `start_on`, seen from `today`."""
    return Window(today, start_on, add_months(start_on, 3) - timedelta(days=1))


THIS_QUARTER = ForecastTerms()
