"""What was sold: the queries on orders and their lines that several rooms share.

Purchase: an order that was not cancelled and has positive quantity; gifts do not make one. Net revenue: the amounts of all lines,
returns and credit notes negative on their own day, cancelled orders 0. Gross revenue: the amounts of the sold lines alone.
"""

from datetime import date
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, and_, case, func, select

from crm_metrics.filters import Filters, Scope, line_conditions, order_conditions, period_conditions, scope_conditions
from crm_metrics.schema import data_set, order_lines, orders, products

IS_SALE = and_(order_lines.c.line_kind == "sale", order_lines.c.quantity > 0)


def extent(scope: Scope) -> Select:
    """One row: first_on, last_on (business days of orders).

    All days are empty on an empty data set.
    """
    return select(
        func.min(orders.c.ordered_on).label("first_on"),
        func.max(orders.c.ordered_on).label("last_on"),
    ).where(*scope_conditions(scope))


def orders_without_customer(filters: Filters) -> Select:
    """One row: orders, the purchases within the filters and the period whose customer is unknown."""
    sums = order_sums(filters).c
    return select(func.count().label("orders")).where(sums.is_purchase == 1, sums.customer_id.is_(None))


def settings() -> Select:
    """One row per setting of the data set: setting, setting_value."""
    return select(data_set.c.setting, data_set.c.setting_value).order_by(data_set.c.setting)


def choice_values(column: ColumnElement[Any], scope: Scope, *, until: date | None = None) -> Select:
    """One row per value of a shared filter's column within the scope: value, orders; most frequent first. Nothing after `until`."""
    chosen = column.label("value")
    sold = orders.join(order_lines, order_lines.c.order_id == orders.c.order_id).outerjoin(
        products, products.c.product_id == order_lines.c.product_id
    )
    source = sold if column.table is products else orders
    count = func.count(orders.c.order_id.distinct()).label("orders")
    tests = [*scope_conditions(scope), *([orders.c.ordered_on <= until] if until else [])]
    return select(chosen, count).select_from(source).where(*tests).group_by(chosen).order_by(count.desc(), chosen)


def order_sums(filters: Filters, *, name: str = "order_sums") -> CTE:
    """One row per order with a line in the filters and the period.

    order_id, customer_id (empty: unknown), ordered_on, order_region, sales_channel, is_purchase (0/1: a sold line that passes the
    filters, order not cancelled), units, net_revenue, gross_revenue, discount, costed_revenue (net revenue of the lines whose cost is
    known) and cost_of_goods (of those lines).
    """
    return _order_sums(order_conditions(filters) + period_conditions(orders.c.ordered_on, filters), line_conditions(filters)).cte(name)


def _order_sums(order_tests: list[ColumnElement[bool]], line_tests: list[ColumnElement[bool]]) -> Select:
    lines, attributes = (
        order_lines.c,
        [orders.c.order_id, orders.c.customer_id, orders.c.ordered_on, orders.c.order_region, orders.c.sales_channel],
    )
    source = orders.join(order_lines, lines.order_id == orders.c.order_id)
    if line_tests:
        source = source.outerjoin(products, products.c.product_id == lines.product_id)
    is_sold = and_(IS_SALE, orders.c.is_cancelled.is_(False))
    return (
        select(
            *attributes,
            func.max(case((is_sold, 1), else_=0)).label("is_purchase"),
            func.sum(lines.quantity).label("units"),
            func.sum(lines.net_amount).label("net_revenue"),
            func.sum(case((is_sold, lines.net_amount), else_=0)).label("gross_revenue"),
            func.sum(lines.discount_amount).label("discount"),
            func.sum(case((lines.cost_amount.is_not(None), lines.net_amount), else_=0)).label("costed_revenue"),
            func.sum(lines.cost_amount).label("cost_of_goods"),
        )
        .select_from(source)
        .where(*order_tests, *line_tests)
        .group_by(*attributes)
    )


def first_purchases(scope: Scope) -> CTE:
    """One row per customer who ever purchased: customer_id, first_on, over all dates and whatever the other filters.

    So a customer who came before the period is not new when the period starts later, nor when a channel is chosen.
    """
    return (
        select(orders.c.customer_id, func.min(orders.c.ordered_on).label("first_on"))
        .where(orders.c.is_purchase, orders.c.customer_id.is_not(None), *scope_conditions(scope))
        .group_by(orders.c.customer_id)
        .cte("first_purchases")
    )
