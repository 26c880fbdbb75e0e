"""The questions of questions.py, put to the raw orders and lines, one SQL statement each."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Double,
    Integer,
    Select,
    and_,
    case,
    cast,
    extract,
    func,
    literal,
    select,
    type_coerce,
)

from benchmarks.in_pandas import PARETO_BINS
from crm_metrics.facts import IS_SOLD_LINE
from crm_metrics.filters import Filters, choice_conditions, conditions
from crm_metrics.schema import order_lines, orders, products

_IS_SOLD = and_(IS_SOLD_LINE, orders.c.is_cancelled.is_(False))
_NET = order_lines.c.net_amount.label("net_amount")


def kpi_tiles(filters: Filters) -> Select[Any]:
    """One row: net_revenue, gross_revenue, cost_of_goods, orders (purchases), active_customers."""
    return _lines(
        filters,
        func.sum(order_lines.c.net_amount).label("net_revenue"),
        func.sum(case((_IS_SOLD, order_lines.c.net_amount), else_=0)).label("gross_revenue"),
        func.sum(order_lines.c.cost_amount).label("cost_of_goods"),
        func.count(case((_IS_SOLD, orders.c.order_id)).distinct()).label("orders"),
        func.count(case((_IS_SOLD, orders.c.customer_id)).distinct()).label("active_customers"),
    )


def weekly_trend(filters: Filters) -> Select[Any]:
    """One row per week (its Monday) and sales channel: week_on, sales_channel, net_revenue, lines."""
    week = cast(func.date_trunc("week", cast(orders.c.ordered_on, DateTime)), Date).label("week_on")
    lines = _lines(filters, week, orders.c.sales_channel, _NET).cte("lines_of_weeks")
    keys = [lines.c.week_on, lines.c.sales_channel]
    return select(*keys, func.sum(lines.c.net_amount).label("net_revenue"), func.count().label("lines")).group_by(*keys)


def rfm(filters: Filters) -> Select[Any]:
    """One row per customer with a purchase: customer_id, last_on, orders (purchases), net_revenue."""
    count = func.count(case((_IS_SOLD, orders.c.order_id)).distinct())
    return (
        _lines(
            filters,
            orders.c.customer_id,
            func.max(case((_IS_SOLD, orders.c.ordered_on))).label("last_on"),
            count.label("orders"),
            func.sum(order_lines.c.net_amount).label("net_revenue"),
        )
        .where(orders.c.customer_id.is_not(None))
        .group_by(orders.c.customer_id)
        .having(count > 0)
    )


def pareto_curve(filters: Filters) -> Select[Any]:
    """One row per hundredth of the customers, the best first: bin (from 0), customers, net_revenue."""
    revenue = func.sum(order_lines.c.net_amount)
    customers = (
        _lines(filters, orders.c.customer_id, revenue.label("net_revenue"))
        .where(orders.c.customer_id.is_not(None))
        .group_by(orders.c.customer_id)
        .cte("customer_revenue")
    )
    place = func.row_number().over(order_by=(customers.c.net_revenue.desc(), customers.c.customer_id))
    hundredth = func.floor(cast((place - 1) * PARETO_BINS, Double) / cast(func.count().over(), Double))
    binned = select(cast(hundredth, Integer).label("bin"), customers.c.net_revenue).cte("binned_customers")
    counted = [func.count().label("customers"), func.sum(binned.c.net_revenue).label("net_revenue")]
    return select(binned.c.bin, *counted).group_by(binned.c.bin)


def cohort_matrix(filters: Filters) -> Select[Any]:
    """One row per month of the first purchase ever and months since: cohort (years x 12 + month), months_since, customers."""
    purchase = [orders.c.is_purchase, orders.c.customer_id.is_not(None)]
    firsts = (
        select(orders.c.customer_id, func.min(orders.c.ordered_on).label("first_on"))
        .where(*purchase)
        .group_by(orders.c.customer_id)
        .cte("first_purchases")
    )
    sold = _lines(filters, orders.c.customer_id, _month(orders.c.ordered_on).label("month")).where(_IS_SOLD).distinct().cte("active_months")
    cohort = _month(firsts.c.first_on)
    active = (
        select(cohort.label("cohort"), (sold.c.month - cohort).label("months_since"))
        .join_from(sold, firsts, firsts.c.customer_id == sold.c.customer_id)
        .cte("cohort_activity")
    )
    keys = [active.c.cohort, active.c.months_since]
    return select(*keys, func.count().label("customers")).group_by(*keys)


def purchase_histories(filters: Filters) -> Select[Any]:
    """One row per distinct history: frequency (purchase days after the first), recency_days, age_days, customers."""
    last_day = literal(filters.end, Date) if filters.end else select(func.max(orders.c.ordered_on)).scalar_subquery()
    day = orders.c.ordered_on
    spans = (
        _lines(
            filters,
            *[func.min(day).label("first_on"), func.max(day).label("last_on"), func.count(day.distinct()).label("purchase_days")],
        )
        .where(_IS_SOLD, orders.c.customer_id.is_not(None))
        .group_by(orders.c.customer_id)
        .cte("purchase_spans")
    )
    histories = select(
        (spans.c.purchase_days - 1).label("frequency"),
        type_coerce(spans.c.last_on - spans.c.first_on, Integer).label("recency_days"),
        type_coerce(last_day - spans.c.first_on, Integer).label("age_days"),
    ).cte("histories")
    keys = [histories.c.frequency, histories.c.recency_days, histories.c.age_days]
    return select(*keys, func.count().label("customers")).group_by(*keys)


def campaign_totals(filters: Filters) -> Select[Any]:
    """One row per campaign that an order names: campaign_id, orders, customers, net_revenue, discount."""
    return (
        _lines(
            filters,
            orders.c.campaign_id,
            func.count(orders.c.order_id.distinct()).label("orders"),
            func.count(orders.c.customer_id.distinct()).label("customers"),
            func.sum(order_lines.c.net_amount).label("net_revenue"),
            func.sum(order_lines.c.discount_amount).label("discount"),
        )
        .where(orders.c.campaign_id.is_not(None))
        .group_by(orders.c.campaign_id)
    )


def category_pairs(filters: Filters) -> Select[Any]:
    """One row per two categories bought in one order: first_category, second_category, orders."""
    bought = _lines(filters, orders.c.order_id, products.c.category, with_products=True).where(_IS_SOLD).distinct().cte("bought")
    first, second = bought.alias("first_bought"), bought.alias("second_bought")
    keys = [first.c.category.label("first_category"), second.c.category.label("second_category")]
    together = and_(second.c.order_id == first.c.order_id, second.c.category > first.c.category)
    return select(*keys, func.count().label("orders")).join_from(first, second, together).group_by(first.c.category, second.c.category)


def _lines(filters: Filters, *columns: ColumnElement[Any], with_products: bool = False) -> Select[Any]:
    """One row per order line within the filters and the period, until it is grouped."""
    source = orders.join(order_lines, order_lines.c.order_id == orders.c.order_id)
    if filters.category or with_products:
        source = source.outerjoin(products, products.c.product_id == order_lines.c.product_id)
    return select(*columns).select_from(source).where(*conditions(filters, orders), *choice_conditions(filters, products))


def _month(day: ColumnElement[Any]) -> ColumnElement[int]:
    return cast(extract("year", day), BigInteger) * literal(12, BigInteger) + cast(extract("month", day), BigInteger)
