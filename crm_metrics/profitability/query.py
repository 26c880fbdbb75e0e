"""What concentration is asked of beside the customers, what a minimum order would leave out, and what customers bought year by year."""

from dataclasses import replace
from typing import Any, Literal

from sqlalchemy import CTE, Select, and_, case, collate, func, literal, select

from crm_metrics.customer_profit import SOLD, sold_sums
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
    if not filters.category:
        held, is_small = order_facts, and_(order_facts.c.is_purchase, order_facts.c.gross_revenue < below)
        orders = select(held.c.customer_number, func.count().label("orders"), *sold_sums(held))
        chosen = orders.where(held.c.customer_number.is_not(None), is_small, *conditions(filters, held))
        return chosen.group_by(held.c.customer_number).order_by(held.c.customer_number)
    bought, paid = orders_within(filters), amounts_within(filters)
    small = (
        select(bought.c.order_id, bought.c.customer_number)
        .join_from(bought, order_facts, order_facts.c.order_id == bought.c.order_id)
        .where(bought.c.is_purchase, bought.c.customer_number.is_not(None), order_facts.c.gross_revenue < below)
        .cte("small_orders")
    )
    return (
        select(small.c.customer_number, func.count(small.c.order_id.distinct()).label("orders"), *sold_sums(paid))
        .join_from(small, paid, paid.c.order_id == small.c.order_id)
        .group_by(small.c.customer_number)
        .order_by(small.c.customer_number)
    )


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
