"""What customers bought up to a day, and how long they were silent between purchases."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import CTE, ColumnElement, Date, Select, and_, cast, false, func, literal, or_, select, union_all

from crm_metrics.filters import Filters, conditions
from crm_metrics.periods import next_bucket
from crm_metrics.sales import amounts_within, holds_whole_history, orders_within
from crm_metrics.schema import order_facts
from crm_metrics.sql import days_between


def customer_purchases(filters: Filters, as_of: date, *, since: date, left_out: Sequence[date] = ()) -> Select[Any]:
    """One row per customer with a purchase up to `as_of` in the filters, the beginning of the period aside.

    customer_number, days_since_last_order, orders (purchases, those worth zero too), and of all lines, returns and credit notes too:
    net_revenue, costed_revenue (of lines whose cost is known), cost_of_goods (0 without any), recent_revenue (after `since`).
    Nothing of the months that begin on the days `left_out` counts.
    """
    rows = _customer_rows(replace(filters, start=None, end=as_of)).c
    orders = func.count().filter(rows.is_purchase)
    last_on = func.max(rows.ordered_on).filter(rows.is_purchase)
    return (
        select(
            rows.customer_number,
            days_between(last_on, literal(as_of, Date)).label("days_since_last_order"),
            orders.label("orders"),
            func.sum(rows.net_revenue).label("net_revenue"),
            func.sum(rows.costed_revenue).label("costed_revenue"),
            func.coalesce(func.sum(rows.cost_of_goods), 0).label("cost_of_goods"),
            func.coalesce(func.sum(rows.net_revenue).filter(rows.ordered_on > since), 0).label("recent_revenue"),
        )
        .where(rows.customer_number.is_not(None), *_are_outside(rows.ordered_on, left_out))
        .group_by(rows.customer_number)
        .having(orders > 0)
        .order_by(rows.customer_number)
    )


_SUMMED = ("net_revenue", "costed_revenue", "cost_of_goods")


def _customer_rows(filters: Filters) -> CTE:
    """One row per order in the filters: customer_number, ordered_on, is_purchase and the amounts; under a category several, of which one
    at most is a purchase and the others are the amounts of the categories.
    """
    if not filters.category:
        facts = order_facts.c
        chosen = select(facts.customer_number, facts.ordered_on, facts.is_purchase, *[facts[name] for name in _SUMMED])
        return chosen.where(*conditions(filters, order_facts)).cte("customer_rows")
    orders, lines = orders_within(filters).c, amounts_within(filters).c
    nothing = [cast(literal(0), lines[name].type).label(name) for name in _SUMMED]
    bought = select(orders.customer_number, orders.ordered_on, orders.is_purchase, *nothing).where(orders.is_purchase)
    amounts = select(lines.customer_number, lines.ordered_on, false().label("is_purchase"), *[lines[name] for name in _SUMMED])
    return union_all(bought, amounts).cte("customer_rows")


def gap_lengths(filters: Filters, since: date, as_of: date, *, left_out: Sequence[date] = ()) -> Select[Any]:
    """One row per number of days: days, ended (gaps of so many days between two purchase days of a customer in the filters that ended
    after `since` and up to `as_of`), entered (those of them that were already so many days old on `since`; not counted at 0).
    """
    gaps = _gaps(filters, since, as_of, left_out).c
    zero, one, age = literal(0), literal(1), days_between(gaps.begun_on, literal(since, Date))
    ended = select(days_between(gaps.begun_on, gaps.ended_on).label("days"), one.label("ended"), zero.label("entered"))
    entered = select(age.label("days"), zero.label("ended"), one.label("entered")).where(gaps.begun_on < since)
    rows = union_all(ended, entered).cte("gap_days").c
    sums = [func.sum(rows.ended).label("ended"), func.sum(rows.entered).label("entered")]
    return select(rows.days, *sums).group_by(rows.days).order_by(rows.days)


def _gaps(filters: Filters, since: date, as_of: date, left_out: Sequence[date]) -> CTE:
    """One row per gap between two purchase days of a customer that ended after `since`: begun_on, ended_on (purchase days)."""
    rows = orders_within(replace(filters, start=None, end=as_of)).c
    is_known = and_(rows.is_purchase, rows.customer_number.is_not(None), *_are_outside(rows.ordered_on, left_out))
    if holds_whole_history(filters) and not left_out:
        begun_on = rows.previous_purchase_on
        chosen = select(begun_on.label("begun_on"), rows.ordered_on.label("ended_on")).where(is_known, begun_on < rows.ordered_on)
        return chosen.where(rows.ordered_on > since).cte("gaps")
    # the facts know the purchase before, but not the one before that is in the filters
    days = select(rows.customer_number, rows.ordered_on).where(is_known).distinct().cte("purchase_days").c
    before = func.lag(days.ordered_on, type_=Date).over(partition_by=days.customer_number, order_by=days.ordered_on)
    pairs = select(before.label("begun_on"), days.ordered_on.label("ended_on")).cte("pairs")
    return select(*pairs.c).where(pairs.c.begun_on.is_not(None), pairs.c.ended_on > since).cte("gaps")


def _are_outside(day: ColumnElement[Any], months: Sequence[date]) -> list[ColumnElement[bool]]:
    return [or_(day < first, day >= next_bucket(first, "month")) for first in months]
