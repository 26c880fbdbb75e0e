"""Which customers the filters choose, and what became of them after the models' last day, from the facts of orders.

A purchase is what `customer_forecast` takes for one. Only `later_purchases` and `repeat_purchases` look beyond their as-of day, for the
hold-out.
"""

from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import CTE, Select, and_, func, select

from crm_metrics.customer_forecast.query import begins_day
from crm_metrics.filters import Filters
from crm_metrics.sales import orders_within
from crm_metrics.schema import customer_facts
from crm_metrics.scope import Scope, visible_orders


def chosen_customers(filters: Filters, as_of: date) -> Select[Any]:
    """One row per customer with a purchase up to `as_of` that the region, channel, category and segment filters choose: customer_number."""
    rows = orders_within(replace(filters, start=None, end=as_of)).c
    return select(rows.customer_number).where(rows.is_purchase, rows.customer_number.is_not(None)).distinct()


def later_purchases(scope: Scope, after: date, until: date) -> Select[Any]:
    """One row per customer with a purchase after `after` and up to `until`: customer_id, purchases (purchase days)."""
    days, purchases = _purchase_days(scope, until), func.count().label("purchases")
    return (
        select(customer_facts.c.customer_id, purchases)
        .join_from(days, customer_facts, customer_facts.c.customer_number == days.c.customer_number)
        .where(days.c.ordered_on > after)
        .group_by(customer_facts.c.customer_id)
        .order_by(customer_facts.c.customer_id)
    )


def repeat_purchases(scope: Scope, split_on: date, until: date) -> Select[Any]:
    """One row per business day with one, up to `until`: purchased_on, purchases (repeat purchase days of customers won by `split_on`)."""
    days = _purchase_days(scope, until).c
    is_repeat = and_(days.ordered_on > days.first_purchase_on, days.first_purchase_on <= split_on)
    day = days.ordered_on.label("purchased_on")
    return select(day, func.count().label("purchases")).where(is_repeat).group_by(day).order_by(day)


def _purchase_days(scope: Scope, until: date) -> CTE:
    """One row per customer and business day with a purchase up to `until`: the first order of that day, as of visible_orders."""
    rows = visible_orders(scope)
    return select(rows).where(rows.c.ordered_on <= until, begins_day(rows)).cte("purchase_days")
