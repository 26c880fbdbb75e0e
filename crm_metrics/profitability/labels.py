"""What the parts, reasons and resources are called, and how the columns of the page's tables are headed and printed."""

from functools import partial
from typing import Any, TypedDict

import pandas as pd

from crm_metrics.captions import CUSTOMER, known_columns
from crm_metrics.filters import UNKNOWN
from crm_metrics.language import noop, t, translated

ENTITIES = {"customer": noop("customers"), "product": noop("products"), "region": noop("regions"), "channel": noop("channels")}
MEASURES = {"profit": noop("profit"), "gross_margin": noop("gross margin"), "net_revenue": noop("net revenue")}
PARTS = {
    "list_revenue": noop("List revenue"),
    "returns": noop("Goods returned"),
    "discount": noop("Discounts"),
    "net_revenue": noop("Net revenue"),
    "cost_of_goods": noop("Cost of goods"),
    "gross_margin": noop("Gross margin"),
    "service": noop("Service"),
    "sales_visits": noop("Sales visits"),
    "delivery": noop("Delivery"),
    "return_handling": noop("Handling of returns"),
    "rewards": noop("Rewards"),
    "other_service": noop("Other costs to serve"),
    "acquisition": noop("Winning the customer"),
    "campaigns": noop("Campaigns"),
    "profit": noop("Profit"),
}
CUSTOMER_PARTS = ("service", "sales_visits", "delivery", "return_handling", "rewards", "other_service", "acquisition", "campaigns")
"""The parts that are of customers and can't be split by order."""
REASONS = {
    "discount": noop("Discounts"),
    "returns": noop("Goods returned"),
    "service": noop("Cost to serve"),
    "marketing": noop("Marketing"),
    "goods": noop("Cost of goods"),
    "several": noop("Several together"),
}
RESOURCES = {
    "service_minutes_share": noop("Service minutes"),
    "visit_minutes_share": noop("Minutes of sales visits"),
    "visit_cost_share": noop("Cost of sales visits"),
    "marketing_share": noop("Marketing"),
    "cost_to_serve_share": noop("Cost to serve"),
}
TIERS = {"top": noop("the top 5%"), "next": noop("the next 15%"), "rest": noop("the rest")}
SCENARIOS = {"today": noop("today"), "then": noop("then")}
_MANY_ROWS = 10  # so many are shown by a table of no stated height
FEW_ENTITIES = 25  # so many are drawn as bars with their names: a curve through five points says nothing
_PROFIT_COLUMNS: dict[str, tuple[str, Any]] = {
    "orders": (noop("Purchases"), "count"),
    "list_revenue": (noop("List revenue"), "money"),
    "returns": (noop("Goods returned"), "money"),
    "discount": (noop("Discounts"), "money"),
    "net_revenue": (noop("Net revenue"), "money"),
    "cost_of_goods": (noop("Cost of goods"), "money"),
    "gross_margin": (noop("Gross margin"), "money"),
    "cost_to_serve": (noop("Cost to serve"), "money"),
    "marketing": (noop("Marketing"), "money"),
}
COLUMNS: dict[str, dict[str, tuple[str, Any]]] = {  # table, column: heading and unit
    "customers": {
        **CUSTOMER,
        "profit_rank": (noop("Rank"), "count"),
        "profit": (noop("Profit"), "money"),
        "cumulative_profit_share": (noop("Cumulative share of profit"), "share"),
        **_PROFIT_COLUMNS,
    },
    "losing": {**CUSTOMER, "reason": (noop("Reason"), "text"), "lost": (noop("Lost"), "money"), **_PROFIT_COLUMNS},
    "shares": {"top": (noop("Best"), "text"), "held": (noop("Share held"), "share")},
    "entities": {
        "name": (noop("Name"), "text"),
        "value": (noop("Amount"), "money"),
        "cumulative_share": (noop("Cumulative share"), "share"),
    },
    "steps": {
        "part": (noop("Part"), "text"),
        "of_customers": (noop("Known customers"), "money"),
        "customer_unknown": (noop("Customer unknown"), "money"),
        "unallocated": (noop("Nobody's"), "money"),
        "amount": (noop("Together"), "money"),
        "share_of_net_revenue": (noop("Share of net revenue"), "share"),
    },
    "resources": {
        "decile": (noop("Tenth"), "count"),
        "customers": (noop("Customers"), "count"),
        "profit": (noop("Profit"), "money"),
        "profit_share": (noop("Share of profit"), "share"),
        "net_revenue_share": (noop("Share of net revenue"), "share"),
        "service_minutes_share": (noop("Service minutes"), "share"),
        "visit_minutes_share": (noop("Minutes of sales visits"), "share"),
        "visit_cost_share": (noop("Cost of sales visits"), "share"),
        "marketing_share": (noop("Marketing"), "share"),
        "cost_to_serve_share": (noop("Cost to serve"), "share"),
    },
    "rewards": {
        "tier": (noop("Tier"), "text"),
        "customers": (noop("Customers"), "count"),
        "profit_before_rewards": (noop("Profit before rewards"), "money"),
        "reward_cost": (noop("Cost of rewards"), "money"),
        "reinvestment_rate": (noop("Given back"), "share"),
        "reward_per_customer": (noop("Rewards per customer"), "money_per_customer"),
    },
    "what_if": {
        "scenario": (noop("When"), "text"),
        "profit": (noop("Profit"), "money"),
        "losing": (noop("Customers who lose money"), "count"),
        "lost": (noop("Lost"), "money"),
        "net_revenue": (noop("Net revenue"), "money"),
        "discount": (noop("Discounts"), "money"),
        "cost_to_serve": (noop("Cost to serve"), "money"),
        "orders": (noop("Purchases"), "count"),
    },
    "stability": {
        "first_start": (noop("First year from"), "day"),
        "second_end": (noop("Second year to"), "day"),
        "customers": (noop("Customers in the first"), "count"),
        "top_customers": (noop("The best 20%"), "count"),
        "stayed": (noop("Still there"), "count"),
        "stayed_share": (noop("Share still there"), "share"),
        "low": (noop("95% from"), "share"),
        "high": (noop("95% to"), "share"),
        "unchanged": (noop("If nobody changed"), "share"),
        "by_chance": (noop("By lot"), "share"),
    },
}
columns = partial(known_columns, COLUMNS)


