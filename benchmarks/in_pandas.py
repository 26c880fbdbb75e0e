"""The questions of questions.py, asked in pandas of one frame of order lines that is already in memory, with numbers for keys."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Double, Select, and_, cast, select

from crm_metrics.database import Source
from crm_metrics.facts import IS_SOLD_LINE
from crm_metrics.filters import Filters
from crm_metrics.schema import order_lines, orders, products

UNKNOWN_CUSTOMER = -1
PARETO_BINS = 100


class Loaded(NamedTuple):
    """lines: order and customer (numbers; UNKNOWN_CUSTOMER), ordered_on, order_region, sales_channel, campaign_id, category, is_sold,
    net_amount, discount_amount, cost_amount. customer_ids: the key of each customer, by number.
    """

    lines: pd.DataFrame
    customer_ids: pa.Array


def stored_lines() -> Select[Any]:
    """One row per order line, with what its order and product say."""
    amounts = [order_lines.c[name] for name in ("net_amount", "discount_amount", "cost_amount")]
    return (
        select(
            *[orders.c[name] for name in ("order_id", "customer_id", "ordered_on", "order_region", "sales_channel", "campaign_id")],
            products.c.category,
            and_(IS_SOLD_LINE, orders.c.is_cancelled.is_(False)).label("is_sold"),
            *[cast(amount, Double).label(amount.name) for amount in amounts],
        )
        .join_from(order_lines, orders, orders.c.order_id == order_lines.c.order_id)
        .outerjoin(products, products.c.product_id == order_lines.c.product_id)
    )


def load(source: Source) -> Loaded:
    """Return every order line in memory."""
    table = source.arrow(stored_lines())
    numbered = {name: table[name].combine_chunks().dictionary_encode() for name in ("order_id", "customer_id")}
    columns: dict[str, Any] = {name: _numbers(codes) for name, codes in numbered.items()}
    for name in ("order_region", "sales_channel", "campaign_id", "category"):
        columns[name] = table[name].combine_chunks().dictionary_encode().to_pandas()
    columns["ordered_on"] = table["ordered_on"].cast(pa.timestamp("us")).to_pandas()
    for name in ("is_sold", "net_amount", "discount_amount", "cost_amount"):
        columns[name] = table[name].to_pandas()
    lines = pd.DataFrame(columns).rename(columns={"order_id": "order", "customer_id": "customer"})
    return Loaded(lines, numbered["customer_id"].dictionary)


def _numbers(encoded: pa.DictionaryArray) -> np.ndarray:
    numbers: np.ndarray = encoded.indices.fill_null(UNKNOWN_CUSTOMER).to_numpy()
    return numbers


def chosen(loaded: Loaded, filters: Filters, *columns: str, sold: bool = False, known: bool = False) -> pd.DataFrame:
    """Return these columns of the lines within the filters. sold: purchases only; known: known customers only."""
    lines = loaded.lines
    tests = [
        *([lines["ordered_on"] >= pd.Timestamp(filters.start)] if filters.start else []),
        *([lines["ordered_on"] <= pd.Timestamp(filters.end)] if filters.end else []),
        *([lines["order_region"].isin(filters.region)] if filters.region else []),
        *([lines["sales_channel"].isin(filters.channel)] if filters.channel else []),
        *([lines["category"].isin(filters.category)] if filters.category else []),
        *([lines["is_sold"]] if sold else []),
        *([lines["customer"] != UNKNOWN_CUSTOMER] if known else []),
    ]
    wanted = lines[list(columns)]
    return wanted[np.logical_and.reduce(tests)] if tests else wanted


def kpi_tiles(loaded: Loaded, filters: Filters) -> pd.DataFrame:
    """Return one row: net_revenue, gross_revenue, cost_of_goods, orders, active_customers."""
    lines = chosen(loaded, filters, "order", "customer", "is_sold", "net_amount", "cost_amount")
    sold = lines[lines["is_sold"]]
    row = {
        "net_revenue": lines["net_amount"].sum(),
        "gross_revenue": sold["net_amount"].sum(),
        "cost_of_goods": lines["cost_amount"].sum(),
        "orders": sold["order"].nunique(),
        "active_customers": sold["customer"][sold["customer"] != UNKNOWN_CUSTOMER].nunique(),
    }
    return pd.DataFrame([row])


def weekly_trend(loaded: Loaded, filters: Filters) -> pd.DataFrame:
    """Return one row per week (its Monday) and sales channel: week_on, sales_channel, net_revenue, lines."""
    lines = chosen(loaded, filters, "ordered_on", "sales_channel", "net_amount")
    monday = lines["ordered_on"] - pd.to_timedelta(lines["ordered_on"].dt.day_of_week, unit="D")
    grouped = lines.groupby([monday.rename("week_on"), "sales_channel"], observed=True, sort=False)["net_amount"]
    return grouped.agg(net_revenue="sum", lines="size").reset_index()


def rfm(loaded: Loaded, filters: Filters) -> pd.DataFrame:
    """Return one row per customer with a purchase: customer_id, last_on, orders, net_revenue."""
    lines = chosen(loaded, filters, "customer", "order", "ordered_on", "is_sold", "net_amount", known=True)
    bought = lines[lines["is_sold"]].groupby("customer", sort=False).agg(last_on=("ordered_on", "max"), orders=("order", "nunique"))
    bought["net_revenue"] = lines.groupby("customer", sort=False)["net_amount"].sum()
    names = loaded.customer_ids.take(pa.array(bought.index)).to_pandas()
    return bought.reset_index(drop=True).assign(customer_id=names)


def pareto_curve(loaded: Loaded, filters: Filters) -> pd.DataFrame:
    """Return one row per hundredth of the customers, the best first: bin, customers, net_revenue."""
    lines = chosen(loaded, filters, "customer", "net_amount", known=True)
    revenue = np.sort(lines.groupby("customer", sort=False)["net_amount"].sum().to_numpy())[::-1]
    binned = pd.DataFrame({"bin": np.arange(len(revenue)) * PARETO_BINS // max(len(revenue), 1), "net_revenue": revenue})
    return binned.groupby("bin")["net_revenue"].agg(customers="size", net_revenue="sum").reset_index()


def cohort_matrix(loaded: Loaded, filters: Filters) -> pd.DataFrame:
    """Return one row per month of the first purchase ever and months since: cohort, months_since, customers."""
    ever = chosen(loaded, Filters(), "customer", "ordered_on", sold=True, known=True)
    cohort = _months(ever.groupby("customer", sort=False)["ordered_on"].min())
    sold = chosen(loaded, filters, "customer", "ordered_on", sold=True, known=True)
    active = pd.DataFrame({"customer": sold["customer"], "month": _months(sold["ordered_on"])}).drop_duplicates()
    active = active.assign(cohort=active["customer"].map(cohort))
    active = active.assign(months_since=active["month"] - active["cohort"])
    return active.groupby(["cohort", "months_since"], sort=False).size().rename("customers").reset_index()


def purchase_histories(loaded: Loaded, filters: Filters) -> pd.DataFrame:
    """Return one row per distinct history: frequency, recency_days, age_days, customers."""
    last_day = pd.Timestamp(filters.end) if filters.end else loaded.lines["ordered_on"].max()
    days = chosen(loaded, filters, "customer", "ordered_on", sold=True, known=True).groupby("customer", sort=False)["ordered_on"]
    spans = days.agg(["min", "max", "nunique"])
    histories = pd.DataFrame(
        {
            "frequency": spans["nunique"] - 1,
            "recency_days": (spans["max"] - spans["min"]).dt.days,
            "age_days": (last_day - spans["min"]).dt.days,
        }
    )
    return histories.groupby(list(histories.columns), sort=False).size().rename("customers").reset_index()


def campaign_totals(loaded: Loaded, filters: Filters) -> pd.DataFrame:
    """Return one row per campaign that an order names: campaign_id, orders, customers, net_revenue, discount."""
    lines = chosen(loaded, filters, "campaign_id", "order", "customer", "net_amount", "discount_amount")
    named = lines[lines["campaign_id"].notna()]
    named = named.assign(customer=named["customer"].where(named["customer"] != UNKNOWN_CUSTOMER))
    grouped = named.groupby("campaign_id", observed=True, sort=False)
    totals = grouped.agg(
        orders=("order", "nunique"),
        customers=("customer", "nunique"),
        net_revenue=("net_amount", "sum"),
        discount=("discount_amount", "sum"),
    )
    return totals.reset_index()


def category_pairs(loaded: Loaded, filters: Filters) -> pd.DataFrame:
    """Return one row per two categories bought in one order: first_category, second_category, orders."""
    sold = chosen(loaded, filters, "order", "category", sold=True)
    numbers, different = pd.factorize(sold["order"])
    names = sold["category"].cat.categories
    is_in = np.zeros((len(different), len(names)))
    is_in[numbers, sold["category"].cat.codes] = 1
    together = is_in.T @ is_in
    pairs = [
        (*sorted((names[one], names[other])), int(together[one, other]))
        for one in range(len(names))
        for other in range(one)
        if together[one, other]
    ]
    return pd.DataFrame(pairs, columns=["first_category", "second_category", "orders"])


def _months(days: pd.Series) -> pd.Series:
    return days.dt.year * 12 + days.dt.month
