"""When the CRM went live, as the reader says."""

from dataclasses import dataclass
from datetime import date, timedelta


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
