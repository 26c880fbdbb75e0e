"""Expected value of each customer over a real horizon, discounted month by month.

A horizon of twelve months ends on the same day of the next year, whatever the lengths of the months. The purchases expected in each
calendar month from the as-of date are discounted to the as-of date from the middle of that month, where on average they fall:
factor (1 + rate per year) ^ -((month - 1/2) / 12). With rate 0 the value is expected purchases x expected spend to the last digit.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from crm_metrics.metric import BadInput
from crm_metrics.purchase_model.groups import Floats
from crm_metrics.purchase_model.model import DAYS_PER_WEEK, Model
from crm_metrics.purchase_model.score import (
    HorizonWeights,
    alive_by_construction,
    expected_spend,
    probability_alive,
    purchases_if_alive,
)

LONGEST_MONTHS = 600  # fifty years: beyond any history these models can be fitted on


@dataclass(frozen=True)
class Horizon:
    """How far a forecast looks. as_of: the last day known; months: calendar months after it; discount_rate_per_year: .1 is 10%."""

    as_of: date
    months: int
    discount_rate_per_year: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.months <= LONGEST_MONTHS:
            raise BadInput("The horizon is {months} months. Choose from 1 to {longest}.", months=self.months, longest=LONGEST_MONTHS)
        if not self.discount_rate_per_year > -1:
            raise BadInput("The yearly discount rate is {rate}. Choose one above -1; 0.1 is 10%.", rate=self.discount_rate_per_year)

    def month_ends_days(self) -> Floats:
        """Return the days from the as-of date to the end of each month.

        >>> Horizon(date(2024, 1, 31), 2).month_ends_days().tolist()
        [29.0, 60.0]
        """
        start = pd.Timestamp(self.as_of)
        return np.array([(start + pd.DateOffset(months=month) - start).days for month in range(1, self.months + 1)], dtype=np.float64)

    def days(self) -> int:
        """Return the length of the horizon in days."""
        return int(self.month_ends_days()[-1])

    def discount_factors(self) -> Floats:
        """Return what 1 spent in each month counts on the as-of date."""
        return np.asarray((1 + self.discount_rate_per_year) ** (-(np.arange(self.months) + 0.5) / 12), dtype=np.float64)

    def total(self) -> HorizonWeights:
        """Return the end of the horizon, undiscounted."""
        return HorizonWeights(self.month_ends_days()[-1:] / DAYS_PER_WEEK, np.ones(1))

    def discounted(self) -> HorizonWeights:
        """Return the month ends with weights that turn cumulative purchases into discounted ones.

        Purchases of a month are a difference of cumulative ones, so each cumulative figure counts the drop to the next month's
        factor (summation by parts). Months of weight 0 are left out: all but the last with rate 0.
        """
        factors = self.discount_factors()
        weights = factors - np.append(factors[1:], 0.0)
        counted = weights != 0
        return HorizonWeights(self.month_ends_days()[counted] / DAYS_PER_WEEK, weights[counted])


def expected_value(summary: pd.DataFrame, purchases: Model, *, spend: Model, horizon: Horizon) -> pd.DataFrame:
    """Return what each customer of `summary` is expected to buy and be worth over `horizon`, in the order of `summary`.

    summary: customer_id, frequency, recency_days, age_days, repeat_value_mean. Columns: customer_id, probability_alive,
    is_alive_by_construction, expected_purchases (undiscounted), expected_spend (per purchase), expected_value (discounted).
    """
    alive = probability_alive(purchases, summary)
    spent = expected_spend(spend, summary)
    plain = alive * purchases_if_alive(purchases, summary, horizon=horizon.total())
    is_plain = horizon.discount_rate_per_year == 0
    discounted = plain if is_plain else alive * purchases_if_alive(purchases, summary, horizon=horizon.discounted())
    return pd.DataFrame(
        {
            "customer_id": summary["customer_id"].to_numpy(),
            "probability_alive": alive,
            "is_alive_by_construction": alive_by_construction(purchases, summary).to_numpy(),
            "expected_purchases": plain,
            "expected_spend": spent,
            "expected_value": discounted * spent,
        }
    )


def new_customer_value(purchases: Model, spend: Model, *, horizon: Horizon) -> float:
    """Return the expected discounted value of a new customer's repeat purchases over `horizon`; the first purchase is not in it.

    Expected purchases of a new customer x population mean spend p v / (q - 1); NaN where that is infinite.
    """
    newcomer = pd.DataFrame({"frequency": [0.0], "recency_days": [0.0], "age_days": [0.0], "repeat_value_mean": [np.nan]})
    bought = probability_alive(purchases, newcomer) * purchases_if_alive(purchases, newcomer, horizon=horizon.discounted())
    return float((bought * expected_spend(spend, newcomer))[0])
