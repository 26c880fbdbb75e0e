"""What steps, groups and moves are called, and how the columns of the page's tables are headed and printed."""

from datetime import date
from typing import Any

import pandas as pd

from crm_metrics.captions import known_columns
from crm_metrics.filters import UNKNOWN
from crm_metrics.language import month_text, noop, t
from crm_metrics.metric import is_unknown
from crm_metrics.pipeline.funnel.terms import PERIODS, FunnelTerms

STEPS = {
    "calls": noop("Calls"),
    "leads": noop("Leads"),
    "qualified_leads": noop("Qualified leads"),
    "opportunities": noop("Opportunities"),
    "won": noop("Won"),
}
OUTCOMES = {"all": noop("All"), "open": noop("Deal open"), "won": noop("Won"), "lost": noop("Deal lost")}
MODES = {"any": noop("reached by any path"), "in_order": noop("all stages in order")}
MEASURES = {"count": noop("by count"), "value": noop("by value")}
BYS = {
    "owner": noop("by owner"),
    "team": noop("by team"),
    "region": noop("by region"),
    "source": noop("by source"),
    "product": noop("by product"),
    "market": noop("by market segment"),
    "quarter": noop("by quarter of creation"),
    "month": noop("by month of creation"),
}
GRAINS = {"quarter": noop("by quarter of closing"), "month": noop("by month of closing")}
KINDS = {
    "on": noop("on to the next stage"),
    "skip": noop("skipped stages"),
    "back": noop("went back"),
    "reopened": noop("reopened"),
    "won": noop("won from the last stage"),
    "lost": noop("lost"),
    "created": noop("created"),
    "aside": noop("stage of no known order"),
}
_INTERVAL: dict[str, tuple[str, Any]] = {"low": (noop("95% from"), "share"), "high": (noop("95% to"), "share")}
_BEHIND: dict[str, tuple[str, Any]] = {
    "opportunity_id": (noop("Deal number"), "text"),
    "opportunity_name": (noop("Deal"), "text"),
    "customer_id": (noop("Customer number"), "text"),
    "customer_name": (noop("Customer name"), "text"),
    "owner_name": (noop("Owner"), "text"),
    "stage_name": (noop("Stage"), "text"),
    "outcome": (noop("State"), "text"),
    "created_on": (noop("Created on"), "day"),
    "expected_close_on": (noop("Expected close"), "day"),
    "closed_on": (noop("Closed on"), "day"),
    "deal_amount": (noop("Deal value"), "money"),
    "product_name": (noop("Product"), "text"),
    "deal_source": (noop("Deal source"), "text"),
    "region": (noop("Region"), "text"),
}
COLUMNS: dict[str, dict[str, tuple[str, Any]]] = {  # table, column: heading and unit
    "funnel": {
        "name": (noop("Step"), "text"),
        "count": (noop("Count"), "count"),
        "value": (noop("Deal value"), "money"),
        "next_step_rate": (noop("On to the next step"), "share"),
        "next_step_low": _INTERVAL["low"],
        "next_step_high": _INTERVAL["high"],
        "cumulative_rate": (noop("Of all leads / opportunities"), "share"),
        "skipped": (noop("Skipped it"), "count"),
        "unvalued": (noop("Without a value"), "count"),
    },
    "detail": {
        "name": (noop("Stage"), "text"),
        "at_least": (noop("Got there, at least"), "count"),
        "still_here": (noop("Still here"), "count"),
        "lost_here": (noop("Lost here"), "count"),
        "decided": (noop("Passed or lost here"), "count"),
        "conversion": (noop("Passed / (passed + lost here)"), "share"),
        "conversion_low": _INTERVAL["low"],
        "conversion_high": _INTERVAL["high"],
        "still_value": (noop("Value still here"), "money"),
        "lost_value": (noop("Value lost here"), "money"),
        "unknown": (noop("Unknown whether reached"), "count"),
    },
    "groups": {
        "group_name": (noop("Group"), "text"),
        "name": (noop("Step"), "text"),
        "deals": (noop("Deals of the group"), "count"),
        "count": (noop("Count"), "count"),
        "value": (noop("Deal value"), "money"),
        "next_step_rate": (noop("On to the next step"), "share"),
        "cumulative_rate": (noop("Of the group's leads / deals"), "share"),
        "cumulative_low": _INTERVAL["low"],
        "cumulative_high": _INTERVAL["high"],
    },
    "moves": {
        "from_stage": (noop("From"), "text"),
        "to_stage": (noop("To"), "text"),
        "deals": (noop("Deals"), "count"),
        "kind": (noop("Move"), "text"),
        "stages_skipped": (noop("Stages skipped"), "count"),
    },
    "detours": {
        "outcome": (noop("State"), "text"),
        "deals": (noop("Deals with a stage history"), "count"),
        "skipped": (noop("Skipped a stage"), "count"),
        "skipped_share": (noop("Skipped, % of deals"), "share"),
        "went_back": (noop("Went back"), "count"),
        "went_back_share": (noop("Went back, % of deals"), "share"),
        "reopened": (noop("Reopened"), "count"),
        "reopened_share": (noop("Reopened, % of deals"), "share"),
    },
    "by": {
        "name": (noop("Group"), "text"),
        "deals": (noop("Deals"), "count"),
        "won": (noop("Deals won"), "count"),
        "lost": (noop("Deals lost"), "count"),
        "open": (noop("Deals open"), "count"),
        "win_rate_of_closed": (noop("Win rate of closed deals"), "share"),
        "closed_low": _INTERVAL["low"],
        "closed_high": _INTERVAL["high"],
        "win_rate_of_all": (noop("Win rate of all deals"), "share"),
        "won_value": (noop("Won value"), "money"),
        "unvalued_won": (noop("Won without a value"), "count"),
        "p_adjusted": (noop("p, adjusted (Holm)"), "ratio"),
        "verdict": (noop("Beyond chance?"), "text"),
    },
    "won": {
        "name": (noop("Closed in"), "text"),
        "won": (noop("Deals won"), "count"),
        "won_value": (noop("Won value"), "money"),
        "unvalued_won": (noop("Won without a value"), "count"),
        "lost": (noop("Deals lost"), "count"),
        "win_rate_of_closed": (noop("Win rate of closed deals"), "share"),
        **_INTERVAL,
        "state": (noop("Remark"), "text"),
    },
    "deals": _BEHIND,
    "calls": {
        "owner_name": (noop("Owner"), "text"),
        "team": (noop("Team"), "text"),
        "region": (noop("Region"), "text"),
        "happened_on": (noop("Day"), "day"),
        "calls": (noop("Calls"), "count"),
        "hits": (noop("Hits"), "count"),
    },
    "leads": {
        "customer_id": (noop("Customer number"), "text"),
        "lead_id": (noop("Lead"), "text"),
        "lead_source": (noop("Lead source"), "text"),
        "owner_name": (noop("Owner"), "text"),
        "team": (noop("Team"), "text"),
        "region": (noop("Region"), "text"),
        "created_on": (noop("Created on"), "day"),
        "qualified_on": (noop("Qualified"), "day"),
        "converted_on": (noop("Became a customer"), "day"),
        "opportunity_id": (noop("Deal number"), "text"),
    },
}


def columns(table: str, frame: pd.DataFrame) -> dict[str, tuple[str, Any]]:
    """Return heading and unit of each column of a table as shown (a key of COLUMNS) that `frame` knows something of."""
    return (
        known_columns(COLUMNS, table, frame) if len(frame) else {name: (t(label), unit) for name, (label, unit) in COLUMNS[table].items()}
    )


def step_name(step: str, name: str) -> str:
    """Return what a step is called; a stage by the name of the data, opportunities with that of their pipeline where it has one."""
    if step not in STEPS:
        return name
    return f"{t(STEPS[step])} · {name}" if name else t(STEPS[step])


def group_name(name: str, terms: FunnelTerms) -> str:
    """Return what a group of the tables funnel_by and funnel_groups is called."""
    if name == UNKNOWN:
        return t("unknown")
    return period_name(date.fromisoformat(name), terms.by) if terms.by in PERIODS else name


def period_name(first_on: date, grain: str) -> str:
    """Return what the quarter or month that begins on a day is called."""
    if is_unknown(first_on):
        return t("day unknown")
    return month_text(first_on) if grain == "month" else t("Q{quarter} {year}", quarter=first_on.month // 3 + 1, year=first_on.year)
