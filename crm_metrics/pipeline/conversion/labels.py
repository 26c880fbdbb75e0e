"""What cohorts, ages and ways to end are called, and how the columns of the page's tables are headed and printed."""

from datetime import date
from functools import partial
from typing import Any

import pandas as pd

from crm_metrics.captions import known_columns
from crm_metrics.language import month_text, noop, t
from crm_metrics.metric import is_unknown
from crm_metrics.pipeline.conversion.terms import PERIODS, CohortBy

BYS: dict[CohortBy, str] = {
    "quarter": noop("by quarter"),
    "month": noop("by month"),
    "source": noop("by source"),
    "owner": noop("by owner"),
    "team": noop("by team"),
    "region": noop("by region"),
    "product": noop("by product"),
    "market": noop("by market segment"),
}
ENDINGS: dict[str, str] = {"won": noop("Won deals"), "lost": noop("Lost deals")}
BASES: dict[str, str] = {"stage": noop("in this stage"), "creation": noop("since creation")}
_BOUNDS: dict[str, tuple[str, Any]] = {"low": (noop("95% from"), "share"), "high": (noop("95% to"), "share")}
_AGED: dict[str, tuple[str, Any]] = {
    "open_share": (noop("Still open, of all"), "share"),
    "at_risk": (noop("Still open and followed at that age"), "count"),
    "state": (noop("Remark"), "text"),
}
COLUMNS: dict[str, dict[str, tuple[str, Any]]] = {  # table, column: heading and unit
    "cohorts": {
        "name": (noop("Cohort"), "text"),
        "age_days": (noop("Age in days"), "count"),
        "deals": (noop("Deals created"), "count"),
        "won": (noop("Won so far"), "count"),
        "won_share": (noop("Won, of all created"), "share"),
        **_BOUNDS,
        "lost_share": (noop("Lost, of all created"), "share"),
        "naive_share": (noop("Won so far / all created"), "share"),
        **_AGED,
    },
    "leads": {
        "name": (noop("Cohort"), "text"),
        "age_days": (noop("Age in days"), "count"),
        "leads": (noop("Leads that came"), "count"),
        "converted": (noop("Customers so far"), "count"),
        "converted_share": (noop("Became customers, of all leads"), "share"),
        **_BOUNDS,
        "naive_share": (noop("Customers so far / all leads"), "share"),
        **_AGED,
    },
    "cycle": {
        "name": (noop("How they ended"), "text"),
        "deals": (noop("Deals so far"), "count"),
        "share": (noop("Share of all created"), "share"),
        "median_days": (noop("Median days, open deals counted"), "days"),
        "mean_days": (noop("Mean days, open deals counted"), "days"),
        "low": (noop("95% from"), "days"),
        "high": (noop("95% to"), "days"),
        "ended_median_days": (noop("Median days, of those closed so"), "days"),
        "ended_mean_days": (noop("Mean days, of those closed so"), "days"),
    },
    "stages": {
        "stage_name": (noop("Stage"), "text"),
        "stays": (noop("Stays in it"), "count"),
        "open": (noop("Not over yet"), "count"),
        "median_days": (noop("Median days"), "days"),
        "median_low": (noop("95% from"), "days"),
        "median_high": (noop("95% to"), "days"),
        "p90_days": (noop("90% end within"), "days"),
        "passed_share": (noop("Passed, of all stays"), "share"),
        "low": (noop("Passed: 95% from"), "share"),
        "high": (noop("Passed: 95% to"), "share"),
        "lost_share": (noop("Lost there, of all stays"), "share"),
        "back_share": (noop("Gone back, of all stays"), "share"),
        "passed_mean_days": (noop("Mean days until passed"), "days"),
        "ended_mean_days": (noop("Mean days, of ended stays alone"), "days"),
    },
    "stalled": {
        "opportunity_id": (noop("Deal number"), "text"),
        "opportunity_name": (noop("Deal"), "text"),
        "customer_name": (noop("Customer name"), "text"),
        "owner_name": (noop("Owner"), "text"),
        "stage_name": (noop("Stage"), "text"),
        "days": (noop("Days"), "days"),
        "counted": (noop("Days counted"), "text"),
        "usual_days": (noop("Usual: half end within"), "days"),
        "limit_days": (noop("90% end within"), "days"),
        "deal_amount": (noop("Deal value"), "money"),
        "created_on": (noop("Created on"), "day"),
        "expected_close_on": (noop("Expected close"), "day"),
        "next_step": (noop("Next step"), "text"),
    },
}
columns = partial(known_columns, COLUMNS)


def cohort_name(cohort: Any, name: Any, by: CohortBy) -> str:
    """Return the name of a cohort: of a period in the reader's language, of a group as it is called."""
    if is_unknown(cohort):
        return t("unknown")
    if by not in PERIODS:
        return str(name) if not is_unknown(name) else str(cohort)
    first_on = date.fromisoformat(str(cohort)[:10])
    if by == "month":
        return month_text(first_on)
    return t("Q{quarter} {year}", quarter=first_on.month // 3 + 1, year=first_on.year)


def cohort_names(rows: pd.DataFrame, by: CohortBy) -> list[str]:
    """Return the names of the cohorts of rows of `cohorts`, `cohort_curve` or their twins of leads."""
    return [cohort_name(cohort, name, by) for cohort, name in zip(rows["cohort"], rows["cohort_name"], strict=True)]


def ending_name(ending: str) -> str:
    """Return what deals that ended so are called."""
    return t(ENDINGS[ending])


def basis_name(basis: str) -> str:
    """Return from when days are counted."""
    return t(BASES[basis])
