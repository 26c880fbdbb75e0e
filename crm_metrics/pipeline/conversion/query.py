"""Which deals and leads ended after how many days, and how long each stay in a stage took.

Deals are taken as they stand at the end of `on` (None: now), days followed up to `today`. A deal that was reopened is open again, and its
days run on to its last closing. A stay begins when a deal enters a stage and ends when it moves to another or is closed: a deal that comes
back to a stage stays there a second time.
"""

from datetime import date
from typing import Any

from sqlalchemy import CTE, ColumnElement, Date, FromClause, Integer, Select, Text, and_, case, cast, func, literal, or_, select

from crm_metrics.filters import Filters, period_conditions
from crm_metrics.pipeline.conversion.terms import COLUMNS, LEAD_COLUMNS, PERIODS, CohortBy
from crm_metrics.pipeline.deals.days import DealDays
from crm_metrics.pipeline.deals.query import LOST, OPEN, WON, changes, deals, lead_rows
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms
from crm_metrics.schema import customers
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


# ── stays in stages ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _stays(filters: Filters, terms: DealTerms, on: date | None) -> CTE:
    """One row per stay in an open stage: deal_number, stage, stage_order, entered_on, next_on, next_outcome, next_order (of what came
    after; empty where nothing has), first_on (the first day known of the deal).
    """
    told = changes(filters, terms, on).order_by(None).cte("told")
    order: Any = {"partition_by": told.c.deal_number, "order_by": (told.c.changed_on, told.c.change_number)}
    before = [func.lag(told.c[name]).over(**order).label(f"last_{name}") for name in ("stage", "outcome")]
    first_on = func.min(told.c.changed_on).over(partition_by=told.c.deal_number).label("first_on")
    beside = select(*told.c, *before, first_on).cte("beside")
    is_move = or_(
        beside.c.last_outcome.is_(None), beside.c.stage.is_distinct_from(beside.c.last_stage), beside.c.outcome != beside.c.last_outcome
    )
    moves = select(*beside.c).where(is_move).cte("moves")
    order = {"partition_by": moves.c.deal_number, "order_by": (moves.c.changed_on, moves.c.change_number)}
    after = [
        func.lead(moves.c[name]).over(**order).label(label)
        for name, label in (("changed_on", "next_on"), ("outcome", "next_outcome"), ("stage_order", "next_order"))
    ]
    columns = (moves.c.deal_number, moves.c.stage, moves.c.stage_order, moves.c.outcome, moves.c.changed_on.label("entered_on"))
    every = select(*columns, *after, moves.c.first_on).cte("every_stay")
    return select(*every.c).where(every.c.outcome == OPEN, every.c.stage.is_not(None)).cte("stays")


def stays(filters: Filters, days: DealDays, terms: DealTerms = ALL_DEALS) -> Select[Any]:
    """One row per stage, duration and way to end of stays, those not over one by one.

    stage, duration (days until the stay ends, or to today), how ('passed': went on to a later stage, or to one without an order, or was
    won, 'lost', 'back': went back to an earlier stage, 'censored': still there), is_of_period (the deal's first day lies in the period),
    deal_number (of those still there; else empty), stays (how many).

    Deals without history have none. All in one query: changes are many, and asked for but once.
    """
    stay = _stays(filters, terms, days.on).c
    ends_on = func.coalesce(stay.next_on, cast(literal(days.today), Date))
    how = case(
        (stay.next_on.is_(None), "censored"),
        (stay.next_outcome == LOST, "lost"),
        (and_(stay.next_outcome == OPEN, stay.next_order < stay.stage_order), "back"),
        else_="passed",
    ).label("how")
    is_of_period = and_(literal(True), *period_conditions(stay.first_on, filters)).label("is_of_period")  # noqa: FBT003
    number = case((stay.next_on.is_(None), stay.deal_number)).label("deal_number")
    ended = select(stay.stage, _duration(stay.entered_on, ends_on), how, is_of_period, number).cte("ended")
    keys = (ended.c.stage, ended.c.duration, ended.c.how, ended.c.is_of_period, ended.c.deal_number)
    return select(*keys, func.count().label("stays")).group_by(*keys).order_by(*keys)


def open_deals(filters: Filters, days: DealDays, terms: DealTerms = ALL_DEALS) -> Select[Any]:
    """One row per deal that is open, whenever it was created: deal_number, opportunity_id, opportunity_name, customer_id, customer_name,
    owner_name, team, stage, stage_name, stage_order, created_on, expected_close_on, deal_amount, next_step.
    """
    row = (rows := deals(filters, terms, days.on)).c
    names = ("deal_number", "opportunity_id", "opportunity_name", "customer_id", "owner_name", "team", "stage", "stage_name", "stage_order")
    later = ("created_on", "expected_close_on", "deal_amount", "next_step")
    return (
        select(*[row[name] for name in names], customers.c.customer_name, *[row[name] for name in later])
        .join_from(rows, customers, customers.c.customer_id == row.customer_id, isouter=True)
        .where(row.outcome == OPEN)
        .order_by(row.deal_number)
    )
