"""The tables of this part, and the queries behind them."""

import math
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, NamedTuple

import pandas as pd
from sqlalchemy import Select

from crm_metrics.customer_profit import all_costs, has_customer_costs
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.intervals import wilson
from crm_metrics.metric import BadInput, Metric, ratio, tile
from crm_metrics.periods import Grain, Period, bucket_starts, grain_for, next_bucket, whole_months
from crm_metrics.retention.flow import metrics, query, statistic
from crm_metrics.retention.flow.terms import FROM_DATA, SOURCE_PLAN, BucketTerms, Plan, Windows, usual_days, windows
from crm_metrics.rooms import Table
from crm_metrics.sales import extent

REFERENCES = (0.30, 0.40, 0.50)
"""Turnover of customers that is told of Chinese financial firms."""
MARKETING, VISITS = ("acquisition_cost", "campaign_cost"), ("visit_cost",)
_MONTHS_OF_YEAR = 12


def queries(source: Source, filters: Filters, terms: BucketTerms = FROM_DATA) -> tuple[Select[Any], ...]:
    """Return the queries behind the bucket, to be shown."""
    span = _span(source, filters)
    return (query.bucket_flows(filters, _windows(span, terms)),) if span else ()


def lifecycle_queries(source: Source, filters: Filters, grain: Grain) -> tuple[Select[Any], ...]:
    """Return the queries behind the life cycle, to be shown."""
    span = _span(source, filters)
    return (query.lifecycle_counts(_touched(filters, span, grain), grain),) if span else ()


# ── the days that it is about ───────────────────────────────────────────────────────────────────────────────────────────


class _Span(NamedTuple):
    """The days of the period that the data hold, and the first day that they hold at all."""

    period: Period
    first_on: date


def _span(source: Source, filters: Filters) -> _Span | None:
    """Return the period as far as the data go and the reader's day allows; None where that is no day."""
    held = source(extent(filters.scope)).iloc[0]
    if pd.isna(held["first_on"]):
        return None
    first_on, last_on = held["first_on"].date(), held["last_on"].date()
    start, end = max(filters.start or first_on, first_on), min(filters.today or last_on, filters.end or last_on, last_on)
    return _Span(Period(start, end), first_on) if start <= end else None


def _windows(span: _Span, terms: BucketTerms) -> Windows:
    return windows(span.period, terms.active_days or usual_days(*span))


def _touched(filters: Filters, span: _Span, grain: Grain) -> Filters:
    """Return the filters from the bucket before the period's first on."""
    return filters.over(statistic.lifecycle_start(span.period, grain), span.period.end)


# ── the leaky bucket ────────────────────────────────────────────────────────────────────────────────────────────────────


def leaky_bucket(source: Source, filters: Filters, terms: BucketTerms = FROM_DATA) -> pd.DataFrame:
    """Return one row per flow: opening + new + reactivated + expansion + contraction + lost = closing; what is lost is negative.

    flow, is_total (opening and closing), customers, net_revenue, share_of_opening_customers, share_of_opening_revenue, behind (customers
    whom the row is about). A customer bought within terms.active_days; revenue is that of the same days, of the customers. expansion,
    contraction: what customers at both ends brought more or less. new: first purchase ever in the period. reactivated: earlier.
    """
    return statistic.flow_rows(source.remember(flows, filters, terms))


def flows(source: Source, filters: Filters, terms: BucketTerms) -> pd.DataFrame:
    """Return what became of the customers: see query.bucket_flows; ask by source.remember."""
    span = _span(source, filters)
    if not span:
        return pd.DataFrame(columns=["flow", "customers", "opening_revenue", "closing_revenue"])
    return source(query.bucket_flows(filters, _windows(span, terms)))


def bucket_basis(source: Source, filters: Filters, terms: BucketTerms = FROM_DATA) -> pd.DataFrame:
    """Return one row: what the bucket stands on.

    active_days, is_from_data (nobody chose them), opening_from, opening_to, closing_from, closing_to (days of the windows), first_on (of
    the data), is_opening_cut (the data begin within the first window or after it), period_days, is_year (twelve whole months), passed
    (customers at neither end who bought in the period), unknown_revenue (net revenue of the closing window without a customer),
    other_revenue (that of known customers without a purchase in it: goods given back).
    """
    span = _span(source, filters)
    if not span:
        return pd.DataFrame(columns=_BASIS)
    window = _windows(span, terms)
    told = source.remember(flows, filters, terms).set_index("flow")
    outside = told.reindex(["lost", "passed", "neither"])["closing_revenue"].sum()
    days = [pd.Timestamp(day) for period in window for day in period]
    row = (
        (window.closing.end - window.closing.start).days + 1,
        terms.active_days is None,
        *days,
        pd.Timestamp(span.first_on),
        span.first_on > window.opening.start,
        span.period.days,
        whole_months(span.period) == _MONTHS_OF_YEAR,
        int(told["customers"].get("passed", 0)),
        float(source(query.revenue_without_customer(filters, window))["closing_revenue"].fillna(0.0).iloc[0]),
        round(float(outside), 4) + 0.0,
    )
    return pd.DataFrame([row], columns=_BASIS)