def shown_name(name: Any) -> str:
    """Return the name of a product, region or channel in the reader's language where it is unknown."""
    return t("unknown") if pd.isna(name) or name in ("", UNKNOWN) else str(name)


def is_few(curve: pd.DataFrame) -> bool:
    """Return whether a curve has so few points that they are shown by name."""
    return len(curve) <= FEW_ENTITIES and bool(curve["name"].notna().any())


def measured(by: str, measure: str) -> str:
    """Return what is added up (a key of MEASURES): of products, regions and channels profit is gross margin."""
    return "gross_margin" if measure == "profit" and by != "customer" else measure


def in_words(name: str, rows: pd.DataFrame, picked: list[str]) -> pd.DataFrame:
    """Return the rows of a table (a key of COLUMNS) as shown: names in the reader's language, of losing customers the picked reasons."""
    if name == "steps":
        known = rows[rows["is_known"].astype(bool)]
        names = [t(PARTS[part]) for part in known["part"]]
        return known.assign(part=[f"= {name}" if total else name for name, total in zip(names, known["is_total"], strict=True)])
    if name == "losing":
        chosen = rows[rows["reason"].isin(picked)] if picked else rows
        return chosen.assign(reason=chosen["reason"].map(translated(REASONS)))
    if name == "rewards":
        return rows.assign(tier=[t(TIERS[tier]) for tier in rows["tier"]])
    if name == "what_if":
        return rows.assign(scenario=[t(SCENARIOS[scenario]) for scenario in rows["scenario"]])
    return rows


class TableOptions(TypedDict, total=False):
    """How a table is put on screen: see ui.table."""

    opens_customer: bool
    search: bool
    height: int


def table_options(name: str, rows: pd.DataFrame) -> TableOptions:
    """Return how a table is put on screen: one of customers can be searched, and opens them; one of many rows is high."""
    if name not in ("customers", "losing"):
        return {}
    options: TableOptions = {"opens_customer": True, "search": True}
    return options | {"height": 560} if len(rows) > _MANY_ROWS else options
