"""Eight questions put to the facts, one SQL statement each; on_lines.py asks the raw lines the same, in_pandas.py lines in memory."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pandas as pd
from sqlalchemy import BigInteger, ColumnElement, Date, Double, Integer, Select, and_, cast, extract, func, literal, literal_column, select

from benchmarks import in_pandas, on_lines
from benchmarks.in_pandas import PARETO_BINS, Loaded
from crm_metrics.executive_kpis.query import totals
from crm_metrics.filters import Filters, choice_conditions
from crm_metrics.sales import active_customers, amounts_within, days_within, extent, orders_within
from crm_metrics.schema import basket_categories, customer_facts
from crm_metrics.sql import bucket_on, days_between


class Question(NamedTuple):
    """One question in three languages. keys: the columns that name a row of the answer; none where it is one row."""

    name: str
    keys: tuple[str, ...]
    sql: Callable[[Filters], Select[Any]]
    raw_sql: Callable[[Filters], Select[Any]]
    in_pandas: Callable[[Loaded, Filters], pd.DataFrame]


def kpi_tiles(filters: Filters) -> Select[Any]:
    """One row: net_revenue, gross_revenue, cost_of_goods, orders (purchases), active_customers."""
    sums = totals(filters).subquery().c
    counts = [cast(sums[name], BigInteger).label(name) for name in ("orders", "active_customers")]
    return select(sums.net_revenue, sums.gross_revenue, sums.cost_of_goods, *counts)


def weekly_trend(filters: Filters) -> Select[Any]:
    """One row per week (its Monday) and sales channel: week_on, sales_channel, net_revenue, lines."""
    days = days_within(filters).c
    keys = [bucket_on(days.ordered_on, "week").label("week_on"), days.sales_channel]
    lines = cast(func.sum(days.lines), BigInteger).label("lines")
    return select(*keys, func.sum(days.net_revenue).label("net_revenue"), lines).group_by(*keys)


def rfm(filters: Filters) -> Select[Any]:
    """One row per customer with a purchase: customer_id, last_on, orders (purchases), net_revenue."""
    orders, amounts = orders_within(filters).c, amounts_within(filters).c
    bought = (
        select(orders.customer_number, func.max(orders.ordered_on).label("last_on"), func.count().label("orders"))
        .where(orders.is_purchase, orders.customer_number.is_not(None))
        .group_by(orders.customer_number)
        .subquery()
    )
    paid = select(amounts.customer_number, func.sum(amounts.net_revenue).label("net_revenue")).group_by(amounts.customer_number).subquery()
    return (
        select(customer_facts.c.customer_id, bought.c.last_on, bought.c.orders, paid.c.net_revenue)
        .join_from(bought, paid, paid.c.customer_number == bought.c.customer_number)
        .join(customer_facts, customer_facts.c.customer_number == bought.c.customer_number)
    )


def pareto_curve(filters: Filters) -> Select[Any]:
    """One row per hundredth of the customers, the best first: bin (from 0), customers, net_revenue."""
    amounts = amounts_within(filters).c
    customers = (
        select(amounts.customer_number, func.sum(amounts.net_revenue).label("net_revenue"))
        .where(amounts.customer_number.is_not(None))
        .group_by(amounts.customer_number)
        .cte("customer_revenue")
    )
    place = func.row_number().over(order_by=(customers.c.net_revenue.desc(), customers.c.customer_number))
    hundredth = func.floor(cast((place - 1) * PARETO_BINS, Double) / cast(func.count().over(), Double))
    binned = select(cast(hundredth, Integer).label("bin"), customers.c.net_revenue).cte("binned_customers")
    counted = [func.count().label("customers"), func.sum(binned.c.net_revenue).label("net_revenue")]
    return select(binned.c.bin, *counted).group_by(binned.c.bin)


def cohort_matrix(filters: Filters) -> Select[Any]:
    """One row per month of the first purchase ever and months since: cohort (years x 12 + month), months_since, customers."""
    active = active_customers(filters, "month").c
    cohort = _month(active.first_purchase_on)
    keys: list[Any] = [cohort.label("cohort"), (_month(active.bucket_on) - cohort).label("months_since")]
    return select(*keys, func.count().label("customers")).group_by(*keys)


def purchase_histories(filters: Filters) -> Select[Any]:
    """One row per distinct history: frequency (purchase days after the first), recency_days, age_days, customers."""
    last_day = literal(filters.end, Date) if filters.end else select(extent(filters.scope).subquery().c.last_on).scalar_subquery()
    active = active_customers(filters, "day").c
    first_on, last_on = func.min(active.bucket_on), func.max(active.bucket_on)
    histories = (
        select(
            (func.count() - 1).label("frequency"),
            days_between(first_on, last_on).label("recency_days"),
            days_between(first_on, last_day).label("age_days"),
        )
        .group_by(active.customer_number)
        .subquery()
    )
    keys: list[Any] = list(histories.c)
    return select(*keys, func.count().label("customers")).group_by(*keys)


def campaign_totals(filters: Filters) -> Select[Any]:
    """One row per campaign that an order names: campaign_id, orders, customers, net_revenue, discount."""
    orders, amounts = orders_within(filters).c, amounts_within(filters).c
    counted = (
        select(
            orders.campaign_id,
            func.count().label("orders"),
            func.count(orders.customer_number.distinct()).label("customers"),
        )
        .where(orders.campaign_id.is_not(None))
        .group_by(orders.campaign_id)
        .subquery()
    )
    sums = [func.sum(amounts[name]).label(name) for name in ("net_revenue", "discount")]
    paid = select(amounts.campaign_id, *sums).group_by(amounts.campaign_id).subquery()
    columns = [*counted.c, paid.c.net_revenue, paid.c.discount]
    return select(*columns).join_from(counted, paid, paid.c.campaign_id == counted.c.campaign_id)


def category_pairs(filters: Filters) -> Select[Any]:
    """One row per two categories bought in one order: first_category, second_category, orders."""
    orders = orders_within(filters).c
    baskets = select(orders.basket_number, func.count().label("orders")).where(orders.is_purchase).group_by(orders.basket_number).subquery()
    first, second = basket_categories.alias("first_bought"), basket_categories.alias("second_bought")
    together = and_(second.c.basket_number == first.c.basket_number, second.c.category > first.c.category)
    bought = [test for side in (first, second) for test in (side.c.is_sold, *choice_conditions(filters, side))]
    keys = [first.c.category.label("first_category"), second.c.category.label("second_category")]
    return (
        select(*keys, cast(func.sum(baskets.c.orders), BigInteger).label("orders"))
        .join_from(baskets, first, first.c.basket_number == baskets.c.basket_number)
        .join(second, together)
        .where(*bought)
        .group_by(first.c.category, second.c.category)
    )


def _month(day: ColumnElement[Any]) -> ColumnElement[int]:
    return cast(extract("year", day), BigInteger) * literal_column("12") + cast(extract("month", day), BigInteger)


QUESTIONS = (
    Question("KPI tiles with distinct customers", (), kpi_tiles, on_lines.kpi_tiles, in_pandas.kpi_tiles),
    Question("weekly trend by channel", ("week_on", "sales_channel"), weekly_trend, on_lines.weekly_trend, in_pandas.weekly_trend),
    Question("RFM of every customer", ("customer_id",), rfm, on_lines.rfm, in_pandas.rfm),
    Question("Pareto curve", ("bin",), pareto_curve, on_lines.pareto_curve, in_pandas.pareto_curve),
    Question("cohort matrix", ("cohort", "months_since"), cohort_matrix, on_lines.cohort_matrix, in_pandas.cohort_matrix),
    Question(
        "(frequency, recency, T) grouped",
        ("frequency", "recency_days", "age_days"),
        purchase_histories,
        on_lines.purchase_histories,
        in_pandas.purchase_histories,
    ),
    Question("campaign totals", ("campaign_id",), campaign_totals, on_lines.campaign_totals, in_pandas.campaign_totals),
    Question(
        "pairs of categories", ("first_category", "second_category"), category_pairs, on_lines.category_pairs, in_pandas.category_pairs
    ),
)
