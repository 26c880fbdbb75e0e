"""What concentration is asked of beside the customers, which orders other terms would change, and what customers bought year by year."""

from dataclasses import replace
from typing import Any, Literal

from sqlalchemy import CTE, ColumnElement, Double, Select, case, cast, collate, func, literal, or_, select

from crm_metrics.customer_profit import SOLD, is_something, sold_sums
from crm_metrics.filters import Filters, conditions
from crm_metrics.periods import Period
from crm_metrics.sales import amounts_within, days_within, orders_within, products_within
from crm_metrics.schema import customer_facts, customers, order_facts, products

Entity = Literal["customer", "product", "region", "channel"]
_DAY_COLUMNS = {"region": "order_region", "channel": "sales_channel"}


def customer_names() -> Select[Any]:
    """One row per customer with an order and a name: customer_number, customer_name."""
    return select(customer_facts.c.customer_number, customers.c.customer_name).join_from(
        customer_facts, customers, customers.c.customer_id == customer_facts.c.customer_id
    )


def entity_amounts(filters: Filters, by: Entity) -> Select[Any]:
    """One row per product, region or channel with an order line in the filters and the period: entity (empty: unknown), name, SOLD.

    Sales without a customer are in it.
    """
    if by == "product":
        rows = _summed(products_within(filters), "product_id").cte("products_sold")
        return (
            select(*rows.c, products.c.product_name.label("name"))
            .join_from(rows, products, products.c.product_id == rows.c.entity, isouter=True)
            .order_by(collate(rows.c.entity, "C"))
        )
    days = _summed(days_within(filters), _DAY_COLUMNS[by]).cte("places_sold")
    return select(*days.c, days.c.entity.label("name")).order_by(collate(days.c.entity, "C"))


def _summed(rows: CTE, key: str) -> Select[Any]:
    return select(rows.c[key].label("entity"), *sold_sums(rows)).group_by(rows.c[key])


def small_orders(filters: Filters, below: float) -> Select[Any]:
    """One row per customer with a purchase whose sold lines come to less than `below`: customer_number, orders, SOLD.

    The whole order decides, whatever category the filters choose of it; the amounts are of what they choose.
    """
    held = _orders_of_customers(filters)
    orders = select(held.c.customer_number, func.count().label("orders"), *sold_sums(held))
    chosen = orders.where(held.c.is_purchase, held.c.order_revenue < below)
    return chosen.group_by(held.c.customer_number).order_by(held.c.customer_number)


def steep_orders(filters: Filters, cap: float, minimum: float) -> Select[Any]:
    """One row per customer with an order whose discount is over the share `cap` of its list price: customer_number, discount, list_price.

    Both are sums over these orders. Of goods given back in an order of their own they are what is paid back, and so negative. Purchases
    below the minimum (see small_orders) are not among them.
    """
    held = _orders_of_customers(filters)
    is_placed = or_(~held.c.is_purchase, held.c.order_revenue >= minimum)
    is_steep = func.abs(held.c.discount) > cap * func.abs(_list_price(held))
    sums = [func.sum(held.c.discount).label("discount"), func.sum(_list_price(held)).label("list_price")]
    chosen = select(held.c.customer_number, *sums).where(is_placed, is_steep, is_something(held))
    return chosen.group_by(held.c.customer_number).order_by(held.c.customer_number)


def steepest_discount(filters: Filters) -> Select[Any]:
    """One row: discount_share, the largest share of its list price that a known customer was given off an order, or its part in a category.

    No whole order has more than the part of it that has most, and parts need not be added up by order, which took ten times as long.
    """
    held = amounts_within(filters)
    share = cast(held.c.discount, Double) / cast(func.nullif(_list_price(held), 0), Double)
    return select(func.max(share).label("discount_share")).where(held.c.gross_revenue > 0, held.c.customer_number.is_not(None))


def _orders_of_customers(filters: Filters) -> CTE:
    """One row per order of a known customer with a line in the filters and the period.

    customer_number, is_purchase, order_revenue (of the sold lines of the whole order), and of what the filters choose of it SOLD.
    """
    if not filters.category:
        held = order_facts.c
        kept = [held[name] for name in ("customer_number", "is_purchase", *SOLD)]
        rows = select(*kept, held.gross_revenue.label("order_revenue")).where(*conditions(filters, order_facts))
        return rows.where(held.customer_number.is_not(None)).cte("orders_of_customers")
    bought, paid, entire = orders_within(filters), amounts_within(filters), order_facts
    keys = [bought.c.order_id, bought.c.customer_number, bought.c.is_purchase, entire.c.gross_revenue]
    rows = (
        select(*keys[:3], keys[3].label("order_revenue"), *sold_sums(paid))
        .join_from(bought, entire, entire.c.order_id == bought.c.order_id)
        .join(paid, paid.c.order_id == bought.c.order_id)
        .where(bought.c.customer_number.is_not(None))
    )
    return rows.group_by(*keys).cte("orders_of_customers")


def _list_price(held: CTE) -> ColumnElement[Any]:
    """Return what an order would have come to without discount: of goods given back alone, what would be paid back."""
    return case((held.c.gross_revenue != 0, held.c.gross_revenue), else_=held.c.net_revenue) + held.c.discount


# ── year by year ────────────────────────────────────────────────────────────────────────────────────────────────────────


def year_amounts(filters: Filters, years: tuple[Period, ...]) -> Select[Any]:
    """One row per customer and year with an order: customer_number, year (place in `years`), SOLD."""
    rows = amounts_within(_over(filters, years))
    year = case(*[(rows.c.ordered_on.between(period.start, period.end), literal(place)) for place, period in enumerate(years)])
    kept = [rows.c[name] for name in ("customer_number", *SOLD)]
    ordered = select(*kept, year.label("year")).where(rows.c.customer_number.is_not(None)).cte("ordered_in_years")
    keys = [ordered.c.customer_number, ordered.c.year]
    return select(*keys, *sold_sums(ordered)).group_by(*keys).order_by(*keys)


def sampled_orders(filters: Filters, years: tuple[Period, ...], most: int) -> Select[Any]:
    """One row per order of at most so many customers in the years, customer by customer: customer_number, ordered_on, SOLD.

    Which customers is drawn by the MD5 of their keys: the same ones wherever the data lie.
    """
    rows, known = amounts_within(_over(filters, years)), customer_facts.c
    active = select(rows.c.customer_number).where(rows.c.customer_number.is_not(None)).distinct().cte("active_in_years")
    sample = (
        select(known.customer_number, known.customer_id)
        .join_from(active, customer_facts, known.customer_number == active.c.customer_number)
        .order_by(func.md5(known.customer_id))
        .limit(most)
        .cte("sampled_customers")
    )
    keys = [sample.c.customer_number, sample.c.customer_id, rows.c.order_id, rows.c.ordered_on]
    orders = (
        select(*keys, *sold_sums(rows))
        .join_from(sample, rows, rows.c.customer_number == sample.c.customer_number)
        .group_by(*keys)
        .cte("sampled_orders")
    )
    shown = [orders.c[name] for name in ("customer_number", "ordered_on", *SOLD)]
    return select(*shown).order_by(collate(orders.c.customer_id, "C"), orders.c.ordered_on, orders.c.net_revenue, orders.c.cost_of_goods)


def _over(filters: Filters, years: tuple[Period, ...]) -> Filters:
    return replace(filters, start=min(period.start for period in years), end=max(period.end for period in years))
