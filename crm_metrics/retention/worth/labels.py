"""What groups, levers and costs are called, and how the columns of the page's tables are headed and printed."""

from functools import partial
from typing import Any

import pandas as pd

from crm_metrics.captions import known_columns
from crm_metrics.filters import UNKNOWN
from crm_metrics.language import noop, t
from crm_metrics.metric import Unit
from crm_metrics.retention.worth.terms import By

BYS: dict[By, str] = {
    "all": noop("All customers"),
    "year": noop("By year"),
    "quarter": noop("By quarter"),
    "acquisition_channel": noop("By acquisition channel"),
}
MEASURES = {"gross_margin": noop("Gross margin"), "net_revenue": noop("Net revenue")}
LEVERS = {"five_points": noop("Five points more"), "five_percent": noop("Five percent more")}
FALLS = {
    "below": noop("below what the literature tells"),
    "within": noop("within what the literature tells"),
    "above": noop("above what the literature tells"),
    "": noop("unknown"),
}
TENURE_MEASURES: dict[str, tuple[str, Unit]] = {
    "order_value": (noop("Net revenue per purchase"), "money_per_order"),
    "discount": (noop("Discounts, share of list revenue"), "share"),
    "cost_to_serve": (noop("Cost to serve per customer"), "money_per_customer"),
    "referrals": (noop("Customers referred, per customer"), "ratio"),
}
COLUMNS: dict[str, dict[str, tuple[str, Any]]] = {  # table, column: heading and unit
    "quality": {
        "cohort": (noop("Group"), "text"),
        "customers": (noop("Customers"), "count"),
        "acquisition_cost": (noop("Acquisition cost per customer"), "money"),
        "payback_month": (noop("Payback month"), "count"),
        "payback_earliest": (noop("at the earliest"), "count"),
        "payback_latest": (noop("at the latest"), "count"),
        "customers_12_months": (noop("Customers of 12 months and more"), "count"),
        "value_12_months": (noop("12-month value"), "money"),
        "value_low": (noop("95% from"), "money"),
        "value_high": (noop("95% to"), "money"),
        "profit_12_months": (noop("12-month value less acquisition cost"), "money"),
        "low": (noop("95% from"), "money"),
        "high": (noop("95% to"), "money"),
        "value_to_cost": (noop("Value to acquisition cost"), "ratio"),
    },
    "payback": {
        "cohort": (noop("Group"), "text"),
        "age_months": (noop("Months since first purchase"), "count"),
        "customers": (noop("Customers old enough"), "count"),
        "cumulative_value": (noop("Cumulative value per customer"), "money"),
        "low": (noop("95% from"), "money"),
        "high": (noop("95% to"), "money"),
        "acquisition_cost": (noop("Acquisition cost per customer"), "money"),
        "is_small": (noop("Few customers"), "flag"),
    },
    "levers": {
        "lever": (noop("Retention"), "text"),
        "retention": (noop("Annual retention"), "share"),
        "retention_then": (noop("Retention then"), "share"),
        "value": (noop("Value of a customer"), "money"),
        "value_then": (noop("Value then"), "money"),
        "change_share": (noop("Change"), "share"),
        "low": (noop("95% from"), "share"),
        "high": (noop("95% to"), "share"),
        "money": (noop("For all customers"), "money"),
        "money_low": (noop("from"), "money"),
        "money_high": (noop("to"), "money"),
        "falls": (noop("Five points in the literature: 25 to 95%"), "text"),
    },
    "tenure": {
        "measure": (noop("Measure"), "text"),
        "tenure_years": (noop("Whole years since the first purchase"), "count"),
        "customers": (noop("Customers"), "count"),
        "value": (noop("Value"), "ratio"),
        "low": (noop("95% from"), "ratio"),
        "high": (noop("95% to"), "ratio"),
    },
    "keeping": {
        "campaigns": (noop("Retention campaigns"), "money"),
        "rewards": (noop("Rewards"), "money"),
        "retained": (noop("Customers who stayed"), "count"),
        "keeping_per_customer": (noop("Keeping a customer"), "money"),
        "winning": (noop("Acquisition cost"), "money"),
        "won": (noop("New customers"), "count"),
        "winning_per_customer": (noop("Winning a customer"), "money"),
        "ratio": (noop("Retention cost to acquisition cost"), "ratio"),
    },
}
columns = partial(known_columns, COLUMNS)


def cohort_name(cohort: str, by: str) -> str:
    """Return what a group is called: a year, a quarter, a channel, all."""
    if by == "acquisition_channel":
        return t("unknown") if cohort == UNKNOWN else cohort
    if not cohort:
        return t("All customers")
    year, month = cohort[:4], int(cohort[5:7])
    return year if by == "year" else t("{year}, quarter {number}", year=year, number=(month + 2) // 3)


def in_words(rows: pd.DataFrame, by: str = "all") -> pd.DataFrame:
    """Return the rows of a table as shown: groups and levers in the reader's language."""
    made: dict[str, list[str]] = {}
    if "cohort" in rows:
        made["cohort"] = [cohort_name(cohort, by) for cohort in rows["cohort"]]
    if "lever" in rows:
        made = {"lever": [t(LEVERS[lever]) for lever in rows["lever"]], "falls": [t(FALLS[falls]) for falls in rows["falls"]]}
        made["falls"] = [falls if lever == "five_points" else "" for lever, falls in zip(rows["lever"], made["falls"], strict=True)]
    if "measure" in rows:
        made["measure"] = [t(TENURE_MEASURES[measure][0]) for measure in rows["measure"]]
    return rows.assign(**made)
