"""The tables of the room, and the queries behind them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Select

from crm_metrics.customer_profit import (
    COSTS,
    costing,
    coverage,
    customer_amounts,
    customer_profits,
    has_customer_costs,
    margins,
    unallocated_costs,
)
from crm_metrics.database import Source
from crm_metrics.filters import UNKNOWN, Filters
from crm_metrics.language import noop
from crm_metrics.metric import tile
from crm_metrics.profitability import concentration as spread
from crm_metrics.profitability import metrics, query, statistic
from crm_metrics.profitability import stability as years_apart
from crm_metrics.profitability.concentration import Measure
from crm_metrics.profitability.query import Entity
from crm_metrics.profitability.what_if import WhatIf, changed, scenario_row
from crm_metrics.sales import extent

TODAY, THEN = "today", "then"
_SHOWN = [
    "orders", "list_revenue", "returns", "discount", "net_revenue", "cost_of_goods", "gross_margin", "cost_to_serve", "marketing", "profit",
]  # fmt: skip
REFERENCES = (
    (noop("Long-distance calls"), 0.05, 0.15, 0.55, 0.60),
    (noop("Rented cars in the United States"), 0.005, 0.005, 0.25, 0.25),
    (noop("Profit of banks"), 0.15, 0.15, 0.85, 0.85),
    (noop("The rule of 80 and 20"), 0.20, 0.20, 0.80, 0.80),
)
"""What others found: name, share of the users (low, high), share of the value that they hold (low, high)."""


def queries(_source: Source, filters: Filters, by: Entity = "customer") -> tuple[Select[Any], ...]:
    """Return the queries that profit by customer, product, region or channel is made from, to be shown."""
    if by != "customer":
        return (query.entity_amounts(filters, by),)
    costs = (unallocated_costs(filters),) if has_customer_costs(filters) else ()
    return (customer_amounts(filters), *costs)


# ── asked once per version and filters ──────────────────────────────────────────────────────────────────────────────────


def ranked(source: Source, filters: Filters) -> pd.DataFrame:
    """Return the known customers, most profitable first: see statistic.ranked; ask by source.remember."""
    return statistic.ranked(source.remember(customer_profits, filters))


def unallocated(source: Source, filters: Filters) -> pd.Series:
    """Return what no one customer caused: COSTS and undated; NaN where nothing is recorded, or costs are left out."""
    if not has_customer_costs(filters):
        return pd.Series(np.nan, index=[*COSTS, "undated"])
    return source(unallocated_costs(filters)).iloc[0]


def names(source: Source) -> pd.Series:
    """Return the names of the customers by customer_number."""
    return source(query.customer_names()).set_index("customer_number")["customer_name"]


def entities(source: Source, filters: Filters, by: Entity) -> pd.DataFrame:
    """Return one row per product, region or channel, in order of their keys: name, gross_margin, net_revenue."""
    found = source(query.entity_amounts(filters, by))
    called = found["name"].astype(object).where(found["name"].notna(), found["entity"].astype(object))
    made = margins(found, source.remember(coverage, filters))[["gross_margin", "net_revenue"]]
    return made.assign(name=called.where(called.notna(), UNKNOWN))


def has_profit(source: Source, filters: Filters) -> bool:
    """Return whether costs of goods are known enough for profit; else the room is about net revenue."""
    return bool(source.remember(customer_profits, filters)["profit"].notna().any())


# ── tiles ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def tiles(source: Source, filters: Filters) -> pd.DataFrame:
    """Return the tiles: metric, value, low, high (NaN: exact), unit, n (customers it is about); without costs those of net revenue."""
    customers, row = source.remember(ranked, filters), concentration(source, filters).iloc[0]
    if has_profit(source, filters):
        values = {
            metrics.PROFIT: row["total"],
            metrics.PROFIT_OF_TOP_FIFTH: row["top_20"],
            metrics.CUSTOMERS_FOR_80_PERCENT: row["share_for_80"],
            metrics.PEAK_SHARE: row["peak_share"],
            metrics.LOSING_CUSTOMERS: row["losing"],
            metrics.LOST_TO_LOSING_CUSTOMERS: row["lost"],
        }
    else:
        values = {
            metrics.NET_REVENUE: row["total"],
            metrics.REVENUE_OF_TOP_FIFTH: row["top_20"],
            metrics.CUSTOMERS_FOR_80_PERCENT: row["share_for_80"],
            metrics.GINI_OF_REVENUE: row["gini"],
            metrics.CUSTOMERS: (customers["orders"] > 0).sum(),
        }
    return pd.DataFrame([tile(metric, value, len(customers)) for metric, value in values.items()])


def headline(source: Source, filters: Filters) -> pd.DataFrame:
    """Return the room's one tile for the overview: the profit, or without costs the revenue, that the best fifth of the customers hold."""
    found, chosen = tiles(source, filters), (metrics.PROFIT_OF_TOP_FIFTH.name, metrics.REVENUE_OF_TOP_FIFTH.name)
    return found[found["metric"].isin(chosen)].reset_index(drop=True)


