"""What steps and windows are called, and how the columns of the page's tables are headed and printed."""

from functools import partial
from typing import Any

import pandas as pd

from crm_metrics.captions import known_columns
from crm_metrics.language import noop, t
from crm_metrics.metric import DASH, is_unknown, value_text
from crm_metrics.pipeline.deals import query

STEPS = {
    "start": noop("At the start"),
    "created": noop("Created"),
    "undated": noop("Created on an unknown day"),
    "reopened": noop("Reopened"),
    "pulled_in": noop("Pulled in"),
    "increased": noop("Increased"),
    "decreased": noop("Decreased"),
    "pushed_out": noop("Pushed out"),
    "lost": noop("Deals lost"),
    "won": noop("Deals won"),
    "moved_in": noop("Moved in from outside the filters"),
    "moved_out": noop("Moved out of the filters"),
    "value_known": noop("Value became known"),
    "value_unknown": noop("Value removed"),
    "end": noop("At the end"),
}
GROUPS = {
    "created": noop("Created"),
    "in": noop("Other additions"),
    "won": noop("Deals won"),
    "lost": noop("Deals lost"),
    "out": noop("Other reductions"),
}
WINDOWS = {
    "all": noop("All open deals"),
    "this_quarter": noop("Closing this quarter"),
    "next_quarter": noop("Closing next quarter"),
    "own": noop("Closing on own dates"),
}
MEASURES = {"value": noop("by value"), "deals": noop("by deals")}
GRAINS = {"month": noop("by month"), "week": noop("by week"), "quarter": noop("by quarter"), "day": noop("by day")}
OUTCOMES = {query.OPEN: noop("still open"), query.WON: noop("deal won"), query.LOST: noop("deal lost")}
_PIPELINE: dict[str, tuple[str, Any]] = {
    "deals": (noop("Deals"), "count"),
    "value": (noop("Deal value"), "money"),
    "unknown": (noop("Deals of unknown value"), "count"),
}
COLUMNS: dict[str, dict[str, tuple[str, Any]]] = {  # table, column: heading and unit
    "waterfall": {
        "step_name": (noop("Step"), "text"),
        "deals": (noop("Change in deals"), "count"),
        "value": (noop("Change in value"), "money"),
        "share_of_start": (noop("Share of the value at the start"), "share"),
        "behind": (noop("Deals involved"), "count"),
        "unknown": (noop("Deals of unknown value"), "count"),
    },
    "step_deals": {
        "opportunity_id": (noop("Deal number"), "text"),
        "opportunity_name": (noop("Deal"), "text"),
        "customer_id": (noop("Customer number"), "text"),
        "owner_name": (noop("Owner"), "text"),
        "team": (noop("Team"), "text"),
        "region": (noop("Region"), "text"),
        "stage_name": (noop("Stage"), "text"),
        "outcome": (noop("Deal outcome"), "text"),
        "created_on": (noop("Created on"), "day"),
        "expected_close_on": (noop("Expected close"), "day"),
        "closed_on": (noop("Closed on"), "day"),
        "value": (noop("Deal value"), "money"),
        "change": (noop("Change in value"), "money"),
    },
    "on_day": {
        "stage_name": (noop("Stage"), "text"),
        **_PIPELINE,
        "overdue": (noop("Expected close passed"), "count"),
        "overdue_value": (noop("Value of these"), "money"),
        "undated": (noop("No expected close"), "count"),
    },
    "trend": {
        "ends_on": (noop("At the end of"), "day"),
        **_PIPELINE,
        "is_unfinished": (noop("Unfinished"), "flag"),
    },
}
columns = partial(known_columns, COLUMNS)


def period_columns(measure: str) -> dict[str, tuple[str, Any]]:
    """Return heading and unit of each column of the table period_changes, of one measure."""
    unit = "money" if measure == "value" else "count"
    amounts = {"start": STEPS["start"], **GROUPS, "end": STEPS["end"]}
    days = {"bucket_on": (t("From"), "day"), "ends_on": (t("To"), "day")}
    return {**days, **{name: (t(label), unit) for name, label in amounts.items()}, "is_unfinished": (t("Unfinished"), "flag")}


def in_words(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table as shown: steps, outcomes and stages in the reader's language; all that something stands behind."""
    if "behind" in rows:
        rows = rows[(rows["behind"] > 0) | rows["is_total"]]
        return rows.assign(step_name=[t(STEPS[step]) for step in rows["step"]])
    if "outcome" in rows:
        return rows.assign(outcome=[t(OUTCOMES[outcome]) for outcome in rows["outcome"]])
    return rows.assign(stage_name=[stage_text(name) for name in rows["stage_name"]])


def stage_text(name: object) -> str:
    """Return the name of a stage."""
    return t("stage unknown") if is_unknown(name) else str(name)


def amount_text(value: float, measure: str, currency: str) -> str:
    """Return a number of the measure as printed: money, or deals; a dash where it is unknown."""
    if measure == "value" or is_unknown(value):
        return value_text(value, "money", currency) if measure == "value" else DASH
    return t("1 deal") if abs(value) == 1 else t("{n} deals", n=f"{value:,.0f}")
