"""The tables of this part, and the queries behind them.

A customer is in the cohorts by the first purchase ever (see query); what they do is followed up to the filters' `today`. A period that is
not over then, or at the end of the data, is unfinished: it is shown so far, and never pooled or compared.
"""

import math
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Select

from crm_metrics.customer_profit import goods_coverage, margins
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.metric import BadInput, Metric, tile
from crm_metrics.periods import Period
from crm_metrics.retention.cohort import metrics, query, statistic
from crm_metrics.retention.cohort.statistic import Horizon
from crm_metrics.retention.cohort.terms import MOST_AGES, CohortCell, CohortTerms
from crm_metrics.rooms import Table
from crm_metrics.sales import extent, holds_whole_history
from crm_metrics.scope import Scope

MONTHLY = CohortTerms()
BOUGHT_AGAIN = CohortTerms(mode="on_or_before")
ALL_BACK = CohortCell()
_NEVER = Period(date(1970, 1, 1), date(1970, 1, 1))  # the days of an empty data set
_TILES: tuple[tuple[Metric, CohortTerms, int], ...] = (  # metric, terms, age
    (metrics.BACK_IN_MONTH_1, MONTHLY, 1),
    (metrics.BACK_IN_MONTH_3, MONTHLY, 3),
    (metrics.BACK_WITHIN_3_MONTHS, BOUGHT_AGAIN, 3),
    (metrics.BACK_WITHIN_6_MONTHS, BOUGHT_AGAIN, 6),
)
_ROW_COLUMNS = ["cohort", "cohort_on", "age", "cohort_customers", *statistic.RATES, "is_unfinished", "is_small", "is_partial"]


def queries(_source: Source, filters: Filters, terms: CohortTerms = MONTHLY) -> tuple[Select, ...]:
    """Return the queries that the cohorts are made from, to be shown."""
    events = query.cohort_events if terms.measure == "customers" else query.cohort_amounts
    return (query.cohort_sizes(filters, terms), events(filters, terms))


# ── asked once per version and filters ──────────────────────────────────────────────────────────────────────────────────


def horizon(source: Source, filters: Filters) -> Horizon | None:
    """Return the days that are seen; None without an order on any of them."""
    days = source.remember(_held, filters.scope)
    if days is None:
        return None
    today = min(filters.today or days.end, days.end)
    firsts = max(filters.start or days.start, days.start), min(filters.end or today, today)
    return Horizon(Period(days.start, today), Period(*firsts)) if days.start <= today and firsts[0] <= firsts[1] else None


def _held(source: Source, scope: Scope) -> Period | None:
    days = source(extent(scope)).iloc[0]
    return None if pd.isna(days["first_on"]) else Period(days["first_on"].date(), days["last_on"].date())


def cells(source: Source, filters: Filters, terms: CohortTerms) -> pd.DataFrame:
    """Return the cells of the cohorts: see statistic.cells; ask by source.remember."""
    seen = horizon(source, filters) or Horizon(_NEVER, _NEVER)
    if terms.measure == "customers":
        events = source(query.cohort_events(filters, terms)).rename(columns={"customers": "value"})
    else:
        amounts = source(query.cohort_amounts(filters, terms))
        events = amounts.assign(value=margins(amounts, source.remember(goods_coverage, filters))[terms.measure])
    if terms.measure == "customers" and terms.mode == "on":  # all of a cohort bought in its first period
        sizes = events[events["bucket_on"] == events["cohort_on"]].rename(columns={"value": "customers"})
    else:
        sizes = source(query.cohort_sizes(filters, terms))
    return statistic.cells(sizes, events, terms, seen)


# ── tiles ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def tiles(source: Source, filters: Filters) -> pd.DataFrame:
    """Return the tiles: metric, value, low, high (Wilson, 95%), unit, n (customers it is about): of monthly cohorts pooled."""
    found = source.remember(cells, filters, MONTHLY)
    came = int(found.loc[found["age"] == 0, "customers"].sum())
    others = [_rate_tile(metric, cohort_average(source, filters, terms), age) for metric, terms, age in _TILES]
    return pd.DataFrame([tile(metrics.CUSTOMERS_WHO_CAME, came, came), *others])


def _rate_tile(metric: Metric, average: pd.DataFrame, age: int) -> dict[str, object]:
    row: Any = average.set_index("age")[["rate", "low", "high", "base"]].reindex([age]).iloc[0]
    n = 0 if pd.isna(row.base) else int(row.base)
    rate, low, high = (row.rate, row.low, row.high) if n >= FEW_CUSTOMERS else (math.nan,) * 3  # of few no rate is read
    return tile(metric, rate, n, low=low, high=high)


def headline(source: Source, filters: Filters) -> pd.DataFrame:
    """Return the room's one tile for the overview: how many of the new customers bought again by the third month."""
    found = tiles(source, filters)
    return found[found["metric"] == metrics.BACK_WITHIN_3_MONTHS.name].reset_index(drop=True)


