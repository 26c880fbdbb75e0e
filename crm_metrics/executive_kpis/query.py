"""The questions that the executive room puts to the database.

Amounts add up over days, regions, channels and categories; orders and customers do not, and are counted on the orders.
"""

from collections.abc import Callable
from datetime import date
from typing import Any, Literal

from sqlalchemy import CTE, ColumnElement, Date, FromClause, Label, Select, and_, case, func, literal, select, true

from crm_metrics.filters import Filters
from crm_metrics.periods import Grain
from crm_metrics.sales import days_within, holds_whole_history, is_before, orders_within
from crm_metrics.schema import targets
from crm_metrics.sql import bucket_on

OrderDimension = Literal["region", "channel"]
_COLUMNS: dict[OrderDimension, str] = {"region": "order_region", "channel": "sales_channel"}
_AMOUNTS = ("net_revenue", "gross_revenue", "costed_revenue", "cost_of_goods", "costed_lines")
_Key = Callable[[FromClause], Label[Any]]


def totals(filters: Filters) -> Select[Any]:
    """One row: the sums and counts that every metric of the room is made of (see `_totals`)."""
    return _totals(filters, None, is_time=True)


def totals_by_bucket(filters: Filters, grain: Grain) -> Select[Any]:
    """One row per bucket of time with a sale or return: bucket_on and the columns of `totals`.

    New customers of a bucket made their first purchase ever in it, and in the period; so they add up to those of the period, but for
    customers whose first purchase within a chosen region, channel or category came in a later bucket than their first of all.
    """
    return _totals(filters, lambda rows: bucket_on(rows.c.ordered_on, grain).label("bucket_on"), is_time=True)


def totals_by_value(filters: Filters, dimension: OrderDimension) -> Select[Any]:
    """One row per order region or sales channel (empty: unknown): dimension_value and the columns of `totals`.

    Customers are counted within the value, so one who ordered in two regions is in both.
    """
    return _totals(filters, lambda rows: rows.c[_COLUMNS[dimension]].label("dimension_value"), is_time=False)


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


def _totals(filters: Filters, key: _Key | None, *, is_time: bool) -> Select[Any]:
    """One row per key: documents (orders, returns and credit notes), orders (purchases), customers and amounts.

    documents, orders, net_revenue, gross_revenue: all, and of known customers (…_identified). active_customers, new_customers and
    repeat_customers (two purchases or more). costed_revenue, cost_of_goods (empty where no cost is known), costed_lines.
    is_time: the key is one of time, or there is none.
    """
    counted = _counts_by_history if is_time and holds_whole_history(filters) else _counts_by_customer
    counts = counted(filters, key)
    amounts = _amounts(filters, key)
    keys = [counts.c[column.name] for column in counts.c if column.name not in (*_COUNTED, *_CUSTOMERS)]
    same = and_(true(), *[column.is_not_distinct_from(amounts.c[column.name]) for column in keys])
    added = [column for column in amounts.c if column.name not in [column.name for column in keys]]
    return select(*counts.c, *added).join_from(counts, amounts, same).order_by(*keys)


_COUNTED = ("documents", "documents_identified", "orders", "orders_identified")
_CUSTOMERS = ("active_customers", "new_customers", "repeat_customers")


def _amounts(filters: Filters, key: _Key | None) -> CTE:
    days = days_within(filters)
    names = (*_AMOUNTS, "net_revenue_identified", "gross_revenue_identified")
    keyed = select(*[days.c[name] for name in names], *([key(days)] if key else [])).cte("keyed_days")
    keys = [column for column in keyed.c if column.name not in names]
    return select(*keys, *[func.sum(keyed.c[name]).label(name) for name in names]).group_by(*keys).cte("amounts")


def _counts_by_history(filters: Filters, key: _Key | None) -> CTE:
    """Count customers on their orders: one of them is the first of the period, as the customer's purchase before lies before it.

    Right only where the filters hold the whole history of the period.
    """
    rows, keys = _keyed_orders(filters, key)
    starts = [*keys, *([literal(filters.start, Date)] if filters.start else [])]
    start = func.greatest(*starts) if starts else literal(date.min, Date)
    is_known, is_first = rows.customer_id.is_not(None), is_before(rows.previous_purchase_on, start)
    is_second = and_(~is_first, is_before(rows.second_previous_purchase_on, start))
    is_active = and_(is_known, rows.is_purchase)
    return (
        select(
            *keys,
            func.count().label("documents"),
            _count_where(is_known).label("documents_identified"),
            _count_where(rows.is_purchase).label("orders"),
            _count_where(is_active).label("orders_identified"),
            _count_where(is_active, is_first).label("active_customers"),
            _count_where(rows.purchase_number == 1).label("new_customers"),
            _count_where(is_active, is_second).label("repeat_customers"),
        )
        .group_by(*keys)
        .cte("counts")
    )


def _counts_by_customer(filters: Filters, key: _Key | None) -> CTE:
    """Count customers by adding up the orders of each; right under every filter."""
    rows, keys = _keyed_orders(filters, key)
    customers = (
        select(
            *keys,
            rows.customer_id,
            func.count().label("documents"),
            _count_where(rows.is_purchase).label("orders"),
            func.max(rows.first_purchase_on).label("first_on"),
        )
        .group_by(*keys, rows.customer_id)
        .cte("customer_counts")
    )
    keys = [customers.c[column.name] for column in keys]
    is_known = customers.c.customer_id.is_not(None)
    is_active = and_(is_known, customers.c.orders > 0)
    starts = [*[column for column in keys if column.name == "bucket_on"], *([literal(filters.start, Date)] if filters.start else [])]
    counted = {"documents": customers.c.documents, "orders": customers.c.orders}
    return (
        select(
            *keys,
            *[func.sum(count).label(name) for name, count in counted.items()],
            *[func.sum(case((is_known, count), else_=0)).label(f"{name}_identified") for name, count in counted.items()],
            _count_where(is_active).label("active_customers"),
            _count_where(is_active, *[customers.c.first_on >= start for start in starts]).label("new_customers"),
            _count_where(is_active, customers.c.orders >= 2).label("repeat_customers"),
        )
        .group_by(*keys)
        .cte("counts")
    )


def _keyed_orders(filters: Filters, key: _Key | None) -> tuple[Any, list[ColumnElement[Any]]]:
    """Return the columns of the orders within the filters, and those of them that are the key."""
    orders = orders_within(filters)
    if key is None:
        return orders.c, []
    label = key(orders)
    keyed = select(*orders.c, label).cte("keyed_orders")
    return keyed.c, [keyed.c[label.name]]


def _count_where(*tests: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((and_(*tests), 1), else_=0))
