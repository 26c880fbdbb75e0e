"""What is asked of the facts about planned campaigns."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Double, Select, case, cast, func, select

from crm_metrics.customer_profit import sold_sums
from crm_metrics.filters import Filters
from crm_metrics.sales import amounts_within, orders_within
from crm_metrics.schema import customer_facts
from crm_metrics.scope import Scope, visible_orders


def sold(filters: Filters) -> Select[Any]:
    """One row: what was sold in the filters and the period; see customer_profit.sold_sums."""
    return select(*sold_sums(amounts_within(filters)))


def bought(filters: Filters) -> Select[Any]:
    """One row: purchases and customers, the known ones with a purchase, in the filters and the period."""
    rows = orders_within(filters).c
    counts: dict[str, ColumnElement[Any]] = {"purchases": func.count(), "customers": func.count(rows.customer_number.distinct())}
    return select(*[count.label(name) for name, count in counts.items()]).where(rows.is_purchase)


def outcomes_between(first_on: date, last_on: date, scope: Scope) -> Select[Any]:
    """One row per customer with an order at any time: customer_id, buyers (1: with a purchase in the days), spend (net revenue in them)."""
    seen, customer = visible_orders(scope).c, customer_facts.c.customer_number
    spent = (
        select(
            seen.customer_number,
            func.max(case((seen.is_purchase, 1), else_=0)).label("has_bought"),
            cast(func.sum(seen.net_revenue), Double).label("spend"),
        )
        .where(seen.ordered_on >= first_on, seen.ordered_on <= last_on, seen.customer_number.is_not(None))
        .group_by(seen.customer_number)
        .subquery()
    )
    return select(
        customer_facts.c.customer_id,
        func.coalesce(spent.c.has_bought, 0).label("buyers"),
        func.coalesce(spent.c.spend, 0.0).label("spend"),
    ).join_from(customer_facts, spent, spent.c.customer_number == customer, isouter=True)
