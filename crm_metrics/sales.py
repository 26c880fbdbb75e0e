"""What was sold: the rows of facts that several rooms ask.

Purchase: an order that was not cancelled and has positive quantity; gifts do not make one. Net revenue: the amounts of all lines,
returns and credit notes negative on their own day, cancelled orders 0. Gross revenue: the amounts of the sold lines alone.

Four sources, of which each answers what it can answer right under every filter: `orders_within` counts orders and customers,
`amounts_within` adds amounts up by customer, order or campaign, `days_within` by day, region, channel and category,
`products_within` by product.
"""

from datetime import date
from typing import Any

from sqlalchemy import CTE, ColumnElement, Date, Select, and_, case, func, literal, or_, select

from crm_metrics.facts import AMOUNTS, HISTORY
from crm_metrics.filters import Choice, Filters, choice_conditions, conditions
from crm_metrics.periods import Grain
from crm_metrics.schema import (
    basket_categories,
    daily_sales,
    data_set,
    import_batches,
    order_category_facts,
    order_facts,
    order_product_facts,
)
from crm_metrics.scope import Scope, scope_conditions, visible_orders
from crm_metrics.sql import bucket_on

_IDENTIFIED = ("net_revenue", "gross_revenue")  # summed over orders of known customers, too
_OF_ORDER = ("order_id", "customer_number", "ordered_on", "order_region", "sales_channel", "campaign_id", "basket_number")


def orders_within(filters: Filters, *, grain: Grain | None = None) -> CTE:
    """One row per order with a line in the filters and the period.

    order_id, customer_number (of customer_facts; empty: unknown), ordered_on, order_region, sales_channel, campaign_id, basket_number,
    is_purchase (a sold line that passes the filters), where the order stands among all purchases of its customer that the
    reader may see (see `visible_orders`), and with a grain bucket_on, the first day of its week, month, quarter or year.
    """
    seen = visible_orders(filters.scope)
    query = select(*[seen.c[name] for name in (*_OF_ORDER, *HISTORY)]).where(*conditions(filters, seen))
    if grain:
        days = _calendar(grain)
        query = query.add_columns(days.c.bucket_on).join(days, days.c.ordered_on == seen.c.ordered_on)
    if not filters.category:
        return query.add_columns(seen.c.is_purchase).cte("orders_within")
    chosen = _chosen_baskets(filters)
    is_purchase = and_(seen.c.is_purchase, chosen.c.is_sold == 1).label("is_purchase")
    return query.add_columns(is_purchase).join(chosen, chosen.c.basket_number == seen.c.basket_number).cte("orders_within")


def _calendar(grain: Grain) -> CTE:
    """One row per day with an order: ordered_on, bucket_on. Looked up, which takes a fifth of the time of truncating every order's day."""
    day = daily_sales.c.ordered_on
    return select(day, bucket_on(day, grain).label("bucket_on")).distinct().cte("calendar")


def _chosen_baskets(filters: Filters) -> CTE:
    """One row per basket with a chosen category: basket_number, is_sold (1: one of them was sold)."""
    held = basket_categories.c
    is_sold = func.max(case((held.is_sold, 1), else_=0)).label("is_sold")
    chosen = select(held.basket_number, is_sold).where(*choice_conditions(filters, basket_categories))
    return chosen.group_by(held.basket_number).cte("chosen_baskets")


def amounts_within(filters: Filters) -> CTE:
    """One row per order in the filters and the period, or several that together are its lines in them: facts.AMOUNTS.

    Also order_id, customer_number, ordered_on, order_region, sales_channel, campaign_id. For sums; count with `orders_within`.
    """
    rows = order_category_facts if filters.category else order_facts
    columns = [column for column in order_category_facts.c if column.name in rows.c and column.name not in ("category", "is_purchase")]
    return select(*[rows.c[column.name] for column in columns]).where(*conditions(filters, rows)).cte("amounts_within")


def days_within(filters: Filters) -> CTE:
    """One row per day, region, channel and category in the filters and the period, or several that together are it."""
    if not filters.segments:
        return select(daily_sales).where(*conditions(filters, daily_sales)).cte("days_within")
    rows = order_category_facts.c  # the days don't know the customers
    identified = [case((rows.customer_number.is_not(None), rows[name]), else_=0).label(f"{name}_identified") for name in _IDENTIFIED]
    keys = [rows[name] for name in ("ordered_on", "order_region", "sales_channel", "category")]
    of_segments = select(*keys, *[rows[name] for name in AMOUNTS], *identified).where(*conditions(filters, order_category_facts))
    return of_segments.cte("days_within")


def products_within(filters: Filters) -> CTE:
    """One row per order and product in the filters and the period: the columns of order_product_facts."""
    return select(order_product_facts).where(*conditions(filters, order_product_facts)).cte("products_within")


def holds_whole_history(filters: Filters) -> bool:
    """Return whether no choice leaves out orders of the period, so that a customer's purchase before an order is one within the filters."""
    return not (filters.region or filters.channel or filters.category)


def active_customers(filters: Filters, grain: Grain) -> CTE:
    """One row per customer and day, week, month, quarter or year with a purchase: customer_number, bucket_on, first_purchase_on (ever)."""
    rows = orders_within(filters, grain=grain).c
    bought = select(rows.customer_number, rows.bucket_on, rows.first_purchase_on)
    if not holds_whole_history(filters):
        return bought.where(rows.is_purchase, rows.customer_number.is_not(None)).distinct().cte("active_customers")
    start = func.greatest(rows.bucket_on, literal(filters.start, Date)) if filters.start else rows.bucket_on
    return bought.where(is_first_since(start, rows)).cte("active_customers")


def is_first_since(start: ColumnElement[Any], rows: Any) -> ColumnElement[bool]:
    """Return whether an order is its customer's first purchase from the day `start` on."""
    return or_(rows.purchase_number == 1, rows.previous_purchase_on < start)


def is_second_since(start: ColumnElement[Any], rows: Any) -> ColumnElement[bool]:
    """Return whether an order is its customer's second purchase from the day `start` on."""
    return and_(rows.previous_purchase_on >= start, or_(rows.purchase_number == 2, rows.second_previous_purchase_on < start))


def extent(scope: Scope) -> Select[Any]:
    """One row: first_on, last_on (business days of orders).

    All days are empty on an empty data set.
    """
    day = daily_sales.c.ordered_on
    return select(func.min(day).label("first_on"), func.max(day).label("last_on")).where(*scope_conditions(scope, daily_sales))


def orders_without_customer(filters: Filters) -> Select[Any]:
    """One row: orders, the purchases within the filters and the period whose customer is unknown."""
    rows = orders_within(filters).c
    return select(func.count().label("orders")).where(rows.is_purchase, rows.customer_number.is_(None))


def settings() -> Select[Any]:
    """One row per setting of the data set: setting, setting_value."""
    return select(data_set.c.setting, data_set.c.setting_value).order_by(data_set.c.setting)


def loaded_batches() -> Select[Any]:
    """One row: batches, the imports that are loaded, whatever they brought."""
    return select(func.count().label("batches")).select_from(import_batches).where(import_batches.c.batch_state == "loaded")


def choice_values(choice: Choice, scope: Scope, *, until: date | None = None) -> Select[Any]:
    """One row per value of a shared filter within the scope: value, orders; most frequent first. Nothing after `until`."""
    rows = order_facts if choice.column in order_facts.c else order_category_facts
    value, orders = rows.c[choice.column].label("value"), func.count().label("orders")
    query = select(value, orders).where(*conditions(Filters(end=until, scope=scope), rows))
    return query.group_by(value).order_by(orders.desc(), value)
