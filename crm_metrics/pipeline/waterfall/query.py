"""The deals as they stood at the end of a day, in as few columns as it takes to tell what became of them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Integer, Select, and_, case, func, literal, select

from crm_metrics.filters import Filters
from crm_metrics.periods import Grain, Period
from crm_metrics.pipeline.deals import query
from crm_metrics.pipeline.deals.terms import DealTerms
from crm_metrics.schema import deal_facts

OUTCOMES = {query.OPEN: 1, query.WON: 2, query.LOST: 3}
"""Numbers of the outcomes; 0 is for a deal that is not there."""


def deals_now(filters: Filters, terms: DealTerms) -> Select[Any]:
    """One row per deal within the filters and terms as the data stand now: deal_number, outcome (of OUTCOMES), deal_amount (empty:
    unknown), close_on (day of closing; of an open deal the expected one), is_dated (its day of creation is known).
    """
    rows = query.deals(filters, terms).c
    return select(rows.deal_number, _outcome(rows).label("outcome"), rows.deal_amount, *_days(rows))


def states_by_period(filters: Filters, terms: DealTerms, days: tuple[date, date], grain: Grain) -> Select[Any]:
    """One row per deal of the data set and day on which it may not stand as on the one before: ends_on, that day, and the columns of
    `deals_now`; outcome is 0, and
    the amount empty, where it was not within the filters and terms then.

    The days are the first of `days`, and from then on the last one of each period of the grain, and the second of `days`.
    """
    rows = query.deals_by_period(filters, terms, days, grain).c
    outcome, amount = case((rows.is_seen, _outcome(rows)), else_=0), case((rows.is_seen, rows.deal_amount))
    return select(rows.ends_on, rows.deal_number, outcome.label("outcome"), amount.label("deal_amount"), *_days(rows))


def _outcome(rows: Any) -> ColumnElement[int]:
    return case(*[(rows.outcome == name, number) for name, number in OUTCOMES.items()])


def _days(rows: Any) -> tuple[ColumnElement[Any], ColumnElement[bool]]:
    return func.coalesce(rows.closed_on, rows.expected_close_on).label("close_on"), rows.created_on.is_not(None).label("is_dated")


def deals_held() -> Select[Any]:
    """One row: deals, how many the data set holds, which is the highest deal_number."""
    return select(func.count().label("deals")).select_from(deal_facts)


def open_by_stage(filters: Filters, terms: DealTerms, on: tuple[date, date | None], window: Period | None) -> Select[Any]:
    """One row per stage of the open deals at the end of a day: stage, stage_name, stage_order, deals, value, unknown, overdue,
    overdue_value, undated.

    on: that day, and None in its place where nothing happened after it. window: of the expected closing. unknown: deals without a value.
    overdue: expected to be closed before that day. undated: without an expected day of closing.
    """
    day, state_on = on
    rows = query.deals(filters, terms, state_on).c
    is_overdue = func.coalesce(rows.expected_close_on < day, literal(False))  # noqa: FBT003
    conditions: list[ColumnElement[bool]] = [rows.outcome == query.OPEN]
    if window:
        conditions += [rows.expected_close_on >= window.start, rows.expected_close_on <= window.end]
    keys = (rows.stage, rows.stage_name, rows.stage_order)
    return (
        select(
            *keys,
            func.count().label("deals"),
            func.sum(rows.deal_amount).label("value"),
            _count(rows.deal_amount.is_(None)).label("unknown"),
            _count(is_overdue).label("overdue"),
            func.sum(case((is_overdue, rows.deal_amount))).label("overdue_value"),
            _count(rows.expected_close_on.is_(None)).label("undated"),
        )
        .where(and_(*conditions))
        .group_by(*keys)
        .order_by(rows.stage_order, rows.stage_name)
    )


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))


def named_deals(filters: Filters, terms: DealTerms, on: date | None, numbers: Sequence[int]) -> Select[Any]:
    """One row per deal of these numbers, as it stood at the end of `on`: deal_number, opportunity_id, opportunity_name, customer_id,
    owner_name, team, region, stage_name, outcome, created_on, expected_close_on, closed_on, deal_amount.
    """
    rows = query.deals(filters, terms, on).c
    wanted = select(func.unnest(literal(list(numbers), ARRAY(Integer))))
    columns = (
        rows.deal_number,
        rows.opportunity_id,
        rows.opportunity_name,
        rows.customer_id,
        rows.owner_name,
        rows.team,
        rows.region,
        rows.stage_name,
        rows.outcome,
        rows.created_on,
        rows.expected_close_on,
        rows.closed_on,
        rows.deal_amount,
    )
    return select(*columns).where(rows.deal_number.in_(wanted))