# ── profit and its parts ────────────────────────────────────────────────────────────────────────────────────────────────


def basis(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row: on what profit stands, and what is missing.

    has_profit: costs of goods are known for 95 % of net revenue. cost_coverage: for which share, whatever the segments.
    has_customer_costs: False where the filters or the reader's scope choose orders, so that profit is gross margin.
    has_cost_to_serve, has_marketing, has_discount: any recorded in the period. customers: with an order or a cost in the period.
    without_purchase: of these, those who bought nothing in it. losing_without_purchase: of these, those whose profit is below zero.
    customer_unknown: purchases without a customer. undated_costs: cost items without a day, which count in every period.
    """
    made, nobody = source.remember(customer_profits, filters), source.remember(unallocated, filters)
    known, is_customer = source.remember(coverage, filters), made["customer_number"].notna()
    idle = made[is_customer & (made["orders"] == 0)]
    row = {
        "has_profit": has_profit(source, filters),
        "cost_coverage": known.coverage,
        "has_customer_costs": has_customer_costs(filters),
        "has_cost_to_serve": bool(made["cost_to_serve"].notna().any()),
        "has_marketing": bool(made["marketing"].notna().any()),
        "has_discount": bool(made["discount"].notna().any()),
        "customers": int(is_customer.sum()),
        "without_purchase": len(idle),
        "losing_without_purchase": int((idle["profit"] < 0).sum()),
        "customer_unknown": int(made.loc[~is_customer, "orders"].sum()),
        "undated_costs": int(nobody["undated"] if nobody["undated"] > 0 else 0),
    }
    return pd.DataFrame([row])


def summary(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per part of profit, from list revenue to profit.

    part, is_total (of what stands above), of_customers, customer_unknown, unallocated (costs that no one customer caused), amount (the
    sum of the three), share_of_net_revenue, is_known, known_anywhere (on any day). What takes away is negative, so that parts add up to
    the totals; NaN where unknown.
    """
    always = replace(filters, start=None, end=None, as_of=None, segments=(), segments_on=None)
    nobody = source.remember(unallocated, always)
    anywhere = {*source.remember(coverage, always).recorded, *nobody.index[nobody.notna()]}
    return statistic.steps(source.remember(customer_profits, filters), source.remember(unallocated, filters), anywhere)


def customers(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per known customer, most profitable first, ties by customer_id.

    customer_id, customer_name, profit_rank, decile (1 the best), orders (purchases), list_revenue, returns, discount, net_revenue,
    cost_of_goods, gross_margin, cost_to_serve, marketing, profit, cumulative_profit_share. What takes away is positive; NaN where
    unknown. Where costs are unknown the rank is by net revenue.
    """
    found = _named(source, source.remember(ranked, filters))
    return found[["customer_id", "customer_name", "profit_rank", "decile", *_SHOWN]].assign(
        cumulative_profit_share=statistic.cumulative_share(found["profit"])
    )


def deciles(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per tenth of the customers by profit: decile (1 the best), customers, and what it gives and takes.

    Shares of the total: net_revenue_share, profit_share, service_minutes_share, visit_minutes_share, visit_cost_share, marketing_share,
    cost_to_serve_share; and the sums net_revenue, profit, service_minutes, visit_minutes, visit_cost, marketing, cost_to_serve. NaN where
    it is not recorded. Where costs are unknown the tenths are by net revenue.
    """
    return statistic.decile_rows(source.remember(ranked, filters))


def losing(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per customer who loses money, the largest loss first: as `customers`, with reason and lost (positive).

    reason: 'discount', 'returns', 'service', 'marketing' or 'goods' (they cost more than their list price), the largest part that,
    brought to zero, would alone make the customer earn; 'several' where none would.
    """
    found = _named(source, source.remember(losing_customers, filters))
    return found[["customer_id", "customer_name", "profit_rank", "decile", *_SHOWN, "reason", "lost"]]


def losing_customers(source: Source, filters: Filters) -> pd.DataFrame:
    """Return the customers who lose money: see statistic.losing_rows; ask by source.remember."""
    return statistic.losing_rows(source.remember(ranked, filters))


def losing_reasons(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per reason that occurs, the costliest first: reason, customers, lost, profit_without.

    profit_without: what these customers would earn together if the part had been zero; of 'several' the largest part.
    """
    return statistic.reason_rows(source.remember(losing_customers, filters))


def _named(source: Source, found: pd.DataFrame) -> pd.DataFrame:
    return found.assign(customer_name=source.remember(names).reindex(found["customer_number"]).to_numpy())


# ── concentration ───────────────────────────────────────────────────────────────────────────────────────────────────────


def curve(source: Source, filters: Filters, by: Entity = "customer", measure: Measure | None = None) -> pd.DataFrame:
    """Return the points of the curve, the best entity first; see concentration.curve_points.

    by: customers, or products, regions or channels, whose profit is gross margin, with sales of customers unknown. Values of 0 count.
    measure: None is profit, or net revenue where costs are unknown.
    """
    measure = measure or _best_measure(source, filters, by)
    return spread.curve_points(_values(source, filters, by, measure), measure, has_names=by != "customer")


def concentration(source: Source, filters: Filters, by: Entity = "customer", measure: Measure | None = None) -> pd.DataFrame:
    """Return one row on how a value is spread over customers, products, regions or channels: see concentration.concentration_row.

    measure: None is profit, or net revenue where costs are unknown.
    """
    measure = measure or _best_measure(source, filters, by)
    return spread.concentration_row(_values(source, filters, by, measure)["value"].to_numpy(dtype=float), measure)


def _best_measure(source: Source, filters: Filters, by: Entity) -> Measure:
    is_known = has_profit(source, filters) if by == "customer" else source.remember(coverage, filters).is_enough
    return "profit" if is_known else "net_revenue"


def _values(source: Source, filters: Filters, by: Entity, measure: Measure) -> pd.DataFrame:
    """Return value and name of each entity."""
    if by == "customer":
        found = source.remember(ranked, filters)
        return pd.DataFrame({"value": found[measure], "name": found["customer_id"]})
    found = source.remember(entities, filters, by)
    return pd.DataFrame({"value": found["gross_margin" if measure == "profit" else measure], "name": found["name"]})


def references(_source: Source, _filters: Filters) -> pd.DataFrame:
    """Return what others found: name, users_share_low, users_share_high, value_share_low, value_share_high."""
    columns = ["name", "users_share_low", "users_share_high", "value_share_low", "value_share_high"]
    return pd.DataFrame(REFERENCES, columns=columns)


# ── what if ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def customers_then(source: Source, filters: Filters, change: WhatIf) -> pd.DataFrame:
    """Return what the change makes of the customers: see what_if.changed; ask by source.remember."""
    small = source.remember(small_orders, filters, change.minimum_order)
    return changed(source.remember(ranked, filters), small, steep_orders(source, filters, change), change)


def small_orders(source: Source, filters: Filters, below: float) -> pd.DataFrame:
    """Return what each customer's orders below an amount hold: customer_number, orders and see customer_profit.margins."""
    found = source(query.small_orders(filters, below))
    return pd.concat([found[["customer_number", "orders"]], margins(found, source.remember(coverage, filters))], axis=1)


def steep_orders(source: Source, filters: Filters, change: WhatIf) -> pd.DataFrame:
    """Return by how much the discounts of each customer's orders are over the cap: customer_number, excess (see query.steep_orders)."""
    cap = change.discount_cap
    if cap is None:
        return pd.DataFrame(columns=["customer_number", "excess"], dtype=float)
    found = source(query.steep_orders(filters, cap, change.minimum_order))
    return found[["customer_number"]].assign(excess=found["discount"] - cap * found["list_price"])


def steepest_discount(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row: discount_share, the largest share of its list price that a purchase was given off; NaN where none is recorded."""
    return source(query.steepest_discount(filters))


def what_if(source: Source, filters: Filters, change: WhatIf = WhatIf()) -> pd.DataFrame:
    """Return one row for today and one for then: scenario, profit, losing, lost, top_20, peak_share, and what it is made of.

    cost_to_serve, discount, net_revenue, orders. Profit is that of the known customers; unknown without costs. The rules: see
    what_if.changed.
    """
    return pd.DataFrame([scenario_row(rows, scenario) for scenario, rows in _scenarios(source, filters, change).items()])


def what_if_curve(source: Source, filters: Filters, change: WhatIf = WhatIf()) -> pd.DataFrame:
    """Return the curves of today and then: as `curve` of customers' profit, with scenario. Each has its own order and its own total."""
    curves = [
        spread.curve_points(pd.DataFrame({"value": rows["profit"], "name": ""}), "profit", has_names=False).assign(scenario=scenario)
        for scenario, rows in _scenarios(source, filters, change).items()
    ]
    return pd.concat(curves, ignore_index=True)


def _scenarios(source: Source, filters: Filters, change: WhatIf) -> dict[str, pd.DataFrame]:
    return {TODAY: source.remember(ranked, filters), THEN: source.remember(customers_then, filters, change)}


# ── rewards, and year by year ───────────────────────────────────────────────────────────────────────────────────────────


def reinvestment(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per tier of value by profit before rewards: tier ('top': the best 5 %, 'next': 15 %, 'rest').

    customers, reward_cost, profit_before_rewards, reinvestment_rate (reward cost / profit before rewards, sums), reward_per_customer.
    Empty where no rewards are recorded.
    """
    return statistic.tier_rows(source.remember(ranked, filters))


def stability(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per pair of years, 12 months back from the end of the period, whatever its beginning; the latest pair last.

    first_start, first_end, second_start, second_end (days), measure ('gross_margin', or 'net_revenue' where costs are unknown; costs to
    serve can't be dealt out with orders), customers (active in the first year), top_customers (the best fifth of them), stayed (of these,
    in the best fifth of the second year), stayed_share with low and high (Wilson, 95 %), by_chance (share of all customers of the first
    year who are later in the best fifth), unchanged with unchanged_low and unchanged_high (mean and 95 % of stayed_share in 200 deals of
    each customer's orders of both years to the two years by lot: nobody changed), sampled (customers whose orders were dealt).
    """
    return source.remember(stability_rows, filters)


def stability_rows(source: Source, filters: Filters) -> pd.DataFrame:
    """Return the pairs of years: see stability; ask by source.remember."""
    held = source(extent(filters.scope)).iloc[0]
    if pd.isna(held["first_on"]):
        return pd.DataFrame(columns=years_apart.PAIR_COLUMNS)
    last_on = min(filters.end or held["last_on"].date(), held["last_on"].date())
    found = years_apart.pairs(years_apart.years_back(held["first_on"].date(), last_on))
    return pd.DataFrame([_pair(source, filters, years) for years in found], columns=years_apart.PAIR_COLUMNS)


def _pair(source: Source, filters: Filters, years: tuple[Any, Any]) -> dict[str, object]:
    yearly = source(query.year_amounts(filters, years))
    known = costing(yearly)
    measure = "gross_margin" if known.is_enough else "net_revenue"
    values = yearly[["customer_number", "year"]].assign(value=margins(yearly, known)[measure])
    of_year = values.pivot(index="customer_number", columns="year", values="value").reindex(columns=[0, 1])
    orders = source(query.sampled_orders(filters, years, years_apart.SAMPLED_CUSTOMERS))
    customer = orders["customer_number"].to_numpy(dtype=np.int64)
    is_first = (orders["ordered_on"] <= pd.Timestamp(years[0].end)).to_numpy()
    worth = margins(orders, known)[measure].to_numpy(dtype=float)
    shares = years_apart.dealt_shares(customer, worth, is_first) if len(orders) else np.zeros(0)
    seen = years_apart.stayed_on_top(of_year[0].to_numpy(dtype=float), of_year[1].to_numpy(dtype=float))
    return years_apart.pair_row(years, seen, shares, measure=measure, sampled=len(np.unique(customer)))
