"""What the page's tables are called, how their columns are headed and printed, and how the change was split."""

from typing import Literal

from crm_metrics.executive_kpis.why import PART_LABELS
from crm_metrics.language import noop
from crm_metrics.metric import Unit

ColumnSpec = tuple[str, Unit | Literal["text"]]

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
_FACTORS: dict[str, ColumnSpec] = {name: (label, "money") for name, label in PART_LABELS.items() if name != "net_revenue"}
COLUMNS: dict[str, dict[str, ColumnSpec]] = {
    "parts": {
        "label": (noop("Part"), "text"),
        "before": (noop("Before"), "text"),
        "after": (noop("Now"), "text"),
        "change_text": (noop("Change"), "text"),
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
        "value": (noop("Now"), "text"),
        "compared_value": (noop("Before"), "text"),
        "change": (noop("Change"), "text"),
        "target": (noop("Target"), "text"),
        "target_share": (noop("Share of the target"), "text"),
    },
}
"""Heading and unit of each column that the page shows, by table."""
