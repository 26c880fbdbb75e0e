"""What the reader expects of a campaign."""

from dataclasses import dataclass, field

from crm_metrics.metric import BadInput, value_text
from crm_metrics.planned_test.tables import TestTerms

OFTEN = 0.8  # the chance that the lift lies within the range that is written


def _first_test() -> TestTerms:
    return TestTerms(lift=0.1, share_control=0.2)


@dataclass(frozen=True)
class PlanTerms:
    """What the reader expects of a campaign and what it costs.

    test: whom it measures and how; its lift is the one expected, relative to what happens without. lift_spread: the lift is expected
    within lift - lift_spread and lift + lift_spread with a chance of OFTEN. fixed_cost, contact_cost (of each treated customer):
    reporting currency. margin_share: of net revenue, 0 to 1; None takes what the data say. Raises BadInput where it is impossible.
    """

    test: TestTerms = field(default_factory=_first_test)
    lift_spread: float = 0.1
    fixed_cost: float = 0.0
    contact_cost: float = 0.0
    margin_share: float | None = None

    def __post_init__(self) -> None:
        if not self.lift_spread > 0:
            raise BadInput(
                "The lift is expected to be {lift} exactly. Write how far off it may be: a number above 0.",
                lift=value_text(self.test.lift, "share"),
            )
        if self.fixed_cost < 0 or self.contact_cost < 0:
            raise BadInput("A cost is {cost}. Write 0 or more.", cost=min(self.fixed_cost, self.contact_cost))
        if self.margin_share is not None and not 0 < self.margin_share <= 1:
            raise BadInput(
                "The margin is {share} of net revenue. Write a share above 0 and up to 100%.", share=value_text(self.margin_share, "share")
            )
