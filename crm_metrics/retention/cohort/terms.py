"""How cohorts are made and counted: the reader's terms."""

from dataclasses import dataclass
from typing import Literal, cast

from crm_metrics.metric import Unit

CohortGrain = Literal["day", "week", "month", "quarter"]
By = Literal["first_purchase", "acquisition_channel", "first_category", "first_product", "first_campaign"]
Mode = Literal["on", "on_or_after", "on_or_before"]
Measure = Literal["customers", "net_revenue", "gross_margin"]
RelativeTo = Literal["first", "previous", "customer"]
MOST_AGES: dict[CohortGrain, int] = {"day": 92, "week": 105, "month": 121, "quarter": 81}
"""So many ages are followed: a quarter of days, two years of weeks, ten of months, twenty of quarters."""


@dataclass(frozen=True)
class CohortTerms:
    """How cohorts are made and counted.

    grain: the calendar periods of first purchase, and of age. by: the cohorts are these periods, or groups of customers, told by how they
    came. mode: `on`, bought in that period; `on_or_after`, bought in it or later; `on_or_before`, bought again by the end of it.
    measure: what is counted or added up. relative_to: customers of those of the cohort, amounts of those of its first period; or both of
    the period before; or amounts per customer of the cohort.
    """

    grain: CohortGrain = "month"
    by: By = "first_purchase"
    mode: Mode = "on"
    measure: Measure = "customers"
    relative_to: RelativeTo = "first"

    @classmethod
    def of_texts(cls, *, grain: str, by: str, mode: str, measure: str, relative_to: str) -> "CohortTerms":
        """Return the terms that a reader chose from lists of these."""
        return cls(cast(CohortGrain, grain), cast(By, by), cast(Mode, mode), cast(Measure, measure), cast(RelativeTo, relative_to))

    @property
    def is_of_periods(self) -> bool:
        """Whether the cohorts are periods of first purchase, not groups of customers."""
        return self.by == "first_purchase"

    @property
    def has_intervals(self) -> bool:
        """Whether a rate is a share of customers, each of whom is in it or not."""
        return self.measure == "customers" and (self.relative_to != "previous" or self.mode == "on_or_after")

    @property
    def has_equal_time(self) -> bool:
        """Whether cohorts of the same age had as much time to be counted; under `on_or_after` the older ones had more."""
        return self.mode != "on_or_after"

    @property
    def unit(self) -> Unit:
        """The unit of a rate."""
        return "money_per_customer" if self.measure != "customers" and self.relative_to == "customer" else "share"


@dataclass(frozen=True)
class CohortCell:
    """One cell of the cohorts: cohort ("": all of them) as in the table `cohorts`, age, and those who are counted in it or the others."""

    cohort: str = ""
    age: int = 1
    is_counted: bool = True
