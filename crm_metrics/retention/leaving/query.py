"""First and second orders, everybody's purchase days, and contracts.

A purchase is what `customer_forecast` takes for one: of the orders of a day the first, unless it is said that every order counts.
"""

from datetime import date
from typing import Any, Literal

from sqlalchemy import ColumnElement, Date, Double, Select, and_, case, cast, collate, func, literal, null, or_, select

from crm_metrics.customer_forecast.query import begins_day
from crm_metrics.filters import Filters, choice_conditions, customer_conditions
from crm_metrics.sales import orders_within
from crm_metrics.schema import contracts, customer_facts, customers, order_category_facts
from crm_metrics.scope import visible_orders
from crm_metrics.sql import days_between

Split = Literal["all", "acquisition_channel", "sales_channel", "category"]


def second_orders(filters: Filters, today: date, by: Split) -> Select[Any]:
    """One row per part, days and whether the second order came: part (empty: unknown), duration, ended, censored (customers).

    Of the customers whose first order lies in the filters and the period. duration: days from the first to the second order, whatever the
    second is of, or to `today` where there is none up to then. A second order on the day of the first counts, at 0. part: how the customer
    was won, or of the first order the channel, or each category that was bought in it.
    """
    rows = orders_within(filters)
    is_first = and_(rows.c.is_purchase, rows.c.purchase_number == 1, rows.c.ordered_on <= today)
    firsts = select(rows.c.order_id, rows.c.customer_number, rows.c.ordered_on, rows.c.sales_channel).where(is_first).cte("first_orders")
    every = visible_orders(filters.scope).c
    came_back = and_(every.purchase_number == 2, every.ordered_on <= today)
    seconds = select(every.customer_number, every.ordered_on.label("second_on")).where(came_back).cte("second_orders")
    until = func.coalesce(seconds.c.second_on, literal(today, Date))
    followed = select(
        _part(firsts, by).label("part"),
        days_between(firsts.c.ordered_on, until).label("duration"),
        case((seconds.c.second_on.is_not(None), 1), else_=0).label("ended"),
    ).join_from(firsts, seconds, seconds.c.customer_number == firsts.c.customer_number, isouter=True)
    if by == "acquisition_channel":
        followed = followed.join(customer_facts, customer_facts.c.customer_number == firsts.c.customer_number).outerjoin(
            customers, customers.c.customer_id == customer_facts.c.customer_id
        )
    if by == "category":
        held = order_category_facts.c
        followed = followed.join(order_category_facts, and_(held.order_id == firsts.c.order_id, held.is_purchase)).where(
            *choice_conditions(filters, order_category_facts)
        )
    counted = followed.cte("followed").c
    ended = func.sum(counted.ended).label("ended")
    return (
        select(counted.part, counted.duration, ended, (func.count() - func.sum(counted.ended)).label("censored"))
        .group_by(counted.part, counted.duration)
        .order_by(collate(counted.part, "C"), counted.duration)
    )


def _part(firsts: Any, by: Split) -> ColumnElement[Any]:
    named: dict[Split, ColumnElement[Any]] = {
        "acquisition_channel": customers.c.acquisition_channel,
        "sales_channel": firsts.c.sales_channel,
        "category": order_category_facts.c.category,
    }
    return named.get(by, cast(null(), customers.c.customer_id.type))


# ── everybody's purchase days ───────────────────────────────────────────────────────────────────────────────────────────


def rhythms(filters: Filters, today: date, since: date) -> Select[Any]:
    """One row per customer with a purchase up to `today`, by customer_number, whatever the filters but the scope.

    customer_number, first_on, last_on (first and last purchase day), purchase_days, log_sum and log_square_sum (of the days between one
    purchase day and the next, as natural logarithms); and as they stood on `since`: last_on_then, purchase_days_then (0: none yet).
    """
    rows = visible_orders(filters.scope)
    of_day = begins_day(rows)
    gap = func.ln(cast(days_between(rows.c.previous_purchase_on, rows.c.ordered_on), Double))
    logs = case((rows.c.previous_purchase_on.is_not(None), gap)).label("log_days")
    days = (
        select(rows.c.customer_number, rows.c.ordered_on, logs)
        .where(of_day, rows.c.ordered_on <= today, rows.c.customer_number.is_not(None))
        .cte("purchase_days")
    )
    day, log_days, by_then = days.c.ordered_on, days.c.log_days, days.c.ordered_on <= since
    return (
        select(
            days.c.customer_number,
            func.min(day).label("first_on"),
            func.max(day).label("last_on"),
            func.count().label("purchase_days"),
            func.sum(log_days).label("log_sum"),
            func.sum(log_days * log_days).label("log_square_sum"),
            func.max(case((by_then, day))).label("last_on_then"),
            func.sum(case((by_then, 1), else_=0)).label("purchase_days_then"),
        )
        .group_by(days.c.customer_number)
        .order_by(days.c.customer_number)
    )


def chosen_customers(filters: Filters, today: date) -> Select[Any]:
    """One row per customer with a purchase up to `today` that the region, channel, category and segment filters choose: customer_number."""
    rows = orders_within(filters.over(None, today)).c
    return select(rows.customer_number).where(rows.is_purchase, rows.customer_number.is_not(None)).distinct()


def customer_names() -> Select[Any]:
    """One row per customer with an order: customer_number, customer_id, customer_name."""
    return select(customer_facts.c.customer_number, customer_facts.c.customer_id, customers.c.customer_name).join_from(
        customer_facts, customers, customers.c.customer_id == customer_facts.c.customer_id, isouter=True
    )


# ── contracts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def contract_counts(filters: Filters, today: date | None) -> Select[Any]:
    """One row per kind, days, tenure and end of contracts begun up to `today` (None: whenever), of the segments and the reader's scope.

    contract_kind, started_on, ended_on, tenure_months, has_churned (each empty: unknown), contracts. A contract is of a customer and of no
    order: the period, region, channel and category choose none.
    """
    columns = [contracts.c[name] for name in ("contract_kind", "started_on", "ended_on", "tenure_months", "has_churned")]
    query = select(*columns, func.count().label("contracts"))
    if filters.segments or filters.scope.regions:
        query = query.outerjoin(customer_facts, customer_facts.c.customer_id == contracts.c.customer_id)
    conditions = customer_conditions(filters, customer_facts.c.customer_number)
    if filters.scope.regions:
        conditions.append(customer_facts.c.customer_number.in_(select(visible_orders(filters.scope).c.customer_number)))
    if today:
        conditions.append(or_(contracts.c.started_on.is_(None), contracts.c.started_on <= today))
    return query.where(*conditions).group_by(*columns).order_by(*columns)
