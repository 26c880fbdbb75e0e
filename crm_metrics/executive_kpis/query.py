"""The questions that the executive room puts to the database.

Every sum goes through one shape: orders, then customers within a key (month, region, channel), then the key. So distinct customers
are counted right under every filter, in one pass and without count(distinct).
"""

from typing import Any, Literal

from sqlalchemy import CTE, ColumnElement, Date, DateTime, Label, Select, and_, case, cast, func, select

from crm_metrics.filters import Filters, line_conditions, order_conditions, period_conditions
from crm_metrics.periods import Grain
from crm_metrics.sales import first_purchases, order_sums
from crm_metrics.schema import order_lines, orders, products, targets

OrderDimension = Literal["region", "channel"]
_COLUMNS: dict[OrderDimension, str] = {"region": "order_region", "channel": "sales_channel"}


def totals(filters: Filters) -> Select[Any]:
    """One row: the sums and counts that every metric of the room is made of (see `_totals`)."""
    return _totals(order_sums(filters), filters)


def totals_by_bucket(filters: Filters, grain: Grain) -> Select[Any]:
    """One row per bucket of time with a sale or return: bucket_on and the columns of `totals`.

    New customers of a bucket made their first purchase ever in it, and in the period; so they add up to those of the period, but for
    customers whose first purchase within a chosen region, channel or category came in a later bucket than their first of all.
    """
    sums = order_sums(filters)
    bucket = cast(func.date_trunc(grain, cast(sums.c.ordered_on, DateTime)), Date)
    return _totals(sums, filters, key=bucket.label("bucket_on"), key_is_day=True)


def totals_by_value(filters: Filters, dimension: OrderDimension) -> Select[Any]:
    """One row per order region or sales channel (empty: unknown): dimension_value and the columns of `totals`.

    Customers are counted within the value, so one who ordered in two regions is in both.
    """
    sums = order_sums(filters)
    return _totals(sums, filters, key=sums.c[_COLUMNS[dimension]].label("dimension_value"))


def revenue_by_category(filters: Filters) -> Select[Any]:
    """One row per product category (empty: unknown): dimension_value and net_revenue."""
    category = products.c.category.label("dimension_value")
    lines = orders.join(order_lines, order_lines.c.order_id == orders.c.order_id)
    tests = [*order_conditions(filters), *line_conditions(filters), *period_conditions(orders.c.ordered_on, filters)]
    by_category = (
        select(category, order_lines.c.net_amount)
        .select_from(lines.outerjoin(products, products.c.product_id == order_lines.c.product_id))
        .where(*tests)
        .cte("lines_in_category")
    )
    value = by_category.c.dimension_value
    return select(value, func.sum(by_category.c.net_amount).label("net_revenue")).group_by(value).order_by(value)


def given_targets() -> Select[Any]:
    """One row per metric, month and region with a target in the data set: metric, month_on, region, target_value."""
    columns = targets.c
    chosen = select(columns.metric, columns.month_on, columns.region, columns.target_value)
    return chosen.order_by(columns.metric, columns.region, columns.month_on)


def _totals(sums: CTE, filters: Filters, *, key: Label[Any] | None = None, key_is_day: bool = False) -> Select[Any]:
    """One row per key: documents, orders, revenue and its parts, costs, customers active, new and with two purchases or more.

    documents: orders, returns and credit notes. cost_of_goods is empty where no cost is known.
    """
    customers = _customer_sums(sums, key)
    firsts = first_purchases(filters.scope)
    rows = customers.c
    is_known = rows.customer_id.is_not(None)
    is_active = and_(is_known, rows.orders > 0)
    is_new = [is_active]
    if filters.start:
        is_new.append(firsts.c.first_on >= filters.start)
    if key is not None and key_is_day:
        is_new.append(firsts.c.first_on >= rows[key.name])
    keys = [rows[key.name]] if key is not None else []
    return (
        select(
            *keys,
            *[func.sum(rows[name]).label(name) for name in _SUMMED],
            *[func.sum(case((is_known, rows[name]), else_=0)).label(f"{name}_identified") for name in _IDENTIFIED],
            _count_where(is_active).label("active_customers"),
            _count_where(*is_new).label("new_customers"),
            _count_where(is_active, rows.orders >= 2).label("repeat_customers"),
        )
        .select_from(customers.outerjoin(firsts, firsts.c.customer_id == rows.customer_id))
        .group_by(*keys)
        .order_by(*keys)
    )


_SUMMED = ("documents", "documents_costed", "orders", "net_revenue", "gross_revenue", "costed_revenue", "cost_of_goods")
_IDENTIFIED = ("documents", "orders", "net_revenue", "gross_revenue")


def _customer_sums(sums: CTE, key: Label[Any] | None) -> CTE:
    """One row per key and customer (one for all sales without a customer)."""
    added = [sums.c.net_revenue, sums.c.gross_revenue, sums.c.costed_revenue, sums.c.cost_of_goods]
    keyed = select(sums.c.customer_id, sums.c.is_purchase, *added, *([key] if key is not None else [])).cte("keyed_orders")
    keys = [keyed.c[key.name]] if key is not None else []
    return (
        select(
            *keys,
            keyed.c.customer_id,
            func.count().label("documents"),
            func.count(keyed.c.cost_of_goods).label("documents_costed"),
            func.sum(keyed.c.is_purchase).label("orders"),
            *[func.sum(keyed.c[column.name]).label(column.name) for column in added],
        )
        .group_by(*keys, keyed.c.customer_id)
        .cte("customer_sums")
    )


def _count_where(*tests: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((and_(*tests), 1), else_=0))
