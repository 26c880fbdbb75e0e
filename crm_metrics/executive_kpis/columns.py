"""What the page's tables are called, how their columns are headed and printed, and how the change was split."""

from typing import Literal

from crm_metrics.language import noop
from crm_metrics.metric import Unit

ColumnSpec = tuple[str, Unit | Literal["text", "number"]]

REASONS: dict[str, str] = {
    "parts": noop("By customers and orders"),
    "by_region": noop("By region"),
    "by_channel": noop("By channel"),
    "by_category": noop("By category"),
}
"""The ways to split the change, by the name of their table."""

_WITHIN = noop(
    "The change of each value is what its net revenue rose or fell by; the changes add up to the whole. The mix is its share of net "
    "revenue before and after. The table splits each change into customers, orders per customer, revenue per order and sales without a "
    "known customer, within that value: a customer of two values counts in both."
)
HOW: dict[str, str] = {
    "parts": noop(
        "Net revenue of known customers = customers × orders per customer × revenue per order (returns included). Each factor is changed "
        "from its old to its new value in all six orders of the three, and its effects are averaged (Shapley 1953), so the effects add up "
        "to the change without a remainder and none depends on which factor comes first. Sales without a known customer are added as they "
        "are. Where one period has no purchase, its ratios do not exist and the whole change is that of customers."
    ),
    "by_region": _WITHIN,
    "by_channel": _WITHIN,
    "by_category": noop(
        "The change of each category is what the net revenue of its lines rose or fell by; the changes add up to the whole. The mix is the "
        "category's share of net revenue before and after. There is no customer factor: one order can hold several categories, so "
        "customers do not add over them."
    ),
}
"""How each split is computed."""

_VALUE: dict[str, ColumnSpec] = {
    "revenue_before": (noop("Net revenue before"), "money"),
    "revenue_after": (noop("Net revenue now"), "money"),
    "change": (noop("Change"), "money"),
    "share_before": (noop("Mix before"), "share"),
    "share_after": (noop("Mix now"), "share"),
}
_FACTORS: dict[str, ColumnSpec] = {
    "customers": (noop("Effect of customers"), "money"),
    "orders_per_customer": (noop("Effect of orders per customer"), "money"),
    "revenue_per_order": (noop("Effect of revenue per order"), "money"),
    "customer_unknown": (noop("Effect of sales without a known customer"), "money"),
}
COLUMNS: dict[str, dict[str, ColumnSpec]] = {
    "parts": {
        "label": (noop("Part"), "text"),
        "value_before": (noop("Before"), "number"),
        "value_after": (noop("Now"), "number"),
        "unit_text": (noop("Unit"), "text"),
        "change": (noop("Change"), "share"),
        "effect": (noop("Effect on net revenue"), "money"),
        "share_of_change": (noop("Share of the change"), "share"),
    },
    "by_region": {"value": (noop("Region"), "text"), **_VALUE, **_FACTORS},
    "by_channel": {"value": (noop("Channel"), "text"), **_VALUE, **_FACTORS},
    "by_category": {"value": (noop("Category"), "text"), **_VALUE},
    "reconciliation": {
        "label": (noop("Step"), "text"),
        "amount": (noop("Amount"), "money"),
        "documents": (noop("Orders, returns and credits"), "count"),
    },
    "comparison": {
        "label": (noop("Metric"), "text"),
        "value": (noop("Now"), "number"),
        "compared_value": (noop("Before"), "number"),
        "target": (noop("Target"), "number"),
        "unit_text": (noop("Unit"), "text"),
        "change": (noop("Change"), "share"),
        "change_points": (noop("Change in points"), "number"),
        "target_share": (noop("Share of the target"), "share"),
    },
}
"""Heading and unit of each column that the page shows, by table. Numbers of several units stand beside the name of their unit."""
