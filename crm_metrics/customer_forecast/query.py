"""Purchase histories of customers, from the facts of orders.

Purchase: a non-cancelled order with positive quantity that is no gift; one per customer and business day. Anonymous sales belong to
no customer and are left out.
"""

from datetime import date
from typing import Any

from sqlalchemy import CTE, ColumnElement, Date, Select, and_, case, func, literal, or_, select

from crm_metrics.schema import customer_facts, customers
from crm_metrics.scope import Scope, visible_orders
from crm_metrics.sql import days_between


def customer_histories(scope: Scope, as_of: date) -> Select[Any]:
    """One row per customer with a purchase up to `as_of`, by customer_id.

    customer_id, customer_number (of customer_facts), customer_name, first_on, last_on (first and last purchase day), frequency
    (purchase days after the first), recency_days (first to last purchase), age_days (first purchase to `as_of`), and of all lines,
    returns and credit notes too, after the first purchase day and up to `as_of`: repeat_net_revenue, repeat_costed_revenue (of lines
    whose cost is known), repeat_cost.
    The customer's latest purchase gives order_region and sales_channel.
    """
    spans, latest = _spans(scope, as_of), visible_orders(scope)
    return (
        select(
            customer_facts.c.customer_id,
            customer_facts.c.customer_number,
            customers.c.customer_name,
            latest.c.order_region,
            latest.c.sales_channel,
            spans.c.first_on,
            spans.c.last_on,
            (spans.c.purchase_days - 1).label("frequency"),
            days_between(spans.c.first_on, spans.c.last_on).label("recency_days"),
            days_between(spans.c.first_on, literal(as_of, Date)).label("age_days"),
            *[spans.c[name] for name in _REPEAT_AMOUNTS],
        )
        .join_from(spans, latest, and_(latest.c.customer_number == spans.c.customer_number, latest.c.purchase_number == spans.c.purchases))
        .join(customer_facts, customer_facts.c.customer_number == spans.c.customer_number)
        .outerjoin(customers, customers.c.customer_id == customer_facts.c.customer_id)
        .order_by(customer_facts.c.customer_id)
    )


def begins_day(rows: Any) -> ColumnElement[bool]:
    """Return whether an order is the first purchase of its customer on its day."""
    is_first = or_(rows.c.previous_purchase_on.is_(None), rows.c.previous_purchase_on < rows.c.ordered_on)
    return and_(rows.c.purchase_number.is_not(None), is_first)


_REPEAT_AMOUNTS = ("repeat_net_revenue", "repeat_costed_revenue", "repeat_cost")


def _spans(scope: Scope, until: date) -> CTE:
    """One row per customer with a purchase up to `until`: customer_number, first_on, last_on, purchase_days, purchases, repeat amounts."""
    rows = visible_orders(scope)
    purchased_on = case((rows.c.is_purchase, rows.c.ordered_on))
    is_repeat = rows.c.ordered_on > rows.c.first_purchase_on
    amounts = [rows.c[name] for name in ("net_revenue", "costed_revenue", "cost_of_goods")]
    repeats = [func.coalesce(func.sum(case((is_repeat, amount))), 0) for amount in amounts]
    return (
        select(
            rows.c.customer_number,
            func.min(purchased_on).label("first_on"),
            func.max(purchased_on).label("last_on"),
            func.sum(case((begins_day(rows), 1), else_=0)).label("purchase_days"),
            func.max(rows.c.purchase_number).label("purchases"),
            *[amount.label(name) for name, amount in zip(_REPEAT_AMOUNTS, repeats, strict=True)],
        )
        .where(rows.c.customer_number.is_not(None), rows.c.ordered_on <= until)
        .group_by(rows.c.customer_number)
        .having(func.max(rows.c.purchase_number) > 0)
        .cte("purchase_spans")
    )
