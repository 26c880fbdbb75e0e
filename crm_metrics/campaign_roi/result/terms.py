"""What the reader chooses for the result of a campaign."""

from dataclasses import dataclass, replace
from typing import Literal

from crm_metrics.metric import BadInput, Unit, value_text

Outcome = Literal["gross_revenue", "net_revenue", "gross_margin", "bought", "orders", "spend", "visited"]
Planned = Literal["record", "equal"]
CONTROL, UNASSIGNED = "control", "unassigned"
OUTCOMES: dict[str, Unit] = {
    "spend": "money_per_customer",
    "visited": "share",
    "gross_revenue": "money_per_customer",
    "net_revenue": "money_per_customer",
    "gross_margin": "money_per_customer",
    "bought": "share",
    "orders": "ratio",
}
"""Outcomes in the order of the tables, and the unit of the mean of each."""
ORDERED = ("gross_revenue", "net_revenue", "gross_margin", "bought", "orders")  # outcomes that orders tell
RECORDED = ("spend", "visited", "bought")  # outcomes that a campaign's own file may record, the first the main one
MOST_COVARIATE_DAYS = 1095


@dataclass(frozen=True)
class ResultTerms:
    """What the reader chooses.

    campaign: its id; "" is every campaign. arm: the treated one that tiles and looks are about; "" is that with most members. outcome: the
    main one, which tiles, segments and looks are about; "" is gross revenue, of a campaign whose own file records outcomes the first of
    RECORDED. covariate_days: before the start, whose net revenue takes away what scatters anyway (CUPED). planned: against which sizes of
    arms the sample ratio is checked: as recorded, or equal ones. lift: worth having, relative to what happens without (.1 is 10 % more).
    Raises BadInput if the days are none or too many.
    """

    campaign: str = ""
    arm: str = ""
    outcome: Outcome | Literal[""] = ""
    covariate_days: int = 180
    planned: Planned = "record"
    lift: float = 0.1

    def __post_init__(self) -> None:
        """Refuse days before the start that can't be."""
        if not 1 <= self.covariate_days <= MOST_COVARIATE_DAYS:
            raise BadInput(
                "The spend before the campaign is that of {days}. Choose 1 to {most} days.",
                days=value_text(self.covariate_days, "days"),
                most=MOST_COVARIATE_DAYS,
            )

    @property
    def with_equal_arms(self) -> "ResultTerms":
        """The terms with arms that were drawn to be of one size."""
        return replace(self, planned="equal")

    @property
    def of_sums(self) -> "ResultTerms":
        """The terms on which the sums hang, so that the others ask nothing anew."""
        return ResultTerms(campaign=self.campaign, covariate_days=self.covariate_days)