_BASIS = [
    "active_days", "is_from_data", "opening_from", "opening_to", "closing_from", "closing_to", "first_on", "is_opening_cut",
    "period_days", "is_year", "passed", "unknown_revenue", "other_revenue",
]  # fmt: skip


def bucket_customers(source: Source, filters: Filters, terms: BucketTerms = FROM_DATA, flow: str = "lost") -> pd.DataFrame:
    """Return one row per customer behind a row of the bucket, the largest change of revenue first.

    customer_id, customer_name, flow (of the customer: also 'unchanged'), opening_revenue, closing_revenue, change, last_purchase_on.
    Revenue before being a customer, or after, counts 0.
    """
    span = _span(source, filters)
    if not span:
        return pd.DataFrame(columns=["customer_id", "customer_name", "flow", "opening_revenue", "closing_revenue", "change"])
    found = source(query.bucket_customers(filters, _windows(span, terms), statistic.BEHIND[flow]))
    opening = found["opening_revenue"].where(~found["flow"].isin(("new", "reactivated")), 0.0)
    closing = found["closing_revenue"].where(found["flow"] != "lost", 0.0)
    return found.assign(opening_revenue=opening, closing_revenue=closing, change=(closing - opening).round(4))


def flow_tiles(source: Source, filters: Filters, terms: BucketTerms = FROM_DATA) -> pd.DataFrame:
    """Return the tiles: metric, value, low, high (NaN: exact), unit, n (customers at the beginning)."""
    rows = leaky_bucket(source, filters, terms).set_index("flow")
    held, shares = rows["customers"], rows["share_of_opening_revenue"].astype(float)
    opening, lost, won = int(held["opening"]), -int(held["lost"]), int(held[["new", "reactivated"]].sum())
    values: dict[Metric, float] = {
        metrics.BUCKET_CUSTOMERS: held["closing"],
        metrics.BUCKET_CHURN: ratio(lost, opening),
        metrics.BUCKET_REVENUE_CHURN: -shares[["lost", "contraction"]].sum(skipna=False),
        metrics.NET_REVENUE_RETENTION: 1 + shares[["expansion", "contraction", "lost"]].sum(skipna=False),
        metrics.WON_PER_LOST: ratio(won, lost),
        metrics.HOLE_COST: hole_cost(source, filters, terms)["hole_cost"].iloc[0],
    }
    low, high = wilson(lost, opening)
    bounds = {metrics.BUCKET_CHURN: {"low": low, "high": high}}
    return pd.DataFrame([tile(metric, value, opening, **bounds.get(metric, {})) for metric, value in values.items()])


# ── what must be won ────────────────────────────────────────────────────────────────────────────────────────────────────


def hole_cost(source: Source, filters: Filters, terms: BucketTerms = FROM_DATA) -> pd.DataFrame:
    """Return one row: churn (of customers), marketing, sales_visits (cost of the period), expense (their sum), hole_cost (churn x expense).

    Marketing is what was spent on winning customers and on campaigns, of all, with or without a customer. NaN where it is not recorded,
    and where the filters or the reader's scope choose orders, to which such costs do not belong.
    """
    churn = -float(leaky_bucket(source, filters, terms).set_index("flow")["share_of_opening_customers"]["lost"])
    costs = {"marketing": math.nan, "sales_visits": math.nan}
    if has_customer_costs(filters):
        seen = filters.over(filters.start, min(filters.end or date.max, filters.today or date.max))
        spent = source(all_costs(seen)).astype(float).iloc[0]
        costs = {"marketing": _summed(spent, MARKETING), "sales_visits": _summed(spent, VISITS)}
    expense = float(pd.Series(costs).sum(min_count=1))
    return pd.DataFrame([{"churn": churn, **costs, "expense": expense, "hole_cost": churn * expense}])


def _summed(spent: pd.Series, names: tuple[str, ...]) -> float:
    return float(spent[list(names)].sum(min_count=1))


