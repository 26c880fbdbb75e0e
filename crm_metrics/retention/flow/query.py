"""What became of the customers between two days, and of those who bought in one bucket of time in the next."""

from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import CTE, ColumnElement, Date, FromClause, Select, and_, case, cast, collate, func, literal, or_, select

from crm_metrics.filters import Filters, conditions
from crm_metrics.periods import Grain, Period
from crm_metrics.retention.flow.terms import Windows
from crm_metrics.sales import active_customers, amounts_within, holds_whole_history, is_first_since, orders_within
from crm_metrics.schema import AMOUNT, customer_facts, customers, daily_sales
from crm_metrics.scope import visible_orders
from crm_metrics.sql import bucket_on

_REVENUES = ("opening_revenue", "closing_revenue")

# ── the leaky bucket ────────────────────────────────────────────────────────────────────────────────────────────────────


def bucket_flows(filters: Filters, windows: Windows) -> Select[Any]:
    """One row per flow that occurs: flow, customers, opening_revenue, closing_revenue; the period of `filters` does not matter.

    flow: of customers at both ends 'expansion', 'contraction' or 'unchanged' by their net revenue in the two windows; 'lost', 'new' (first
    purchase ever in the period), 'reactivated'; of no customer at either end 'passed' (bought in the period all the same) and 'neither'.
    Revenue is that of known customers in the windows; only who is a customer has any in the bucket, see statistic.flow_rows.
    """
    told = _told(filters, windows)
    sums = [func.sum(told.c[name]).label(name) for name in _REVENUES]
    return select(told.c.flow, func.count().label("customers"), *sums).group_by(told.c.flow).order_by(told.c.flow)


def bucket_customers(filters: Filters, windows: Windows, flows: tuple[str, ...]) -> Select[Any]:
    """One row per customer of the flows, the largest change first.

    customer_id, customer_name, flow, opening_revenue, closing_revenue, last_purchase_on (up to the end of the period).
    """
    told = _told(filters, windows)
    person = customer_facts.c
    amounts = [told.c[name] for name in _REVENUES]
    return (
        select(person.customer_id, customers.c.customer_name, told.c.flow, *amounts, told.c.last_purchase_on)
        .join_from(told, customer_facts, person.customer_number == told.c.customer_number)
        .outerjoin(customers, customers.c.customer_id == person.customer_id)
        .where(told.c.flow.in_(flows))
        .order_by(func.abs(amounts[1] - amounts[0]).desc(), collate(person.customer_id, "C"))
    )


def revenue_without_customer(filters: Filters, windows: Windows) -> Select[Any]:
    """One row: opening_revenue, closing_revenue, the net revenue in the windows whose customer is unknown."""
    rows = amounts_within(_spanning(filters, windows))
    sums = [func.sum(case((_is_in(rows.c.ordered_on, window), rows.c.net_revenue))) for window in windows]
    return select(*[amount.label(name) for name, amount in zip(_REVENUES, sums, strict=True)]).where(rows.c.customer_number.is_(None))


def _told(filters: Filters, windows: Windows) -> CTE:
    """One row per customer with an order from the first window to the end: customer_number, flow, revenues, last_purchase_on."""
    held = _held(filters, windows)
    opening, closing = held.c.opening_revenue, held.c.closing_revenue
    flow = case(
        (and_(held.c.is_open, held.c.is_closed, closing > opening), "expansion"),
        (and_(held.c.is_open, held.c.is_closed, closing < opening), "contraction"),
        (and_(held.c.is_open, held.c.is_closed), "unchanged"),
        (held.c.is_open, "lost"),
        (and_(held.c.is_closed, held.c.first_purchase_on >= literal(windows.start, Date)), "new"),
        (held.c.is_closed, "reactivated"),
        (held.c.last_purchase_on >= literal(windows.start, Date), "passed"),
        else_="neither",
    )
    return select(held.c.customer_number, flow.label("flow"), opening, closing, held.c.last_purchase_on).cte("told")


def _held(filters: Filters, windows: Windows) -> CTE:
    """One row per customer with an order from the first window to the end: what it bought in each."""
    spanning = _spanning(filters, windows)
    if not filters.category:
        rows = visible_orders(filters.scope)
        number = rows.c.customer_number
        chosen = select(number, *_revenues(rows, windows), *_purchases(rows, windows)).where(*conditions(spanning, rows))
        return chosen.where(number.is_not(None)).group_by(number).cte("held")
    bought, paid = orders_within(spanning), amounts_within(spanning)  # a category takes orders apart: each side is added up alone
    counted = select(bought.c.customer_number, *_purchases(bought, windows)).where(bought.c.customer_number.is_not(None))
    each = counted.group_by(bought.c.customer_number).cte("counted")
    is_in_one = or_(*[_is_in(paid.c.ordered_on, window) for window in windows])
    summed = select(paid.c.customer_number, *_revenues(paid, windows)).where(is_in_one).group_by(paid.c.customer_number).cte("summed")
    revenues = [func.coalesce(summed.c[name], cast(0, AMOUNT)).label(name) for name in _REVENUES]
    is_same = summed.c.customer_number == each.c.customer_number
    return select(*each.c, *revenues).join_from(each, summed, is_same, isouter=True).cte("held")


