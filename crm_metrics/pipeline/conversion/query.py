"""Which deals and leads ended after how many days, and which deals are open.

Deals are taken as they stand at the end of `on` (None: now), days followed up to `today`. A deal that was reopened is open again, and its
days run on to its last closing.
"""

from typing import Any

from sqlalchemy import CTE, ColumnElement, Date, FromClause, Integer, Select, Text, and_, case, cast, func, literal, or_, select

from crm_metrics.filters import Filters, period_conditions
from crm_metrics.pipeline.conversion.terms import COLUMNS, LEAD_COLUMNS, PERIODS, CohortBy
from crm_metrics.pipeline.deals.days import DealDays
from crm_metrics.pipeline.deals.query import LOST, OPEN, WON, deals, lead_rows
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms
from crm_metrics.sql import bucket_on, days_between

# ── cohorts ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def deal_endings(filters: Filters, days: DealDays, terms: DealTerms = ALL_DEALS, by: CohortBy = "quarter") -> Select[Any]:
    """One row per cohort and duration of the deals created in the period, on a known day: cohort (first day of the period, or the key of
    the group; empty: unknown), cohort_name, duration (days from creation to closing, or to today), won, lost, censored (open) deals.

    Without deals that were closed on an unknown day.
    """
    row = (rows := deals(filters, terms, days.on)).c
    ends_on = case((row.outcome != OPEN, row.closed_on), else_=cast(literal(days.today), Date))
    cohort, name = _cohort(rows, by, COLUMNS, {"owner": "owner_name", "product": "product_name"})
    aged = (
        select(cohort, name, _duration(row.created_on, ends_on), row.outcome)
        .where(*_created(rows, filters), or_(row.outcome == OPEN, row.closed_on.is_not(None)))
        .cte("aged")
    )
    counts = [_count(aged.c.outcome == outcome, label) for outcome, label in ((WON, "won"), (LOST, "lost"), (OPEN, "censored"))]
    return _counted(aged, counts)


def lead_endings(filters: Filters, days: DealDays, terms: DealTerms = ALL_DEALS, by: CohortBy = "quarter") -> Select[Any]:
    """One row per cohort and duration of the leads that came in the period, on a known day: the columns of deal_endings, but converted
    (became a customer) in place of won and lost; all others are censored: who is not a customer by today may become one. Nothing where no
    lead is known to have become one.
    """
    row = (rows := lead_rows(filters, terms, days.on)).c
    cohort, name = _cohort(rows, by, LEAD_COLUMNS, {"owner": "owner_name"})
    duration = _duration(row.created_on, func.coalesce(row.converted_on, cast(literal(days.today), Date)))
    is_known = select(func.count(rows.alias("any_lead").c.converted_on)).scalar_subquery() > 0
    aged = select(cohort, name, duration, row.converted_on).where(*_created(rows, filters), is_known).cte("aged")
    is_converted = aged.c.converted_on.is_not(None)
    return _counted(aged, [_count(is_converted, "converted"), _count(~is_converted, "censored")])


def _cohort(rows: FromClause, by: CohortBy, columns: dict[CohortBy, str], names: dict[CohortBy, str]) -> tuple[Any, Any]:
    if by in PERIODS:
        first_on = cast(bucket_on(rows.c.created_on, "month" if by == "month" else "quarter"), Text)
        return first_on.label("cohort"), first_on.label("cohort_name")
    key = rows.c[columns[by]]
    return key.label("cohort"), rows.c[names.get(by, key.name)].label("cohort_name")


def _duration(begins_on: ColumnElement[Any], ends_on: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the days between; 0 where it ends before it begins."""
    return func.greatest(days_between(begins_on, ends_on), 0).label("duration")


def _created(rows: FromClause, filters: Filters) -> list[ColumnElement[bool]]:
    return [rows.c.created_on.is_not(None), *period_conditions(rows.c.created_on, filters)]


def _count(condition: ColumnElement[bool], name: str) -> ColumnElement[Any]:
    return cast(func.coalesce(func.sum(case((condition, 1), else_=0)), 0), Integer).label(name)


def _counted(aged: CTE, counts: list[ColumnElement[Any]]) -> Select[Any]:
    keys = (aged.c.cohort, aged.c.cohort_name, aged.c.duration)
    return select(*keys, *counts).group_by(*keys).order_by(*keys)


def basis(filters: Filters, days: DealDays, terms: DealTerms = ALL_DEALS) -> Select[Any]:
    """One row: deals created in the period or on an unknown day; undated (on an unknown day), unclosed (created in the period, closed on
    an unknown day), backwards (closed before the day of creation: they count as closed on it), source, owner, team, region, product,
    market (different values that are known).
    """
    row = deals(filters, terms, days.on).c
    unclosed = and_(row.created_on.is_not(None), row.outcome != OPEN, row.closed_on.is_(None))
    counts = [func.count().label("deals"), _count(row.created_on.is_(None), "undated"), _count(unclosed, "unclosed")]
    counts.append(_count(row.closed_on < row.created_on, "backwards"))
    values = [func.count(row[column].distinct()).label(name) for name, column in COLUMNS.items()]
    return select(*counts, *values).where(*period_conditions(row.created_on, filters))


def lead_basis(filters: Filters, days: DealDays, terms: DealTerms = ALL_DEALS) -> Select[Any]:
    """One row: leads that came in the period or on an unknown day; undated (on an unknown day), source, owner, team, region, product
    (different values that are known).
    """
    row = lead_rows(filters, terms, days.on).c
    values = [func.count(row[column].distinct()).label(name) for name, column in LEAD_COLUMNS.items()]
    counts = [func.count().label("leads"), _count(row.created_on.is_(None), "undated")]
    return select(*counts, *values).where(*period_conditions(row.created_on, filters))


# ── open deals ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def open_deals(filters: Filters, days: DealDays, terms: DealTerms = ALL_DEALS) -> Select[Any]:
    """One row per deal that is open, whenever it was created: deal_number, opportunity_id, opportunity_name, customer_id, customer_name,
    owner_name, team, stage, stage_name, stage_order, created_on, expected_close_on, deal_amount, next_step.
    """
    row = deals(filters, terms, days.on).c
    names = ("deal_number", "opportunity_id", "opportunity_name", "customer_id", "owner_name", "team", "stage", "stage_name", "stage_order")
    later = ("customer_name", "created_on", "expected_close_on", "deal_amount", "next_step")
    return select(*[row[name] for name in (*names, *later)]).where(row.outcome == OPEN).order_by(row.deal_number)