def cohort_basis(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row: what cohorts can be made of, and which days are seen.

    first_on, last_on: of the data, up to today. from_on: the first day on which a first purchase counts. has_margin: costs of goods are
    known enough. acquisition_channel, first_category, first_product, first_campaign: whether anything is known of it. is_whole_history:
    no choice leaves out orders.
    """
    seen = horizon(source, filters)
    known = source(query.known_groupings(filters.scope))
    whole = holds_whole_history(filters)
    has_margin = source.remember(goods_coverage, filters).is_enough
    first_on, last_on, from_on = (*seen.held, seen.firsts.start) if seen else (None, None, None)
    days = {name: pd.to_datetime(pd.Series([day])) for name, day in (("first_on", first_on), ("last_on", last_on), ("from_on", from_on))}
    return known.assign(**days, has_margin=has_margin, is_whole_history=whole)


# ── cohorts ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def cohorts(source: Source, filters: Filters, terms: CohortTerms = MONTHLY) -> pd.DataFrame:
    """Return one row per cohort and age, by these; groups of customers the largest first.

    cohort (first day of the period, or the group's name), cohort_on (that day; empty for groups), age (periods since that of the first
    purchase), cohort_customers (all of the cohort), customers (those old enough for the age: of a group, its first periods whose period
    is whole), value (customers who are counted, or money), base (what it is divided by), value_per_customer (value / customers), rate
    (value / base), low, high (Wilson, 95%; NaN where the rate is no share of customers), is_unfinished (the period is not over),
    is_small (fewer than FEW_CUSTOMERS), is_partial (the cohort's own period is cut, so it holds fewer customers than came in it).
    """
    return statistic.cohort_rows(source.remember(cells, filters, terms), terms)[_ROW_COLUMNS]


def cohort_average(source: Source, filters: Filters, terms: CohortTerms = MONTHLY) -> pd.DataFrame:
    """Return one row per age, all cohorts pooled: age, cohorts (first periods old enough), and the columns of `cohorts` from customers on.

    Value and base are summed over the cohorts whose period of that age is whole, so each age has only the customers old enough for it.
    """
    found = statistic.pooled(source.remember(cells, filters, terms), terms, by=["age"])
    return found[["age", "cohorts", *statistic.RATES, "is_small"]]


def cohort_trend(source: Source, filters: Filters, terms: CohortTerms = MONTHLY, age: int = 1) -> pd.DataFrame:
    """Return one row per cohort at one age: the columns of `cohorts`, and average (the rate of all of them pooled at that age).

    Raises BadInput if the age is none that is followed.
    """
    _check_age(age, terms)
    return statistic.trend_rows(cohorts(source, filters, terms), cohort_average(source, filters, terms), age)


def cohort_test(source: Source, filters: Filters, terms: CohortTerms = MONTHLY, age: int = 1) -> pd.DataFrame:
    """Return one row per cohort whose period of that age is whole: does it differ from all the others together?

    The columns of `cohort_trend`, and others_customers, others_rate, difference (rate - others_rate), difference_low, difference_high
    (95%), p_value, p_adjusted (Holm, over all cohorts tested), is_different (p_adjusted below 5%). It is about the share of the cohort's
    customers, whatever the terms' measure. p is NaN where there are too few customers to test. Nothing under `on_or_after`, where older
    cohorts had more time to come back.

    Raises BadInput if the age is none that is followed.
    """
    of_customers = replace(terms, measure="customers", relative_to="first")
    rows = cohort_trend(source, filters, of_customers, age)
    return statistic.differences(rows if terms.has_equal_time else rows.head(0))


def cohort_customers(source: Source, filters: Filters, terms: CohortTerms = MONTHLY, cell: CohortCell = ALL_BACK) -> pd.DataFrame:
    """Return one row per customer behind a cell, those who brought most first.

    customer_id, customer_name, first_on, last_on (days of the first purchase ever, and of the last within the filters), orders,
    net_revenue (within the filters, up to today).

    Raises BadInput if the age is none that is followed.
    """
    _check_age(cell.age, terms)
    seen = horizon(source, filters)
    last_on = seen.last_whole(terms.grain) if seen else date.min
    return source(query.cell_customers(filters, terms, cell, last_on=last_on))


def _check_age(age: int, terms: CohortTerms) -> None:
    if not 0 <= age < MOST_AGES[terms.grain]:
        raise BadInput("The age is {age}. Choose one of 0 to {most}.", age=age, most=MOST_AGES[terms.grain] - 1)


TABLES: dict[str, Table] = {
    "tiles": tiles,
    "cohorts": cohorts,
    "cohort_average": cohort_average,
    "cohort_trend": cohort_trend,
    "cohort_test": cohort_test,
    "cohort_customers": cohort_customers,
    "cohort_basis": cohort_basis,
}