def _revenues(rows: FromClause, windows: Windows) -> list[ColumnElement[Any]]:
    """Return the net revenue in each window."""
    sums = [func.sum(case((_is_in(rows.c.ordered_on, window), rows.c.net_revenue), else_=cast(0, AMOUNT))) for window in windows]
    return [amount.label(name) for name, amount in zip(_REVENUES, sums, strict=True)]


def _purchases(rows: FromClause, windows: Windows) -> list[ColumnElement[Any]]:
    """Return is_open and is_closed (a purchase in the windows), first_purchase_on (ever) and last_purchase_on."""
    bought = {
        name: func.max(case((and_(rows.c.is_purchase, _is_in(rows.c.ordered_on, window)), 1), else_=0)) == 1
        for name, window in zip(("is_open", "is_closed"), windows, strict=True)
    }
    days = {
        "first_purchase_on": func.max(rows.c.first_purchase_on),
        "last_purchase_on": func.max(case((rows.c.is_purchase, rows.c.ordered_on))),
    }
    return [value.label(name) for name, value in (bought | days).items()]


def _spanning(filters: Filters, windows: Windows) -> Filters:
    """Return the filters over all days from the first window on."""
    return filters.over(windows.opening.start, windows.closing.end)


def _is_in(day: ColumnElement[Any], window: Period) -> ColumnElement[bool]:
    return day.between(literal(window.start, Date), literal(window.end, Date))


# ── the life cycle ──────────────────────────────────────────────────────────────────────────────────────────────────────


def lifecycle_counts(filters: Filters, grain: Grain) -> Select[Any]:
    """One row per bucket with a purchase and bucket of the customers' purchase before it: bucket_on, before_on, customers, new.

    before_on: empty where there is none. With a choice of region, channel or category the purchases are those within it from the
    beginning of the period on, and new are those whose first purchase ever lies in the bucket. The period must begin with a bucket.
    """
    made = _before_whole(filters, grain) if holds_whole_history(filters) else _before_within(filters, grain)
    keys = [made.c.bucket_on, made.c.before_on]
    new = func.sum(case((made.c.is_new, 1), else_=0)).label("new")
    return select(*keys, func.count().label("customers"), new).group_by(*keys).order_by(*keys)


def lifecycle_customers(filters: Filters, kind: str, before_on: date, bucket_on: date) -> Select[Any]:
    """One row per customer of one kind in a bucket, by customer_id: customer_id, customer_name, purchases, first_on, last_on.

    kind: 'new', 'returning', 'resurrected' or 'dormant'. The filters end with the bucket. before_on: first day of the bucket before it.
    purchases, last_on: in the two buckets; first_on: first purchase ever.
    """
    rows = orders_within(replace(filters, start=before_on)).c
    start = literal(bucket_on, Date)
    is_now, was_before = (func.max(case((is_in, 1), else_=0)) == 1 for is_in in (rows.ordered_on >= start, rows.ordered_on < start))
    is_new = func.min(rows.first_purchase_on) >= start
    chosen = {
        "new": and_(is_now, is_new),
        "returning": and_(is_now, was_before),
        "resurrected": and_(is_now, ~was_before, ~is_new),
        "dormant": and_(was_before, ~is_now),
    }[kind]
    found = (
        select(
            rows.customer_number,
            func.count().label("purchases"),
            func.min(rows.first_purchase_on).label("first_on"),
            func.max(rows.ordered_on).label("last_on"),
        )
        .where(rows.is_purchase, rows.customer_number.is_not(None))
        .group_by(rows.customer_number)
        .having(chosen)
        .cte("of_kind")
    )
    person = customer_facts.c
    return (
        select(person.customer_id, customers.c.customer_name, *[found.c[name] for name in ("purchases", "first_on", "last_on")])
        .join_from(found, customer_facts, person.customer_number == found.c.customer_number)
        .outerjoin(customers, customers.c.customer_id == person.customer_id)
        .order_by(collate(person.customer_id, "C"))
    )


def _before_whole(filters: Filters, grain: Grain) -> CTE:
    """One row per customer and bucket: looked up on the customer's first order in it, which knows the purchase before."""
    rows, day = orders_within(filters, grain=grain).c, daily_sales.c.ordered_on
    days = select(day, bucket_on(day, grain).label("before_on")).distinct().cte("days_before")
    first = and_(rows.customer_number.is_not(None), is_first_since(rows.bucket_on, rows))
    return (
        select(rows.bucket_on, days.c.before_on, (rows.purchase_number == 1).label("is_new"))
        .outerjoin(days, days.c.ordered_on == rows.previous_purchase_on)
        .where(first)
        .cte("bought")
    )


def _before_within(filters: Filters, grain: Grain) -> CTE:
    rows = active_customers(filters, grain).c
    before = func.lag(rows.bucket_on, 1, type_=Date).over(partition_by=rows.customer_number, order_by=rows.bucket_on)
    is_new = (rows.first_purchase_on >= rows.bucket_on).label("is_new")
    return select(rows.bucket_on, before.label("before_on"), is_new).cte("bought")
