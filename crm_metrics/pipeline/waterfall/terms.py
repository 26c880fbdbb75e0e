"""Which open deals make up the pipeline: all of them, or those expected to close on certain days."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from crm_metrics.metric import BadInput
from crm_metrics.periods import Period, add_months, bucket_start
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms

Window = Literal["all", "this_quarter", "next_quarter", "own"]
WINDOWS: tuple[Window, ...] = get_args(Window)


@dataclass(frozen=True)
class WaterfallTerms:
    """deals: which deals. window: open deals expected to close in it make up the pipeline; quarters are those of the last day seen.

    first_on, last_on: the days of the window 'own', both counted.
    """

    deals: DealTerms = ALL_DEALS
    window: Window = "all"
    first_on: date | None = None
    last_on: date | None = None

    def __post_init__(self) -> None:
        """Refuse a window of its own that has no days."""
        if self.window not in WINDOWS:
            raise BadInput("{value!r} is no window of closing days. Choose one of: {known}.", value=self.window, known=", ".join(WINDOWS))
        if self.window == "own" and not (self.first_on and self.last_on and self.first_on <= self.last_on):
            raise BadInput("The window of closing days needs a first day and a last day that is not before it.")

    def closing_days(self, today: date) -> Period | None:
        """Return the days on which the deals are expected to close; None: any, or none known.

        >>> WaterfallTerms(window="next_quarter").closing_days(date(2024, 11, 5))
        Period(start=datetime.date(2025, 1, 1), end=datetime.date(2025, 3, 31))
        """
        if self.window == "all":
            return None
        if self.first_on and self.last_on and self.window == "own":
            return Period(self.first_on, self.last_on)
        start = add_months(bucket_start(today, "quarter"), 3 if self.window == "next_quarter" else 0)
        return Period(start, add_months(start, 3) - timedelta(days=1))


ALL_OPEN = WaterfallTerms()
