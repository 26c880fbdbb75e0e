"""Purchase histories and what became of them, straight from the orders.

Purchase: a non-cancelled order with positive quantity that is no gift; one per customer and business day. Anonymous sales belong to
no customer and are left out. Only `later_purchases` and `repeat_purchases` look beyond their as-of day, for the hold-out.
"""

from datetime import date
from typing import Any

from sqlalchemy import CTE, ColumnElement, Date, Integer, Select, case, func, literal, select, type_coerce

from crm_metrics.filters import Filters, Scope, line_conditions, order_conditions, scope_conditions
from crm_metrics.sales import IS_SALE
from crm_metrics.schema import customers, order_lines, orders, products


def customer_histories(scope: Scope, as_of: date) -> Select[Any]:
    """One row per customer with a purchase up to `as_of`, by customer_id.

    customer_id, customer_name, first_on, last_on (first and last purchase day), frequency (purchase days after the first),
    recency_days (first to last purchase), age_days (first purchase to `as_of`), and of all lines, returns and credit notes too, after
    the first purchase day and up to `as_of`: repeat_net_revenue, repeat_costed_revenue (of lines whose cost is known), repeat_cost.
    The customer's latest purchase gives order_region and sales_channel.
    """
    spans, latest = _spans(scope, as_of), _latest_purchases(scope, as_of)
    money = _repeat_money(spans, scope, as_of)
    return (
        select(
            spans.c.customer_id,
            customers.c.customer_name,
            latest.c.order_region,
            latest.c.sales_channel,
            spans.c.first_on,
            spans.c.last_on,
            (spans.c.purchase_days - 1).label("frequency"),
            _days(spans.c.last_on - spans.c.first_on).label("recency_days"),
            _days(literal(as_of, Date) - spans.c.first_on).label("age_days"),
            func.coalesce(money.c.net_revenue, 0).label("repeat_net_revenue"),
            func.coalesce(money.c.costed_revenue, 0).label("repeat_costed_revenue"),
            func.coalesce(money.c.cost_of_goods, 0).label("repeat_cost"),
        )
        .join_from(spans, latest, latest.c.customer_id == spans.c.customer_id)
        .outerjoin(money, money.c.customer_id == spans.c.customer_id)
        .outerjoin(customers, customers.c.customer_id == spans.c.customer_id)
        .where(latest.c.place == 1)
        .order_by(spans.c.customer_id)
    )


def chosen_customers(filters: Filters, as_of: date) -> Select[Any]:
    """One row per customer with a purchase up to `as_of` that the region, channel and category filters choose: customer_id."""
    tests = [orders.c.is_purchase, orders.c.customer_id.is_not(None), orders.c.ordered_on <= as_of, *order_conditions(filters)]
    chosen = select(orders.c.customer_id).where(*tests).distinct().order_by(orders.c.customer_id)
    line_tests = line_conditions(filters)
    if not line_tests:
        return chosen
    return (
        chosen.join_from(orders, order_lines, order_lines.c.order_id == orders.c.order_id)
        .outerjoin(products, products.c.product_id == order_lines.c.product_id)
        .where(IS_SALE, *line_tests)
    )


def later_purchases(scope: Scope, after: date, until: date) -> Select[Any]:
    """One row per customer with a purchase after `after` and up to `until`: customer_id, purchases (purchase days)."""
    days = _purchase_days(scope, until)
    purchases = func.count().label("purchases")
    return (
        select(days.c.customer_id, purchases).where(days.c.purchased_on > after).group_by(days.c.customer_id).order_by(days.c.customer_id)
    )


def repeat_purchases(scope: Scope, split_on: date, until: date) -> Select[Any]:
    """One row per business day with one, up to `until`: purchased_on, purchases (repeat purchase days of customers won by `split_on`)."""
    days, spans = _purchase_days(scope, until), _spans(scope, split_on)
    return (
        select(days.c.purchased_on, func.count().label("purchases"))
        .join_from(days, spans, spans.c.customer_id == days.c.customer_id)
        .where(days.c.purchased_on > spans.c.first_on)
        .group_by(days.c.purchased_on)
        .order_by(days.c.purchased_on)
    )


def _purchase_days(scope: Scope, until: date) -> CTE:
    """One row per customer and business day with a purchase up to `until`: customer_id, purchased_on."""
    tests = [orders.c.is_purchase, orders.c.customer_id.is_not(None), orders.c.ordered_on <= until, *scope_conditions(scope)]
    return select(orders.c.customer_id, orders.c.ordered_on.label("purchased_on")).where(*tests).distinct().cte("purchase_days")


def _spans(scope: Scope, until: date) -> CTE:
    """One row per customer: customer_id, first_on, last_on, purchase_days, up to `until`."""
    tests = [orders.c.is_purchase, orders.c.customer_id.is_not(None), orders.c.ordered_on <= until, *scope_conditions(scope)]
    return (
        select(
            orders.c.customer_id,
            func.min(orders.c.ordered_on).label("first_on"),
            func.max(orders.c.ordered_on).label("last_on"),
            func.count(orders.c.ordered_on.distinct()).label("purchase_days"),
        )
        .where(*tests)
        .group_by(orders.c.customer_id)
        .cte("purchase_spans")
    )


def _repeat_money(spans: CTE, scope: Scope, as_of: date) -> CTE:
    """One row per customer with lines after the first purchase day: customer_id, net_revenue, costed_revenue, cost_of_goods."""
    lines = order_lines.c
    return (
        select(
            orders.c.customer_id,
            func.sum(lines.net_amount).label("net_revenue"),
            func.sum(case((lines.cost_amount.is_not(None), lines.net_amount), else_=0)).label("costed_revenue"),
            func.sum(func.coalesce(lines.cost_amount, 0)).label("cost_of_goods"),
        )
        .join_from(orders, order_lines, lines.order_id == orders.c.order_id)
        .join(spans, spans.c.customer_id == orders.c.customer_id)
        .where(
            orders.c.ordered_on > spans.c.first_on, orders.c.ordered_on <= as_of, lines.line_kind != "cancelled", *scope_conditions(scope)
        )
        .group_by(orders.c.customer_id)
        .cte("repeat_money")
    )


def _latest_purchases(scope: Scope, as_of: date) -> CTE:
    """One row per purchase up to `as_of`: customer_id, order_region, sales_channel, place (1: the customer's latest)."""
    newest = (orders.c.ordered_on.desc(), orders.c.ordered_at.desc(), orders.c.order_id.desc())
    place = func.row_number().over(partition_by=orders.c.customer_id, order_by=newest).label("place")
    tests = [orders.c.is_purchase, orders.c.customer_id.is_not(None), orders.c.ordered_on <= as_of, *scope_conditions(scope)]
    return select(orders.c.customer_id, orders.c.order_region, orders.c.sales_channel, place).where(*tests).cte("latest_purchases")


def _days(difference: ColumnElement[Any]) -> ColumnElement[int]:
    return type_coerce(difference, Integer)
