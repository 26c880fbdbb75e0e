"""What the demo company planned for each month, for the whole company and net revenue for each region.

A year is planned as a straight line times the usual seasons. The line is that of the year itself, so that the planners know where
the company is going, but for what they add to spur everybody on and an error in each month: some months are missed, others not. Most
of the error is one for the whole company, because errors of the regions alone would cancel.
Last year's month and so many per cent would not do: a company that begins with nothing doubles at first.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from crm_metrics.demo import clock
from crm_metrics.demo.plan import FIRST_ON, Plan
from crm_metrics.demo.world import REGIONS, Floats, Integers, Stated, Tables, days, money
from crm_metrics.language import noop
from crm_metrics.schema import targets as table

AMBITION = 0.005  # more than the planners expect
PLANNING_ERROR, OWN_ERROR = 0.06, 0.02  # standard deviations in a month, relative to the plan: for the whole company, for each series
LEAST_OF_MEAN = 0.1  # no month is planned below this part of the year's mean
NET_REVENUE, ORDERS, NEW_CUSTOMERS = "net_revenue", "orders", "new_customers"  # as the executive room names its metrics
WHOLE_COMPANY = ""

TOPIC = "targets"
PARAMETERS = {
    "ambition": (noop("What planners add to what they expect"), "share"),
    "planning_error": (noop("Standard deviation of the planners' error in a month that all targets of the month share"), "share"),
    "own_error": (
        noop("Standard deviation of the error in a month that orders, new customers and each region's revenue have of their own"),
        "share",
    ),
    "least_of_mean": (noop("Least that is planned for a month, as a share of the year's mean month and before seasons"), "share"),
}


class MonthlyTotals(NamedTuple):
    """What was sold in each month of the demo: one element per month; by region one row per region of REGIONS. Revenue in CNY."""

    net_revenue: Floats
    orders: Integers
    new_customers: Integers
    net_revenue_by_region: Floats


def targets(plan: Plan, monthly: MonthlyTotals) -> Tables:
    """Return one target per metric, month and region; those of the regions add up to the company's."""
    of_regions = monthly.net_revenue_by_region * (monthly.net_revenue.sum() / monthly.net_revenue_by_region.sum())
    series = np.vstack([of_regions, monthly.orders, monthly.new_customers])
    planned = _planned(plan, series)
    regions = _rounded(planned[: len(REGIONS)])
    orders, new_customers = (_rounded(one) for one in planned[len(REGIONS) :])
    rows = [
        _rows(NET_REVENUE, WHOLE_COMPANY, regions.sum(axis=0)),
        _rows(ORDERS, WHOLE_COMPANY, orders),
        _rows(NEW_CUSTOMERS, WHOLE_COMPANY, new_customers),
        *(_rows(NET_REVENUE, region, values) for region, values in zip(REGIONS, regions, strict=True)),
    ]
    return {table: pa.concat_tables(rows)}


def _planned(plan: Plan, series: Floats) -> Floats:
    """Return the plan of each series (row) and month: the line through each year without its seasons, and what planners make of it."""
    months = series.shape[1]
    season = np.bincount(clock.month_of(plan, np.arange(float(plan.days))), weights=clock.seasons(plan), minlength=months)
    by_year = (series / season).reshape(len(series), -1, 12)
    month = np.arange(12) - 5.5
    mean = by_year.mean(axis=2, keepdims=True)
    slope = (by_year * month).sum(axis=2, keepdims=True) / (month**2).sum()
    line = np.maximum(mean + slope * month, LEAST_OF_MEAN * mean).reshape(len(series), months)
    random = plan.generator("targets")
    error = random.normal(0, PLANNING_ERROR, months) + random.normal(0, OWN_ERROR, (len(series), months))
    return line * season * (1 + AMBITION) * (1 + error)


def _rounded(values: Floats) -> Floats:
    """Return the values in steps of about a hundredth of their mean, a power of ten; at least one step each.

    >>> _rounded(np.array([123456.0, 98765.0, 12.0])).tolist()
    [123500.0, 98800.0, 100.0]
    """
    step = max(1.0, 10.0 ** (np.floor(np.log10(max(values.mean(), 1.0))) - 2))
    return np.maximum(np.rint(values / step), 1) * step


def _rows(metric: str, region: str, values: Floats) -> pa.Table:
    months = np.datetime64(FIRST_ON, "M") + np.arange(len(values))
    first_days = (months.astype("datetime64[D]") - np.datetime64(FIRST_ON, "D")).astype(np.float64)
    columns = {"metric": pa.repeat(metric, len(values)), "month_on": days(first_days), "region": pa.repeat(region, len(values))}
    return pa.table({**columns, "target_value": money(values)})


def stated(_plan: Plan) -> Stated:
    """Return what is stated about the planners."""
    return {"ambition": AMBITION, "planning_error": PLANNING_ERROR, "own_error": OWN_ERROR, "least_of_mean": LEAST_OF_MEAN}
