"""When the CRM went live, as the reader says, and what is compared before and after."""

from dataclasses import dataclass
from datetime import date, timedelta

from crm_metrics.metric import Unit

MEASURES: dict[str, Unit] = {  # of before and after, in this order; and their units
    "calls_per_person_day": "ratio",
    "hit_rate": "share",
    "leads_per_day": "ratio",
    "lead_conversion": "share",
    "win_rate": "share",
    "days_to_win": "days",
    "telesales_share": "share",
    "tasks_on_time": "share",
    "order_entry_minutes": "ratio",
    "order_entry_median": "ratio",
    "order_entry_staff": "count",
    "order_entry_cost": "money",
    "orders_corrected": "share",
    "satisfied_share": "share",
}


@dataclass(frozen=True)
class GoLive:
    """on: first day with the CRM; None means as the demo says, unknown elsewhere. gap_days: left out before it and from it on."""

    on: date | None = None
    gap_days: int = 0

    @property
    def before_on(self) -> date | None:
        """The first day that is no longer before."""
        return self.on and self.on - timedelta(self.gap_days)

    @property
    def last_before_on(self) -> date | None:
        """The last day before."""
        return self.before_on and self.before_on - timedelta(1)

    @property
    def after_on(self) -> date | None:
        """The first day that is after."""
        return self.on and self.on + timedelta(self.gap_days)


UNSTATED = GoLive()
FOLLOWED_DAYS = {"lead": 90, "deal": 180}
"""So long each is followed from its creation, before the go-live and after alike; later ones are not old enough to be counted."""
SATISFIED_FROM = 4  # of 5: the two best answers
HOURS_PER_MONTH = 40 * 52 / 12  # of one who enters orders full time
