"""What terms, cohorts and ages are called, and how the columns of the page's tables are headed and printed."""

from datetime import date
from typing import Any

import pandas as pd

from crm_metrics.captions import CUSTOMER
from crm_metrics.filters import UNKNOWN
from crm_metrics.language import date_text, month_text, noop, t
from crm_metrics.retention.cohort.terms import CohortTerms

GRAINS = {"month": noop("by month"), "quarter": noop("by quarter"), "week": noop("by week"), "day": noop("by day")}
BYS = {
    "first_purchase": noop("First purchase"),
    "acquisition_channel": noop("Acquisition channel"),
    "first_category": noop("First category"),
    "first_product": noop("First product"),
    "first_campaign": noop("First campaign"),
}
MODES = {
    "on": noop("bought in period"),
    "on_or_after": noop("bought in it or later"),
    "on_or_before": noop("bought again by then"),
}
MONEY_MODES = {"on": noop("in the period"), "on_or_after": noop("in it and later"), "on_or_before": noop("up to then")}
MEASURES = {"customers": noop("Customers"), "net_revenue": noop("Net revenue"), "gross_margin": noop("Gross margin")}
RELATIVES = {"first": noop("% of the first period"), "previous": noop("% of the period before"), "customer": noop("per customer")}
OF_COHORT = noop("% of the cohort")
AGES = {"day": noop("day {age}"), "week": noop("week {age}"), "month": noop("month {age}"), "quarter": noop("quarter {age}")}
AGE_TITLES = {
    "day": noop("Days since the first purchase"),
    "week": noop("Calendar weeks since the first purchase"),
    "month": noop("Calendar months since the first purchase"),
    "quarter": noop("Calendar quarters since the first purchase"),
}
_RATE_TITLES = {  # of customers, by mode
    "on": noop("Bought at that age, % of customers"),
    "on_or_after": noop("Bought at that age or later, % of customers"),
    "on_or_before": noop("Bought again up to that age, % of customers"),
}
_RATE: dict[str, tuple[str, Any]] = {
    "rate": (noop("Rate"), "share"),
    "low": (noop("95% from"), "share"),
    "high": (noop("95% to"), "share"),
}
COLUMNS: dict[str, dict[str, tuple[str, Any]]] = {  # table, column: heading and unit
    "cohorts": {
        "name": (noop("Cohort"), "text"),
        "age": (noop("Age (periods)"), "count"),
        "cohort_customers": (noop("Cohort size"), "count"),
        "customers": (noop("Customers old enough"), "count"),
        "value": (noop("Retained"), "count"),
        **_RATE,
        "value_per_customer": (noop("per customer"), "money"),
        "state": (noop("Remark"), "text"),
    },
    "trend": {
        "name": (noop("Cohort"), "text"),
        "customers": (noop("Customers old enough"), "count"),
        "value": (noop("Retained"), "count"),
        **_RATE,
        "value_per_customer": (noop("per customer"), "money"),
        "state": (noop("Remark"), "text"),
    },
    "average": {
        "age": (noop("Age (periods)"), "count"),
        "cohorts": (noop("Cohorts old enough"), "count"),
        "customers": (noop("Customers old enough"), "count"),
        "value": (noop("Retained"), "count"),
        **_RATE,
        "value_per_customer": (noop("per customer"), "money"),
    },
    "test": {
        "name": (noop("Cohort"), "text"),
        "customers": (noop("Customers"), "count"),
        "value": (noop("Retained"), "count"),
        "rate": (noop("Rate"), "share"),
        "others_customers": (noop("Customers of the others"), "count"),
        "others_rate": (noop("Rate of the others"), "share"),
        "difference": (noop("Difference"), "share"),
        "difference_low": (noop("95% from"), "share"),
        "difference_high": (noop("95% to"), "share"),
        "p_adjusted": (noop("p, adjusted (Holm)"), "ratio"),
        "verdict": (noop("Beyond chance?"), "text"),
    },
    "people": {
        **CUSTOMER,
        "first_on": (noop("First purchase"), "day"),
        "last_on": (noop("Last purchase"), "day"),
        "orders": (noop("Orders"), "count"),
        "net_revenue": (noop("Net revenue"), "money"),
    },
}


def columns(table: str, frame: pd.DataFrame, terms: CohortTerms) -> dict[str, tuple[str, Any]]:
    """Return heading and unit of each column of a table as shown (a key of COLUMNS), without those that `frame` knows nothing of."""
    shown = dict(COLUMNS[table])
    if terms.measure == "customers" or terms.relative_to == "customer":  # then it is the rate, or there is no money
        shown.pop("value_per_customer", None)
    if terms.measure != "customers" and table in ("cohorts", "trend", "average"):
        shown |= {"value": (MEASURES[terms.measure], "money"), "rate": (noop("Rate"), terms.unit)}
    return {name: (t(label), unit) for name, (label, unit) in shown.items() if name not in frame or frame[name].notna().any()}


def age_text(age: int, terms: CohortTerms) -> str:
    """Return an age in words: month 3."""
    return t(AGES[terms.grain], age=age)


def cohort_name(cohort: str, terms: CohortTerms) -> str:
    """Return the name of a cohort, as in the table `cohorts`; of all of them together where it is empty."""
    if not cohort:
        return t("All")
    if not terms.is_of_periods:
        missing = t("no campaign") if terms.by == "first_campaign" else t("unknown")
        return missing if cohort == UNKNOWN else cohort
    first_on = date.fromisoformat(cohort)
    if terms.grain == "month":
        return month_text(first_on)
    if terms.grain == "quarter":
        return t("Q{quarter} {year}", quarter=first_on.month // 3 + 1, year=first_on.year)
    return date_text(first_on) if terms.grain == "day" else t("week of {day}", day=date_text(first_on))


def cell_key(age: int, cohort: str) -> str:
    """Return a cell as the points of the figure carry it, for words.chosen_cell."""
    return f"{age} {cohort}"


def rate_title(terms: CohortTerms, currency: str) -> str:
    """Return what a rate of these terms is, as the title of an axis."""
    if terms.relative_to == "previous":
        return t("{measure}, % of the period before", measure=t(MEASURES[terms.measure]))
    if terms.measure == "customers":
        return t(_RATE_TITLES[terms.mode])
    values = {"measure": t(MEASURES[terms.measure]), "mode": t(MONEY_MODES[terms.mode])}
    if terms.relative_to == "first":
        return t("{measure} {mode}, % of the first period", **values)
    return t("{measure} per customer {mode}, {currency}", currency=currency or t("money"), **values)
