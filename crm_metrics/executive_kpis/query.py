"""The questions that the executive room puts to the database.

Amounts add up over days, regions, channels and categories; orders and customers do not, and are counted on the orders.
"""

from datetime import date
from typing import Any, Literal

from sqlalchemy import CTE, ColumnElement, Date, Select, and_, case, func, literal, select, true

from crm_metrics.filters import Filters
from crm_metrics.periods import Grain
from crm_metrics.sales import days_within, holds_whole_history, is_first_since, is_second_since, orders_within
from crm_metrics.schema import targets
from crm_metrics.sql import bucket_on

OrderDimension = Literal["region", "channel"]
_COLUMNS: dict[OrderDimension, str] = {"region": "order_region", "channel": "sales_channel"}
_AMOUNTS = (
    *("net_revenue", "net_revenue_identified", "gross_revenue", "gross_revenue_identified"),
    *("costed_revenue", "cost_of_goods", "costed_lines"),
)


def totals(filters: Filters) -> Select[Any]:
    """One row: the sums and counts that every metric of the room is made of (see `_totals`)."""
    return _totals(filters)


def totals_by_bucket(filters: Filters, grain: Grain) -> Select[Any]:
    """One row per bucket of time with a sale or return: bucket_on and the columns of `totals`.

    New customers of a bucket made their first purchase ever in it, and in the period; so they add up to those of the period, but for
    customers whose first purchase within a chosen region, channel or category came in a later bucket than their first of all.
    """
    return _totals(filters, grain=grain)


def totals_by_value(filters: Filters, dimension: OrderDimension) -> Select[Any]:
    """One row per order region or sales channel (empty: unknown): dimension_value and the columns of `totals`.

    Customers are counted within the value, so one who ordered in two regions is in both.
    """
    return _totals(filters, dimension=dimension)


def revenue_by_category(filters: Filters) -> Select[Any]:
    """One row per product category (empty: unknown): dimension_value and net_revenue."""
    days = days_within(filters).c
    revenue = func.sum(days.net_revenue).label("net_revenue")
    return select(days.category.label("dimension_value"), revenue).group_by(days.category).order_by(days.category)


def given_targets() -> Select[Any]:
    """One row per metric, month and region with a target in the data set: metric, month_on, region, target_value."""
    columns = targets.c
    chosen = select(columns.metric, columns.month_on, columns.region, columns.target_value)
    return chosen.order_by(columns.metric, columns.region, columns.month_on)


def _totals(filters: Filters, *, grain: Grain | None = None, dimension: OrderDimension | None = None) -> Select[Any]:
    """One row per bucket of time, per value of a dimension, or in all.

    documents (orders, returns and credit notes), orders (purchases), net_revenue and gross_revenue: all, and those of known customers
    (…_identified); active_customers, new_customers, repeat_customers (two purchases or more); costed_revenue, cost_of_goods (empty
    where no cost is known) and costed_lines.
    """
    orders, days = orders_within(filters, grain=grain), days_within(filters)
    keys: list[Any] = [orders.c.bucket_on] if grain else []
    keys_of_days: list[Any] = [bucket_on(days.c.ordered_on, grain).label("bucket_on")] if grain else []
    if dimension:
        keys, keys_of_days = ([rows.c[_COLUMNS[dimension]].label("dimension_value")] for rows in (orders, days))
    counted = _counts_by_history if holds_whole_history(filters) and not dimension else _counts_by_customer
    counts, amounts = counted(filters, orders.c, keys), _amounts(days.c, keys_of_days)
    names = [key.name for key in keys]
    same = [counts.c[name].is_not_distinct_from(amounts.c[name]) for name in names]
    added = [column for column in amounts.c if column.name not in names]
    return select(*counts.c, *added).join_from(counts, amounts, and_(true(), *same)).order_by(*[counts.c[name] for name in names])


def _amounts(days: Any, keys: list[Any]) -> CTE:
    keyed = select(*keys, *[days[name] for name in _AMOUNTS]).cte("keyed_days")
    names = [keyed.c[key.name] for key in keys]
    return select(*names, *[func.sum(keyed.c[name]).label(name) for name in _AMOUNTS]).group_by(*names).cte("amounts")


def _counts_by_history(filters: Filters, orders: Any, keys: list[Any]) -> CTE:
    """Count customers on their orders: one of them is the first of the bucket and the period, as the one before lies before these.

    Right only where the filters hold the whole history of the period.
    """
    starts = [*keys, *([literal(filters.start, Date)] if filters.start else [])]
    start = func.greatest(*starts) if starts else literal(date.min, Date)
    return (
        select(
            *keys,
            func.count().label("documents"),
            _count_where(orders.customer_number.is_not(None)).label("documents_identified"),
            _count_where(orders.is_purchase).label("orders"),
            func.count(orders.purchase_number).label("orders_identified"),
            _count_where(is_first_since(start, orders)).label("active_customers"),
            _count_where(orders.purchase_number == 1).label("new_customers"),
            _count_where(is_second_since(start, orders)).label("repeat_customers"),
        )
        .group_by(*keys)
        .cte("counts")
    )


def _counts_by_customer(filters: Filters, orders: Any, keys: list[Any]) -> CTE:
    """Count customers by adding up the orders of each; right under every filter."""
    customers = (
        select(
            *keys,
            orders.customer_number,
            func.count().label("documents"),
            _count_where(orders.is_purchase).label("orders"),
            func.max(orders.first_purchase_on).label("first_on"),
        )
        .group_by(*keys, orders.customer_number)
        .cte("customer_counts")
        .c
    )
    is_known = customers.customer_number.is_not(None)
    is_active = and_(is_known, customers.orders > 0)
    starts = [customers.bucket_on] if "bucket_on" in customers else []
    starts += [literal(filters.start, Date)] if filters.start else []
    keys = [customers[key.name] for key in keys]
    return (
        select(
            *keys,
            *[func.sum(customers[name]).label(name) for name in ("documents", "orders")],
            *[func.sum(case((is_known, customers[name]), else_=0)).label(f"{name}_identified") for name in ("documents", "orders")],
            _count_where(is_active).label("active_customers"),
            _count_where(is_active, *[customers.first_on >= start for start in starts]).label("new_customers"),
            _count_where(is_active, customers.orders >= 2).label("repeat_customers"),
        )
        .group_by(*keys)
        .cte("counts")
    )


def _count_where(*tests: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((and_(*tests), 1), else_=0))
