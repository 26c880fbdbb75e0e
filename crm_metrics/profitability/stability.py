"""Are the best customers of one year the best of the next, and how much of the change is chance?

Orders come by chance, so the best of a year would not all be the best of the next even if nobody changed. How many would, is found by
dealing each customer's orders of both years out to the two years by lot.
"""

from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_metrics.intervals import wilson
from crm_metrics.periods import Period, add_months
from crm_metrics.profitability.concentration import Floats, top_count

MOST_YEARS = 6
DAYS_LACKING = 31  # so much of the first year may lie before the data
DEALS, SEED = 200, 20
SAMPLED_CUSTOMERS = 5_000  # of whom orders are dealt: their share is known to 1.5 points, and 200 deals take a quarter of a second
TOP_PERCENT = 20
PAIR_COLUMNS = [
    "first_start", "first_end", "second_start", "second_end", "measure", "customers", "top_customers", "stayed", "stayed_share",
    "low", "high", "by_chance", "unchanged", "unchanged_low", "unchanged_high", "sampled",
]  # fmt: skip


class Stayed(NamedTuple):
    """Who stayed on top. customers: active in the first year. top: the best fifth of them. by_chance: share of all who are later on top."""

    customers: int
    top: int
    stayed: int
    by_chance: float

    @property
    def share(self) -> float:
        """Share of the top who are at the top a year later; NaN without any."""
        return self.stayed / self.top if self.top else np.nan


def years_back(first_on: date, last_on: date) -> tuple[Period, ...]:
    """Return the years of 12 months back from the last day that the data hold, the earliest first.

    >>> [str(year.start) for year in years_back(date(2022, 1, 3), date(2023, 12, 31))]
    ['2022-01-01', '2023-01-01']
    """
    after = last_on + timedelta(days=1)
    years = [
        Period(add_months(after, -12 * back), add_months(after, 12 - 12 * back) - timedelta(days=1)) for back in range(1, MOST_YEARS + 1)
    ]
    return tuple(year for year in reversed(years) if year.start + timedelta(days=DAYS_LACKING) >= first_on)


def stayed_on_top(first: Floats, second: Floats) -> Stayed:
    """Return how many of the best fifth of the first year are in that of the second.

    first, second: values of the same customers, NaN for one who was not active in the year. Of equal values the earlier place wins.

    >>> stayed_on_top(np.array([9.0, 5, 1, 1, 1]), np.array([8.0, np.nan, 2, 3, np.nan])).share
    1.0
    """
    top_first, top_second = _top(first), _top(second)
    active = ~np.isnan(first)
    customers = int(active.sum())
    by_chance = float(top_second[active].mean()) if customers else np.nan
    return Stayed(customers, int(top_first.sum()), int((top_first & top_second).sum()), by_chance)


def _top(values: Floats) -> npt.NDArray[np.bool_]:
    """Return who is in the best fifth of the active customers."""
    active = int((~np.isnan(values)).sum())
    is_top = np.zeros(len(values), dtype=bool)
    is_top[np.argsort(-values, kind="stable")[: top_count(TOP_PERCENT, active)]] = True  # NaN comes last
    return is_top


def dealt_shares(customer: npt.NDArray[np.int64], value: Floats, is_first: npt.NDArray[np.bool_]) -> Floats:
    """Return the share who stay on top in each of DEALS deals.

    One element per order: its customer, the orders of one standing together, its value, and whether it was in the first year. Each order
    falls into the first year with the chance that any order has: nobody changed, and the years are as large as they were.
    """
    random, chance = np.random.default_rng(SEED), is_first.mean()
    starts = np.flatnonzero(np.diff(customer, prepend=customer[:1] - 1))
    total, count = np.add.reduceat(value, starts), np.diff(starts, append=len(value))
    shares = np.empty(DEALS)
    for deal in range(DEALS):
        falls = random.random(len(value)) < chance
        first = np.add.reduceat(np.where(falls, value, 0.0), starts)
        orders = np.add.reduceat(falls.astype(np.int64), starts)
        shares[deal] = stayed_on_top(np.where(orders > 0, first, np.nan), np.where(orders < count, total - first, np.nan)).share
    return shares


def pair_row(years: tuple[Period, Period], seen: Stayed, shares: Floats, *, measure: str, sampled: int) -> dict[str, object]:
    """Return one row of PAIR_COLUMNS: see tables.stability."""
    low, high = wilson(seen.stayed, seen.top)
    unchanged = (np.nan, np.nan, np.nan) if not len(shares) else (shares.mean(), *np.quantile(shares, [0.025, 0.975]))
    days = [pd.Timestamp(day) for year in years for day in year]
    row = (*days, measure, seen.customers, seen.top, seen.stayed, seen.share, low, high, seen.by_chance, *unchanged, sampled)
    return dict(zip(PAIR_COLUMNS, row, strict=True))


def pairs(years: tuple[Period, ...]) -> list[tuple[Period, Period]]:
    """Return each year with the next."""
    return list(pairwise(years))