def acquisition_needed(
    source: Source, filters: Filters, terms: BucketTerms = FROM_DATA, growth: float = SOURCE_PLAN.growth
) -> pd.DataFrame:
    """Return one row per unit ('customers', 'revenue', and 'source': the source's own firm): what must be won to grow as wished.

    opening, churn (lost, of revenue with what the others bought less), won (new and reactivated, of revenue with what the others bought
    more), growth (wished); needed_rate = churn + growth; double_rate = 2 x growth, the source's rule; wished = opening x (1 + growth);
    after_chosen, after_market, after_double, after_needed: what is there after the period if won is as it was, as large as growth, twice
    it, churn + growth. Rates are shares of the opening. NaN where nobody was a customer at the beginning.
    """
    rows = leaky_bucket(source, filters, terms).set_index("flow")
    made = [statistic.needed_row("source", replace(SOURCE_PLAN, growth=growth))]
    for unit, column in (("revenue", "net_revenue"), ("customers", "customers")):
        plan = statistic.plan_of_flows(rows[column].astype(float), growth)
        made.insert(0, statistic.needed_row(unit, plan) if plan else {"unit": unit, "growth": growth})
    return pd.DataFrame(made, columns=list(made[-1]))


def references(source: Source, filters: Filters) -> pd.DataFrame:
    """Return what is told of others: churn, the share of customers that Chinese financial firms lose in a year; none for other periods."""
    span = _span(source, filters)
    is_year = span is not None and whole_months(span.period) == _MONTHS_OF_YEAR
    return pd.DataFrame({"churn": REFERENCES if is_year else ()}, dtype=float)


def simulation(_source: Source, _filters: Filters, plan: Plan = SOURCE_PLAN) -> pd.DataFrame:
    """Return one row per line and year (or period), from year 0: line, year, won_rate, revenue = opening x (1 - churn + won_rate)^year.

    line: 'chosen' (won as planned), 'market' (as large as growth), 'double' (twice it, the source's rule), 'needed' (churn + growth).
    """
    return statistic.simulated(plan)


# ── the life cycle ──────────────────────────────────────────────────────────────────────────────────────────────────────


def lifecycle(source: Source, filters: Filters, grain: Grain | None = None) -> pd.DataFrame:
    """Return one row per day, week, month or quarter (None: by the length of the period) that the period touches, whole.

    bucket_on, new (first purchase ever), returning (bought in the bucket before, too), resurrected (neither), dormant (bought in the bucket
    before, not in this one), active = new + returning + resurrected, active_before = returning + dormant, is_unfinished (cut by the end,
    or by where the data begin). Who is dormant in an unfinished bucket is not known: NaN; nor where the data begin
    in the one before or later.
    """
    span = _span(source, filters)
    if not span:
        return pd.DataFrame(columns=statistic.LIFECYCLE_COLUMNS)
    chosen = grain or grain_for(span.period)
    counts = source(query.lifecycle_counts(_touched(filters, span, chosen), chosen))
    return statistic.lifecycle_rows(counts, chosen, span.period, Period(span.first_on, span.period.end))


def lifecycle_customers(source: Source, filters: Filters, grain: Grain | None = None, cell: str = "") -> pd.DataFrame:
    """Return one row per customer behind a part of a bar of the life cycle: customer_id, customer_name, purchases, first_on, last_on.

    cell: first day of the bucket and kind, as '2025-12-01 dormant'; '': those dormant in the last bucket of the period. purchases, last_on:
    in the bucket and the one before. Raises BadInput for a cell that is none.
    """
    span = _span(source, filters)
    if not span:
        return pd.DataFrame(columns=["customer_id", "customer_name", "purchases", "first_on", "last_on"])
    chosen = grain or grain_for(span.period)
    starts = {start.isoformat(): start for start in bucket_starts(span.period, chosen)}
    day, _, kind = (cell or f"{max(starts)} dormant").partition(" ")
    if day not in starts or kind not in statistic.KINDS:
        raise BadInput(
            "{value!r} is no part of the life cycle. Give a first day and a kind, such as {example!r}.",
            value=cell,
            example=f"{max(starts)} new",
        )
    start = starts[day]
    seen = filters.over(filters.start, min(next_bucket(start, chosen) - timedelta(days=1), span.period.end))
    return source(query.lifecycle_customers(seen, kind, statistic.lifecycle_start(Period(start, start), chosen), start))


TABLES: dict[str, Table] = {
    "flow_tiles": flow_tiles,
    "leaky_bucket": leaky_bucket,
    "bucket_customers": bucket_customers,
    "bucket_basis": bucket_basis,
    "hole_cost": hole_cost,
    "acquisition_needed": acquisition_needed,
    "references": references,
    "simulation": simulation,
    "lifecycle": lifecycle,
    "lifecycle_customers": lifecycle_customers,
}
